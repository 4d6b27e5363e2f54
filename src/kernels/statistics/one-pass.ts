/**
 * Figures of a stream of values that is seen once, in constant memory: count, least, greatest, sum, mean, deviation; values counted
 * if wanted. For a million small zones, each with its own; tally.ts sees a band several times for what one pass cannot tell
 * (percentiles, histograms, weights), in memory that would be too much for each of them.
 */

export interface Tallied {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly sum: number;
  readonly std: number | null;
  /** Valid pixels, and those that are not, of all that lie in the zone. */
  readonly valid_pixels: number;
  readonly masked_pixels: number;
  readonly valid_percent: number;
  /** Pixels by value, in ascending order, where that was asked for. */
  readonly categories?: Readonly<Record<string, number>>;
}

/** Different values that are counted at most. */
export const CATEGORIES_MAX = 1024;
/** What a counted value takes in a Map. */
export const CATEGORY_BYTES = 64;

export class OnePass {
  #count = 0;
  #masked = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  /** Sums are taken about the first value, so that a small spread about a large value keeps its digits. */
  #shift = 0;
  #first = 0;
  #second = 0;
  readonly #categories: Map<number, number> | null;

  constructor(categorical: boolean) {
    this.#categories = categorical ? new Map() : null;
  }

  add(value: number): void {
    if (this.#count++ === 0) this.#shift = value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    const d = value - this.#shift;
    this.#first += d;
    this.#second += d * d;
    if (this.#categories) this.#categories.set(value, (this.#categories.get(value) ?? 0) + 1);
  }

  mask(): void {
    this.#masked++;
  }

  /** True once more values are different than are counted. */
  get crowded(): boolean {
    return this.#categories !== null && this.#categories.size > CATEGORIES_MAX;
  }

  result(): Tallied {
    const n = this.#count;
    const all = n + this.#masked;
    const mean = n === 0 ? null : this.#shift + this.#first / n;
    const variance = n === 0 ? 0 : Math.max(0, (this.#second - (this.#first * this.#first) / n) / n);
    return {
      min: n === 0 ? null : this.#min,
      max: n === 0 ? null : this.#max,
      mean,
      sum: n === 0 ? 0 : this.#shift * n + this.#first,
      std: n === 0 ? null : Math.sqrt(variance),
      valid_pixels: n,
      masked_pixels: this.#masked,
      valid_percent: all === 0 ? 0 : (100 * n) / all,
      ...(this.#categories ? { categories: counted(this.#categories) } : {}),
    };
  }
}

function counted(values: ReadonlyMap<number, number>): Record<string, number> {
  const entries = [...values].sort(([a], [b]) => a - b).map(([value, count]) => [String(value), count] as const);
  return Object.fromEntries(entries);
}
