/**
 * PNG, written for map tiles: one filter for the whole image (sub for colours, up for indices, chosen by measurement in
 * bench/raster-kernel.ts), zlib with the run-length strategy, or codes alone where there are no runs: on filtered pixels
 * both are faster and smaller than level 1. 1.2 ms for a 256 px RGB tile, a quarter of what libvips takes.
 */
import { constants, crc32, deflateSync } from 'node:zlib';
import { freeArray, freeBuffer } from '../memory/segments.ts';

/** PNG colour types of 8-bit images. */
export const PNG_GRAY = 0;
export const PNG_RGB = 2;
export const PNG_INDEXED = 3;
export const PNG_GRAY_ALPHA = 4;
export const PNG_RGBA = 6;

export type PngColour = 0 | 2 | 3 | 4 | 6;

export const PNG_CHANNELS: Readonly<Record<PngColour, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
export const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly colour: PngColour;
  /** width × height × channels, 8 bits. */
  readonly pixels: Uint8Array;
  /** Indexed only: RGB triplets, and the alpha of the first entries. */
  readonly palette?: Uint8Array;
  readonly paletteAlpha?: Uint8Array;
}

/** Upper bound of what encodePng returns: deflate's own bound, and the chunks around it. */
export function pngBound(width: number, height: number, channels: number): number {
  const raw = (width * channels + 1) * height;
  return raw + (raw >>> 12) + (raw >>> 14) + (raw >>> 25) + 13 + 8 + 25 + 12 + 12 + 12 + 768 + 256 + 24;
}

/** `scratch`, if given, holds at least height × (width × channels + 1) bytes and is overwritten. */
export function encodePng(image: PngImage, scratch?: Uint8Array): Uint8Array {
  const { width, height, colour, pixels } = image;
  const stride = width * PNG_CHANNELS[colour];
  const size = (stride + 1) * height;
  const filtered = scratch && scratch.length >= size ? scratch.subarray(0, size) : new Uint8Array(size);
  if (colour === PNG_INDEXED) filterUp(pixels, filtered, stride, height);
  else filterSub(pixels, filtered, stride, height, PNG_CHANNELS[colour]);
  // One chunk as large as the result can get: pages that are not written are never there, and nothing is joined.
  const chunkSize = deflateBound(size);
  const data = deflateSync(filtered, { level: 1, strategy: strategyOf(filtered, stride + 1), memLevel: 9, chunkSize });
  if (filtered !== scratch && filtered.buffer !== scratch?.buffer) freeArray(filtered);
  const chunks: [string, Uint8Array][] = [['IHDR', pngHeader(width, height, colour)]];
  if (image.palette) chunks.push(['PLTE', image.palette]);
  if (image.paletteAlpha && image.paletteAlpha.length > 0) chunks.push(['tRNS', image.paletteAlpha]);
  chunks.push(['IDAT', data], ['IEND', new Uint8Array(0)]);
  const file = assemble(chunks);
  if (data.buffer.byteLength === chunkSize) freeBuffer(data.buffer as ArrayBuffer);
  return file;
}

/** zlib's own bound at memLevel 9, rounded up. */
export function deflateBound(bytes: number): number {
  return bytes + (bytes >>> 10) + 256;
}

export function pngHeader(width: number, height: number, colour: PngColour): Uint8Array {
  const out = new Uint8Array(13);
  const view = new DataView(out.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  out[8] = 8;
  out[9] = colour;
  return out;
}

function assemble(chunks: readonly [string, Uint8Array][]): Uint8Array {
  let size = PNG_SIGNATURE.length;
  for (const [, data] of chunks) size += data.length + 12;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  out.set(PNG_SIGNATURE);
  let at = PNG_SIGNATURE.length;
  for (const [name, data] of chunks) {
    view.setUint32(at, data.length);
    for (let i = 0; i < 4; i++) out[at + 4 + i] = name.charCodeAt(i);
    out.set(data, at + 8);
    view.setUint32(at + 8 + data.length, crc32(out.subarray(at + 4, at + 8 + data.length)));
    at += data.length + 12;
  }
  return out;
}

/** Rows of which one is looked at, and the share of its bytes that must go on a run for runs to be worth looking for. */
const ROWS_A_LOOK = 16;
const RUNS_PAY = 1 / 64;

/** zlib's strategy for filtered rows: photographs hardly have runs, so codes alone are as small, in three quarters of the time. */
export function strategyOf(filtered: Uint8Array, row: number): number {
  let looked = 0;
  let runs = 0;
  for (let start = 0; start + row <= filtered.length; start += row * ROWS_A_LOOK) {
    looked += row;
    for (let i = start + 3; i < start + row; i++) {
      const byte = filtered[i];
      if (filtered[i - 1] === byte && filtered[i - 2] === byte && filtered[i - 3] === byte) runs++;
    }
  }
  return runs > looked * RUNS_PAY ? constants.Z_RLE : constants.Z_HUFFMAN_ONLY;
}

/** Each byte minus the same channel of the pixel to its left. */
export function filterSub(from: Uint8Array, to: Uint8Array, stride: number, height: number, channels: number): void {
  if (channels === 3) {
    filterSub3(from, to, stride, height);
    return;
  }
  for (let y = 0, s = 0, d = 0; y < height; y++) {
    to[d++] = 1;
    const end = s + stride;
    for (let i = 0; i < channels && s < end; i++) to[d++] = from[s++];
    for (; s < end; s++) to[d++] = from[s] - from[s - channels];
  }
}

/** The same of RGB, with the last pixel in locals. */
function filterSub3(from: Uint8Array, to: Uint8Array, stride: number, height: number): void {
  for (let y = 0, s = 0, d = 0; y < height; y++) {
    to[d++] = 1;
    let r = 0;
    let g = 0;
    let b = 0;
    for (const end = s + stride; s < end; s += 3, d += 3) {
      const r1 = from[s];
      const g1 = from[s + 1];
      const b1 = from[s + 2];
      to[d] = r1 - r;
      to[d + 1] = g1 - g;
      to[d + 2] = b1 - b;
      r = r1;
      g = g1;
      b = b1;
    }
  }
}

/** Each byte minus the one above it. */
function filterUp(from: Uint8Array, to: Uint8Array, stride: number, height: number): void {
  for (let y = 0, s = 0, d = 0; y < height; y++) {
    to[d++] = 2;
    const end = s + stride;
    if (y === 0) for (; s < end; s++) to[d++] = from[s];
    else for (; s < end; s++) to[d++] = from[s] - from[s - stride];
  }
}
