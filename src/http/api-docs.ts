/** /api and /api.html, and the check that follows from them: a query parameter that is not described is refused. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { matches } from '../identity.ts';
import type { Catalogue } from '../layers/types.ts';
import { openApi, TAGS } from './api/document.ts';
import { type ApiLimits, endpoints } from './api/index.ts';
import { apiPage, PAGE_CSP } from './api/page.ts';
import { OPENAPI_TYPE } from './api/parts.ts';
import { checkQueries } from './api/query-check.ts';
import { samplesOf } from './api/samples.ts';
import type { Endpoint, Samples } from './api/types.ts';

export interface ApiDocsDeps {
  readonly catalogue: Catalogue;
  readonly limits: ApiLimits;
  publicUrl(request: FastifyRequest): string;
}

/** `GET /tiles/:layers`: what Fastify was told, beside the HEAD that every GET brings. */
export const ROUTES = 'plimsollRoutes';

/** Before any other route is registered, or it would not be seen. */
export function registerApiDocs(app: FastifyInstance, deps: ApiDocsDeps): void {
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) if (name !== 'HEAD') routes.add(`${name} ${url}`);
  });
  app.decorate(ROUTES, routes);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const all = (samples: Samples) => endpoints(samples, deps.limits);
  const listed = (samples: Samples) => all(samples).filter(one => routes.has(routeKey(one)));
  checkQueries(app, all(samplesOf(deps.catalogue)));
  const document = lastKept((samples, url) => JSON.stringify(openApi({ endpoints: listed(samples), url, version })));
  const page = lastKept((samples, url) => apiPage({ endpoints: listed(samples), tags: TAGS, url, version }));
  app.get('/api', (request, reply) =>
    answer(request, reply, typeOf(request), document(samplesOf(deps.catalogue), deps.publicUrl(request))),
  );
  app.get('/api.html', (request, reply) => {
    reply.header('content-security-policy', PAGE_CSP).header('x-content-type-options', 'nosniff');
    return answer(request, reply, 'text/html; charset=utf-8', page(samplesOf(deps.catalogue), deps.publicUrl(request)));
  });
}

/** The text stays the same until the catalogue or the address changes; only the last one is kept. */
function lastKept(make: (samples: Samples, url: string) => string): (samples: Samples, url: string) => Buffer {
  let [key, body] = ['', Buffer.alloc(0)];
  return (samples, url) => {
    const now = JSON.stringify([samples, url]);
    if (now !== key) [key, body] = [now, Buffer.from(make(samples, url))];
    return body;
  };
}

export function routeKey({ method, route }: Endpoint): string {
  return `${method.toUpperCase()} ${route}`;
}

/** Its own type, unless only plain JSON is understood; a browser shows that, too, where it would download the other. */
function typeOf(request: FastifyRequest): string {
  const accept = request.headers.accept ?? '';
  const plain = /application\/json|text\/html/i.test(accept) && !/vnd\.oai\.openapi/i.test(accept);
  return plain ? 'application/json' : OPENAPI_TYPE;
}

function answer(request: FastifyRequest, reply: FastifyReply, type: string, body: Buffer): FastifyReply {
  const etag = `"${createHash('sha1').update(type).update(body).digest('base64url')}"`;
  reply.header('etag', etag).header('cache-control', 'no-cache').header('vary', 'accept');
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', type).send(body);
}
