/** The grid of cells that thins a layer: from layer coordinates to cells and back, per projection. */
import { resolveCrs, transformer } from '../../crs/index.ts';
import type { CellGrid } from '../../source/fgb/lod.ts';
import type { BBox, TileMatrixSet } from '../../tile.ts';
import type { Projection } from './job.ts';

/** Layer coordinates to cells of the grid's zoom, `cells` a tile side, counted from the grid's origin. */
export function cellGrid(
  source: { readonly crs: string | null; readonly bounds: BBox | null },
  projection: Projection,
  grid: TileMatrixSet,
  z: number,
  cells: number,
): CellGrid {
  const { originX, originY, resolution, tileWidth, tileHeight } = grid.matrices[z];
  const kx = cells / (resolution * tileWidth);
  const ky = cells / (resolution * tileHeight);
  if (projection === 'mercator') return mercatorCells(-originX, originY, kx, ky);
  const scale = projection === 'same' ? 1 : layerUnits(source, grid);
  const sx = kx / scale;
  const sy = ky / scale;
  return {
    col: x => (x - originX) * sx,
    row: y => (originY - y) * sy,
    x: col => col / sx + originX,
    y: row => originY - row / sy,
  };
}

/** Web mercator ends at infinity: latitudes beyond this are one row. */
const LAT_MAX = 89.9;

function mercatorCells(half: number, originY: number, kx: number, ky: number): CellGrid {
  const rad = Math.PI / 180;
  return {
    col: x => (x / 180 + 1) * half * kx,
    row: y => {
      const s = Math.sin(Math.max(-LAT_MAX, Math.min(LAT_MAX, y)) * rad);
      return (originY - (6378137 / 2) * Math.log((1 + s) / (1 - s))) * ky;
    },
    x: col => (col / (half * kx) - 1) * 180,
    y: row => {
      const lat = Math.atan(Math.exp((originY - row / ky) / 6378137)) * (2 / rad) - 90;
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
