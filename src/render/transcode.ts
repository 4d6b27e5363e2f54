/** Another Content-Encoding of a body that is cached already: cheaper than rendering again, and done once. */
import * as zlib from 'node:zlib';
import { problem } from '../errors.ts';
import type { Encoding, Job, Painted, Plan } from '../plan.ts';

export const TRANSCODE = 'transcode';

export interface TranscodeJob extends Job {
  readonly task: typeof TRANSCODE;
  readonly body: Uint8Array;
  readonly from: Encoding;
  readonly to: Encoding;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded bodies beyond this are refused: a cached body is ours, but a limit costs nothing. */
  readonly maxBytes: number;
}

/** A cached body: no source is read at all. */
interface Encoded {
  readonly body: Uint8Array;
  readonly encoding: Encoding;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bodies are tiles and small documents, compressed 2–10 times; a decoded one beyond this is refused. */
const EXPANSION_MAX = 64;

export function planTranscode({ body, encoding: from, contentType, headers }: Encoded, to: Encoding): Plan {
  const maxBytes = body.length * EXPANSION_MAX + 65536;
  // Copied: the view into the cache is only good until the next turn of the event loop.
  const job: TranscodeJob = { task: TRANSCODE, body: Uint8Array.from(body), from, to, contentType, headers, maxBytes };
  const cost = { inputBytes: body.length, decodedBytes: body.length * 10, outputBytes: body.length * 10 };
  return { cost, job, explain: { transcode: `${from} to ${to}` }, headers };
}

/** Levels chosen for tiles that are compressed while a client waits: see docs/performance.md. */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
const ZSTD = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 3 } };
/**
 * 3 % larger than level 3 for two thirds of its time: most tiles are made once and asked for a few times. The larger hash table
 * (256 KiB more while it works) saves a tenth of that.
 */
const GZIP = { level: 1, memLevel: 9 };

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
