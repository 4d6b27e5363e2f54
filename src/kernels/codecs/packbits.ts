/** PackBits: runs and literals of up to 128 bytes. */
import { corrupt, type Frame, outputOf } from './types.ts';

export function decodePackBits(encoded: Uint8Array, frame: Frame): Uint8Array {
  const out = outputOf(frame);
  let at = 0;
  let written = 0;
  while (written < out.length) {
    if (at >= encoded.length) throw corrupt(`PackBits data ends after ${written} of ${out.length} bytes`);
    const head = encoded[at++];
    if (head === 128) continue;
    const run = head > 128;
    const length = Math.min(run ? 257 - head : head + 1, out.length - written);
    if (at + (run ? 1 : length) > encoded.length) {
      throw corrupt(`PackBits data ends within a run, after ${written} of ${out.length} bytes`);
    }
    if (run) out.fill(encoded[at], written, written + length);
    else out.set(encoded.subarray(at, at + length), written);
    at += run ? 1 : head + 1;
    written += length;
  }
  return out;
}
