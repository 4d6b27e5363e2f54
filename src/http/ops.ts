/** Operations: liveness does no work, readiness follows the load line, metrics read the rooms. */
import type { FastifyInstance } from 'fastify';
import { type DebugContext, registerDebug } from './debug.ts';

export interface OpsContext {
  /** null: ready; else why not. */
  notReady(): string | null;
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The small document behind the viewer's gauge. */
  memory(): Record<string, unknown>;
  readonly debug: DebugContext;
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
  registerDebug(app, context.debug);
}
