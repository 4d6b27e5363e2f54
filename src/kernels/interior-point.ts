/** A point that is certainly inside: the middle of the widest stretch of a row that no corner of the rings lies on. */

/** Open rings one behind the other, x y x y …; inside is what an odd number of them encloses. */
export interface RingSet {
  readonly xy: Float64Array;
  /** Where each ring ends, in points; `count` of them. */
  readonly ends: Int32Array;
  readonly count: number;
}

/** Writes it to out[0] and out[1]; false where the rings have no area that doubles can tell. `crossings`: as many as points. */
export function interiorPoint(
  { xy, ends, count }: RingSet,
  miny: number,
  maxy: number,
  crossings: Float64Array,
  out: Float64Array,
): boolean {
  const n = ends[count - 1];
  const y = rowBetween(xy, n, miny, maxy);
  let m = 0;
  for (let r = 0, first = 0; r < count; r++) {
    const end = ends[r] * 2;
    let ax = xy[end - 2];
    let ay = xy[end - 1];
    for (let i = first; i < end; i += 2) {
      const bx = xy[i];
      const by = xy[i + 1];
      if (ay > y !== by > y) crossings[m++] = crossing(ax, ay, bx, by, y);
      ax = bx;
      ay = by;
    }
    first = end;
  }
  crossings.subarray(0, m).sort();
  let widest = 0;
  for (let i = 0; i + 1 < m; i += 2) {
    const width = crossings[i + 1] - crossings[i];
    if (!(width > widest)) continue;
    widest = width;
    out[0] = (crossings[i] + crossings[i + 1]) / 2;
    out[1] = y;
  }
  return widest > 0;
}

/** Where the segment crosses the row. There and back along the same way it is the same place, to the last bit. */
export function crossing(ax: number, ay: number, bx: number, by: number, y: number): number {
  return ay < by ? ((bx - ax) * (y - ay)) / (by - ay) + ax : ((ax - bx) * (y - by)) / (ay - by) + bx;
}

/** Half way between the corners next above and next below the middle. */
function rowBetween(xy: Float64Array, n: number, miny: number, maxy: number): number {
  const middle = (miny + maxy) / 2;
  let below = miny;
  let above = maxy;
  for (let i = 1; i < n * 2; i += 2) {
    const y = xy[i];
    if (y <= middle) {
      if (y > below) below = y;
    } else if (y < above) above = y;
  }
  return (below + above) / 2;
}
