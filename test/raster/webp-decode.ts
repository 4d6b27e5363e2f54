/**
 * What libwebp shows of the planes that a frame is made of: chroma twice as wide and high by 9 : 3 : 3 : 1, then BT.601 in its integer
 * arithmetic. The planes come from the encoder, so that a decoder that sees other pixels shows what its bits went wrong.
 */

export interface Planes {
  /** Of macroblocks, 384 bytes each: 16 rows of luma, 8 rows of 8 U and 8 V. */
  readonly macroblocks: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** RGB, three bytes a pixel. */
export function shownPlanes(planes: Planes): Uint8Array {
  const { width, height } = planes;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      const level = luma(planes, x, y);
      const u = smooth(planes, x, y, 0);
      const v = smooth(planes, x, y, 8);
      out[to] = clip(part(level, 19077) + part(v, 26149) - 14234);
      out[to + 1] = clip(part(level, 19077) - part(u, 6419) - part(v, 13320) + 8708);
      out[to + 2] = clip(part(level, 19077) + part(u, 33050) - 17685);
    }
  return out;
}

const part = (value: number, factor: number): number => (value * factor) >> 8;
const clip = (value: number): number => Math.max(0, Math.min(255, value >> 6));
const across = ({ width }: Planes): number => (width + 15) >> 4;

function luma(planes: Planes, x: number, y: number): number {
  const block = (y >> 4) * across(planes) + (x >> 4);
  return planes.macroblocks[block * 384 + (y & 15) * 16 + (x & 15)];
}

function chroma(planes: Planes, x: number, y: number, plane: number): number {
  const block = (y >> 3) * across(planes) + (x >> 3);
  return planes.macroblocks[block * 384 + 256 + (y & 7) * 16 + plane + (x & 7)];
}

/** Of the nearest sample, the one beside it, the one above or below, and the one across; at the edge the nearest stands in. */
function smooth(planes: Planes, x: number, y: number, plane: number): number {
  const columns = (planes.width + 1) >> 1;
  const rows = (planes.height + 1) >> 1;
  const cx = x >> 1;
  const cy = y >> 1;
  const nx = Math.max(0, Math.min(columns - 1, x & 1 ? cx + 1 : cx - 1));
  const ny = Math.max(0, Math.min(rows - 1, y & 1 ? cy + 1 : cy - 1));
  const near = chroma(planes, cx, cy, plane);
  const beside = chroma(planes, nx, cy, plane);
  const under = chroma(planes, cx, ny, plane);
  const opposite = chroma(planes, nx, ny, plane);
  const diagonal = (near + beside + under + opposite + 8 + 2 * (beside + under)) >> 3;
  return (diagonal + near) >> 1;
}

/** Of two pictures of the same bytes. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum === 0 ? 100 : 10 * Math.log10((255 * 255 * a.length) / sum);
}
