/** Answers that are numbers: a point, statistics, and the value range behind a default stretch. */
import type { Range } from '../../kernels/colour.ts';
import { type BandStatistics, bandStatistics } from '../../kernels/statistics.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { gather } from './gather.ts';
import type { BlockStore } from './store.ts';
import type { BandChoice, PointJob, StatisticsJob, WindowRead } from './types.ts';

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

/** Smallest and largest valid value a band over all windows; [0, 1] where nothing is valid, never an empty range. */
export async function valueRanges(
  reads: readonly WindowRead[],
  choice: BandChoice,
  store: BlockStore,
  context: TaskContext,
): Promise<readonly Range[]> {
  const bands = choice.bands.length;
  const low = new Float64Array(bands).fill(Infinity);
  const high = new Float64Array(bands).fill(-Infinity);
  for (const read of reads) {
    const { samples, weights } = await gather(read, choice, store, context);
    for (let s = 0; s < samples.length; s++) {
      const v = samples[s];
      if (!Number.isFinite(v) || (weights !== null && weights[(s / bands) | 0] === 0)) continue;
      const band = s % bands;
      if (v < low[band]) low[band] = v;
      if (v > high[band]) high[band] = v;
    }
  }
  return Array.from(low, (min, i) => (min <= high[i] ? [min, high[i] > min ? high[i] : min + 1] : [0, 1]) as Range);
}
