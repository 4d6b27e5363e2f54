/** Statistics of one band that is seen in parts, several times over where that is needed. */

export interface StatisticsOptions {
  /** Between 0 and 100. */
  readonly percentiles: readonly number[];
  /** The histogram counts values, not intervals. */
  readonly categorical: boolean;
  /** Values to be counted; null: all that there are. */
  readonly categories: readonly number[] | null;
  /** Intervals of equal width, or their edges. */
  readonly bins: number | readonly number[];
  /** Values are float32. */
  readonly single?: boolean;
  /** What the intervals cover; null: from the smallest to the largest value. */
  readonly range: readonly [number, number] | null;
}

/** titiler's names. percentile_… beside them. */
export interface BandStatistics {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly count: number;
  readonly sum: number;
  readonly std: number | null;
  readonly median: number | null;
  /** null where there are more different values than are told apart. */
  readonly majority: number | null;
  readonly minority: number | null;
  readonly unique: number | null;
  /** Counts, and the edges of the bins, one more; or counts and values. */
  readonly histogram: readonly [readonly number[], readonly number[]];
  readonly valid_percent: number;
  readonly masked_pixels: number;
  readonly valid_pixels: number;
  readonly [percentile: `percentile_${number}`]: number | null;
}

/** Interleaved values of a part of the raster, and the pixels of it that count. */
export interface Part {
  readonly samples: ArrayLike<number>;
  readonly bands: number;
  readonly mask: Uint8Array;
  /** Share of each pixel that counts, 0 to 1; null: all of each. */
  readonly weights: Float32Array | null;
}

/** Values in order, each once, with how many pixels have it and how much they weigh. */
export interface Distribution {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  readonly weights: Float64Array;
}

/** What all pixels of one pass say. */
export interface Moments {
  min: number;
  max: number;
  pixels: number;
  weight: number;
  sum: number;
}
