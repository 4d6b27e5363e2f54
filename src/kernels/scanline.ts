/**
 * Which pixels of a raster lie in a polygon: those whose centre does, as GDAL has it. Edges are swept from the top down, so
 * a row costs what crosses it. Even-odd over all rings, so holes need no winding.
 */

/** Edges in pixel positions, four numbers each (x, y of both ends), sorted by their upper end; horizontal ones are left out. */
export interface Edges {
  readonly points: Float64Array;
  readonly count: number;
}

/** `rings` are flat x, y lists; each is closed whether or not its last point is its first. */
export function edgesOf(rings: readonly Float64Array[]): Edges {
  const most = rings.reduce((sum, ring) => sum + ring.length / 2, 0);
  const raw = new Float64Array(most * 4);
  let count = 0;
  for (const ring of rings) {
    const n = ring.length / 2;
    for (let i = 0, j = n - 1; i < n; j = i++) {
      const [x0, y0, x1, y1] = [ring[j * 2], ring[j * 2 + 1], ring[i * 2], ring[i * 2 + 1]] as [
        number,
        number,
        number,
        number,
      ];
      if (y0 === y1) continue;
      raw.set(y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0], count++ * 4);
    }
  }
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => raw[a * 4 + 1] - raw[b * 4 + 1]);
  const points = new Float64Array(count * 4);
  order.forEach((from, to) => {
    points.set(raw.subarray(from * 4, from * 4 + 4), to * 4);
  });
  return { points, count };
}

/** Bytes of the edges of so many points, and of sweeping them. */
export function edgeBytes(points: number): number {
  return points * (2 * 32 + 4 + 3 * 8);
}

/** Calls `span` with each run of columns [from, to) of the rows [y0, y1) that lies inside; columns are not clipped. */
export function eachSpan(
  { points, count }: Edges,
  y0: number,
  y1: number,
  span: (row: number, from: number, to: number) => void,
): void {
  const active: number[] = [];
  const crossings: number[] = [];
  let next = 0;
  for (let row = y0; row < y1; row++) {
    const y = row + 0.5;
    for (; next < count && points[next * 4 + 1] <= y; next++) if (points[next * 4 + 3] > y) active.push(next);
    crossings.length = 0;
    let kept = 0;
    for (const edge of active) {
      const at = edge * 4;
      if (points[at + 3] <= y) continue;
      active[kept++] = edge;
      const t = (y - points[at + 1]) / (points[at + 3] - points[at + 1]);
      crossings.push(points[at] + t * (points[at + 2] - points[at]));
    }
    active.length = kept;
    if (crossings.length === 0) continue;
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.floor(crossings[i] + 0.5);
      const to = Math.floor(crossings[i + 1] + 0.5);
      if (to > from) span(row, from, to);
    }
  }
}
