/** Session layers for dashboards: create, upload GeoJSON, look, touch, delete. Their tiles are at /tiles/{layer}/… */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Permit, PermitClass } from '../admission/types.ts';
import { problem } from '../errors.ts';
import type { Cost } from '../plan.ts';
import type { SessionState, Sessions } from '../sessions/types.ts';
import { clip } from './params.ts';

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

const GEOJSON_TYPES = ['application/geo+json', 'application/json', 'application/vnd.geo+json'];
/** The index beside the text while it is built, measured at 1.4–2.6 times the text. */
const INDEX_FACTOR = 3;
/** JSON.parse of one feature. */
const PARSE_FACTOR = 8;

export function registerSessions(app: FastifyInstance, sessions: Sessions, deps: SessionsDeps): void {
  app.register(async scope => {
    // The body arrives as a stream: it is booked and counted while it comes, never buffered by the framework.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(GEOJSON_TYPES, (_request, payload, done) => done(null, payload));
    registerLife(scope, sessions, deps);
    registerLayers(scope, sessions, deps);
  });
}

function registerLife(scope: FastifyInstance, sessions: Sessions, deps: SessionsDeps): void {
  scope.post('/sessions', async (request, reply) => {
    const { id, secret, ttlMs, expires } = sessions.create();
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
    const signal = uploadSignal(request, reply);
    const bytes = announcedBytes(request, sessions.settings.maxBodyBytes);
    const { featureBytesMax } = sessions.settings;
    const decodedBytes = bytes * INDEX_FACTOR + Math.min(bytes, featureBytesMax) * PARSE_FACTOR;
    const cost = { inputBytes: bytes, decodedBytes, outputBytes: 0 };
    const permit = await deps.admit(cost, { op: 'session-put', layer: 'session', client: id, signal, class: 'bulk' });
    try {
      const body = await readBody(request, bytes);
      const layer = await sessions.put(id, name, body, signal);
      const base = deps.publicUrl(request);
      return noStore(reply).code(201).header('location', `${base}/layers/${layer.id}`).send(layerJson(base, layer));
    } finally {
      permit.release();
    }
  });
  scope.delete<LayerRoute>('/sessions/:id/layers/:name', async (request, reply) => {
    authorise(sessions, request, reply, request.params.id);
    sessions.removeLayer(request.params.id, request.params.name);
    return reply.code(204).send();
  });
}

function authorise(sessions: Sessions, request: FastifyRequest, reply: FastifyReply, id: string): void {
  const secret = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
  if (secret === null) reply.header('www-authenticate', 'Bearer');
  sessions.authorise(id, secret);
}

/** What the client says it will send; an upload of unknown length is booked at the most it may be. */
function announcedBytes(request: FastifyRequest, maxBytes: number): number {
  const length = request.headers['content-length'];
  if (request.body === undefined || request.body === null) throw problem('bad-body', 'the request has no GeoJSON body');
  if (length === undefined) return maxBytes;
  const bytes = Number(length);
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw problem('bad-body', `content-length: "${clip(length)}" is no size`);
  if (bytes > maxBytes) {
    throw problem('body-too-large', `the upload has ${bytes} bytes; ${maxBytes} are taken`, { maxBytes });
  }
  return bytes;
}

/** Into one array of the announced size, which is handed to the session thread whole. */
async function readBody(request: FastifyRequest, maxBytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(maxBytes);
  let at = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > maxBytes) {
      throw problem('body-too-large', `the upload has more than ${maxBytes} bytes`, { maxBytes });
    }
    into.set(chunk, at);
    at += chunk.length;
  }
  return at === maxBytes ? into : into.slice(0, at);
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
  const links = { tilejson: `${base}/tiles/${id}`, tiles };
  return { id, name: title, bytes, count, geometry, fields, bounds: lonLatBounds, minzoom, maxzoom, links };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Answers here hold secrets or states that the next moment changes. */
function noStore(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store');
}
