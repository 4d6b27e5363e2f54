/** /debug/memory and what belongs to it: photographs under a label, their differences, allocation sites, object counts. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import type { Allocations } from '../memory/leak/allocations.ts';
import type { LeakWatch } from '../memory/leak/watch.ts';
import { clip, integer, list, queryOf, text } from './params.ts';

export interface DebugContext {
  /** Everything the operator may see. */
  debugMemory(): Record<string, unknown>;
  readonly leak: LeakWatch;
  readonly allocations: Allocations;
  readonly adminToken: string | null;
}

const LABEL = /^[\w.-]{1,64}$/;
const SAMPLED_SECONDS = 5;

export function registerDebug(
  app: FastifyInstance,
  { debugMemory, leak, allocations, adminToken }: DebugContext,
): void {
  const route = (
    method: 'GET' | 'POST',
    url: string,
    answer: (request: FastifyRequest) => unknown,
    status = 200,
  ): void => {
    app.route({
      method,
      url,
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        requireAdmin(request, adminToken);
        const body = await answer(request);
        return reply.code(status).header('cache-control', 'no-store').send(body);
      },
    });
  };
  route('GET', '/debug/memory', () => debugMemory());
  route('GET', '/debug/memory/snapshots', () => ({ snapshots: leak.list() }));
  route('POST', '/debug/memory/snapshots', request => leak.take(labelOf(request, 'label')), 201);
  route('GET', '/debug/memory/difference', request =>
    leak.difference(labelOf(request, 'from'), labelOf(request, 'to', 'now')),
  );
  route('GET', '/debug/memory/allocations', async request => {
    const seconds = integer(queryOf(request), 'seconds', { min: 1, max: 60 }) ?? SAMPLED_SECONDS;
    return { seconds, sites: await allocations.sites(seconds) };
  });
  route('GET', '/debug/memory/objects', request => ({
    objects: allocations.count(list(queryOf(request), 'class')),
  }));
}

function labelOf(request: FastifyRequest, name: string, fallback?: string): string {
  const label = text(queryOf(request), name) ?? fallback;
  if (label === undefined) throw problem('bad-parameter', `${name}: names no snapshot, such as ${name}=baseline`);
  if (!LABEL.test(label)) {
    throw problem('bad-parameter', `${name}: "${clip(label)}" is not 1–64 letters, digits, dots, dashes, underscores`);
  }
  return label;
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
