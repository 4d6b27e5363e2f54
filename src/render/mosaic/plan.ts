/**
 * Plans of mosaics: which members the grid meets, and of each a plan like that of a file alone. As in rio-tiler an expression
 * is evaluated in each file, then a value is chosen, then the algorithm has what was chosen.
 */
import { isOrdered } from '../../kernels/pixel-selection.ts';
import type { Mosaic, RasterLayer } from '../../layers/types.ts';
import type { Plan } from '../../plan.ts';
import type { RasterSource } from '../../source/types.ts';
import type { BBox } from '../../tile.ts';
import { chooseBands, needsStretch, resamplingOf, scaling } from '../raster/bands.ts';
import { blockCount } from '../raster/blocks.ts';
import { affinityOf } from '../raster/explain.ts';
import { gridMap, sameCrs } from '../raster/geometry.ts';
import { crsOf, type GridRead, planGridRead } from '../raster/read.ts';
import type { Size } from '../raster/size.ts';
import { planStretch } from '../raster/stretch.ts';
import { allValid } from '../raster/strips.ts';
import type { BandChoice, Derivation, ImageJob, ImageStyle, OutputGrid, RasterParams } from '../raster/types.ts';
import { mosaicCost } from './cost.ts';
import { membersMeeting, rowsOf, tooMany } from './members.ts';
import type { MemberJob, MosaicImageJob } from './types.ts';

export interface MosaicAsk {
  readonly layer: RasterLayer;
  readonly params: RasterParams;
  readonly grid: OutputGrid;
  readonly shown: OutputGrid;
  readonly derivation: Derivation;
  /** Of the first member. */
  readonly choice: BandChoice;
  readonly style: ImageStyle;
  readonly cutline: MosaicImageJob['cutline'];
  readonly coarser: number;
  /** What would have few enough files, where that can be said. */
  readonly fewer: (countOf: (grid: OutputGrid) => number) => Promise<Readonly<Record<string, unknown>>>;
}

/** Of a mosaic, which has no pixels of its own: the box around it in its CRS. */
export function boundsGrid({ crs, bounds, transform }: RasterSource, { width, height }: Size): OutputGrid {
  const [west, south, east, north] = bounds as BBox;
  const res = { resX: (east - west) / width, resY: (north - south) / height };
  return { crs, originX: transform[0], originY: transform[3], ...res, width, height };
}

/** Files that a value range is looked for in, evenly spread: the same for every tile. */
const RANGING_MAX = 16;

/** Null: no member is there. */
export async function planMosaicImage(ask: MosaicAsk, signal: AbortSignal): Promise<Plan | null> {
  const { layer, derivation, choice, grid, shown, style } = ask;
  const mosaic = layer.mosaic as Mosaic;
  const found = await planMembers(ask, signal);
  if (found.length === 0) return null;
  const ranging = needsStretch(style, derivation.product) ? await planRanging(ask, found[0].job, signal) : null;
  const { algorithm = null, margin = 0 } = derivation.derive ?? {};
  const plain = style.scales === null && derivation.derive === null && mosaic.selection !== 'mean';
  const same = found.every(({ job }) => Object.is(job.choice.nodata, found[0].job.choice.nodata));
  const job: Omit<MosaicImageJob, 'members' | 'ranging'> = {
    task: 'mosaic',
    kind: 'image',
    selection: mosaic.selection,
    grid,
    shown,
    derive: algorithm && { expression: null, algorithm, margin },
    cutline: ask.cutline,
    style,
    nodata: plain && same ? found[0].job.choice.nodata : null,
  };
  const members = found.map(({ row, job: each }): MemberJob => ({ row, job: each }));
  return {
    cost: mosaicCost(job, choice, derivation, found, ranging),
    job: { ...job, members, ranging: ranging?.map(each => each.job) ?? null } as MosaicImageJob,
    explain: {
      layer: layer.id,
      bands: derivation.wanted,
      width: shown.width,
      height: shown.height,
      crs: shown.crs,
      pixelSelection: mosaic.selection,
      assets: found.map(({ layer: { id }, read }) => ({
        asset: id,
        level: read.level,
        resampling: read.resampling,
        blocks: read.parts.reduce((sum, part) => sum + blockCount(part), 0),
      })),
      ...(ranging ? { rangeAssets: ranging.length } : {}),
    },
    headers: {},
    affinity: affinityOf(layer.id, found[0].read),
  };
}

interface PlannedMember {
  readonly layer: RasterLayer;
  readonly row: number;
  readonly job: ImageJob;
  readonly read: GridRead;
}

/** In order, up to one that leaves nothing to the others; more than the cap are refused. */
async function planMembers(ask: MosaicAsk, signal: AbortSignal): Promise<PlannedMember[]> {
  const { layer, grid } = ask;
  const mosaic = layer.mosaic as Mosaic;
  const found: PlannedMember[] = [];
  for (const member of membersMeeting(mosaic, grid)) {
    signal.throwIfAborted();
    const planned = await planMember(member, ask, signal);
    if (!planned) continue;
    if (found.length === mosaic.maxAssets)
      throw tooMany(layer, mosaic, await ask.fewer(other => membersMeeting(mosaic, other).length));
    found.push(planned);
    const { choice } = planned.job;
    if (isOrdered(mosaic.selection) && allValid({ grid, choice, read: planned.read, source: member.source })) break;
  }
  return found;
}

async function planMember(
  member: RasterLayer,
  { params, grid, derivation, style, coarser }: MosaicAsk,
  signal: AbortSignal,
): Promise<PlannedMember | null> {
  const { source } = member;
  const crs = crsOf(member);
  const choice = chooseBands(member, params, derivation.wanted);
  const resampling = resamplingOf(member, params, grid.crs !== null && !sameCrs(grid.crs, crs));
  const read = await planGridRead({ source, crs, grid, choice, resampling, coarser }, signal);
  if (read === null) return null;
  const { expression = null } = derivation.derive ?? {};
  const there = gridMap(grid, read.placement);
  // Elsewhere the seam of the world lies by the middle of the grid, and a part of it has another middle.
  const rows = there.separable || there.wrap === null ? rowsOf(member, crs, grid) : { from: 0, to: grid.height };
  const height = rows.to - rows.from;
  const band = { ...grid, originY: grid.originY - rows.from * grid.resY, height };
  const job: ImageJob = {
    task: 'raster',
    kind: 'image',
    choice,
    grid: band,
    shown: band,
    derive: expression && { expression, algorithm: null, margin: 0 },
    placement: read.placement,
    parts: read.parts,
    strips: null,
    cutline: null,
    resampling: read.resampling,
    aligned: read.aligned && height === grid.height,
    radiusX: read.radiusX,
    radiusY: read.radiusY,
    style: { ...style, ...scaling(source, params, derivation.wanted) },
    stretch: null,
  };
  return { layer: member, row: rows.from, job, read };
}

/** Depends on the mosaic alone, so that all its tiles are stretched alike. */
async function planRanging(
  { layer: { mosaic }, params, derivation, style }: MosaicAsk,
  like: ImageJob,
  signal: AbortSignal,
): Promise<{ layer: RasterLayer; job: ImageJob }[]> {
  const { members } = mosaic as Mosaic;
  const take = Math.min(members.length, RANGING_MAX);
  const found: { layer: RasterLayer; job: ImageJob }[] = [];
  for (let i = 0; i < take; i++) {
    const layer = members[Math.floor(((i + 0.5) * members.length) / take)];
    const choice = chooseBands(layer, params, derivation.wanted);
    const stretch = await planStretch(layer.source, choice, signal);
    const scaled = { ...style, ...scaling(layer.source, params, derivation.wanted) };
    found.push({
      layer,
      job: { ...like, parts: [], choice, derive: derivation.derive, style: scaled, stretch },
    });
  }
  return found;
}
