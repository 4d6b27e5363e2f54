/** Operations: liveness does no work, readiness follows the load line, metrics read the rooms, debug wants the token. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';

export interface OpsContext {
  /** null: ready; else why not. */
  notReady(): string | null;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The small document behind the viewer's gauge. */
  memory(): Record<string, unknown>;
  /** Everything the operator may see. */
  debugMemory(): Record<string, unknown>;
  readonly adminToken: string | null;
}

export function registerOps(app: FastifyInstance, context: OpsContext): void {
  app.get('/livez', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = context.notReady();
    reply.header('cache-control', 'no-store');
    if (reason === null) return reply.send({ status: 'ready' });
    return reply.code(503).header('retry-after', '5').send({ status: 'not ready', reason });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await context.metrics();
    return reply.header('cache-control', 'no-store').type(contentType).send(body);
  });
  app.get('/memory', async (_request, reply) => reply.header('cache-control', 'no-store').send(context.memory()));
  app.get('/debug/memory', async (request, reply) => {
    requireAdmin(request, context.adminToken);
    return reply.header('cache-control', 'no-store').send(context.debugMemory());
  });
}

/** Closed unless an operator set a token: a debug page must not be what tells an attacker where the line is. */
function requireAdmin(request: FastifyRequest, token: string | null): void {
  if (token === null) throw problem('forbidden', 'adminToken is not configured, so /debug is closed');
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) throw problem('unauthorized', 'send Authorization: Bearer with the admin token');
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw problem('forbidden', 'the admin token is another one');
}
