/** Plans of values: one point, and the statistics of a whole raster as one of its levels shows it. */
import { transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Plan } from '../../plan.ts';
import { chooseBands, defaultBands, scaling } from './bands.ts';
import { blockCount, gatherBytes, heldInputBytes, inputBytes, planRead } from './blocks.ts';
import { invertAffine, SNAP, wrapPeriod } from './geometry.ts';
import { crsOf } from './read.ts';
import type { PointJob, RasterParams, StatisticsJob } from './types.ts';

/** Bytes of statistics JSON a band: ten bins, some twenty numbers. */
const STATISTICS_JSON = 2048;
const POINT_JSON = 64;

export interface PointAsk {
  readonly layer: RasterLayer;
  readonly lon: number;
  readonly lat: number;
  readonly coordCrs: string;
  readonly params: RasterParams;
}

export async function planPoint(ask: PointAsk, signal: AbortSignal): Promise<Plan> {
  const { layer, params } = ask;
  const { source } = layer;
  const bands = defaultBands(layer, params, null);
  const choice = chooseBands(layer, params, bands);
  const window = { ...pixelOf(ask), width: 1, height: 1 };
  const read = await planRead(source, 0, window, choice, null, signal);
  const job: PointJob = {
    task: 'raster',
    kind: 'point',
    choice,
    read,
    coordinates: [ask.lon, ask.lat],
    ...scaling(source, params, bands),
  };
  return {
    cost: {
      inputBytes: inputBytes(read),
      heldInputBytes: heldInputBytes([read]),
      decodedBytes: gatherBytes(read, source, choice),
      outputBytes: 256 + POINT_JSON * bands.length,
    },
    job,
    explain: { layer: layer.id, bands, level: 0, pixel: [window.x, window.y], blocks: blockCount(read) },
    headers: {},
  };
}

function pixelOf({ layer, lon, lat, coordCrs }: PointAsk): { x: number; y: number } {
  const { source } = layer;
  const crs = crsOf(layer);
  const at = new Float64Array(2);
  const outside = () => problem('outside-bounds', `${lon},${lat} is outside ${layer.id}`);
  if (!transformer(coordCrs, crs).forward(lon, lat, at, 0)) throw outside();
  const inverse = invertAffine(source.transform);
  const period = wrapPeriod(crs);
  for (const turns of period === null ? [0] : [0, 1, -1]) {
    const east = at[0] + turns * (period ?? 0);
    const x = Math.floor(inverse[0] + east * inverse[1] + at[1] * inverse[2] + SNAP);
    const y = Math.floor(inverse[3] + east * inverse[4] + at[1] * inverse[5] + SNAP);
    if (x >= 0 && y >= 0 && x < source.width && y < source.height) return { x, y };
  }
  throw outside();
}

export interface StatisticsAsk {
  readonly layer: RasterLayer;
  readonly params: RasterParams;
  /** The finest level whose longer side is at most this is read; the coarsest where none is. */
  readonly maxSize: number;
}

export async function planStatistics(ask: StatisticsAsk, signal: AbortSignal): Promise<Plan> {
  const { layer, params, maxSize } = ask;
  const { source } = layer;
  const bands = defaultBands(layer, params, null);
  const choice = chooseBands(layer, params, bands);
  const fits = source.levels.findIndex(level => Math.max(level.width, level.height) <= maxSize);
  const index = fits >= 0 ? fits : source.levels.length - 1;
  const level = source.levels[index];
  const window = { x: 0, y: 0, width: level.width, height: level.height };
  const read = await planRead(source, index, window, choice, null, signal);
  const job: StatisticsJob = { task: 'raster', kind: 'statistics', choice, read, ...scaling(source, params, bands) };
  return {
    cost: {
      inputBytes: inputBytes(read),
      heldInputBytes: heldInputBytes([read]),
      // One band's valid values are sorted as doubles, beside the window.
      decodedBytes: gatherBytes(read, source, choice) + window.width * window.height * 8,
      outputBytes: 256 + STATISTICS_JSON * bands.length,
    },
    job,
    explain: {
      layer: layer.id,
      bands,
      level: index,
      exact: index === 0,
      size: [level.width, level.height],
      blocks: blockCount(read),
    },
    headers: { 'x-raster-level': String(index) },
    fits: share => ({
      max_size: Math.max(1, Math.floor(Math.max(level.width, level.height) * Math.sqrt(share * 0.9))),
    }),
  };
}
