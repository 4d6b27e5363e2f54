/**
 * How fine the grid of cells is: a constant of (layer, zoom), never of a tile, or tiles would not agree at their edges. It
 * is the finest power of two at which the densest tile of the zoom keeps under the cap; null where no tile needs thinning.
 */
import { transformer } from '../../crs/index.ts';
import { type CellGrid, selectCells } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { STRIDE } from '../../source/fgb/rtree.ts';
import type { TileMatrixSet } from '../../tile.ts';
import type { Projection } from './job.ts';

export interface LodCaps {
  readonly maxFeatures: number;
  /** Cells a tile side at first, and at least. */
  readonly cellsMax: number;
  readonly cellsMin: number;
}

export const DEFAULT_CAPS: LodCaps = { maxFeatures: 20_000, cellsMax: 256, cellsMin: 32 };

/** Cells a tile side at that zoom, or null where every tile may have all its features. */
export function cellsFor(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  z: number,
  caps: LodCaps,
  signal?: AbortSignal,
): Promise<number | null> {
  if (source.count <= caps.maxFeatures) return Promise.resolve(null);
  const { lod } = source;
  const key = `${grid.id}/${z}/${caps.maxFeatures}`;
  let known = lod.get(key);
  if (!known) {
    known = measure(source, projection, grid, z, caps);
    lod.set(key, known);
    // A read that failed is tried again by the next tile.
    known.catch(() => lod.delete(key));
  }
  signal?.throwIfAborted();
  return known;
}

async function measure(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  z: number,
  caps: LodCaps,
): Promise<number | null> {
  const densest = densestTile(source, projection, grid, z);
  if (densest === null || densest.count <= caps.maxFeatures) return null;
  for (let cells = caps.cellsMax; cells > caps.cellsMin; cells /= 2) {
    const around = cellGrid(source.crs as string, projection, grid, z, cells);
    const taken = await selectCells(source, densest.box, around, undefined, caps.maxFeatures);
    if (taken.ordinals.length <= caps.maxFeatures) return cells;
  }
  return caps.cellsMin;
}

/** The tile with the most features, by the middles of the nodes of the lowest resident level. */
function densestTile(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  z: number,
): { count: number; box: Float64Array } | null {
  const { tree } = source;
  if (!tree) return null;
  const { levels, nodeSize, count } = tree.shape;
  const tiles = cellGrid(source.crs as string, projection, grid, z, 1);
  const { start, end } = levels[1];
  const counts = new Map<number, { count: number; box: Float64Array }>();
  let densest: { count: number; box: Float64Array } | null = null;
  for (let node = start; node < end; node++) {
    const at = node * STRIDE;
    const [minx, miny, maxx, maxy] = tree.upper.subarray(at, at + 4);
    const key = Math.floor(tiles.row((miny + maxy) / 2)) * 2 ** 26 + Math.floor(tiles.col((minx + maxx) / 2));
    if (!Number.isFinite(key)) continue;
    const leaves = Math.min(nodeSize, count - (node - start) * nodeSize);
    let tile = counts.get(key);
    if (!tile) {
      tile = { count: 0, box: Float64Array.of(minx, miny, maxx, maxy) };
      counts.set(key, tile);
    }
    tile.count += leaves;
    const { box } = tile;
    box[0] = Math.min(box[0], minx);
    box[1] = Math.min(box[1], miny);
    box[2] = Math.max(box[2], maxx);
    box[3] = Math.max(box[3], maxy);
    if (densest === null || tile.count > densest.count) densest = tile;
  }
  return densest;
}

/** Layer coordinates to cells of the grid's zoom, `cells` a tile side, counted from the grid's origin. */
export function cellGrid(crs: string, projection: Projection, grid: TileMatrixSet, z: number, cells: number): CellGrid {
  const matrix = grid.matrices[z];
  const kx = cells / (matrix.resolution * matrix.tileWidth);
  const ky = cells / (matrix.resolution * matrix.tileHeight);
  if (projection === 'same') {
    return { col: x => (x - matrix.originX) * kx, row: y => (matrix.originY - y) * ky };
  }
  if (projection === 'mercator') {
    const half = -matrix.originX;
    const rad = Math.PI / 180;
    return {
      col: x => (x / 180 + 1) * half * kx,
      row: y => {
        const s = Math.sin(Math.max(-89.9, Math.min(89.9, y)) * rad);
        return (matrix.originY - (6378137 / 2) * Math.log((1 + s) / (1 - s))) * ky;
      },
    };
  }
  return unprojected(crs, grid, matrix.originX, matrix.originY, kx, ky);
}

/**
 * Any other CRS: cells are laid in the layer's own plane, as large as they are at the middle of a reference latitude. They
 * need only be the same for every tile of the zoom, and they are: nothing of a tile enters here.
 */
function unprojected(
  crs: string,
  grid: TileMatrixSet,
  originX: number,
  originY: number,
  kx: number,
  ky: number,
): CellGrid {
  const back = transformer(grid.crs, crs);
  const out = new Float64Array(4);
  const ok = back.forward(0, 0, out, 0) && back.forward(1 / kx, 1 / ky, out, 2);
  const width = ok ? Math.abs(out[2] - out[0]) : 1 / kx;
  const height = ok ? Math.abs(out[3] - out[1]) : 1 / ky;
  const usable = Number.isFinite(width) && Number.isFinite(height) && width > 0 && height > 0;
  const cellWidth = usable ? width : 1 / kx;
  const cellHeight = usable ? height : 1 / ky;
  return { col: x => (x - originX) / cellWidth, row: y => (originY - y) / cellHeight };
}
