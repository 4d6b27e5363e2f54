/** Plans of statistics: of a whole raster, or of the part of it that lies in each feature; of all pixels unless a size is given. */

import { coverageBytes } from '../../kernels/coverage.ts';
import { workingBytes } from '../../kernels/samples.ts';
import { tallyBytes } from '../../kernels/statistics/tally.ts';
import type { StatisticsOptions } from '../../kernels/statistics/types.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Cost, Plan } from '../../plan.ts';
import type { Level, RasterSource } from '../../source/types.ts';
import { chooseBands, scaling } from './bands.ts';
import { tableOf } from './blocks.ts';
import { bandsTold, derivedBytes, planDerivation } from './derive.ts';
import { crsOf, placementOf } from './read.ts';
import { CATEGORIES_MAX, grown } from './scan.ts';
import type { BandChoice, Derivation, FeaturesAnswer, RasterParams, Rect, Scan, StatisticsJob } from './types.ts';
import { type Zone, zoneIn } from './zone.ts';

/** Bytes of JSON of a band beside its histogram, and of each number of that. */
const BAND_JSON = 2048;
const BIN_JSON = 26;
/** More blocks than these are looked at beside other jobs of the thread: a tile must not wait for a gigabyte. */
export const SHORT_BLOCKS = 16;
/** Bands are counted together as long as their tallies fit in here. */
const BATCH_BYTES = 4 << 20;

export interface StatisticsAsk {
  readonly layer: RasterLayer;
  readonly params: RasterParams;
  /** null: the full resolution. Else the finest level whose longer side is at most this; the coarsest where none is. */
  readonly maxSize: number | null;
  readonly options: StatisticsOptions;
}

export interface FeatureStatisticsAsk extends StatisticsAsk {
  readonly zones: readonly Zone[];
  readonly coordCrs: string;
  readonly answer: FeaturesAnswer;
}

export function planStatistics(ask: StatisticsAsk, signal: AbortSignal): Promise<Plan> {
  const { source } = ask.layer;
  const index = levelOf(source, ask.maxSize);
  const { width, height } = source.levels[index];
  return planScans(ask, index, [{ window: { x: 0, y: 0, width, height }, rings: null }], null, signal);
}

export function planFeatureStatistics(ask: FeatureStatisticsAsk, signal: AbortSignal): Promise<Plan> {
  const { layer, zones, coordCrs, answer } = ask;
  const index = levelOf(layer.source, ask.maxSize);
  const level = layer.source.levels[index];
  const place = placementOf(layer.source, crsOf(layer), level);
  const areas = zones.map(zone => zoneIn(zone, coordCrs, place, level));
  return planScans(ask, index, areas, answer, signal);
}

function levelOf({ levels }: RasterSource, maxSize: number | null): number {
  if (maxSize === null) return 0;
  const fits = levels.findIndex(level => Math.max(level.width, level.height) <= maxSize);
  return fits >= 0 ? fits : levels.length - 1;
}

interface Area {
  readonly window: Rect;
  readonly rings: Float64Array[] | null;
}

async function planScans(
  ask: StatisticsAsk,
  index: number,
  areas: readonly (Area | null)[],
  features: FeaturesAnswer | null,
  signal: AbortSignal,
): Promise<Plan> {
  const { layer, params, options } = ask;
  const { source } = layer;
  const level = source.levels[index];
  const derivation = planDerivation(layer, params, null);
  const choice = chooseBands(layer, params, derivation.wanted);
  const scans: (Scan | null)[] = [];
  for (const area of areas) {
    const margin = derivation.derive?.margin ?? 0;
    scans.push(area && (await planScan(level, index, area, margin, choice, signal)));
  }
  const blocks = scans.reduce(
    (sum, scan) => sum + (scan ? scan.table.lengths.length + (scan.mask?.lengths.length ?? 0) : 0),
    0,
  );
  const [, a, b, , c, d] = source.transform;
  const batch = Math.max(1, Math.floor(BATCH_BYTES / tallyBytes(derivation.product.type, options)));
  const job: StatisticsJob = {
    task: 'raster',
    kind: 'statistics',
    long: blocks > SHORT_BLOCKS,
    choice,
    derive: derivation.derive,
    style: scaling(source, params, derivation.wanted),
    ...bandsTold(layer, params, derivation),
    scans,
    level: index,
    product: derivation.product,
    options,
    batch,
    resX: (Math.hypot(a, c) * source.width) / level.width,
    resY: (Math.hypot(b, d) * source.height) / level.height,
    features,
  };
  const longest = Math.max(level.width, level.height);
  return {
    cost: scanCost(job, level, derivation),
    job,
    explain: {
      layer: layer.id,
      bands: derivation.wanted,
      level: index,
      exact: index === 0,
      size: [level.width, level.height],
      blocks,
      ...(features ? { features: areas.length } : {}),
    },
    headers: { 'x-raster-level': String(index) },
    fits: share => ({ max_size: Math.max(1, Math.floor(longest * Math.sqrt(share * 0.9))) }),
  };
}

async function planScan(
  level: Level,
  index: number,
  { window, rings }: Area,
  margin: number,
  choice: BandChoice,
  signal: AbortSignal,
): Promise<Scan> {
  const { mask, format } = level;
  const wide = grown(window, margin, level);
  const planes =
    format.planar === 1 ? [0] : [...new Set([...choice.bands, ...(choice.alpha >= 0 ? [choice.alpha] : [])])];
  return {
    window,
    zone: rings,
    table: await tableOf(level, index, wide, planes, signal),
    mask: mask ? await tableOf(mask, index, wide, [0], signal) : null,
  };
}

/** One block at a time, whatever the raster's size; what grows with it is two numbers a block. */
function scanCost(
  { scans, choice, options, batch, features, style, names }: StatisticsJob,
  level: Level,
  derivation: Derivation,
): Cost {
  const { product, derive } = derivation;
  const used = scans.filter(scan => scan !== null);
  const tables = used.flatMap(scan => (scan.mask ? [scan.table, scan.mask] : [scan.table]));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  const margin = 2 * (derive?.margin ?? 0);
  const width = Math.min(level.width, level.format.blockWidth + margin);
  const height = Math.min(level.height, level.format.blockHeight + margin);
  const pixels = width * height;
  const block = Math.max(level.decodedBlockBytes, level.mask?.decodedBlockBytes ?? 0);
  const gathered = pixels * (choice.bands.length * workingBytes(choice.dtype) + 1) + 2 * block;
  const unscaled = style.scales ? pixels * choice.bands.length * 8 : 0;
  const made =
    derivedBytes(derivation, pixels) + (margin > 0 ? pixels * (product.bands * workingBytes(product.type) + 1) : 0);
  const zone = used.some(scan => scan.zone) ? coverageBytes({ width, height }) : 0;
  const rings = sum(used.flatMap(scan => scan.zone?.map(ring => ring.byteLength) ?? []));
  const text = features
    ? sum(features.features.map(feature => feature.length)) + (features.collection?.length ?? 0)
    : 0;
  const bins = options.categorical ? (options.categories?.length ?? CATEGORIES_MAX) : binCount(options);
  const told =
    names.length * (BAND_JSON + (2 * bins + options.percentiles.length) * BIN_JSON) * Math.max(1, scans.length);
  const encoded = sum(tables.map(table => sum([...table.lengths])));
  const largest = tables.reduce((most, table) => table.lengths.reduce((m, n) => Math.max(m, n), most), 0);
  const { remote } = level.ref;
  return {
    inputBytes: encoded,
    heldInputBytes: remote ? Math.min(encoded, Math.max(largest, remote.aheadBytes)) : largest,
    decodedBytes:
      gathered +
      unscaled +
      made +
      zone +
      2 * (sum(tables.map(table => table.lengths.length)) * 16 + rings) +
      Math.min(batch, product.bands) * tallyBytes(product.type, options) +
      // The features as text, parsed, and as they are told.
      text * 8 +
      told,
    outputBytes: 256 + text + told,
  };
}

function binCount({ bins }: StatisticsOptions): number {
  return typeof bins === 'number' ? bins : bins.length;
}
