/** How places in the grid lie to a tile of it: which tile has a point, whether bounds meet the tile, what rounds to one place. y goes down. */
import { pointBounds } from '../../kernels/bounds.ts';
import type { LabelPlace, Projection } from './job.ts';

/**
 * Whether the point is in this tile: on an edge it is in the tile to the right or below, on the world's last edges in the last. Writes
 * its place in units of the tile to `out`; one on the far edge would be outside for clients that draw each label once.
 */
export function ownedBy(place: LabelPlace, extent: number, x: number, y: number, out: Int32Array): boolean {
  const { originX, originY, spanX, spanY, cols, rows, col, row, wraps } = place;
  const across = (x - originX) / spanX;
  const down = (y + originY) / spanY;
  const right = wraps ? Math.floor(across) : within(across, cols);
  const below = within(down, rows);
  if (below !== row || (wraps ? right - Math.floor(right / cols) * cols : right) !== col) return false;
  out[0] = Math.max(0, Math.min(extent - 1, Math.round((across - right) * extent)));
  out[1] = Math.max(0, Math.min(extent - 1, Math.round((down - below) * extent)));
  return true;
}

/** Whether the bounds of n points meet the tile, in any world. */
export function boundsMeet(place: LabelPlace, xy: Float64Array, n: number): boolean {
  const { originX, originY, spanX, spanY, cols, rows, col, row, wraps } = place;
  const [minx, miny, maxx, maxy] = pointBounds(xy, n);
  if (row < within((miny + originY) / spanY, rows) || row > within((maxy + originY) / spanY, rows)) return false;
  const west = (minx - originX) / spanX;
  const east = (maxx - originX) / spanX;
  if (!wraps) return col >= within(west, cols) && col <= within(east, cols);
  return Math.floor((Math.floor(east) - col) / cols) >= Math.ceil((Math.floor(west) - col) / cols);
}

/** The column or row, of `count`, that a place counted in them lies in; what lies on the world's edge is in the last or first. */
function within(place: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(place)));
}

/** How far projections of tiles may be off the exact one (project.ts) across and down, in units. */
const OFF_UNITS = { same: [1e-6, 1e-6], mercator: [1e-6, 0.006], other: [0.021, 0.021] } as const;

/** Whether a line with these bounds is drawn: units are the same in all tiles but for what their projections may be off. */
export function roundsApart(place: LabelPlace, extent: number, projection: Projection, box: Float64Array): boolean {
  const { originX, originY, spanX, spanY } = place;
  const [offX, offY] = OFF_UNITS[projection];
  const kx = extent / spanX;
  const ky = extent / spanY;
  return (
    Math.round((box[0] - originX) * kx - offX) < Math.round((box[2] - originX) * kx + offX) ||
    Math.round((box[1] + originY) * ky - offY) < Math.round((box[3] + originY) * ky + offY)
  );
}
