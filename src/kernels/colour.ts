/** From samples to the 8-bit pixels of an image. */
import { rescaleFloats } from './floats.ts';
import type { Samples } from './samples.ts';

export type Range = readonly [number, number];

/**
 * Interleaved samples as interleaved bytes: range[0] becomes 0, range[1] 255, what lies beyond is clamped, fractions are
 * cut off, as titiler does. One range serves all bands. NaN becomes 0 (the mask hides it).
 */
export function rescaleToBytes(from: Samples, bands: number, count: number, ranges: readonly Range[]): Uint8Array {
  const out = new Uint8Array(count * bands);
  if (from instanceof Float32Array && (bands === 1 || ranges.length === 1)) {
    rescaleFloats(from.subarray(0, out.length), out, ...ranges[0]);
    return out;
  }
  for (let band = 0; band < bands; band++) {
    const [low, high] = ranges[band] ?? ranges[0];
    if (from instanceof Uint8Array) rescaleBytes(from, out, band, bands, low, high);
    else rescaleNumbers(from, out, band, bands, low, high);
  }
  return out;
}

function rescaleNumbers(from: Samples, out: Uint8Array, band: number, bands: number, low: number, high: number): void {
  const span = high - low;
  for (let i = band; i < out.length; i += bands) {
    // In rio-tiler's order: by a factor of 255 / span the top of the range would fall just below 255.
    const v = ((from[i] - low) / span) * 255;
    out[i] = v > 0 ? Math.min(v, 255) : 0;
  }
}

function rescaleBytes(from: Uint8Array, out: Uint8Array, band: number, bands: number, low: number, high: number): void {
  const table = new Uint8Array(256);
  const every = new Float64Array(256).map((_, i) => i);
  rescaleNumbers(every, table, 0, 1, low, high);
  for (let i = band; i < out.length; i += bands) out[i] = table[from[i]];
}

/** 1 band → gray (+ alpha), 2 → gray + alpha, 3 → RGB (+ alpha), 4 → RGBA. */
export function withAlpha(pixels: Uint8Array, bands: number, mask: Uint8Array): Uint8Array {
  const count = mask.length;
  const colours = bands === 1 || bands === 2 ? 1 : 3;
  const own = bands === 2 || bands === 4;
  const out = new Uint8Array(count * (colours + 1));
  for (let i = 0, s = 0, d = 0; i < count; i++, s += bands) {
    const alpha = mask[i];
    for (let c = 0; c < colours; c++) out[d++] = pixels[s + c];
    out[d++] = own ? Math.min(alpha, pixels[s + colours]) : alpha;
  }
  return out;
}

/** Each index through a table of 256 RGBA entries; the entry's own alpha and the mask both count. */
export function paletteToRgba(indices: Uint8Array, table: Uint8Array, mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(indices.length * 4);
  for (let i = 0, d = 0; i < indices.length; i++, d += 4) {
    const entry = indices[i] * 4;
    const alpha = mask[i];
    if (alpha === 0 || entry >= table.length) continue;
    out[d] = table[entry];
    out[d + 1] = table[entry + 1];
    out[d + 2] = table[entry + 2];
    out[d + 3] = Math.min(alpha, table[entry + 3]);
  }
  return out;
}

/** Drops every `bands`-th channel: what JPEG wants, invalid pixels are black. */
export function dropAlpha(pixels: Uint8Array, channels: 2 | 4): Uint8Array {
  const colours = channels - 1;
  const count = pixels.length / channels;
  const out = new Uint8Array(count * colours);
  for (let i = 0, s = 0, d = 0; i < count; i++, s += channels) {
    if (pixels[s + colours] === 0) d += colours;
    else for (let c = 0; c < colours; c++) out[d++] = pixels[s + c];
  }
  return out;
}

/** Four pixels at a time: most tiles are valid all over. */
function allOnes(mask: Uint8Array): boolean {
  if (mask.byteOffset % 4 !== 0 || mask.length % 4 !== 0) return false;
  const words = new Int32Array(mask.buffer, mask.byteOffset, mask.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== -1) return false;
  return words.length > 0;
}

export type MaskKind = 'opaque' | 'empty' | 'binary' | 'soft';

export function maskKind(mask: Uint8Array): MaskKind {
  if (allOnes(mask)) return 'opaque';
  let full = 0;
  let none = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 255) full++;
    else if (mask[i] === 0) none++;
  }
  if (full === mask.length) return 'opaque';
  if (none === mask.length) return 'empty';
  return full + none === mask.length ? 'binary' : 'soft';
}

/** An index no valid pixel uses, for the invalid ones; -1 where all are in use. */
export function spareIndex(indices: Uint8Array, mask: Uint8Array): number {
  const used = new Uint8Array(256);
  for (let i = 0; i < indices.length; i++) if (mask[i] !== 0) used[indices[i]] = 1;
  return used.indexOf(0);
}
