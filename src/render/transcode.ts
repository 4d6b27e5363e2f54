/** Another Content-Encoding of a body that is cached already: cheaper than rendering again, and done once. */
import * as zlib from 'node:zlib';
import { problem } from '../errors.ts';
import type { Encoding, Job, Painted } from '../plan.ts';

export interface TranscodeJob extends Job {
  readonly task: 'transcode';
  readonly body: Uint8Array;
  readonly from: Encoding;
  readonly to: Encoding;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded bodies beyond this are refused: a cached body is ours, but a limit costs nothing. */
  readonly maxBytes: number;
}

/** Levels chosen for tiles that are compressed while a client waits: see docs/performance.md. */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
const ZSTD = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 3 } };
const GZIP = { level: 3 };

export function compress(body: Uint8Array, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case 'gzip':
      return zlib.gzipSync(body, GZIP);
    case 'br':
      return zlib.brotliCompressSync(body, BROTLI);
    case 'zstd':
      return zlib.zstdCompressSync(body, ZSTD);
    case 'identity':
      return body;
  }
}

export function decompress(body: Uint8Array, encoding: Encoding, maxOutputLength: number): Uint8Array {
  switch (encoding) {
    case 'gzip':
      return zlib.gunzipSync(body, { maxOutputLength });
    case 'br':
      return zlib.brotliDecompressSync(body, { maxOutputLength });
    case 'zstd':
      return zlib.zstdDecompressSync(body, { maxOutputLength });
    case 'identity':
      return body;
  }
}

export function transcode(job: TranscodeJob): Painted {
  const started = performance.now();
  let plain: Uint8Array;
  try {
    plain = decompress(job.body, job.from, job.maxBytes);
  } catch (error) {
    throw problem('internal', `a cached ${job.from} body does not decode: ${(error as Error).message}`);
  }
  const body = compress(plain, job.to);
  return {
    body,
    contentType: job.contentType,
    encoding: job.to,
    headers: job.headers,
    peakBytes: job.body.length + plain.length + body.length,
    ms: performance.now() - started,
  };
}
