"""titiler itself, without a port: a request as JSON a line on stdin, its answer as JSON a line on stdout.

Request: {"method": "GET", "path": "/preview.png", "query": "url=…", "body": null}
Answer:  {"status": 200, "type": "image/png", "body": base64}
"""
import base64
import json
import sys
import warnings

from fastapi import FastAPI
from starlette.testclient import TestClient
from titiler.core.errors import DEFAULT_STATUS_CODES, add_exception_handlers
from titiler.core.factory import AlgorithmFactory, ColorMapFactory, TilerFactory

warnings.filterwarnings('ignore')
app = FastAPI()
app.include_router(TilerFactory().router)
app.include_router(AlgorithmFactory().router)
app.include_router(ColorMapFactory().router)
add_exception_handlers(app, DEFAULT_STATUS_CODES)
client = TestClient(app, raise_server_exceptions=False)

for line in sys.stdin:
    case = json.loads(line)
    url = f"{case['path']}?{case['query']}"
    answer = client.request(case['method'], url, **({'json': case['body']} if case['body'] else {}))
    body = base64.b64encode(answer.content).decode()
    print(json.dumps({'status': answer.status_code, 'type': answer.headers['content-type'], 'body': body}), flush=True)
