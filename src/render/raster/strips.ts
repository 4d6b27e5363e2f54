/**
 * Large pictures in strips. A window of 2048² in one go holds its canvas, its pixels with alpha, the filtered and the
 * compressed ones all at once, 20 bytes a pixel; in strips of a few rows it holds little more than the answer itself. PNG
 * only: the other encoders want the whole.
 */

import { outsideBytes, type Rings } from '../../kernels/coverage.ts';
import { pngStripsBound, stripBound } from '../../kernels/png-strips.ts';
import type { Resampling } from '../../kernels/resampling.ts';
import { SAMPLE_TYPES, workingBytes } from '../../kernels/samples.ts';
import { axesOf, CELL } from '../../kernels/warp.ts';
import type { Cost } from '../../plan.ts';
import type { RasterSource } from '../../source/types.ts';
import { gatherBytes, heldInputBytes, inputBytes } from './blocks.ts';
import { encodingBytes, stripChannels } from './encode.ts';
import { gridMap, positionBytes } from './geometry.ts';
import { type GridRead, planGridRead } from './read.ts';
import type { BandChoice, ImageStyle, OutputGrid, Strip, Strips, WindowRead } from './types.ts';

/** Smaller pictures are painted in one go: it is faster, and PNGs of few colours get smaller. */
export const STRIPS_FROM_PIXELS = 2 ** 20;
const STRIP_PIXELS = 2 ** 17;
const LERC = 34887;

export interface StripsAsk {
  readonly source: RasterSource;
  readonly crs: string;
  readonly grid: OutputGrid;
  readonly choice: BandChoice;
  readonly style: ImageStyle;
  /** In the pixels of the grid. */
  readonly cutline: Rings | null;
  readonly resampling: Resampling;
  readonly read: GridRead;
  readonly stretch: readonly WindowRead[] | null;
}

/** Null: it can only be painted in one go. */
export async function planStrips(ask: StripsAsk, signal: AbortSignal): Promise<{ strips: Strips; cost: Cost } | null> {
  const { grid, style, read } = ask;
  if (style.map || style.formula) return null;
  if (style.format !== 'png' || grid.width * grid.height <= STRIPS_FROM_PIXELS) return null;
  const there = gridMap(grid, read.placement);
  // Elsewhere the seam of the world lies by the middle of the image, and strips have another middle.
  if (!there.separable && there.wrap !== null) return null;
  // Cells of the projection begin at multiples of CELL: so they lie in a strip where they lie in the whole.
  const rows = CELL * Math.max(1, Math.round(STRIP_PIXELS / grid.width / CELL));
  const list: Strip[] = [];
  for (let y = 0; y < grid.height; y += rows) {
    const part = rowsOf(grid, y, Math.min(rows, grid.height - y));
    const found = await planGridRead({ ...ask, grid: part, coarser: 0, like: read }, signal);
    list.push({ y, grid: part, parts: found?.parts ?? [] });
  }
  const strips = {
    list,
    alpha: style.returnMask && (ask.cutline !== null || !allValid(ask)),
    keepBytes: keepBytes(ask),
  };
  return { strips, cost: stripsCost(ask, strips) };
}

/** Pixels of a preview lie where they lie in the whole, to the last bit. */
function rowsOf(grid: OutputGrid, y: number, height: number): OutputGrid {
  if (grid.crs === null) return { ...grid, height, rows: { from: y, of: grid.height } };
  return { ...grid, originY: grid.originY - y * grid.resY, height };
}

/** One row of blocks, and not less than the store wants before it keeps any. */
function keepBytes({ source, read }: StripsAsk): number {
  const { decodedBlockBytes, mask, format } = source.levels[read.level];
  const across = Math.max(
    0,
    ...read.parts.map(({ window: { x, width } }) => {
      const { blockWidth } = format;
      return Math.floor((x + width - 1) / blockWidth) - Math.floor(x / blockWidth) + 1;
    }),
  );
  const planes = format.planar === 2 ? source.levels[read.level].format.samples : 1;
  return Math.max(4, across * planes) * (decodedBlockBytes + (mask?.decodedBlockBytes ?? 0));
}

/** No nodata, no mask, no alpha, no hole in the file, and the raster reaches beyond the grid on all sides, or is what it shows. */
export function allValid({
  grid,
  choice,
  read,
  source,
}: Pick<StripsAsk, 'grid' | 'choice' | 'read' | 'source'>): boolean {
  const level = source.levels[read.level];
  const [part] = read.parts;
  const { integer } = SAMPLE_TYPES[choice.dtype];
  if (choice.nodata !== null || choice.alpha >= 0 || level.mask || !integer || level.format.compression === LERC)
    return false;
  if (read.parts.length !== 1 || part.gaps || part.blocks.some(({ length }) => length === 0)) return false;
  if (grid.crs === null) return true;
  const there = gridMap(grid, read.placement);
  if (!there.separable) return false;
  const { xs, ys } = axesOf(there.map, grid.width, grid.height);
  const inside = (positions: Float64Array, shift: number, size: number): boolean =>
    positions.every(at => at + shift >= 1 && at + shift <= size - 1);
  return inside(xs, part.dx, level.width) && inside(ys, part.dy, level.height);
}

/** The dearest strip, the blocks that stay between two of them, and the answer. */
function stripsCost(ask: StripsAsk, strips: Strips): Cost {
  const { source, grid, choice, style, read, stretch, cutline } = ask;
  const reads = [...read.parts, ...(stretch ?? [])];
  const channels = stripChannels(style, choice, strips.alpha);
  const rows = strips.list.map(strip => strip.grid.height);
  const pixels = grid.width * Math.max(...rows);
  const canvas = pixels * (choice.bands.length * workingBytes(choice.dtype) + 1);
  const positions = positionBytes(grid);
  const parts = strips.list.flatMap(strip => strip.parts);
  const gathered = Math.max(0, ...parts.map(part => gatherBytes(part, source, choice)));
  const stretched = Math.max(0, ...(stretch ?? []).map(part => gatherBytes(part, source, choice)));
  const body = stripBound(grid.width, Math.max(...rows), channels);
  const encoding = encodingBytes(style, pixels, choice, stretch !== null, body);
  const clearing = cutline ? outsideBytes(cutline, grid) : 0;
  const strip = canvas + Math.max(positions + gathered, clearing + encoding);
  return {
    inputBytes: reads.reduce((sum, part) => sum + inputBytes(part), 0),
    heldInputBytes: heldInputBytes(reads),
    decodedBytes: strips.keepBytes + Math.max(strip, stretched),
    outputBytes: pngStripsBound(grid.width, rows, channels),
  };
}
