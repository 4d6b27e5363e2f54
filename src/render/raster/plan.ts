/**
 * Plans of raster tiles, windows and previews: from the index alone, which level, which window of it, which blocks, and
 * what that will cost. Nothing is read but block tables.
 */
import { problem } from '../../errors.ts';
import type { RasterLayer } from '../../layers/types.ts';
import { type Cost, costBytes, type Plan } from '../../plan.ts';
import type { RasterSource } from '../../source/types.ts';
import { type BBox, inGrid, type TileCoord, type TileMatrixSet, tileBounds } from '../../tile.ts';
import { fittingZoom } from '../fits.ts';
import { boundsGrid, planMosaicImage } from '../mosaic/plan.ts';
import { withShadow } from '../shadow/layout.ts';
import { chooseBands, imageStyle, needsStretch, resamplingOf } from './bands.ts';
import { movedBox, unrolled } from './boxes.ts';
import { imageCost } from './cost.ts';
import { planDerivation, widened } from './derive.ts';
import { affinityOf, explainRead } from './explain.ts';
import { sameCrs } from './geometry.ts';
import { georefOf, nodataHeader, placeHeaders } from './georef.ts';
import { guarded } from './guard.ts';
import { planPass } from './pass.ts';
import { crsOf, type GridRead, placementOf, planGridRead } from './read.ts';
import { checkPixels, fitSize, tilePixels, wantedSize } from './size.ts';
import { planStretch } from './stretch.ts';
import { planStrips } from './strips.ts';
import type { BandChoice, Derivation, ImageJob, ImageStyle, OutputGrid, RasterFormat, RasterParams } from './types.ts';
import { type Zone, zoneOn } from './zone.ts';

export { planPoint, planPoints, planProfile } from './places.ts';
export { planFeatureStatistics, planStatistics } from './statistics.ts';
export type { RasterFormat, RasterJob, RasterParams } from './types.ts';

export interface RasterTileAsk {
  readonly layer: RasterLayer;
  readonly grid: TileMatrixSet;
  readonly tile: TileCoord;
  /** 2: twice the pixels a side. */
  readonly scale: 1 | 2;
  /** Pixels a side before `scale`; the matrix's own where null. */
  readonly tilesize?: number | null;
  /** Pixels more on every side, in halves. */
  readonly buffer?: number;
  readonly format: RasterFormat;
  readonly params: RasterParams;
  /** Read the next coarser level: about a quarter of the bytes. */
  readonly degrade?: 'overview';
}

export interface WindowAsk {
  readonly layer: RasterLayer;
  /** minx > maxx crosses the antimeridian, for degrees. */
  readonly bbox: BBox;
  readonly bboxCrs: string;
  /** null: the bbox's. */
  readonly dstCrs: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly maxSize: number | null;
  /** raster.maxSize. */
  readonly sideMax?: number;
  readonly format: RasterFormat;
  readonly params: RasterParams;
  /** Nothing is shown outside of it. */
  readonly cutline?: { readonly zone: Zone; readonly crs: string };
  readonly degrade?: 'overview';
}

export interface PreviewAsk {
  readonly layer: RasterLayer;
  readonly maxSize: number;
  readonly sideMax?: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly format: RasterFormat;
  readonly params: RasterParams;
  readonly degrade?: 'overview';
}

export function planRasterTile(ask: RasterTileAsk, signal: AbortSignal): Promise<Plan> {
  return planImage(ask, tileGrid(ask), signal);
}

/** Errors: tile-outside-grid. */
export function tileGrid(ask: RasterTileAsk): OutputGrid {
  const { grid: set, tile } = ask;
  if (!inGrid(set, tile)) throw problem('tile-outside-grid', `${set.id} has no tile ${tile.z}/${tile.x}/${tile.y}`);
  const [minx, , , maxy] = tileBounds(set, tile);
  const matrix = set.matrices[tile.z];
  const { width, height, buffer } = tilePixels(matrix, ask, ask.params);
  const inner = { width: width - 2 * buffer, height: height - 2 * buffer };
  const resX = (matrix.resolution * matrix.tileWidth) / inner.width;
  const resY = (matrix.resolution * matrix.tileHeight) / inner.height;
  const origin = { originX: minx - buffer * resX, originY: maxy + buffer * resY };
  return { crs: set.crs, ...origin, resX, resY, width, height };
}

/** titiler's /bbox: without a size it is the source's own resolution; what lies outside the raster is masked. */
export function planWindow(ask: WindowAsk, signal: AbortSignal): Promise<Plan> {
  const crs = ask.dstCrs ?? ask.bboxCrs;
  const box = boxIn(ask, crs);
  const { width, height } = wantedSize(ask, crs, box);
  const grid: OutputGrid = {
    crs,
    originX: box[0],
    originY: box[3],
    resX: (box[2] - box[0]) / width,
    resY: (box[3] - box[1]) / height,
    width,
    height,
  };
  return planImage(ask, grid, signal);
}

/** The bbox in the output's CRS; one that crosses the antimeridian is continued beyond it. */
function boxIn({ bbox, bboxCrs, dstCrs }: WindowAsk, crs: string): BBox {
  const box = dstCrs === null || dstCrs === bboxCrs ? unrolled(bbox, bboxCrs) : movedBox(bboxCrs, crs, bbox);
  if (box === null) throw problem('unprocessable', `the bbox ${bbox.join(',')} has no image in ${crs}`);
  if (!(box[2] > box[0] && box[3] > box[1])) throw problem('unprocessable', `the bbox ${bbox.join(',')} has no area`);
  return box;
}

/** The whole raster in its own pixels, at most maxSize a side. */
export function planPreview(ask: PreviewAsk, signal: AbortSignal): Promise<Plan> {
  const { source } = ask.layer;
  const size = fitSize(source.width, source.height, ask);
  const grid = ask.layer.mosaic ? boundsGrid(source, size) : { ...PIXELS, ...size };
  return planImage(ask, grid, signal);
}

const PIXELS = { crs: null, originX: 0, originY: 0, resX: 1, resY: 1 } as const;

type ImageAsk = RasterTileAsk | WindowAsk | PreviewAsk;

async function planImage(ask: ImageAsk, shown: OutputGrid, signal: AbortSignal): Promise<Plan> {
  const { layer } = ask;
  const plan = await planPicture({ ...ask, layer: withShadow(layer) }, layer.source, shown, signal);
  // Where a tile lies its name says.
  const told = 'tile' in ask ? {} : { ...placeHeaders(layer, shown), ...nodataHeader(plan.job) };
  const placed = { ...plan, headers: { ...plan.headers, ...told } };
  return guarded(layer, placed);
}

/** `file`: without the levels of a shadow, which do not say what its values range over. */
async function planPicture(ask: ImageAsk, file: RasterSource, shown: OutputGrid, signal: AbortSignal): Promise<Plan> {
  const { layer, params, format } = ask;
  checkPixels(shown, format);
  const derivation = planDerivation(layer, params, format);
  const grid = widened(shown, derivation.derive);
  const choice = chooseBands(layer, params, derivation.wanted);
  const plain = imageStyle(layer, params, derivation, format);
  const style = format === 'tif' ? { ...plain, georef: georefOf(layer, shown) } : plain;
  const crs = crsOf(layer);
  const coarser = ask.degrade === 'overview' ? 1 : 0;
  const cutline = cutlineOf(ask, shown);
  if (layer.mosaic) {
    const fewer = (countOf: (grid: OutputGrid) => number) => fewerAssets(ask, countOf);
    const made = { layer, params, grid, shown, derivation, choice, style, cutline, coarser, fewer };
    const plan = await planMosaicImage(made, signal);
    return plan
      ? { ...plan, fits: fitsOf(ask, shown, plan.cost, signal) }
      : nothing(ask, shown, choice, style, derivation);
  }
  const resampling = resamplingOf(layer, params, grid.crs !== null && !sameCrs(grid.crs, crs));
  const read = await planGridRead({ source: layer.source, crs, grid, choice, resampling, coarser }, signal);
  if (read === null) return nothing(ask, shown, choice, style, derivation);
  const pass = cutline ? null : planPass(grid, choice, style, derivation, read);
  const about = { headers: { 'x-raster-level': String(read.level) }, affinity: affinityOf(layer.id, read) };
  if (pass) {
    const explain = { ...explainRead(layer, shown, derivation.wanted, read, null), passed: true };
    return { ...pass, ...about, explain };
  }
  const stretch = needsStretch(style, derivation.product) ? await planStretch(file, choice, signal) : null;
  const pixels = { grid, shown, choice, style };
  const whole = imageCost(layer, { ...pixels, cutline }, derivation, read, stretch);
  const cut = derivation.derive
    ? null
    : await planStrips({ source: layer.source, crs, ...pixels, cutline, resampling, read, stretch }, signal);
  const strips = cut && costBytes(cut.cost) < costBytes(whole) ? cut.strips : null;
  const cost = strips && cut ? cut.cost : whole;
  const job: ImageJob = {
    task: 'raster',
    kind: 'image',
    choice,
    grid,
    shown,
    derive: derivation.derive,
    placement: read.placement,
    parts: strips ? [] : read.parts,
    strips,
    cutline,
    resampling: read.resampling,
    aligned: read.aligned,
    radiusX: read.radiusX,
    radiusY: read.radiusY,
    style,
    stretch,
  };
  return {
    cost,
    job,
    explain: {
      ...explainRead(layer, shown, derivation.wanted, read, stretch),
      ...(strips ? { strips: strips.list.length } : {}),
    },
    ...about,
    fits: fitsOf(ask, shown, cost, signal),
  };
}

function fitsOf(ask: ImageAsk, shown: OutputGrid, cost: Cost, signal: AbortSignal): Plan['fits'] {
  if ('tile' in ask) return share => fittingTile(ask, share * costBytes(cost), signal);
  return share => fittingSize(ask, shown, share, share * costBytes(cost), signal);
}

/** The zoom from which on tiles have few enough files of a mosaic. */
async function fewerAssets(ask: ImageAsk, countOf: (grid: OutputGrid) => number): Promise<Record<string, unknown>> {
  if (!('tile' in ask) || !ask.layer.mosaic) return {};
  const count = async (tile: TileCoord) => countOf(tileGrid({ ...ask, tile }));
  return fittingZoom(ask.grid, ask.tile, ask.layer.mosaic.maxAssets, count);
}

/** Half the pixels a side where they were doubled, or a deeper zoom. */
async function fittingTile(ask: RasterTileAsk, bytes: number, signal: AbortSignal): Promise<Record<string, unknown>> {
  const costAt = async (change: Partial<RasterTileAsk>) =>
    costBytes((await planRasterTile({ ...ask, ...change }, signal)).cost);
  if (ask.scale === 2 && (await costAt({ scale: 1 })) <= bytes) return { scale: 1 };
  return fittingZoom(ask.grid, ask.tile, bytes, tile => costAt({ tile }));
}

function cutlineOf(ask: ImageAsk, shown: OutputGrid): Float64Array[] | null {
  const cutline = 'cutline' in ask ? ask.cutline : undefined;
  return cutline && shown.crs !== null ? zoneOn(cutline.zone, cutline.crs, { ...shown, crs: shown.crs }) : null;
}

/** Sizes that are tried, by the side, beginning where the area alone would fit. */
const SMALLER = [1, 0.7, 0.5, 0.35] as const;

/** The largest size tried whose plan costs at most `bytes`; planned again, since a coarser level changes more than the area. */
async function fittingSize(
  ask: ImageAsk,
  grid: OutputGrid,
  share: number,
  bytes: number,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  for (const part of SMALLER) {
    const factor = part * Math.sqrt(share * 0.95);
    const [width, height] = [grid.width, grid.height].map(side => Math.max(1, Math.floor(side * factor)));
    const resX = (grid.resX * grid.width) / width;
    const resY = (grid.resY * grid.height) / height;
    const { cost } = await planImage(ask, { ...grid, width, height, resX, resY }, signal);
    if (costBytes(cost) <= bytes) return { width, height, max_size: Math.max(width, height) };
  }
  return {};
}

/** Outside the raster: no job; but an empty tile that only an encoder can make is one without parts. */
function nothing(ask: ImageAsk, grid: OutputGrid, read: BandChoice, style: ImageStyle, derivation: Derivation): Plan {
  const { layer, format } = ask;
  const explain = { layer: layer.id, width: grid.width, height: grid.height, outside: true };
  const none = { cost: { inputBytes: 0, decodedBytes: 0, outputBytes: 0 }, job: null, explain, headers: {} };
  if (!('tile' in ask) || format === 'png' || format === 'webp') return none;
  const placement = placementOf(layer.source, crsOf(layer), layer.source.levels[0]);
  const empty: GridRead = {
    level: 0,
    placement,
    parts: [],
    resampling: 'nearest',
    aligned: false,
    radiusX: 1,
    radiusY: 1,
    ratio: { x: 1, y: 1 },
  };
  const { level: _, ratio: __, ...rest } = empty;
  const common = {
    task: 'raster',
    kind: 'image',
    shown: grid,
    stretch: null,
    strips: null,
    cutline: null,
    ...rest,
  } as const;
  // Values are computed of nothing too: as many bands, of the same type, as beside it.
  if (format !== 'jpg') {
    const { derive } = derivation;
    const job: ImageJob = { ...common, choice: read, grid: widened(grid, derive), derive, style };
    return { ...none, cost: imageCost(layer, job, derivation, empty, null), job };
  }
  const choice = read.bands.length > 4 ? { ...read, bands: read.bands.slice(0, 3) } : read;
  const black = { ...style, rescale: [[0, 1]] as const, scales: null, offsets: null, map: null, formula: null };
  const job: ImageJob = { ...common, choice, grid, derive: null, style: black };
  return { ...none, cost: imageCost(layer, job, { ...derivation, derive: null }, empty, null), job };
}
