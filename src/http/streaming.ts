/** Answers that are made and sent batch by batch: what they hold is a batch, however long they get. */
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../errors.ts';
import { negotiateEncoding } from './params.ts';

/** Text packs to a quarter at the fastest level; its state is this large. */
const GZIP_LEVEL = 1;
export const GZIP_BYTES = 300 * 1024;

/** Sends what the generator yields. `held` is released when the last byte has left and the generator has ended. */
export async function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  made: AsyncGenerator<Uint8Array, void>,
  held: Held,
): Promise<FastifyReply> {
  const texts = told(request, made);
  // The first batch comes before the headers, so that its failure is a status and not a broken body.
  const first = await texts.next();
  // return() waits for a batch under way: what it holds is given back when the worker has answered.
  const end = () => void texts.return(undefined).finally(held.release);
  reply.raw.once('finish', end).once('close', end);
  const body = Readable.from(chained(first, texts), { objectMode: false, highWaterMark: 65536 });
  return reply.send(packed(request, reply, body));
}

/** A failure behind the headers can only break the body off: the log must say why. */
async function* told(
  request: FastifyRequest,
  texts: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* texts;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'client-closed')
      request.log.error({ err: error }, 'a streamed answer ended in its middle');
    throw error;
  }
}

function packed(request: FastifyRequest, reply: FastifyReply, body: Readable): Readable {
  if (negotiateEncoding(request.headers['accept-encoding'], ['gzip']) === 'identity') return body;
  reply.header('content-encoding', 'gzip');
  // An error of either ends both; the one that is sent tells it to the socket.
  return pipeline(body, createGzip({ level: GZIP_LEVEL }), () => {});
}

/** What is held for an answer until its last byte has left. */
export interface Held {
  also(fn: () => void): void;
  readonly release: () => void;
}

/** Runs each once, in reverse order, however often it is asked. */
export function holder(first: () => void): Held {
  const held = [first];
  return {
    also: fn => held.push(fn),
    release: () => {
      for (let fn = held.pop(); fn; fn = held.pop()) fn();
    },
  };
}

async function* chained(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
