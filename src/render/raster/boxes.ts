/** Boxes of requests from one system to another, also where they cross the edge of the world. */
import { transformBounds, transformer, xPeriod } from '../../crs/index.ts';
import type { BBox } from '../../tile.ts';

/** left > right crosses the antimeridian: right is named a world further east. */
export function unrolled([left, bottom, right, top]: BBox, crs: string): BBox {
  const period = xPeriod(crs);
  return [left, bottom, period !== null && right < left ? right + period : right, top];
}

/** Null: it has no image there. What lies on both sides of the edge of the world is one box, beyond the edge where x comes round. */
export function movedBox(from: string, to: string, bbox: BBox): BBox | null {
  const period = xPeriod(from);
  const box = unrolled(bbox, from);
  if (xPeriod(to) !== null) return roundBox(from, to, box);
  if (period === null) return transformBounds(from, to, box);
  const [left, bottom, right, top] = box;
  const half = period / 2;
  // By the name of the world that its left edge is in.
  const turns = Math.floor((left + half) / period) * period;
  const [first, last] = [left - turns, right - turns];
  if (last <= half) return transformBounds(from, to, [first, bottom, last, top]);
  const west = transformBounds(from, to, [first, bottom, half, top]);
  const east = transformBounds(from, to, [-half, bottom, Math.min(last - period, half), top]);
  if (west === null || east === null) return west ?? east;
  const [low, high] = [Math.min(west[1], east[1]), Math.max(west[3], east[3])];
  return [Math.min(west[0], east[0]), low, Math.max(west[2], east[2]), high];
}

const DEGREES = 'OGC:CRS84';

/** Where x is but longitude, a box is as wide as it is in longitude, wherever the edge of the world lies. */
function roundBox(from: string, to: string, box: BBox): BBox | null {
  const here = xPeriod(from);
  const there = xPeriod(to) as number;
  const upright = transformBounds(from, to, box);
  const lonLat = here === null ? transformBounds(from, DEGREES, box) : null;
  if (upright === null || (here === null && lonLat === null)) return null;
  const source = lonLat ? unrolled(lonLat, DEGREES) : box;
  const at = new Float64Array(2);
  const middle = (source[1] + source[3]) / 2;
  if (!transformer(lonLat ? DEGREES : from, to).forward(source[0], middle, at, 0)) return null;
  const left = at[0] - Math.floor(at[0] / there + 0.5) * there;
  const right = left + (source[2] - source[0]) * (there / (here ?? 360));
  return [left, upright[1], right, upright[3]];
}
