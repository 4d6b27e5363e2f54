/** Everything that titiler says of a band, out of how often each value occurs. */
import { createHistogram } from './histogram.ts';
import type { BandStatistics, Distribution, StatisticsOptions } from './types.ts';

export function summaryOf(
  found: Distribution,
  options: StatisticsOptions,
  pixels: number,
  covered: number,
): BandStatistics {
  const { values, counts, weights } = found;
  const valid = counts.reduce((sum, count) => sum + count, 0);
  const shares = { valid_percent: validPercent(valid, covered), masked_pixels: pixels - valid, valid_pixels: valid };
  const histogram = histogramOf(found, options);
  if (valid === 0) {
    const names = options.percentiles.map(percent => [`percentile_${Math.trunc(percent)}`, null]);
    const none = { min: null, max: null, mean: null, std: null, median: null, majority: null, minority: null };
    return { ...none, count: 0, sum: 0, unique: 0, histogram, ...shares, ...Object.fromEntries(names) };
  }
  const count = weights.reduce((sum, weight) => sum + weight, 0);
  const sum = values.reduce((total, value, i) => total + value * weights[i], 0);
  const mean = sum / count;
  const squares = values.reduce((total, value, i) => total + weights[i] * (value - mean) ** 2, 0);
  const percentiles = options.percentiles.map(percent => [
    `percentile_${Math.trunc(percent)}`,
    quantile(found, count, percent / 100),
  ]);
  return {
    min: values[0],
    max: values[values.length - 1],
    mean,
    count,
    sum,
    std: Math.sqrt(squares / count),
    median: quantile(found, count, 0.5),
    majority: values[extreme(counts, (a, b) => a > b)],
    minority: values[extreme(counts, (a, b) => a < b)],
    unique: values.length,
    histogram,
    ...shares,
    ...Object.fromEntries(percentiles),
  };
}

/** The first value up to which at least the share of the weight lies, as rio-tiler has it: always one that occurs. */
function quantile({ values, weights }: Distribution, whole: number, share: number): number {
  let below = 0;
  for (let i = 0; i < values.length; i++) {
    below += weights[i];
    if (below >= share * whole) return values[i];
  }
  return values[values.length - 1];
}

/** The first of equals, as NumPy's argmax. */
function extreme(counts: Float64Array, beats: (a: number, b: number) => boolean): number {
  let at = 0;
  for (let i = 1; i < counts.length; i++) if (beats(counts[i], counts[at])) at = i;
  return at;
}

function histogramOf({ values, counts }: Distribution, options: StatisticsOptions): [number[], number[]] {
  const { categorical, categories, bins, range, single = false } = options;
  if (categorical) {
    if (!categories) return [[...counts], [...values]];
    const found = new Map(Array.from(values, (value, i) => [value, counts[i]]));
    return [categories.map(value => found.get(value) ?? 0), [...categories]];
  }
  const own = values.length > 0 ? ([values[0], values[values.length - 1]] as const) : ([0, 1] as const);
  const histogram = createHistogram(bins, range ?? own, single);
  for (let i = 0; i < values.length; i++) histogram.add(values[i], counts[i]);
  return [histogram.counts, [...histogram.edges]];
}

/** Of the pixels of which some share counts, with two decimals. */
export function validPercent(valid: number, covered: number): number {
  return covered === 0 ? 0 : Math.round(Math.min(valid / covered, 1) * 10_000) / 100;
}
