/**
 * Statistics of a band in memory that does not grow with it. A first pass over all parts counts the values one by one as long as
 * there are few different ones; that says everything. Where there are more, further passes find the deviation, the histogram
 * and, bit by bit, the values at the percentiles: still exact; only the most frequent value and how many there are remain unsaid.
 */
import type { SampleType } from '../samples.ts';
import { type Counter, createDistinctCounter, createSmallCounter, DISTINCT_BYTES, smallRange } from './distinct.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import { createRanks, RANK_BYTES, type Ranks } from './ranks.ts';
import { summaryOf, validPercent } from './summary.ts';
import type { BandStatistics, Distribution, Moments, Part, StatisticsOptions } from './types.ts';

export interface Tally {
  add(part: Part, band: number): void;
  /** Whether all parts must be given once more. */
  endPass(): boolean;
  /** `covered`: pixels of which some share counts. null: categories were asked for, and there are too many. */
  finish(pixels: number, covered: number): BandStatistics | null;
}

/** Bytes that a tally holds at most. */
export function tallyBytes(type: SampleType, { percentiles }: StatisticsOptions): number {
  const small = smallRange(type);
  return small ? small.size * 16 : DISTINCT_BYTES + RANK_BYTES * (percentiles.length + 2);
}

/** Values that doubles hold and float32 may not. */
function isWide(type: SampleType): boolean {
  return !['uint8', 'int8', 'uint16', 'int16', 'float16', 'float32'].includes(type);
}

export function createTally(type: SampleType, options: StatisticsOptions): Tally {
  const small = smallRange(type);
  return new BandTally(
    small ? createSmallCounter(small) : createDistinctCounter(),
    small ? null : createRanks(isWide(type)),
    { ...options, single: type === 'float32' || type === 'float16' },
  );
}

class BandTally implements Tally {
  readonly #options: StatisticsOptions;
  readonly #counter: Counter;
  readonly #ranks: Ranks | null;
  readonly #moments: Moments = { min: Infinity, max: -Infinity, pixels: 0, weight: 0, sum: 0 };
  #lost = 0;
  #squares = 0;
  #pass = 0;
  #known: Distribution | null = null;
  #histogram: Histogram | null = null;
  #asked: Map<number, number> | null = null;

  constructor(counter: Counter, ranks: Ranks | null, options: StatisticsOptions) {
    this.#counter = counter;
    this.#ranks = ranks;
    this.#options = options;
  }

  add({ samples, bands, mask, weights }: Part, band: number): void {
    if (this.#known) return;
    for (let p = 0, s = band; p < mask.length; p++, s += bands) {
      if (mask[p] === 0) continue;
      const weight = weights === null ? 1 : weights[p];
      const value = samples[s];
      if (weight <= 0 || !Number.isFinite(value)) continue;
      if (this.#pass === 0) this.#first(value, weight);
      else this.#again(value, weight);
    }
  }

  #first(value: number, weight: number): void {
    this.#counter.add(value, weight);
    if (!this.#ranks) return;
    this.#ranks.add(value, weight);
    const moments = this.#moments;
    if (value < moments.min) moments.min = value;
    if (value > moments.max) moments.max = value;
    moments.pixels++;
    moments.weight += weight;
    this.#sum(value * weight);
  }

  /** Neumaier's: what a large sum loses of a small number is kept beside it. */
  #sum(term: number): void {
    const moments = this.#moments;
    const next = moments.sum + term;
    this.#lost += Math.abs(moments.sum) >= Math.abs(term) ? moments.sum - next + term : term - next + moments.sum;
    moments.sum = next;
  }

  #again(value: number, weight: number): void {
    if (this.#pass === 1) {
      this.#squares += weight * (value - this.#moments.sum / this.#moments.weight) ** 2;
      this.#histogram?.add(value, 1);
      const count = this.#asked?.get(value);
      if (count !== undefined) this.#asked?.set(value, count + 1);
    }
    this.#ranks?.add(value, weight);
  }

  endPass(): boolean {
    if (this.#pass === 0) {
      this.#known = this.#counter.distribution;
      if (this.#known) return false;
      this.#moments.sum += this.#lost;
      const { categorical, categories, bins, range, single = false } = this.#options;
      if (categorical && categories === null) return false;
      if (categorical) this.#asked = new Map(categories?.map(value => [value, 0]));
      else this.#histogram = createHistogram(bins, range ?? [this.#moments.min, this.#moments.max], single);
    }
    this.#ranks?.endPass([...this.#options.percentiles, 50].map(percent => percent / 100));
    this.#pass++;
    return this.#pass < (this.#ranks?.passes ?? 0);
  }

  finish(pixels: number, covered: number): BandStatistics | null {
    if (this.#known) return summaryOf(this.#known, this.#options, pixels, covered);
    const { percentiles, categories } = this.#options;
    const asked = this.#asked;
    if (!this.#histogram && !asked) return null;
    const { min, max, weight, sum, pixels: valid } = this.#moments;
    const values = this.#ranks?.values ?? [];
    const named = percentiles.map((percent, i) => [`percentile_${Math.trunc(percent)}`, values[i]]);
    const keys = categories ?? [];
    return {
      min,
      max,
      mean: sum / weight,
      count: weight,
      sum,
      std: Math.sqrt(this.#squares / weight),
      median: values[percentiles.length],
      majority: null,
      minority: null,
      unique: null,
      histogram: asked
        ? [keys.map(key => asked.get(key) as number), [...keys]]
        : [this.#histogram?.counts ?? [], this.#histogram?.edges ?? []],
      valid_percent: validPercent(valid, covered),
      masked_pixels: pixels - valid,
      valid_pixels: valid,
      ...Object.fromEntries(named),
    };
  }
}
