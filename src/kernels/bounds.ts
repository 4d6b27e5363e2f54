/** The box around points x y x y …. */

/** minx, miny, maxx, maxy of the first n points; the wrong way round where there are none. */
export function pointBounds(xy: Float64Array, n: number): [number, number, number, number] {
  let minx = Number.POSITIVE_INFINITY;
  let miny = Number.POSITIVE_INFINITY;
  let maxx = Number.NEGATIVE_INFINITY;
  let maxy = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n * 2; i += 2) {
    const x = xy[i];
    const y = xy[i + 1];
    if (x < minx) minx = x;
    if (x > maxx) maxx = x;
    if (y < miny) miny = y;
    if (y > maxy) maxy = y;
  }
  return [minx, miny, maxx, maxy];
}
