/** From what serve.ts answers, or throws, to bytes on the wire. The only place where a Problem becomes a response. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode, Problem } from '../errors.ts';
import type { Reply } from '../reply.ts';
import { partOf } from './range.ts';
import { toldTarget } from './told.ts';

/** The bytes stay pinned and booked until the socket has taken them: reusing them earlier sends other people's bytes. */
export function sendReply(reply: FastifyReply, answer: Reply): FastifyReply {
  const raw = reply.raw;
  let open = true;
  const done = () => {
    if (open) answer.release();
    open = false;
  };
  raw.on('close', done);
  raw.on('finish', done);
  answer.onLate?.(() => raw.destroy());
  reply.code(answer.status).headers(answer.headers).header('x-plimsoll', answer.outcome);
  const { body } = answer;
  if (body === null) return reply.send();
  const { headers, method } = reply.request;
  const part =
    headers.range && answer.status === 200 && method === 'GET'
      ? partOf(headers, answer.headers['etag'], body.length)
      : null;
  if (part === null) return reply.send(body);
  reply.code(206).header('content-range', `bytes ${part.from}-${part.to - 1}/${body.length}`);
  return reply.send(body.subarray(part.from, part.to));
}

/** RFC 9457. `type` is a URN of the stable code, so that it needs no host to resolve. */
export function problemBody(error: Problem, instance: string): Record<string, unknown> {
  const { title, status } = ERRORS[error.code];
  return {
    type: `urn:plimsoll:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    instance,
    ...error.extra,
  };
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const known = asProblem(error);
  const { status, retryAfter } = ERRORS[known.code] as { status: number; retryAfter?: number };
  if (status >= 500 && status !== 503) request.log.error({ err: error, code: known.code }, known.message);
  const asked = known.extra['retryAfterSeconds'];
  const seconds = typeof asked === 'number' ? asked : retryAfter;
  // Retry-After takes whole seconds; the jitter is in the estimate, so rounding up keeps clients apart enough.
  if (seconds !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(seconds))));
  // A route may have told of the answer that it meant to give.
  reply.removeHeader('etag').removeHeader('content-crs');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  const cacheControl = status === 404 || status === 410 ? 'public, max-age=10' : 'no-store';
  return reply
    .code(status)
    .header('cache-control', cacheControl)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(problemBody(known, toldTarget(request.url)))));
}

/** Fastify's own errors (bad JSON, body too large …) in our words; anything unknown is `internal` and tells no secrets. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  const code = statusCode === undefined ? undefined : FASTIFY_STATUS[statusCode];
  if (code) return new Problem(code, message ?? ERRORS[code].title);
  if ((error as Error)?.name === 'AbortError') return new Problem('client-closed', 'the client went away');
  return new Problem('internal', 'the server failed on this request; its log says why');
}

const FASTIFY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'bad-parameter',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};
