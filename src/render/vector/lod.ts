/**
 * How fine the grid of cells is: a constant of (layer, zoom), never of a tile, or tiles would not agree at their edges. Cells
 * are steps of one ladder for all zooms of a grid of tiles (cells.ts), each step halving the one before. A zoom has the
 * finest step at which its densest tile keeps under the caps, and none finer than the next zoom has: so what shows at a zoom
 * shows at the next, whatever the ratio of their scales. null: nothing is left out.
 */
import { type Selection, selectAll } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import { cellsAcross, stepFor } from './cells.ts';
import { type Density, densestTiles, densityOf } from './density.ts';
import type { Projection } from './job.ts';
import { selectStep } from './step.ts';

export interface LodCaps {
  readonly maxFeatures: number;
  /** Compressed bytes of a tile. */
  readonly maxBytes: number;
  /** Cells a tile side at first, and at least. */
  readonly cellsMax: number;
  readonly cellsMin: number;
}

export const DEFAULT_CAPS: LodCaps = { maxFeatures: 20_000, maxBytes: 500_000, cellsMax: 256, cellsMin: 1 };

/** Compressed bytes of a tile are at most this share of its features' bytes in the file. */
const BYTES_SHARE = 0.5;
/** What the tiles that are looked at may weigh of the cap: the worst tile of a zoom may be another, and is judged by a sample. */
const BYTES_MARGIN = 0.9;

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

/** The step of the ladder at that zoom, or null where every tile may have all its features. */
export function stepOf(subject: LodSubject, z: number, signal?: AbortSignal): Promise<number | null> {
  const { source, grid, caps } = subject;
  const fileBytes = source.ref.size - source.featuresStart;
  if (source.count <= caps.maxFeatures && fileBytes * BYTES_SHARE <= caps.maxBytes) return Promise.resolve(null);
  signal?.throwIfAborted();
  const known = source.lod.get(keyOf(grid, z, caps));
  if (known) return known;
  // From the first zoom on, so that whoever asks first begins the one chain in which all zooms are measured.
  return remember(subject, 0, null).then(() => source.lod.get(keyOf(grid, z, caps)) ?? remember(subject, z, null));
}

function keyOf(grid: TileMatrixSet, z: number, caps: LodCaps): string {
  return `${grid.key}/${z}/${caps.maxFeatures}/${caps.maxBytes}`;
}

function remember(subject: LodSubject, z: number, density: Density | null): Promise<number | null> {
  const { lod } = subject.source;
  const key = keyOf(subject.grid, z, subject.caps);
  let known = lod.get(key);
  if (known) return known;
  known = measure(subject, z, density);
  lod.set(key, known);
  // A read that failed is tried again by the next tile.
  known.catch(() => lod.delete(key));
  return known;
}

async function measure(subject: LodSubject, z: number, known: Density | null): Promise<number | null> {
  const { source, projection, grid, caps } = subject;
  const density = known ?? (await densityOf(source, projection, grid));
  if (!density) return null;
  const dense = densestTiles(density, grid, z, null);
  const most = Math.max(0, ...dense.map(({ count }) => count));
  const bytes = Math.max(0, ...dense.map(tile => tile.bytes));
  // From here on down the pyramid tiles only get emptier: no need to look at any of them.
  if (most <= caps.maxFeatures && bytes * BYTES_SHARE <= caps.maxBytes) return null;
  const next = z + 1 < grid.matrices.length ? await remember(subject, z + 1, density) : null;
  if (next === null && most <= caps.maxFeatures && (await fits(subject, dense, null))) return null;
  let step = Math.min(stepFor(grid, z, caps.cellsMax), next ?? Number.POSITIVE_INFINITY);
  const coarsest = stepFor(grid, z, caps.cellsMin);
  const tilesAt = (at: number) => densestTiles(density, grid, z, cellsAcross(grid, z, at));
  while (step > coarsest && !(await fits(subject, tilesAt(step), step))) step--;
  return step;
}

async function fits(
  subject: LodSubject,
  dense: readonly { readonly tile: TileCoord }[],
  step: number | null,
): Promise<boolean> {
  const { source, caps } = subject;
  const found: Found[] = [];
  for (const { tile } of dense) {
    const boxes = subject.boxesOf(tile);
    const selection =
      step === null
        ? await selectAll(source, boxes)
        : await selectStep(subject, step, boxes, undefined, caps.maxFeatures);
    if (selection.ordinals.length > caps.maxFeatures) return false;
    const bytes = selection.lengths.reduce((sum, length) => sum + length, 0);
    if (bytes * BYTES_SHARE > caps.maxBytes * BYTES_MARGIN) found.push({ tile, selection, bytes });
  }
  // Painting is what costs: only what is heaviest, and what has most features.
  const most = found.toSorted((a, b) => b.selection.ordinals.length - a.selection.ordinals.length).slice(0, 1);
  const painted = new Set([...found.toSorted((a, b) => b.bytes - a.bytes).slice(0, 2), ...most]);
  for (const { tile, selection } of painted) {
    if (subject.bytesOf(tile, selection) > caps.maxBytes * BYTES_MARGIN) return false;
    await new Promise(resolve => setImmediate(resolve));
  }
  return true;
}

interface Found {
  readonly tile: TileCoord;
  readonly selection: Selection;
  /** Of the features in the file. */
  readonly bytes: number;
}
