/** What the duel counts, against a server that refuses, degrades and lies in turn. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { burst, isServed, pauseAfter } from '../../bench/duel/burst.ts';
import { chart } from '../../bench/duel/chart.ts';
import { table } from '../../bench/duel/report.ts';
import type { Answer } from '../../bench/lib/reader.ts';

function answer(status: number, headers = ''): Answer {
  return { status, bytes: 1, close: false, head: `HTTP/1.1 ${status} X${headers}` };
}

test('only a 2xx of the type asked for is served, and only what may change is asked again', () => {
  assert.ok(isServed(answer(200, '\r\nContent-Type: image/png'), 'image/png'));
  assert.ok(isServed(answer(204), 'image/png'));
  assert.ok(!isServed(answer(200, '\r\ncontent-type: text/xml'), 'image/png'));
  assert.ok(!isServed(answer(503, '\r\ncontent-type: image/png'), 'image/png'));
  assert.ok(!isServed(null, 'image/png'));
  assert.equal(pauseAfter(answer(503, '\r\nRetry-After: 3')), 3000);
  assert.equal(pauseAfter(null), 1000);
  assert.equal(pauseAfter(answer(413)), null);
});

/** Every path is refused once, then served; `xml` is never what was asked for, `large` never fits. */
function manners(): (url: string, response: ServerResponse) => void {
  const seen = new Set<string>();
  return (url, response) => {
    if (url === '/large') response.writeHead(413).end();
    else if (url === '/hot') response.writeHead(200, { 'content-type': 'image/png' }).end('x');
    else if (!seen.has(url)) response.writeHead(503, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-type': 'image/png', 'x-tile-degraded': 'overview' }).end('four');
    seen.add(url);
  };
}

test('a wish is counted once, its requests each, and degraded answers apart', async () => {
  const behave = manners();
  const server = createServer((request, response) => behave(request.url ?? '', response));
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const paths = ['/large', ...Array.from({ length: 50_000 }, (_, i) => `/${i}`)];
  const result = await burst({
    port,
    accept: 'image/png',
    paths,
    hotPaths: ['/hot'],
    clients: 2,
    hotClients: 1,
    seconds: 0.3,
  });
  server.close();
  server.closeAllConnections();
  const { statuses, wanted, got, degraded, requests, hot } = result;
  assert.equal(statuses['413'], 1);
  assert.equal(got, wanted - 1);
  assert.equal(degraded, got);
  assert.equal(statuses['200'], got);
  assert.equal(requests, 1 + 2 * got);
  assert.equal(hot.ok, hot.requests);
  const outcome = {
    server: 'A & B',
    round: 'tiles',
    startKills: 1,
    kills: 2,
    restarts: 0,
    samples: [[0, 2 ** 20]],
    burst: result,
  } as const;
  const dead = { ...outcome, server: 'dead', burst: null, samples: [] };
  const text = table([outcome, dead]);
  assert.match(text, /256 px PNG tiles \| A & B .*2 \+ 1 before/);
  assert.equal(new Set(text.split('\n').map(line => line.split('|').length)).size, 1, 'all rows have all columns');
  assert.match(chart([outcome, dead], 256), /^<svg [\s\S]+A &#38; B[\s\S]+<\/svg>\n$/);
});
