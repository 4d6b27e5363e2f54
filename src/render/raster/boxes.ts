/** Boxes of requests from one system to another, also where they cross the edge of the world. */
import { transformBounds, xPeriod } from '../../crs/index.ts';
import type { BBox } from '../../tile.ts';

/** left > right crosses the antimeridian: right is named a world further east. */
export function unrolled([left, bottom, right, top]: BBox, crs: string): BBox {
  const period = xPeriod(crs);
  return [left, bottom, period !== null && right < left ? right + period : right, top];
}

/** Null: it has no image there. What lies on both sides of the edge is moved side by side, and stays one box. */
export function movedBox(from: string, to: string, bbox: BBox): BBox | null {
  const period = xPeriod(from);
  const [left, bottom, right, top] = unrolled(bbox, from);
  const moved = (minx: number, maxx: number) => {
    const box = transformBounds(from, to, [minx, bottom, maxx, top]);
    return box && unrolled(box, to);
  };
  if (period === null) return moved(left, right);
  const half = period / 2;
  // By the name of the world that its left edge is in.
  const turns = Math.floor((left + half) / period) * period;
  const [first, last] = [left - turns, right - turns];
  if (last <= half) return moved(first, last);
  const west = moved(first, half);
  const east = moved(-half, Math.min(last - period, half));
  if (west === null || east === null) return west ?? east;
  const [low, high] = [Math.min(west[1], east[1]), Math.max(west[3], east[3])];
  const there = xPeriod(to);
  if (there !== null) return [west[0], low, east[2] + there, high];
  return [Math.min(west[0], east[0]), low, Math.max(west[2], east[2]), high];
}
