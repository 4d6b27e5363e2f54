/**
 * How fine the grid of cells is: a constant of (layer, zoom), never of a tile, or tiles would not agree at their edges. It is
 * the finest power of two at which the densest tile of the zoom keeps under the caps, and no finer than twice the grid of the
 * next zoom: so each grid refines the one above it, and what shows at a zoom shows at the next. null: nothing is left out.
 */
import { type Selection, selectAll, selectCells } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import { cellGrid } from './cells.ts';
import { type Density, densestTiles, densityOf } from './density.ts';
import type { Projection } from './job.ts';

export interface LodCaps {
  readonly maxFeatures: number;
  /** Compressed bytes of a tile. */
  readonly maxBytes: number;
  /** Cells a tile side at first, and at least. */
  readonly cellsMax: number;
  readonly cellsMin: number;
}

export const DEFAULT_CAPS: LodCaps = { maxFeatures: 20_000, maxBytes: 500_000, cellsMax: 256, cellsMin: 8 };

/** Compressed bytes of a tile are at most this share of its features' bytes in the file. */
const BYTES_SHARE = 0.5;

/** What the caps are measured with: a layer as the plan sees it. */
export interface LodSubject {
  readonly source: FgbSource;
  readonly projection: Projection;
  readonly grid: TileMatrixSet;
  readonly caps: LodCaps;
  /** Boxes of a tile and its buffer in the layer's CRS. */
  boxesOf(tile: TileCoord): Float64Array;
  /** Compressed bytes that the tile would have with this selection, judged by a sample of it. */
  bytesOf(tile: TileCoord, selection: Selection): number;
}

/** Cells a tile side at that zoom, or null where every tile may have all its features. */
export function cellsFor(subject: LodSubject, z: number, signal?: AbortSignal): Promise<number | null> {
  const { source, grid, caps } = subject;
  const fileBytes = source.ref.size - source.featuresStart;
  if (source.count <= caps.maxFeatures && fileBytes * BYTES_SHARE <= caps.maxBytes) return Promise.resolve(null);
  signal?.throwIfAborted();
  const known = source.lod.get(keyOf(grid, z, caps));
  return known ?? remember(subject, z, densityOf(source, subject.projection, grid));
}

function keyOf(grid: TileMatrixSet, z: number, caps: LodCaps): string {
  return `${grid.id}/${z}/${caps.maxFeatures}/${caps.maxBytes}`;
}

function remember(subject: LodSubject, z: number, density: Density | null): Promise<number | null> {
  const { lod } = subject.source;
  const key = keyOf(subject.grid, z, subject.caps);
  let known = lod.get(key);
  if (known) return known;
  known = density ? measure(subject, z, density) : Promise.resolve(null);
  lod.set(key, known);
  // A read that failed is tried again by the next tile.
  known.catch(() => lod.delete(key));
  return known;
}

async function measure(subject: LodSubject, z: number, density: Density): Promise<number | null> {
  const { source, grid, caps } = subject;
  const dense = densestTiles(density, grid, z, caps.cellsMax);
  const most = Math.max(0, ...dense.map(({ count }) => count));
  const mean = (source.ref.size - source.featuresStart) / source.count;
  // From here on down the pyramid tiles only get emptier: no need to look at any of them.
  if (most <= caps.maxFeatures && most * mean * BYTES_SHARE <= caps.maxBytes) return null;
  const next = z + 1 < grid.matrices.length ? await remember(subject, z + 1, density) : null;
  const finest = next === null ? Number.POSITIVE_INFINITY : next * 2;
  if (next === null && most <= caps.maxFeatures && (await fits(subject, z, dense, null))) return null;
  let cells = Math.min(caps.cellsMax, finest);
  while (cells > caps.cellsMin && !(await fits(subject, z, dense, cells))) cells /= 2;
  return cells;
}

async function fits(
  subject: LodSubject,
  z: number,
  dense: readonly { readonly tile: TileCoord }[],
  cells: number | null,
): Promise<boolean> {
  const { source, projection, grid, caps } = subject;
  const cellsOf = cells === null ? null : cellGrid(source, projection, grid, z, cells);
  for (const { tile } of dense) {
    const boxes = subject.boxesOf(tile);
    const selection = cellsOf
      ? await selectCells(source, boxes, cellsOf, undefined, caps.maxFeatures)
      : await selectAll(source, boxes);
    if (selection.ordinals.length > caps.maxFeatures) return false;
    if (subject.bytesOf(tile, selection) > caps.maxBytes) return false;
  }
  return true;
}
