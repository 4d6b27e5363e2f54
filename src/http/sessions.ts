/** Session layers for dashboards: create, upload GeoJSON, look, touch, delete. Their tiles are at /tiles/{layer}/… */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Permit, PermitClass } from '../admission/types.ts';
import { problem } from '../errors.ts';
import type { Cost } from '../plan.ts';
import type { Put, SessionState, Sessions } from '../sessions/types.ts';
import { clip } from './params.ts';
import { askedTtl } from './session-ask.ts';
import { announced, receiveBody } from './upload.ts';

export interface SessionsDeps {
  readonly sessions: Sessions;
  publicUrl(request: FastifyRequest): string;
  /** Books an upload before its first byte is read. */
  admit(
    cost: Cost,
    meta: { op: string; layer: string; client: string; signal: AbortSignal; class: PermitClass },
  ): Promise<Permit>;
}

interface SessionRoute {
  Params: { id: string };
}
interface LayerRoute {
  Params: { id: string; name: string };
}

export const GEOJSON_TYPES = ['application/geo+json', 'application/json', 'application/vnd.geo+json'];
export function registerSessions(app: FastifyInstance, sessions: Sessions, deps: SessionsDeps): void {
  app.register(async scope => {
    // The body arrives as a stream: it is booked and counted while it comes, never buffered by the framework.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    registerLife(scope, sessions, deps);
    registerLayers(scope, sessions, deps);
  });
}

function registerLife(scope: FastifyInstance, sessions: Sessions, deps: SessionsDeps): void {
  scope.post('/sessions', async (request, reply) => {
    const { id, secret, ttlMs, expires } = sessions.create(await askedTtl(request, sessions.settings.ttlMs));
    const href = `${deps.publicUrl(request)}/sessions/${id}`;
    const links = [
      { rel: 'self', href },
      { rel: 'layers', href: `${href}/layers/{name}`, templated: true },
    ];
    noStore(reply).code(201).header('location', href);
    return reply.send({ id, secret, ttl: Math.round(ttlMs / 1000), expires: iso(expires), links });
  });
  scope.get<SessionRoute>('/sessions/:id', async (request, reply) =>
    noStore(reply).send(stateJson(deps.publicUrl(request), sessions.get(request.params.id))),
  );
  scope.post<SessionRoute>('/sessions/:id/touch', async (request, reply) => {
    authorise(sessions, request, reply, request.params.id);
    return noStore(reply).send(stateJson(deps.publicUrl(request), sessions.touch(request.params.id)));
  });
  scope.delete<SessionRoute>('/sessions/:id', async (request, reply) => {
    authorise(sessions, request, reply, request.params.id);
    sessions.remove(request.params.id);
    return reply.code(204).send();
  });
}

function registerLayers(scope: FastifyInstance, sessions: Sessions, deps: SessionsDeps): void {
  scope.put<LayerRoute>('/sessions/:id/layers/:name', async (request, reply) => {
    const { id, name } = request.params;
    authorise(sessions, request, reply, id);
    const { layer, replaced } = await putLayer(request, reply, sessions, deps);
    const base = deps.publicUrl(request);
    if (!replaced) reply.code(201).header('location', `${base}/sessions/${id}/layers/${name}`);
    return noStore(reply).send(layerJson(base, layer));
  });
  scope.get<LayerRoute>('/sessions/:id/layers/:name', async (request, reply) => {
    const { id, name } = request.params;
    return noStore(reply).send(layerJson(deps.publicUrl(request), sessions.layer(id, name)));
  });
  scope.delete<LayerRoute>('/sessions/:id/layers/:name', async (request, reply) => {
    authorise(sessions, request, reply, request.params.id);
    sessions.removeLayer(request.params.id, request.params.name);
    return reply.code(204).send();
  });
}

/** Two permits: one for the body, from before its first byte on, and one for its index, when its turn has come. */
async function putLayer(
  request: FastifyRequest<LayerRoute>,
  reply: FastifyReply,
  sessions: Sessions,
  deps: SessionsDeps,
): Promise<Put> {
  const { id, name } = request.params;
  const { maxBodyBytes, stallMs } = sessions.settings;
  const signal = uploadSignal(request, reply);
  refuseOtherType(request.headers['content-type']);
  const coming = announced(request, maxBodyBytes);
  const admit = (op: string, client: string, cost: Cost) =>
    deps.admit(cost, { op, layer: 'session', client, signal, class: 'bulk' });
  const held: Permit[] = [];
  try {
    return await sessions.put(id, name, {
      signal,
      body: async () => {
        const received = { inputBytes: coming.firstBytes, decodedBytes: 0, outputBytes: 0 };
        const permit = await admit('session-upload', id, received);
        held.push(permit);
        return receiveBody(request, coming, permit, { maxBytes: maxBodyBytes, stallMs });
      },
      // Counted apart from the bodies that the same client sends, or the second upload would stand in its own way.
      permit: cost => admit('session-index', `${id} index`, cost),
    });
  } finally {
    for (const permit of held) permit.release();
  }
}

function authorise(sessions: Sessions, request: FastifyRequest, reply: FastifyReply, id: string): void {
  const secret = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
  if (secret === null) reply.header('www-authenticate', 'Bearer');
  sessions.authorise(id, secret);
}

function refuseOtherType(header = ''): void {
  const type = header.split(';')[0].trim().toLowerCase();
  if (GEOJSON_TYPES.includes(type)) return;
  throw problem('unsupported-media-type', `content-type: "${clip(type)}" is none of ${GEOJSON_TYPES.join(', ')}`, {
    known: GEOJSON_TYPES,
  });
}

/** Fastify's own signal fires as soon as a body has been read, so the socket is watched instead. */
function uploadSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      controller.abort(problem('client-closed', `${request.method} ${request.url}: the client went away`));
    }
  });
  return controller.signal;
}

function stateJson(base: string, state: SessionState): Record<string, unknown> {
  const { id, created, expires, idleExpires, bytes, quotaBytes, layers } = state;
  return {
    id,
    created: iso(created),
    expires: iso(expires),
    idleExpires: iso(idleExpires),
    bytes,
    quotaBytes,
    layers: layers.map(layer => layerJson(base, layer)),
  };
}

function layerJson(base: string, layer: SessionState['layers'][number]): Record<string, unknown> {
  const { id, title, bytes, count, geometry, fields, lonLatBounds, minzoom, maxzoom } = layer;
  const tiles = `${base}/tiles/${id}/{z}/{x}/{y}.mvt`;
  const self = `${base}/sessions/${layer.session}/layers/${title}`;
  const links = { self, tilejson: `${base}/tiles/${id}`, tiles };
  return { id, name: title, bytes, count, geometry, fields, bounds: lonLatBounds, minzoom, maxzoom, links };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Answers here hold secrets or states that the next moment changes. */
function noStore(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store');
}
