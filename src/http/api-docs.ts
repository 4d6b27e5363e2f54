/** /api and /api.html, and the check that follows from them: a query parameter that is not described is refused. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { matches } from '../identity.ts';
import type { Catalogue } from '../layers/types.ts';
import { openApi, TAGS } from './api/document.ts';
import type { FeatureLimits } from './api/features.ts';
import { endpoints } from './api/index.ts';
import { apiPage, PAGE_CSP } from './api/page.ts';
import { OPENAPI_TYPE } from './api/parts.ts';
import { checkQueries } from './api/query-check.ts';
import { samplesOf } from './api/samples.ts';
import type { Endpoint } from './api/types.ts';

export interface ApiDocsDeps {
  readonly catalogue: Catalogue;
  readonly limits: FeatureLimits;
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
  const listed = () => endpoints(samplesOf(deps.catalogue), deps.limits).filter(one => routes.has(routeKey(one)));
  checkQueries(app, endpoints(samplesOf(deps.catalogue), deps.limits));
  app.get('/api', (request, reply) => {
    const document = openApi({ endpoints: listed(), url: deps.publicUrl(request), version });
    return answer(request, reply, typeOf(request), JSON.stringify(document));
  });
  app.get('/api.html', (request, reply) => {
    reply.header('content-security-policy', PAGE_CSP).header('x-content-type-options', 'nosniff');
    const page = apiPage({ endpoints: listed(), tags: TAGS, url: deps.publicUrl(request), version });
    return answer(request, reply, 'text/html; charset=utf-8', page);
  });
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

function answer(request: FastifyRequest, reply: FastifyReply, type: string, body: string): FastifyReply {
  const etag = `"${createHash('sha1').update(type).update(body).digest('base64url')}"`;
  reply.header('etag', etag).header('cache-control', 'no-cache').header('vary', 'accept');
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', type).send(Buffer.from(body));
}
