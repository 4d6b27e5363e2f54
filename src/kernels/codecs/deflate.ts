/**
 * Deflate and Zstandard through node:zlib, one chunk of the expected size each: one allocation, no concatenation, and
 * a bomb stops at maxOutputLength.
 */
import { constants, inflateSync, zstdDecompressSync } from 'node:zlib';
import { corrupt, type Frame } from './types.ts';

/** zlib refuses chunks below 64 bytes. */
const CHUNK_MIN = 64;

export function decodeDeflate(encoded: Uint8Array, frame: Frame): Uint8Array {
  return atLeast(inflateBounded(encoded, frame.fullBytes), frame.rawBytes, 'deflate');
}

export function decodeZstd(encoded: Uint8Array, frame: Frame): Uint8Array {
  return atLeast(unzstdBounded(encoded, frame.fullBytes), frame.rawBytes, 'Zstandard');
}

/** Z_SYNC_FLUSH: a stream whose trailer is missing is still good where it fills the block, as it is for libtiff. */
export function inflateBounded(encoded: Uint8Array, max: number): Uint8Array {
  try {
    return inflateSync(encoded, {
      chunkSize: Math.max(CHUNK_MIN, max),
      maxOutputLength: Math.max(1, max),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    throw corrupt(`deflate: ${(error as Error).message} (at most ${max} bytes expected)`);
  }
}

export function unzstdBounded(encoded: Uint8Array, max: number): Uint8Array {
  try {
    return zstdDecompressSync(encoded, { chunkSize: Math.max(CHUNK_MIN, max), maxOutputLength: Math.max(1, max) });
  } catch (error) {
    throw corrupt(`Zstandard: ${(error as Error).message} (at most ${max} bytes expected)`);
  }
}

function atLeast(bytes: Uint8Array, expected: number, codec: string): Uint8Array {
  if (bytes.length < expected) throw corrupt(`${codec} data holds ${bytes.length} of ${expected} bytes`);
  return bytes;
}
