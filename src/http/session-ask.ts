/** What a client may say when it begins a session: how long it shall live. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { clip } from './params.ts';

/** Far more than there is to say. */
const BYTES_MAX = 1024;

/** Milliseconds; undefined: nothing is said. Errors: bad-body, body-too-large, unprocessable. */
export async function askedTtl(request: FastifyRequest, mostMs: number): Promise<number | undefined> {
  const text = await bodyText(request);
  if (text.trim() === '') return undefined;
  const { ttl, ...others } = parsed(text);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw problem('bad-body', `"${clip(unknown)}" is nothing that a session takes: only ttl, in seconds, is`);
  if (ttl === undefined) return undefined;
  const most = Math.floor(mostMs / 1000);
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl > most)
    throw problem(
      'unprocessable',
      `ttl: ${clip(JSON.stringify(ttl))} is not from 1 to ${most} whole seconds (sessions.ttl)`,
      {
        maxTtl: most,
      },
    );
  return ttl * 1000;
}

async function bodyText({ body }: FastifyRequest): Promise<string> {
  if (body === undefined || body === null) return '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as Readable) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX)
      throw problem('body-too-large', `a session is begun with ${BYTES_MAX} bytes at most`, { maxBytes: BYTES_MAX });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem('bad-body', `the body is no JSON: "${clip(text)}"`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw problem('bad-body', 'the body is no JSON object such as {"ttl": 3600}');
  return value as Record<string, unknown>;
}
