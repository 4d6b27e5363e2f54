/** What is here: /layers, /layers/{id}, and `/`, which is a page for people and a landing page for programs. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpContext } from './context.ts';
import { landingPage } from './ogc.ts';
import { oneOf, queryOf, text } from './params.ts';
import { layerJson } from './tilejson.ts';
import { viewerHtml } from './viewer.ts';

export const LANDING_FORMATS = ['json', 'html'] as const;

export function registerCatalogue(app: FastifyInstance, context: HttpContext): void {
  app.get('/layers', async (request, reply) => {
    const layers = context.catalogue.list().map(layer => layerJson(context, layer, request));
    return reply.header('cache-control', 'no-cache').send({ layers });
  });
  app.get<{ Params: { id: string } }>('/layers/:id', async (request, reply) => {
    const { id } = request.params;
    const layer = context.catalogue.get(id);
    if (!layer) {
      const lease = context.catalogue.lease(id); // throws: unknown, or ended with its session
      lease.release();
      return reply.send(layerJson(context, lease.layer, request));
    }
    return reply.header('cache-control', 'no-cache').send(layerJson(context, layer, request));
  });
  app.get('/', async (request, reply) => {
    reply.header('vary', 'accept').header('cache-control', 'no-cache');
    if (wantsHtml(request) && !request.originalUrl.split('?')[0].endsWith('/')) {
      // Under a base path the page's relative URLs need the slash.
      return reply.redirect(`${context.publicUrl(request)}/`, 308);
    }
    if (wantsHtml(request)) return reply.type('text/html; charset=utf-8').send(viewerHtml());
    return reply.send(landingPage(context.publicUrl(request)));
  });
}

/** Browsers name text/html; OGC clients and curl do not. `f=` decides where it is given. */
function wantsHtml(request: FastifyRequest): boolean {
  const f = text(queryOf(request), 'f');
  if (f !== undefined) return oneOf('f', f, LANDING_FORMATS) === 'html';
  return /text\/html/i.test(request.headers.accept ?? '');
}
