/** Answers that are numbers: a point, statistics, and the value range behind a default stretch. */
import type { Range } from '../../kernels/colour.ts';
import { type BandStatistics, bandStatistics } from '../../kernels/statistics.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { productOf, type Values } from './derive.ts';
import { gather } from './gather.ts';
import type { BlockStore } from './store.ts';
import type { ImageJob, PointJob, StatisticsJob } from './types.ts';

function json(value: unknown, peakBytes: number, headers: Record<string, string> = {}): Painted {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { body: body.slice(), contentType: 'application/json', encoding: 'identity', headers, peakBytes, ms: 0 };
}

/** titiler's shape; null where the pixel is invalid. */
export async function paintPoint(job: PointJob, store: BlockStore, context: TaskContext): Promise<Painted> {
  const { choice, read, scales, offsets } = job;
  const pixel = await gather(read, choice, store, context);
  const valid = pixel.weights === null || pixel.weights[0] !== 0;
  const values = choice.bands.map((_, i) =>
    valid ? pixel.samples[i] * (scales?.[i] ?? 1) + (offsets?.[i] ?? 0) : null,
  );
  const body = { coordinates: job.coordinates, values, band_names: choice.bands.map(band => `b${band + 1}`) };
  return json(body, pixel.bytes);
}

/** titiler's shape, with what it does not say: whether this is the full resolution, and if not, which level. */
export async function paintStatistics(job: StatisticsJob, store: BlockStore, context: TaskContext): Promise<Painted> {
  const { choice, read, scales, offsets } = job;
  const { index } = read.level;
  const window = await gather(read, choice, store, context);
  const out: Record<string, BandStatistics & { exact: boolean; level: number }> = {};
  for (const [i, band] of choice.bands.entries()) {
    context.check();
    const stats = bandStatistics(window, i, scales?.[i] ?? 1, offsets?.[i] ?? 0);
    out[`b${band + 1}`] = { ...stats, exact: index === 0, level: index };
  }
  return json(out, window.bytes + window.width * window.height * 8);
}

/** Values of a band that percentiles are taken of, at most: evenly spread over the windows. */
export const PERCENTILE_VALUES = 65_536;

/**
 * Smallest and largest valid value a band of what is made of the windows of the stretch, or two percentiles of them; [0, 1]
 * where nothing is valid, never an empty range.
 */
export async function valueRanges(
  job: Pick<ImageJob, 'stretch' | 'choice' | 'derive' | 'style'>,
  store: BlockStore,
  context: TaskContext,
): Promise<readonly Range[]> {
  const { choice, style } = job;
  const reads = job.stretch ?? [];
  const pixels = reads.reduce((sum, { window }) => sum + window.width * window.height, 0);
  const stride = style.percentiles ? Math.max(1, Math.ceil(pixels / PERCENTILE_VALUES)) : 1;
  const bands: Spread[] = [];
  for (const read of reads) {
    const { samples, weights } = await gather(read, choice, store, context);
    const mask = weights ?? new Uint8Array(samples.length / choice.bands.length).fill(255);
    const extent = { width: read.window.width, height: read.window.height, resX: 1, resY: 1 };
    const made = productOf({ samples, bands: choice.bands.length, type: choice.dtype, mask }, extent, job, extent);
    for (let b = 0; b < made.bands; b++) {
      bands[b] ??= { low: Infinity, high: -Infinity, values: [] };
      spread(made, b, stride, style.percentiles !== null, bands[b]);
    }
    freeArray(made.samples);
    freeArray(made.mask);
  }
  return bands.map(band => rangeOf(band, style.percentiles));
}

interface Spread {
  low: number;
  high: number;
  readonly values: number[];
}

function spread({ samples, mask, bands }: Values, band: number, stride: number, keep: boolean, into: Spread): void {
  for (let p = 0; p < mask.length; p += stride) {
    const v = samples[p * bands + band];
    if (mask[p] === 0 || !Number.isFinite(v)) continue;
    if (keep) into.values.push(v);
    if (v < into.low) into.low = v;
    if (v > into.high) into.high = v;
  }
}

function rangeOf({ low, high, values }: Spread, percentiles: readonly [number, number] | null): Range {
  if (low > high) return [0, 1];
  const [from, to] = percentiles ? percentilesOf(Float64Array.from(values).sort(), percentiles) : [low, high];
  return [from, to > from ? to : from + 1];
}

/** Between the two nearest values, as NumPy has it. */
function percentilesOf(sorted: Float64Array, wanted: readonly [number, number]): [number, number] {
  const at = (percent: number): number => {
    const place = ((sorted.length - 1) * percent) / 100;
    const below = Math.floor(place);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
  };
  return [at(wanted[0]), at(wanted[1])];
}
