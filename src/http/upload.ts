/**
 * A body that is uploaded: booked before it is read, unpacked on the way, never more than it may be. What it will hold is
 * known where the client says the length and does not compress; else the permit grows in steps, ahead of the bytes.
 */
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import type { Permit } from '../admission/types.ts';
import { Problem, problem } from '../errors.ts';
import { clip } from './params.ts';

export interface UploadLimits {
  readonly maxBytes: number;
  /** Nothing has come for this long: the upload is given up. */
  readonly stallMs: number;
}

export interface Announced {
  /** Bytes to book before the first is read. */
  readonly firstBytes: number;
  /** False: the body may turn out to be larger. */
  readonly exact: boolean;
  readonly packing: Packing;
}

type Packing = 'identity' | 'gzip' | 'deflate';

const PACKINGS: Readonly<Record<string, Packing>> = {
  identity: 'identity',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
};
/** How far the permit runs ahead of a body of unknown size. */
const STEP_BYTES = 256 * 1024;

/** What the headers say is coming. Throws unsupported-media-type, bad-body, body-too-large. */
export function announced({ headers, body }: FastifyRequest, maxBytes: number): Announced {
  if (body === undefined || body === null) throw problem('bad-body', 'the request has no body');
  const packing = packingOf(headers['content-encoding']);
  const length = headers['content-length'];
  if (length === undefined) return { firstBytes: Math.min(STEP_BYTES, maxBytes), exact: false, packing };
  const bytes = Number(length);
  if (!/^\d+$/.test(length)) throw problem('bad-body', `content-length: "${clip(length)}" is no size`);
  if (bytes > maxBytes) {
    const packed = packing === 'identity' ? '' : ` of ${packing}`;
    throw problem('body-too-large', `the upload has ${bytes} bytes${packed}; ${maxBytes} are taken`, { maxBytes });
  }
  if (packing === 'identity') return { firstBytes: bytes, exact: true, packing };
  return { firstBytes: Math.min(STEP_BYTES, maxBytes), exact: false, packing };
}

function packingOf(header: string | undefined): Packing {
  const name = header?.trim().toLowerCase() ?? 'identity';
  if (Object.hasOwn(PACKINGS, name)) return PACKINGS[name] as Packing;
  const known = ['gzip', 'deflate'];
  throw problem('unsupported-media-type', `content-encoding: "${clip(name)}" is none of ${known.join(', ')}`, {
    known,
  });
}

/** Throws body-too-large, bad-body, upload-stalled, overloaded, client-closed. */
export async function receiveBody(
  request: FastifyRequest,
  { firstBytes, exact, packing }: Announced,
  permit: Permit,
  limits: UploadLimits,
): Promise<Uint8Array> {
  const raw = request.body as Readable;
  const into = new GrowingBody(permit, firstBytes, exact ? firstBytes : limits.maxBytes);
  const unpack = packing === 'identity' ? null : packing === 'gzip' ? createGunzip() : createInflate();
  try {
    await drain(raw, unpack, chunk => into.take(chunk), limits.stallMs);
    return into.whole();
  } catch (error) {
    throw error instanceof Problem ? error : bodyError(error as NodeJS.ErrnoException, packing);
  } finally {
    if (unpack) {
      raw.unpipe(unpack);
      unpack.destroy();
    }
    // The rest of a refused body is read and thrown away, so that the client gets to read why.
    raw.resume();
  }
}

/** Listeners and not `for await`, which would close the socket under the answer when it is left early. */
function drain(
  raw: Readable,
  unpack: (Readable & NodeJS.WritableStream) | null,
  take: (chunk: Uint8Array) => void,
  stallMs: number,
): Promise<void> {
  const source = unpack ? raw.pipe(unpack) : raw;
  return new Promise((resolve, reject) => {
    const stalled = () => fail(problem('upload-stalled', `nothing of the upload has come for ${stallMs} ms`));
    const timer = setTimeout(stalled, stallMs);
    const alive = () => timer.refresh();
    const data = (chunk: Uint8Array) => {
      try {
        take(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const clean = () => {
      clearTimeout(timer);
      raw.off('data', alive);
      source.off('data', data).off('end', end);
    };
    const left = () => {
      if (!raw.readableEnded) fail(problem('client-closed', 'the client left in mid-upload'));
    };
    const end = () => {
      clean();
      resolve();
    };
    const fail = (error: unknown) => {
      clean();
      reject(error);
    };
    // Errors are listened to for good: one that comes late must not end the process.
    raw.on('error', fail).on('data', alive).on('close', left);
    if (unpack) unpack.on('error', fail);
    source.on('data', data).on('end', end);
  });
}

/** Memory is taken as it is needed and in one piece, which the thread is given whole. */
class GrowingBody {
  #buffer: ArrayBuffer;
  #at = 0;
  #permit: Permit;
  #maxBytes: number;

  constructor(permit: Permit, firstBytes: number, maxBytes: number) {
    this.#permit = permit;
    this.#maxBytes = maxBytes;
    this.#buffer =
      firstBytes === maxBytes ? new ArrayBuffer(firstBytes) : new ArrayBuffer(firstBytes, { maxByteLength: maxBytes });
  }

  take(chunk: Uint8Array): void {
    const end = this.#at + chunk.length;
    if (end > this.#maxBytes) {
      const { length } = chunk;
      throw problem('body-too-large', `the upload has more than ${end - length} bytes; ${this.#maxBytes} are taken`, {
        maxBytes: this.#maxBytes,
      });
    }
    if (end > this.#buffer.byteLength) this.#grow(end);
    new Uint8Array(this.#buffer).set(chunk, this.#at);
    this.#at = end;
  }

  #grow(needed: number): void {
    const { byteLength } = this.#buffer;
    const next = Math.min(this.#maxBytes, Math.max(needed, byteLength + Math.max(STEP_BYTES, byteLength / 2)));
    if (!this.#permit.grow(next - byteLength))
      throw problem(
        'overloaded',
        `the upload has outgrown ${byteLength} bytes and there is no memory for more of it now`,
      );
    this.#buffer.resize(next);
  }

  whole(): Uint8Array {
    if (this.#buffer.resizable) this.#buffer.resize(this.#at);
    return new Uint8Array(this.#buffer, 0, this.#at);
  }
}

function bodyError(error: NodeJS.ErrnoException, packing: Packing): Error {
  const code = error.code ?? '';
  if (code.startsWith('Z_')) return problem('bad-body', `the body is no whole ${packing}: ${error.message}`);
  if (code === 'ECONNRESET' || code === 'ABORT_ERR') return problem('client-closed', 'the client left in mid-upload');
  return error;
}
