/**
 * The grids of cells that thin a layer: from layer coordinates to cells and back, per projection. They are a ladder: step 0 is
 * one cell as wide as a tile of the grid's first zoom, laid from its origin; each step halves the cells of the one before. Nothing
 * of a zoom enters, so any two zooms of any grid of tiles have cells of which one refines the other.
 */
import { resolveCrs, transformer } from '../../crs/index.ts';
import type { CellPlane } from '../../kernels/clusters.ts';
import type { CellGrid } from '../../source/fgb/lod.ts';
import { type BBox, MERCATOR_HALF, type TileMatrixSet } from '../../tile.ts';
import type { Projection } from './job.ts';

/** Layer coordinates to cells of that step, counted from the grid's origin. `base`: cells of step 0 along a tile of the first zoom. */
export function cellGrid(
  source: { readonly crs: string | null; readonly bounds: BBox | null },
  projection: Projection,
  grid: TileMatrixSet,
  step: number,
  base = 1,
): CellGrid {
  return cellsOn(cellPlane(source, projection, grid, step, base));
}

/** The same as plain data. */
export function cellPlane(
  source: { readonly crs: string | null; readonly bounds: BBox | null },
  projection: Projection,
  grid: TileMatrixSet,
  step: number,
  base = 1,
): CellPlane {
  const { originX, originY } = grid.matrices[0];
  const k = (base * 2 ** step) / side(grid);
  const scale = projection === 'other' ? k / layerUnits(source, grid) : k;
  return { mercator: projection === 'mercator', originX, originY, scale };
}

export function cellsOn({ mercator, originX, originY, scale: s }: CellPlane): CellGrid {
  if (mercator) return mercatorCells(originX, originY, s);
  return {
    col: x => (x - originX) * s,
    row: y => (originY - y) * s,
    x: col => col / s + originX,
    y: row => originY - row / s,
  };
}

/** Width of a tile of the first zoom, grid units. */
function side({ matrices: [first] }: TileMatrixSet): number {
  return first.resolution * first.tileWidth;
}

/** The finest step with at most so many cells a tile side (the shorter one) at that zoom. */
export function stepFor(grid: TileMatrixSet, z: number, cells: number): number {
  return Math.floor(Math.log2(cells / cellsAcross(grid, z, 0)) + 1e-9);
}

/** Cells of that step along the shorter side of a tile of that zoom; may be a fraction. */
export function cellsAcross(grid: TileMatrixSet, z: number, step: number): number {
  const { resolution, tileWidth, tileHeight } = grid.matrices[z];
  return (2 ** step * resolution * Math.min(tileWidth, tileHeight)) / side(grid);
}

/** Web mercator ends at infinity: latitudes beyond this are one row. */
const LAT_MAX = 89.9;

function mercatorCells(originX: number, originY: number, k: number): CellGrid {
  const rad = Math.PI / 180;
  const metres = MERCATOR_HALF / 180;
  return {
    curved: true,
    col: x => (x * metres - originX) * k,
    row: y => {
      const s = Math.sin(Math.max(-LAT_MAX, Math.min(LAT_MAX, y)) * rad);
      return (originY - (6378137 / 2) * Math.log((1 + s) / (1 - s))) * k;
    },
    x: col => (col / k + originX) / metres,
    y: row => {
      const lat = Math.atan(Math.exp((originY - row / k) / 6378137)) * (2 / rad) - 90;
      return Math.abs(lat) >= LAT_MAX - 0.01 ? lat * Number.POSITIVE_INFINITY : lat;
    },
  };
}

/**
 * Any other CRS: cells are laid in the layer's own plane, as large as they are at the middle of the layer. They need only be
 * the same for every tile, and halves of each other from zoom to zoom, and they are: nothing of tile or zoom enters here.
 */
function layerUnits(
  source: { readonly crs: string | null; readonly bounds: BBox | null },
  grid: TileMatrixSet,
): number {
  const crs = source.crs as string;
  const [minx, miny, maxx, maxy] = source.bounds ?? [0, 0, 1, 1];
  const step = Math.max(maxx - minx, maxy - miny, 1e-6) / 1024;
  const move = transformer(crs, grid.crs);
  const at = new Float64Array(6);
  const x = (minx + maxx) / 2;
  const y = (miny + maxy) / 2;
  if (move.forward(x, y, at, 0) && move.forward(x + step, y, at, 2) && move.forward(x, y + step, at, 4)) {
    const [ux, uy, vx, vy] = [at[2] - at[0], at[3] - at[1], at[4] - at[0], at[5] - at[1]];
    const scale = step / Math.sqrt(Math.abs(ux * vy - uy * vx));
    if (Number.isFinite(scale) && scale > 0) return scale;
  }
  return resolveCrs(grid.crs).metresPerUnit / resolveCrs(crs).metresPerUnit;
}
