/**
 * Any kernel, and bilinear where an output pixel covers more than one source pixel: the kernel is stretched by `radius` an axis
 * (GDAL's antialiasing), taps outside the window are dropped and the rest renormalised.
 */
import type { RowTarget, WindowPixels } from './resample.ts';
import type { Kernel } from './resampling.ts';

const EDGE = 1e-10;

/** What a sample may be at most, where a kernel overshoots. */
export interface Limits {
  readonly min: number;
  readonly max: number;
}

export interface Radii {
  /** Times that the kernel is stretched: source pixels from the centre to where a triangle ends. At least 1. */
  readonly x: number;
  readonly y: number;
}

/** First tap, number of taps, weights: of one axis at one position. */
interface Taps {
  first: number;
  count: number;
  readonly weights: Float64Array;
}

function taps(reach: number): Taps {
  return { first: 0, count: 0, weights: new Float64Array(2 * Math.ceil(reach) + 2) };
}

function aim(to: Taps, position: number, radius: number, size: number, kernel: Kernel): void {
  const centre = position - 0.5;
  const reach = kernel.support * radius;
  let first = Math.ceil(centre - reach);
  let last = Math.floor(centre + reach);
  if (first < 0) first = 0;
  if (last > size - 1) last = size - 1;
  to.first = first;
  to.count = last - first + 1;
  for (let i = 0; i < to.count; i++) to.weights[i] = kernel.weight(Math.abs(first + i - centre) / radius);
}

export function wideRow(
  from: WindowPixels,
  xs: Float64Array,
  ys: Float64Array,
  to: RowTarget,
  round: boolean,
  radius: Radii,
  kernel: Kernel,
  limits: Limits | null = null,
): void {
  const { bands, width, height, weights } = from;
  const { out, outMask, at, count } = to;
  const across = taps(radius.x * kernel.support);
  const down = taps(radius.y * kernel.support);
  const sums = new Float64Array(bands);
  let lastX = Number.NaN;
  let lastY = Number.NaN;
  for (let i = 0; i < count; i++) {
    const x = xs[i];
    const y = ys[i];
    const nx = Math.floor(x + EDGE);
    const ny = Math.floor(y + EDGE);
    if (!(nx >= 0 && ny >= 0 && nx < width && ny < height)) continue;
    if (weights !== null && weights[ny * width + nx] === 0) continue;
    if (x !== lastX) aim(across, x, radius.x, width, kernel);
    if (y !== lastY) aim(down, y, radius.y, height, kernel);
    lastX = x;
    lastY = y;
    sums.fill(0);
    const total = weights === null ? sumAll(from, across, down, sums) : sumWeighted(from, weights, across, down, sums);
    if (!(total > 0)) continue;
    outMask[at + i] = weights === null ? 255 : alphaOf(total, across, down);
    const d = (at + i) * bands;
    for (let n = 0; n < bands; n++) {
      const v = round ? Math.floor(sums[n] / total + 0.5) : sums[n] / total;
      out[d + n] = limits === null ? v : v < limits.min ? limits.min : v > limits.max ? limits.max : v;
    }
  }
}

function sumAll({ samples, bands, width }: WindowPixels, across: Taps, down: Taps, sums: Float64Array): number {
  let total = 0;
  const wx = across.weights;
  for (let j = 0; j < down.count; j++) {
    const wy = down.weights[j];
    let s = ((down.first + j) * width + across.first) * bands;
    for (let i = 0; i < across.count; i++) {
      const w = wx[i] * wy;
      total += w;
      for (let n = 0; n < bands; n++) sums[n] += samples[s++] * w;
    }
  }
  return total;
}

function sumWeighted(
  { samples, bands, width }: WindowPixels,
  weights: Uint8Array,
  across: Taps,
  down: Taps,
  sums: Float64Array,
): number {
  let total = 0;
  const wx = across.weights;
  for (let j = 0; j < down.count; j++) {
    const wy = down.weights[j];
    let p = (down.first + j) * width + across.first;
    for (let i = 0; i < across.count; i++, p++) {
      const w = wx[i] * wy * weights[p];
      if (w === 0) continue;
      total += w;
      const s = p * bands;
      for (let n = 0; n < bands; n++) sums[n] += samples[s + n] * w;
    }
  }
  return total;
}

/** The weighted mean of the weights themselves: what share of the pixel is covered, 1–255. */
function alphaOf(total: number, across: Taps, down: Taps): number {
  let x = 0;
  let y = 0;
  for (let i = 0; i < across.count; i++) x += across.weights[i];
  for (let j = 0; j < down.count; j++) y += down.weights[j];
  return Math.min(255, Math.max(1, Math.floor(total / (x * y) + 0.5)));
}
