/**
 * Which block a tile is, remembered: where one tile of a zoom is a block as it is, its neighbours are the blocks beside that,
 * and to find theirs takes a subtraction instead of a plan. What is remembered belongs to a layer, and goes with it.
 */
import type { RasterLayer } from '../../layers/types.ts';
import type { Plan } from '../../plan.ts';
import { placeOf } from '../../source/tiff/blocks.ts';
import type { Level } from '../../source/types.ts';
import { gridMap, SNAP } from './geometry.ts';
import { isPass, type PassPlan, passPlan } from './pass.ts';
import { type RasterTileAsk, tileGrid } from './plan.ts';
import { crsOf, placementOf } from './read.ts';
import type { PassJob } from './types.ts';

export interface PassPlaces {
  /** The job, cost and headers that planning this tile would come to. Null: plan it. */
  find(ask: RasterTileAsk): PassFound | null;
  /** Of a tile that was planned. */
  learn(ask: RasterTileAsk, plan: Plan): void;
}

export interface PassFound extends PassPlan {
  readonly headers: Readonly<Record<string, string>>;
}

/** Tiles first to last, a block each. */
interface Range {
  readonly first: number;
  readonly last: number;
  /** Tile less block. */
  readonly shift: number;
}

interface Known {
  readonly level: Level;
  /** Of the tile that it was learned from: all but its block. */
  readonly job: PassJob;
  readonly headers: Readonly<Record<string, string>>;
  readonly across: Range;
  readonly down: Range;
}

/** Ways to ask for a layer that are remembered, at most: its zooms, times formats and grids. */
const KNOWN_MAX = 64;

export function createPassPlaces(): PassPlaces {
  const layers = new WeakMap<RasterLayer, Map<string, Known>>();
  return {
    find(ask) {
      if (ask.format !== 'jpg' && ask.format !== 'webp') return null;
      const known = layers.get(ask.layer)?.get(keyOf(ask));
      return known ? foundIn(known, ask) : null;
    },
    learn(ask, plan) {
      if (plan.job === null || !isPass(plan.job)) return;
      const known = knownFrom(ask, plan.job, plan.headers);
      if (known === null) return;
      const all = layers.get(ask.layer) ?? new Map<string, Known>();
      layers.set(ask.layer, all);
      all.set(keyOf(ask), known);
      if (all.size > KNOWN_MAX) all.delete(all.keys().next().value as string);
    },
  };
}

/** All but the place of the tile. */
function keyOf({ grid, tile, scale, tilesize, buffer, format, params }: RasterTileAsk): string {
  return `${grid.key} ${tile.z} ${scale} ${tilesize ?? ''} ${buffer ?? 0} ${format} ${JSON.stringify(params)}`;
}

function foundIn({ level, job, headers, across, down }: Known, { tile: { x, y } }: RasterTileAsk): PassFound | null {
  if (x < across.first || x > across.last || y < down.first || y > down.last) return null;
  const block = placeOf(level, (y - down.shift) * level.blocksAcross + x - across.shift);
  if (block instanceof Promise) {
    // The plan will ask again, and tell what is wrong.
    block.catch(() => {});
    return null;
  }
  return block.length === 0 ? null : { ...passPlan({ ...job, block }), headers };
}

/** Null where the tiles of that zoom are not one block each all over the level. */
function knownFrom(ask: RasterTileAsk, job: PassJob, headers: Plan['headers']): Known | null {
  const { layer, grid: set, tile } = ask;
  const { block } = job;
  const level = layer.source.levels[job.level.index];
  const matrix = set.matrices[tile.z];
  if (!level || level.ref.remote || matrix.bottomUp) return null;
  const { blockWidth, blockHeight } = level.format;
  const across = rangeOf(tile.x - block.column, Math.floor(level.width / blockWidth), matrix.matrixWidth);
  const down = rangeOf(tile.y - block.row, Math.floor(level.height / blockHeight), matrix.matrixHeight);
  const known = { level, job, headers, across, down };
  // Positions run straight, so what is true of the corners is true between them.
  const corners = [
    { x: across.first, y: down.first },
    { x: across.last, y: down.last },
  ];
  return corners.every(corner => isBlock(known, ask, corner)) ? known : null;
}

function rangeOf(shift: number, blocks: number, tiles: number): Range {
  return { first: Math.max(0, shift), last: Math.min(tiles, shift + blocks) - 1, shift };
}

/** Whether that tile is the block it should be, and nothing of it lies on the other side of the world. */
function isBlock({ level, across, down }: Known, ask: RasterTileAsk, { x, y }: { x: number; y: number }): boolean {
  const { layer, tile } = ask;
  const grid = tileGrid({ ...ask, tile: { z: tile.z, x, y } });
  const { map, maxError, wrap } = gridMap(grid, placementOf(layer.source, crsOf(layer), level));
  if (maxError !== Infinity || (wrap !== null && (wrap[1] !== 0 || Math.abs(wrap[0]) < level.width - 0.25)))
    return false;
  const at = new Float64Array(4);
  map(0, 0, at, 0);
  map(grid.width, grid.height, at, 2);
  const left = (x - across.shift) * grid.width;
  const top = (y - down.shift) * grid.height;
  const wanted = [left, top, left + grid.width, top + grid.height];
  return wanted.every((position, i) => Math.abs(at[i] - position) < SNAP);
}
