/** Answers that are numbers: a point, statistics, and the value range behind a default stretch. */
import type { Range } from '../../kernels/colour.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { productOf, type Values } from './derive.ts';
import { blocksIn, gather } from './gather.ts';
import type { BlockStore } from './store.ts';
import type { ImageJob, PointJob, WindowRead } from './types.ts';
import type { AheadBytes } from './underway.ts';

export function json(
  value: unknown,
  peakBytes: number,
  headers: Record<string, string> = {},
  contentType = 'application/json',
): Painted {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { body: body.slice(), contentType, encoding: 'identity', headers, peakBytes: peakBytes + body.length, ms: 0 };
}

export async function paintPoint(job: PointJob, store: BlockStore, context: TaskContext): Promise<Painted> {
  const { values, bytes } = await placesValues(job, store, context);
  return placesJson(job, values, bytes);
}

/** A row of bands a place; null where the pixel is invalid, and where there is none. */
export async function placesValues(
  job: PointJob,
  store: BlockStore,
  context: TaskContext,
): Promise<{ values: (number | null)[][]; bytes: number }> {
  const { reads, order, names } = job;
  const values = reads.map(() => names.map((): number | null => null));
  const ahead = placesAhead(job, store, context);
  let bytes = 0;
  try {
    for (const [n, at] of order.entries()) {
      if (n % 64 === 0) context.check();
      const read = reads[at];
      if (read) bytes = Math.max(bytes, await valuesAt(job, read, values[at], { store, context, ahead }));
    }
  } finally {
    ahead?.close();
  }
  return { values, bytes };
}

function placesAhead(
  { reads, order, choice }: PointJob,
  store: BlockStore,
  context: TaskContext,
): AheadBytes | undefined {
  if (!reads.find(read => read !== null)?.level.ref.remote) return undefined;
  const inOrder = order.flatMap(at => reads[at] ?? []);
  return store.ahead(
    inOrder.flatMap(read => blocksIn(read, choice.nodata ?? 0)),
    context,
  );
}

/** titiler's shape of one point, ours of many. */
export function placesJson(
  { places, names, descriptions }: Pick<PointJob, 'places' | 'names' | 'descriptions'>,
  values: readonly (readonly (number | null)[])[],
  bytes: number,
): Painted {
  const all = { band_names: names, band_descriptions: descriptions };
  if (places.form === 'point') return json({ coordinates: places.coordinates, values: values[0], ...all }, bytes);
  const coordinates = values.map((_, i) => [places.coordinates[i * 2], places.coordinates[i * 2 + 1]]);
  const distances = places.form === 'profile' ? { distances: [...places.distances] } : {};
  return json({ coordinates, ...distances, values, ...all }, bytes + coordinates.length * PLACE_BYTES);
}

/** What a place takes while its values are told, beside its JSON. */
export const PLACE_BYTES = 256;

async function valuesAt(
  job: PointJob,
  read: WindowRead,
  out: (number | null)[],
  { store, context, ahead }: { store: BlockStore; context: TaskContext; ahead: AheadBytes | undefined },
): Promise<number> {
  const { choice } = job;
  const pixel = await gather(read, choice, store, context, ahead);
  const mask = pixel.weights ?? new Uint8Array(1).fill(255);
  const extent = { width: 1, height: 1, resX: 1, resY: 1 };
  const values = { samples: pixel.samples, bands: pixel.bands, type: choice.dtype, mask };
  const made = productOf(values, extent, job, extent);
  for (let i = 0; i < out.length; i++) {
    out[i] = made.mask[0] !== 0 && Number.isFinite(made.samples[i]) ? made.samples[i] : null;
  }
  return pixel.bytes;
}

/** X-Raster-Rescale: the ranges, where they were found in the file and not given. */
export function toldRanges(found: readonly Range[] | null, ranges: readonly Range[] | null): Record<string, string> {
  return found && ranges ? { 'x-raster-rescale': ranges.map(range => range.join(',')).join(';') } : {};
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
