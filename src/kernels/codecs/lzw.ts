/**
 * TIFF LZW (MSB first, codes of 9–12 bits, "early change"). No strings are built: every code of the table is a run of
 * the output that was already written, since a new code is always the previous string plus the byte that followed it.
 * So the table is two flat arrays (where, how long) and decoding is copying within the output.
 */
import { corrupt, type Frame, outputOf } from './types.ts';

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const TABLE = 4096;

export function decodeLzw(encoded: Uint8Array, frame: Frame): Uint8Array {
  const out = outputOf(frame);
  const written = lzwInto(encoded, out);
  if (written < out.length) throw corrupt(`LZW data ends after ${written} of ${out.length} bytes`);
  return out;
}

/** Decodes until `out` is full or the data ends; answers with the bytes written. */
export function lzwInto(encoded: Uint8Array, out: Uint8Array): number {
  const start = new Uint32Array(TABLE);
  const length = new Uint32Array(TABLE);
  const size = out.length;
  const bytes = encoded.length;
  let at = 0;
  let written = 0;
  let bits = 0;
  let have = 0;
  let width = 9;
  let next = FIRST;
  let previousAt = -1;
  let previousLength = 0;
  while (written < size) {
    while (have < width) {
      if (at >= bytes) return written;
      // The buffered bits never exceed 11 + 8, so plain 32-bit arithmetic holds them.
      bits = ((bits & 0xffff) << 8) | encoded[at++];
      have += 8;
    }
    have -= width;
    const code = (bits >>> have) & ((1 << width) - 1);
    if (code === CLEAR) {
      next = FIRST;
      width = 9;
      previousAt = -1;
      continue;
    }
    if (code === END) return written;
    const here = written;
    if (code < CLEAR) {
      out[written++] = code;
    } else if (code < next) {
      written = copyRun(out, start[code], length[code], written);
    } else if (code === next && previousAt >= 0) {
      // The one code that is used before it is in the table: the previous string plus its own first byte.
      written = copyRun(out, previousAt, previousLength, written);
      if (written < size) out[written++] = out[previousAt];
    } else {
      throw corrupt(`LZW code ${code} at byte ${at} is not in the table of ${next}`);
    }
    if (previousAt >= 0 && next < TABLE) {
      start[next] = previousAt;
      length[next] = previousLength + 1;
      next++;
      if (next >= (1 << width) - 1 && width < 12) width++;
    }
    previousAt = here;
    previousLength = written - here;
  }
  return written;
}

function copyRun(out: Uint8Array, from: number, length: number, to: number): number {
  const end = Math.min(to + length, out.length);
  if (length > 48) {
    out.copyWithin(to, from, from + (end - to));
    return end;
  }
  let source = from;
  for (let i = to; i < end; i++) out[i] = out[source++];
  return end;
}
