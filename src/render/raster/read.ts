/** Plans of what an output grid needs of a raster: the level, the window or windows in it, their blocks. */
import { problem } from '../../errors.ts';
import { areaKind, kernelOf, type Resampling } from '../../kernels/resampling.ts';
import { axesOf, walkCells } from '../../kernels/warp.ts';
import type { Level, RasterSource } from '../../source/types.ts';
import { planRead } from './blocks.ts';
import {
  boxSink,
  chooseLevel,
  cornerMap,
  emptySpan,
  type GridMap,
  gridMap,
  kernelRadii,
  SNAP,
  type Span,
  samplingRatio,
  stretch,
} from './geometry.ts';
import type { BandChoice, OutputGrid, Part, Placement, Rect } from './types.ts';

/** Beyond this a wider triangle is not worth its time: such a file lacks overviews. */
export const KERNEL_RADIUS_MAX = 16;

export interface GridRead {
  readonly level: number;
  readonly placement: Placement;
  readonly parts: Part[];
  readonly resampling: Resampling;
  /** Output pixels are level pixels, one to one. */
  readonly aligned: boolean;
  readonly radiusX: number;
  readonly radiusY: number;
  /** Level pixels in an output pixel. */
  readonly ratio: { readonly x: number; readonly y: number };
}

export interface GridAsk {
  readonly source: RasterSource;
  readonly crs: string;
  readonly grid: OutputGrid;
  readonly choice: BandChoice;
  readonly resampling: Resampling;
  /** Levels coarser than the rule says. */
  readonly coarser: number;
  /** Part of a grid that was planned: its level and its resampling. */
  readonly like?: GridRead;
}

export function placementOf(source: RasterSource, crs: string, level: Level): Placement {
  const { transform, width, height } = source;
  return { crs, transform, width, height, scaleX: level.width / width, scaleY: level.height / height };
}

/** Null: the grid does not touch the raster. */
export async function planGridRead(ask: GridAsk, signal: AbortSignal): Promise<GridRead | null> {
  const { source, crs, grid, choice } = ask;
  const full = gridMap(grid, placementOf(source, crs, source.levels[0]));
  const wanted = samplingRatio(full.map, grid.width, grid.height);
  if (wanted === null) return null;
  const rule = chooseLevel(
    source.levels.map(l => source.width / l.width),
    Math.min(wanted.x, wanted.y),
  );
  const { like } = ask;
  const index = like?.level ?? Math.min(source.levels.length - 1, rule + ask.coarser);
  const level = source.levels[index];
  const placement = placementOf(source, crs, level);
  const ratio = { x: wanted.x * placement.scaleX, y: wanted.y * placement.scaleY };
  const there = gridMap(grid, placement);
  const aligned = isAligned(there, grid);
  // One to one, every kernel weighs the pixel itself with one and its neighbours with nothing.
  const resampling = like?.resampling ?? (aligned ? 'nearest' : ask.resampling);
  const kernel = kernelOf(resampling) === null ? { x: 1, y: 1 } : kernelRadii(ratio.x, ratio.y, KERNEL_RADIUS_MAX);
  const radii = like ? { x: like.radiusX, y: like.radiusY } : kernel;
  const taps = reachOf(resampling, radii);
  const parts: Part[] = [];
  for (const [dx, dy] of shifts(there)) {
    const touched = touches(there, grid, level, { dx, dy, ...taps });
    if (touched === null) continue;
    const read = await planRead(source, index, touched.window, choice, touched.blocks, signal);
    parts.push({ ...read, dx, dy });
  }
  if (parts.length === 0) return null;
  return { level: index, placement, parts, resampling, aligned, radiusX: radii.x, radiusY: radii.y, ratio };
}

/** Output pixels are source pixels, one to one: bilinear would only multiply by one, and read the neighbours for it. */
function isAligned({ map, maxError }: GridMap, { width, height }: OutputGrid): boolean {
  if (maxError !== Infinity) return false;
  const at = new Float64Array(4);
  map(0, 0, at, 0);
  map(width, height, at, 2);
  const whole = Math.abs(at[0] - Math.round(at[0])) < SNAP && Math.abs(at[1] - Math.round(at[1])) < SNAP;
  return whole && Math.abs(at[2] - at[0] - width) < SNAP && Math.abs(at[3] - at[1] - height) < SNAP;
}

/** As it is, and one world to either side: the same place by another longitude. */
function shifts({ wrap }: GridMap): [number, number][] {
  if (wrap === null) return [[0, 0]];
  return [0, 1, -1].map(turns => [turns * wrap[0], turns * wrap[1]]);
}

/** How far from a position the taps of a pixel may lie; 0 is the pixel itself. */
interface Taps {
  readonly radiusX: number;
  readonly radiusY: number;
  /** Positions are the corners of output pixels, not their centres: what lies between them counts. */
  readonly area: boolean;
}

interface Reach extends Taps {
  readonly dx: number;
  readonly dy: number;
}

/** A tap at half a pixel is the pixel that a corner lies in. */
const CORNER: Taps = { radiusX: 0.5, radiusY: 0.5, area: true };

function reachOf(resampling: Resampling, radii: { readonly x: number; readonly y: number }): Taps {
  if (areaKind(resampling) !== null) return CORNER;
  const support = kernelOf(resampling)?.support ?? 0;
  return { radiusX: radii.x * support, radiusY: radii.y * support, area: false };
}

/** A tap at the very edge of the triangle weighs nothing and is not reached for. */
function firstTap(min: number, radius: number): number {
  return radius === 0 ? Math.floor(min + SNAP) : Math.floor(min - 0.5 - radius + SNAP) + 1;
}

function lastTap(max: number, radius: number): number {
  return radius === 0 ? Math.floor(max + SNAP) : Math.ceil(max - 0.5 + radius - SNAP) - 1;
}

/** The window of the level that the grid's pixels fall into, with room for the kernel, and the blocks that are really hit. */
function touches(
  there: GridMap,
  grid: OutputGrid,
  level: Level,
  reach: Reach,
): { window: Rect; blocks: Set<number> } | null {
  const span = emptySpan();
  const blocks = new Set<number>();
  const { blockWidth, blockHeight } = level.format;
  const take = (minX: number, minY: number, maxX: number, maxY: number) => {
    // The centre of an output pixel must be on the raster: its edge alone does not make it valid.
    if (!(maxX >= -SNAP && maxY >= -SNAP && minX < level.width && minY < level.height)) return;
    const x0 = Math.max(0, firstTap(Math.max(minX, 0), reach.radiusX));
    const y0 = Math.max(0, firstTap(Math.max(minY, 0), reach.radiusY));
    const x1 = Math.min(level.width - 1, Math.max(x0, lastTap(Math.min(maxX, level.width), reach.radiusX)));
    const y1 = Math.min(level.height - 1, Math.max(y0, lastTap(Math.min(maxY, level.height), reach.radiusY)));
    stretch(span, x0, y0);
    stretch(span, x1, y1);
    const lastColumn = Math.floor(x1 / blockWidth);
    const lastRow = Math.floor(y1 / blockHeight);
    for (let row = Math.floor(y0 / blockHeight); row <= lastRow; row++) {
      for (let column = Math.floor(x0 / blockWidth); column <= lastColumn; column++)
        blocks.add(row * level.blocksAcross + column);
    }
  };
  if (there.separable) takeAxes(there, grid, level, reach, take);
  else
    walkCells(
      there.map,
      { width: grid.width, y0: 0, y1: grid.height },
      boxSink(reach.dx, reach.dy, reach.area, take),
      there.maxError,
    );
  if (blocks.size === 0) return null;
  const window = { x: span.minX, y: span.minY, width: span.maxX - span.minX + 1, height: span.maxY - span.minY + 1 };
  return { window, blocks };
}

/** One box: the columns and rows whose centres are on the raster. */
function takeAxes(
  { map, maxError }: GridMap,
  grid: OutputGrid,
  level: Level,
  { dx, dy, area }: Reach,
  take: (minX: number, minY: number, maxX: number, maxY: number) => void,
): void {
  // On a straight line all lies between its ends: where both are on the raster, or both beyond one side, that is known of all.
  const ends = maxError === Infinity && !area ? endsOf(map, grid, dx, dy) : null;
  if (ends && isOff(ends, level)) return;
  if (ends && isOn(ends, level)) return take(ends.minX, ends.minY, ends.maxX, ends.maxY);
  const { xs, ys } = area
    ? axesOf(cornerMap(map), grid.width + 1, grid.height + 1)
    : axesOf(map, grid.width, grid.height);
  const across = area ? reached(xs, dx) : onRaster(xs, dx, level.width);
  const down = area ? reached(ys, dy) : onRaster(ys, dy, level.height);
  if (across && down) take(across[0], down[0], across[1], down[1]);
}

/** Where the centres of the first and the last pixel lie. */
function endsOf(map: GridMap['map'], { width, height }: OutputGrid, dx: number, dy: number): Span {
  const at = new Float64Array(4);
  map(0.5, 0.5, at, 0);
  map(width - 0.5, height - 0.5, at, 2);
  const span = emptySpan();
  stretch(span, at[0] + dx, at[1] + dy);
  stretch(span, at[2] + dx, at[3] + dy);
  return span;
}

function isOff({ minX, minY, maxX, maxY }: Span, { width, height }: Level): boolean {
  return maxX < -SNAP || maxY < -SNAP || minX >= width || minY >= height;
}

function isOn({ minX, minY, maxX, maxY }: Span, { width, height }: Level): boolean {
  return minX >= -SNAP && minY >= -SNAP && maxX < width && maxY < height;
}

function onRaster(positions: Float64Array, shift: number, size: number): [number, number] | null {
  let [min, max] = [Infinity, -Infinity];
  for (const position of positions) {
    const at = position + shift;
    if (!(at >= -SNAP && at < size)) continue;
    if (at < min) min = at;
    if (at > max) max = at;
  }
  return min <= max ? [min, max] : null;
}

function reached(positions: Float64Array, shift: number): [number, number] | null {
  const found = positions.filter(Number.isFinite);
  return found.length > 0 ? [Math.min(...found) + shift, Math.max(...found) + shift] : null;
}

/** The CRS a layer is served in; a layer without one cannot be placed. */
export function crsOf(layer: {
  readonly id: string;
  readonly options: { readonly crs?: string };
  readonly source: RasterSource;
}): string {
  const crs = layer.options.crs ?? layer.source.crs;
  if (crs === null) throw problem('layer-not-servable', `${layer.id} has no coordinate reference system`);
  return crs;
}
