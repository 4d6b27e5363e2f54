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
const WIDEST = 12;

export function decodeLzw(encoded: Uint8Array, frame: Frame): Uint8Array {
  const out = outputOf(frame);
  const written = lzwInto(isOldStyle(encoded) ? newStyle(encoded) : encoded, out);
  if (written < out.length) throw corrupt(`LZW data ends after ${written} of ${out.length} bytes`);
  return out;
}

/** A stream begins with a clear code, 256 in nine bits: which end they are packed from is seen in its first byte (libtiff). */
function isOldStyle(encoded: Uint8Array): boolean {
  return encoded.length > 1 && encoded[0] === 0 && (encoded[1] & 1) === 1;
}

/**
 * LZW of before TIFF 5.0 packs codes from the low end of each byte and widens them one code later. The codes are the same,
 * and how wide each is follows from their number alone, so they are packed anew. Rare enough for the detour.
 */
function newStyle(encoded: Uint8Array): Uint8Array {
  // Codes are never narrower than 9 bits, and widen one code of each table earlier.
  const out = new Uint8Array(encoded.length + (encoded.length >>> 4) + 16);
  let [at, to, bits, have, packed, held] = [0, 0, 0, 0, 0, 0];
  let [oldWidth, newWidth, next] = [9, 9, FIRST - 1];
  for (;;) {
    while (have < oldWidth) {
      if (at >= encoded.length) {
        if (held > 0) out[to++] = packed << (8 - held);
        return out.subarray(0, to);
      }
      bits |= encoded[at++] << have;
      have += 8;
    }
    const code = bits & ((1 << oldWidth) - 1);
    bits >>>= oldWidth;
    have -= oldWidth;
    packed = (packed << newWidth) | code;
    held += newWidth;
    for (; held >= 8; held -= 8) out[to++] = packed >>> (held - 8);
    packed &= (1 << held) - 1;
    if (code === CLEAR) [oldWidth, newWidth, next] = [9, 9, FIRST - 1];
    else if (next < TABLE) next++;
    if (next >= 1 << oldWidth && oldWidth < WIDEST) oldWidth++;
    if (next >= (1 << newWidth) - 1 && newWidth < WIDEST) newWidth++;
  }
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
      if (next >= (1 << width) - 1 && width < WIDEST) width++;
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
