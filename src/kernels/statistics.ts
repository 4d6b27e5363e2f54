/** Statistics of one band of a window, under titiler's names. */
import type { WindowPixels } from './resample.ts';

export interface BandStatistics {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly count: number;
  readonly sum: number;
  readonly std: number | null;
  readonly median: number | null;
  readonly majority: number | null;
  readonly minority: number | null;
  readonly unique: number;
  /** Counts, and the edges of the bins, one more. */
  readonly histogram: readonly [readonly number[], readonly number[]];
  readonly valid_percent: number;
  readonly masked_pixels: number;
  readonly valid_pixels: number;
  readonly percentile_2: number | null;
  readonly percentile_98: number | null;
}

const BINS = 10;

export function bandStatistics(window: WindowPixels, band: number, scale: number, offset: number): BandStatistics {
  const values = validValues(window, band, scale, offset);
  const pixels = window.width * window.height;
  const count = values.length;
  const shares = {
    count,
    valid_percent: Math.round((count / pixels) * 10000) / 100,
    masked_pixels: pixels - count,
    valid_pixels: count,
  };
  if (count === 0) {
    const none = { min: null, max: null, mean: null, std: null, median: null, majority: null, minority: null };
    return { ...none, ...shares, sum: 0, unique: 0, histogram: [[], []], percentile_2: null, percentile_98: null };
  }
  values.sort();
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - mean) ** 2;
  return {
    min: values[0],
    max: values[count - 1],
    mean,
    sum,
    std: Math.sqrt(squares / count),
    median: quantile(values, 0.5),
    ...frequencies(values),
    histogram: histogram(values),
    percentile_2: quantile(values, 0.02),
    percentile_98: quantile(values, 0.98),
    ...shares,
  };
}

function validValues(
  { samples, bands, weights }: WindowPixels,
  band: number,
  scale: number,
  offset: number,
): Float64Array {
  const out = new Float64Array(samples.length / bands);
  let n = 0;
  for (let p = 0, s = band; s < samples.length; p++, s += bands) {
    const v = samples[s];
    if ((weights === null || weights[p] !== 0) && Number.isFinite(v)) out[n++] = v * scale + offset;
  }
  return out.subarray(0, n);
}

/** Linear between the neighbours, as NumPy. */
function quantile(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/** The most and the least frequent value (the smallest of equals, as NumPy's argmax), and how many different there are. */
function frequencies(sorted: Float64Array): { majority: number; minority: number; unique: number } {
  let [majority, minority, most, least, unique] = [sorted[0], sorted[0], 0, Infinity, 0];
  for (let i = 0; i < sorted.length; ) {
    let end = i + 1;
    while (end < sorted.length && sorted[end] === sorted[i]) end++;
    if (end - i > most) [majority, most] = [sorted[i], end - i];
    if (end - i < least) [minority, least] = [sorted[i], end - i];
    unique++;
    i = end;
  }
  return { majority, minority, unique };
}

function histogram(sorted: Float64Array): [number[], number[]] {
  let low = sorted[0];
  let high = sorted[sorted.length - 1];
  // As NumPy: a single value gets a bin range of one around it.
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const counts = new Array<number>(BINS).fill(0);
  const edges = Array.from({ length: BINS + 1 }, (_, i) => low + ((high - low) * i) / BINS);
  for (let i = 0; i < sorted.length; i++)
    counts[Math.min(BINS - 1, Math.floor(((sorted[i] - low) / (high - low)) * BINS))]++;
  return [counts, edges];
}
