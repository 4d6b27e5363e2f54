/** Statistics in memory that does not grow with the raster: a block is gathered, computed, counted, and gone before the next one. */

import { setImmediate as turn } from 'node:timers/promises';
import { problem } from '../../errors.ts';
import { coverageOf } from '../../kernels/coverage.ts';
import { createTally, type Tally } from '../../kernels/statistics/tally.ts';
import type { BandStatistics, Part } from '../../kernels/statistics/types.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { productOf, type Values } from './derive.ts';
import { blocksIn, gather } from './gather.ts';
import type { BlockStore } from './store.ts';
import type { BlockRead, BlockTable, Rect, Scan, StatisticsJob, WindowRead } from './types.ts';
import type { AheadBytes } from './underway.ts';
import { json } from './values.ts';

/** Different values that an answer lists. */
export const CATEGORIES_MAX = 16_384;

type Told = Record<string, BandStatistics & { description: string; exact: boolean; level: number }>;

interface Studio {
  readonly store: BlockStore;
  readonly context: TaskContext;
  peak: number;
}

/** titiler's shape, with what it does not say: whether this is the full resolution, and if not, which level. */
export async function paintStatistics(job: StatisticsJob, store: BlockStore, context: TaskContext): Promise<Painted> {
  const studio: Studio = { store, context, peak: 0 };
  const told: (Told | null)[] = [];
  for (const scan of job.scans) told.push(scan === null ? null : await scanned(job, scan, studio));
  if (!job.features) return json(told[0], studio.peak);
  const { collection, features } = job.features;
  const filled = features.map((text, i) => withStatistics(JSON.parse(text), told[i] ?? {}));
  const body = collection === null ? filled[0] : { ...JSON.parse(collection), features: filled };
  return json(body, studio.peak, {}, 'application/geo+json');
}

function withStatistics(feature: { properties?: object | null }, statistics: Told | Record<string, never>): object {
  return { ...feature, properties: { ...feature.properties, statistics } };
}

async function scanned(job: StatisticsJob, scan: Scan, studio: Studio): Promise<Told> {
  const out: Told = {};
  for (let first = 0; first < job.product.bands; first += job.batch) {
    const last = Math.min(job.product.bands, first + job.batch);
    const tallies = Array.from({ length: last - first }, () => createTally(job.product.type, job.options));
    const seen = await passes(job, scan, tallies, first, studio);
    for (const [i, tally] of tallies.entries()) {
      const stats = tally.finish(seen.pixels, seen.covered);
      if (!stats) throw tooMany('more different values than can be told apart');
      if (job.options.categorical && stats.histogram[0].length > CATEGORIES_MAX)
        throw tooMany(`${stats.histogram[0].length} different values`);
      const name = job.names[first + i];
      const description = job.descriptions[first + i];
      out[name] = { ...stats, description, exact: job.level === 0, level: job.level };
    }
  }
  return out;
}

function tooMany(what: string): Error {
  return problem(
    'unprocessable',
    `categorical: ${what}; at most ${CATEGORIES_MAX} are listed. Name those wanted with c`,
  );
}

interface Seen {
  readonly pixels: number;
  /** Pixels of which some share counts. */
  readonly covered: number;
}

/** As often over all blocks as one of the tallies wants. */
async function passes(
  job: StatisticsJob,
  scan: Scan,
  tallies: readonly Tally[],
  first: number,
  studio: Studio,
): Promise<Seen> {
  const seen = { pixels: scan.window.width * scan.window.height, covered: 0 };
  for (let again = true, pass = 0; again; pass++) {
    for (const rects of batches(scan)) {
      const ahead = aheadOf(job, scan, rects, studio);
      try {
        for (const rect of rects) {
          studio.context.check();
          if (job.long) await turn();
          const weights = scan.zone ? coverageOf(scan.zone, rect) : null;
          if (pass === 0)
            seen.covered += weights ? weights.reduce((n, w) => n + (w > 0 ? 1 : 0), 0) : rect.width * rect.height;
          if (weights?.every(weight => weight === 0)) continue;
          const part = await partOf(job, scan, rect, weights, studio, ahead);
          for (const [i, tally] of tallies.entries()) tally.add(part, first + i);
          for (const array of [part.samples, part.mask, part.weights]) if (ArrayBuffer.isView(array)) freeArray(array);
        }
      } finally {
        ahead?.close();
      }
    }
    again = tallies.map(tally => tally.endPass()).some(wanted => wanted);
  }
  return seen;
}

/** Blocks whose bytes another server is asked for ahead. */
const BATCH = 64;

function* batches(scan: Scan): Generator<Rect[]> {
  let batch: Rect[] = [];
  for (const rect of chunks(scan)) {
    batch.push(rect);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Of a zone nobody knows yet which blocks are outside: those are not read. */
function aheadOf(
  { derive, choice }: StatisticsJob,
  scan: Scan,
  rects: readonly Rect[],
  { store, context }: Studio,
): AheadBytes | undefined {
  const { level } = scan.table;
  if (!level.ref.remote || scan.zone) return undefined;
  const reads = rects.map(rect => readOf(scan, grown(rect, derive?.margin ?? 0, level)));
  return store.ahead(
    reads.flatMap(read => blocksIn(read, choice.nodata ?? 0)),
    context,
  );
}

/** The blocks of the window, each cut to it. */
function* chunks({ window, table }: Scan): Generator<Rect> {
  const { blockWidth, blockHeight } = table.level.format;
  const right = window.x + window.width;
  const bottom = window.y + window.height;
  for (let y = window.y; y < bottom; ) {
    const below = Math.min(bottom, (Math.floor(y / blockHeight) + 1) * blockHeight);
    for (let x = window.x; x < right; ) {
      const after = Math.min(right, (Math.floor(x / blockWidth) + 1) * blockWidth);
      yield { x, y, width: after - x, height: below - y };
      x = after;
    }
    y = below;
  }
}

/** What is made of one rectangle, with the neighbours that an algorithm looks at, cut back to it. */
async function partOf(
  job: StatisticsJob,
  scan: Scan,
  rect: Rect,
  weights: Float32Array | null,
  studio: Studio,
  ahead: AheadBytes | undefined,
): Promise<Part> {
  const wide = grown(rect, job.derive?.margin ?? 0, scan.table.level);
  const found = await gather(readOf(scan, wide), job.choice, studio.store, studio.context, ahead);
  const mask = found.weights ?? new Uint8Array(wide.width * wide.height).fill(255);
  const { width, height } = wide;
  const extent = { width, height, resX: job.resX, resY: job.resY };
  const values = { samples: found.samples, bands: found.bands, type: job.choice.dtype, mask };
  const made = productOf(values, extent, job, extent);
  const bytes = found.bytes + (made.samples === found.samples ? 0 : made.samples.byteLength + made.mask.byteLength);
  studio.peak = Math.max(studio.peak, bytes + (weights?.byteLength ?? 0) * 3);
  return { ...(wide === rect ? made : cut(made, wide, rect)), weights };
}

/** No further than the level goes. */
export function grown(rect: Rect, margin: number, { width, height }: { width: number; height: number }): Rect {
  if (margin === 0) return rect;
  const x = Math.max(0, rect.x - margin);
  const y = Math.max(0, rect.y - margin);
  const right = Math.min(width, rect.x + rect.width + margin);
  const bottom = Math.min(height, rect.y + rect.height + margin);
  return { x, y, width: right - x, height: bottom - y };
}

function cut({ samples, mask, bands }: Values, wide: Rect, rect: Rect): Pick<Part, 'samples' | 'mask' | 'bands'> {
  const kept = samples.slice(0, rect.width * rect.height * bands);
  const keptMask = new Uint8Array(rect.width * rect.height);
  for (let y = 0; y < rect.height; y++) {
    const from = (y + rect.y - wide.y) * wide.width + (rect.x - wide.x);
    kept.set(samples.subarray(from * bands, (from + rect.width) * bands), y * rect.width * bands);
    keptMask.set(mask.subarray(from, from + rect.width), y * rect.width);
  }
  freeArray(samples);
  freeArray(mask);
  return { samples: kept, mask: keptMask, bands };
}

function readOf({ table, mask }: Scan, window: Rect): WindowRead {
  return {
    level: table.level,
    window,
    blocks: placesOf(table, window),
    gaps: false,
    mask: mask && { level: mask.level, blocks: placesOf(mask, window) },
  };
}

function placesOf(table: BlockTable, { x, y, width, height }: Rect): BlockRead[] {
  const { blockWidth, blockHeight } = table.level.format;
  const out: BlockRead[] = [];
  for (const [p, plane] of table.planes.entries()) {
    for (let row = Math.floor(y / blockHeight); row * blockHeight < y + height; row++) {
      for (let column = Math.floor(x / blockWidth); column * blockWidth < x + width; column++) {
        const at = (p * table.rows + row - table.row) * table.columns + column - table.column;
        out.push({ column, row, plane, offset: table.offsets[at], length: table.lengths[at] });
      }
    }
  }
  return out;
}
