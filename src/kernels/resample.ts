/**
 * From a window of source pixels to one row of output pixels, at GDAL's pixel-centre convention: a coordinate x lies in
 * pixel floor(x), whose centre is floor(x) + 0.5. As in GDAL's warper an output pixel is valid when the source pixel it
 * falls into is; bilinear then weighs valid pixels only, so nodata never bleeds. When a pixel of the output covers more
 * than one of the source the triangle is as wide as that pixel (`wide`), which is GDAL's antialiasing.
 *
 *   xs[i], ys[i]   position in the window (0,0 = its top left corner), NaN: nowhere
 *   weights        0–255 a window pixel (0: invalid, between: alpha), or null: all valid
 *   out, outMask   interleaved samples and 0–255 a pixel; pixels that fall outside the window are left alone
 */
import type { Samples } from './samples.ts';

export interface WindowPixels {
  readonly samples: Samples;
  readonly bands: number;
  readonly width: number;
  readonly height: number;
  readonly weights: Uint8Array | null;
}

/** Positions computed to land on a pixel's edge may miss it by rounding; GDAL leans the same way. */
const EDGE = 1e-10;

export interface RowTarget {
  readonly out: Samples;
  readonly outMask: Uint8Array;
  /** First pixel and number of pixels of the row. */
  readonly at: number;
  readonly count: number;
}

export function nearestRow(from: WindowPixels, xs: Float64Array, ys: Float64Array, to: RowTarget): void {
  if (from.bands === 1) nearestRow1(from, xs, ys, to);
  else nearestRowN(from, xs, ys, to);
}

function nearestRowN(from: WindowPixels, xs: Float64Array, ys: Float64Array, to: RowTarget): void {
  const { samples, bands, width, height, weights } = from;
  const { out, outMask, at, count } = to;
  for (let i = 0; i < count; i++) {
    const x = Math.floor(xs[i] + EDGE);
    const y = Math.floor(ys[i] + EDGE);
    if (!(x >= 0 && y >= 0 && x < width && y < height)) continue;
    const pixel = y * width + x;
    const weight = weights === null ? 255 : weights[pixel];
    if (weight === 0) continue;
    outMask[at + i] = weight;
    let s = pixel * bands;
    let d = (at + i) * bands;
    for (let b = 0; b < bands; b++) out[d++] = samples[s++];
  }
}

function nearestRow1(from: WindowPixels, xs: Float64Array, ys: Float64Array, to: RowTarget): void {
  const { samples, width, height, weights } = from;
  const { out, outMask, at, count } = to;
  for (let i = 0; i < count; i++) {
    const x = Math.floor(xs[i] + EDGE);
    const y = Math.floor(ys[i] + EDGE);
    if (!(x >= 0 && y >= 0 && x < width && y < height)) continue;
    const pixel = y * width + x;
    const weight = weights === null ? 255 : weights[pixel];
    if (weight === 0) continue;
    outMask[at + i] = weight;
    out[at + i] = samples[pixel];
  }
}

/** `round`: integers are rounded half up, as GDAL does. */
export function bilinearRow(
  from: WindowPixels,
  xs: Float64Array,
  ys: Float64Array,
  to: RowTarget,
  round: boolean,
): void {
  if (from.weights !== null) bilinearWeighted(from, xs, ys, to, round);
  else bilinearAll(from, xs, ys, to, round);
}

function bilinearAll(from: WindowPixels, xs: Float64Array, ys: Float64Array, to: RowTarget, round: boolean): void {
  const { samples, bands, width, height } = from;
  const { out, outMask, at, count } = to;
  const half = round ? 0.5 : 0;
  const lastX = width - 1;
  const lastY = height - 1;
  for (let i = 0; i < count; i++) {
    const x = xs[i];
    const y = ys[i];
    if (!(x >= -EDGE && y >= -EDGE && x < width - EDGE && y < height - EDGE)) continue;
    const cx = x - 0.5;
    const cy = y - 0.5;
    let x0 = Math.floor(cx);
    let y0 = Math.floor(cy);
    const fx = cx - x0;
    const fy = cy - y0;
    const x1 = x0 < lastX ? x0 + 1 : lastX;
    const y1 = y0 < lastY ? y0 + 1 : lastY;
    if (x0 < 0) x0 = 0;
    if (y0 < 0) y0 = 0;
    const w11 = fx * fy;
    const w10 = fy - w11;
    const w01 = fx - w11;
    const w00 = 1 - fx - w10;
    let a = (y0 * width + x0) * bands;
    let b = (y0 * width + x1) * bands;
    let c = (y1 * width + x0) * bands;
    let e = (y1 * width + x1) * bands;
    let d = (at + i) * bands;
    outMask[at + i] = 255;
    for (let n = 0; n < bands; n++) {
      const v = samples[a++] * w00 + samples[b++] * w01 + samples[c++] * w10 + samples[e++] * w11;
      out[d++] = round ? Math.floor(v + half) : v;
    }
  }
}

function bilinearWeighted(from: WindowPixels, xs: Float64Array, ys: Float64Array, to: RowTarget, round: boolean): void {
  const { samples, bands, width, height } = from;
  const weights = from.weights as Uint8Array;
  const { out, outMask, at, count } = to;
  for (let i = 0; i < count; i++) {
    const x = xs[i];
    const y = ys[i];
    const nx = Math.floor(x + EDGE);
    const ny = Math.floor(y + EDGE);
    if (!(nx >= 0 && ny >= 0 && nx < width && ny < height)) continue;
    if (weights[ny * width + nx] === 0) continue;
    const x0 = Math.floor(x - 0.5);
    const y0 = Math.floor(y - 0.5);
    const fx = x - 0.5 - x0;
    const fy = y - 0.5 - y0;
    const left = Math.max(x0, 0);
    const right = x0 + 1 < width ? x0 + 1 : x0;
    const top = Math.max(y0, 0);
    const bottom = y0 + 1 < height ? y0 + 1 : y0;
    const p00 = top * width + left;
    const p01 = top * width + right;
    const p10 = bottom * width + left;
    const p11 = bottom * width + right;
    const w00 = (1 - fx) * (1 - fy) * weights[p00];
    const w01 = fx * (1 - fy) * weights[p01];
    const w10 = (1 - fx) * fy * weights[p10];
    const w11 = fx * fy * weights[p11];
    const sum = w00 + w01 + w10 + w11;
    if (!(sum > 0)) continue;
    outMask[at + i] = Math.max(1, Math.floor(sum + 0.5));
    const d = (at + i) * bands;
    for (let n = 0; n < bands; n++) {
      let v = 0;
      // A NaN under weight 0 must not spread, so each tap is asked for.
      if (w00 > 0) v += samples[p00 * bands + n] * w00;
      if (w01 > 0) v += samples[p01 * bands + n] * w01;
      if (w10 > 0) v += samples[p10 * bands + n] * w10;
      if (w11 > 0) v += samples[p11 * bands + n] * w11;
      v /= sum;
      out[d + n] = round ? Math.floor(v + 0.5) : v;
    }
  }
}
