/** Which members of a mosaic a grid or a place can meet: by their boxes alone, never too few. */
import { transformBounds, xPeriod } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import { CELL } from '../../kernels/warp.ts';
import type { Mosaic, RasterLayer } from '../../layers/types.ts';
import type { BBox } from '../../tile.ts';
import type { OutputGrid } from '../raster/types.ts';

const DEGREES = 'OGC:CRS84';
/** What edges may bend between the points that a box is made of, as a share of its side. */
const SLACK = 0.02;
/** Rows beside a raster that the widest kernel can still see it from, where pixels are magnified. */
const KERNEL_ROWS = 4;

export function membersMeeting(mosaic: Mosaic, grid: OutputGrid): RasterLayer[] {
  const ordered = mosaic.selection === 'last' ? mosaic.members.toReversed() : [...mosaic.members];
  const box = degreesOf(grid);
  return box === null
    ? ordered
    : ordered.filter(({ lonLatBounds }) => lonLatBounds === null || meet(box, lonLatBounds));
}

/** Rows from the first to the one after the last. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/** The rows of a grid that a member can touch, with room for kernels, in whole cells of the projection. */
export function rowsOf({ source }: RasterLayer, crs: string, grid: OutputGrid): Rows {
  const all = { from: 0, to: grid.height };
  const box = grid.crs !== null && source.bounds ? transformBounds(crs, grid.crs, source.bounds) : null;
  if (box === null || !box.every(Number.isFinite)) return all;
  const slack = 2 + (SLACK * (box[3] - box[1])) / grid.resY + KERNEL_ROWS;
  const from = Math.floor((grid.originY - box[3]) / grid.resY - slack);
  const to = Math.ceil((grid.originY - box[1]) / grid.resY + slack);
  const cells = {
    from: Math.max(0, Math.floor(from / CELL) * CELL),
    to: Math.min(grid.height, Math.ceil(to / CELL) * CELL),
  };
  return cells.from < cells.to ? cells : all;
}

/** Null: it may be anywhere. */
function degreesOf({ crs, originX, originY, resX, resY, width, height }: OutputGrid): BBox | null {
  const period = crs === null ? null : xPeriod(crs);
  if (crs === null || (period !== null && width * resX > period * 0.9)) return null;
  return transformBounds(crs, DEGREES, [originX, originY - height * resY, originX + width * resX, originY]);
}

/** Boxes of degrees, where either may cross the antimeridian. */
function meet(a: BBox, b: BBox): boolean {
  const [wa, ea] = widened(a[0], a[2] < a[0] ? a[2] + 360 : a[2]);
  const [wb, eb] = widened(b[0], b[2] < b[0] ? b[2] + 360 : b[2]);
  const [sa, na] = widened(a[1], a[3]);
  if (na < b[1] || sa > b[3]) return false;
  return [-360, 0, 360].some(turn => wa + turn <= eb && ea + turn >= wb);
}

function widened(low: number, high: number): [number, number] {
  const slack = (high - low) * SLACK + 1e-6;
  return [low - slack, high + slack];
}

export function tooMany(layer: RasterLayer, mosaic: Mosaic, fits: Readonly<Record<string, unknown>>): Error {
  return problem(
    'too-large',
    `more than ${mosaic.maxAssets} of the ${mosaic.members.length} files of ${layer.id} meet here (raster.mosaicMaxAssets)`,
    { fits },
  );
}
