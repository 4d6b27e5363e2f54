/** A shape with its edges sorted into strips, so that a point or an edge is compared with those near it only. */
import { orient2d } from 'robust-predicates';
import { LINE, POINT, RING, type Shape } from './shape.ts';

/** Where a point is. */
export const INTERIOR = 0;
export const BOUNDARY = 1;
export const EXTERIOR = 2;

const STRIPS_MAX = 4096;
/** Edges that cross many strips are in each of them: no more than this many entries an edge in the mean. */
const ENTRIES_MAX = 8;

export interface Prepared {
  readonly shape: Shape;
  /** First point of each edge that has a length, and its path; points have none. */
  readonly edges: Int32Array;
  readonly paths: Int32Array;
  /** Edges by strip: those of strip s are entries[strips[s]] … entries[strips[s + 1] − 1]. */
  readonly strips: Int32Array;
  readonly entries: Int32Array;
  readonly height: number;
  /** Ends of lines, counted: an odd number of lines that end at a point make it a boundary. null: no lines. */
  readonly lineEnds: ReadonlyMap<string, number> | null;
  readonly points: ReadonlySet<string> | null;
}

export function prepare(shape: Shape): Prepared {
  const { xy, starts, kinds, miny, maxy } = shape;
  const edges: number[] = [];
  const paths: number[] = [];
  const lineEnds = new Map<string, number>();
  const points = new Set<string>();
  for (let k = 0; k < kinds.length; k++) {
    const last = starts[k + 1] - 1;
    if (kinds[k] === POINT || last === starts[k]) points.add(keyOf(xy, starts[k]));
    for (let i = starts[k]; i < last; i++) {
      if (xy[i * 2] === xy[i * 2 + 2] && xy[i * 2 + 1] === xy[i * 2 + 3]) continue;
      edges.push(i);
      paths.push(k);
    }
    if (kinds[k] !== LINE) continue;
    for (const end of [starts[k], last]) lineEnds.set(keyOf(xy, end), (lineEnds.get(keyOf(xy, end)) ?? 0) + 1);
  }
  const strips = stripsOf(shape, edges);
  return {
    shape,
    edges: Int32Array.from(edges),
    paths: Int32Array.from(paths),
    ...strips,
    height: maxy - miny,
    lineEnds: lineEnds.size > 0 ? lineEnds : null,
    points: points.size > 0 ? points : null,
  };
}

export function keyOf(xy: Float64Array, point: number): string {
  // Adding 0 makes −0 plain.
  return `${xy[point * 2] + 0},${xy[point * 2 + 1] + 0}`;
}

function stripsOf({ xy, miny, maxy }: Shape, edges: readonly number[]): { strips: Int32Array; entries: Int32Array } {
  let n = Math.max(1, Math.min(STRIPS_MAX, edges.length >> 2));
  const strip = (y: number) => stripAt(y, miny, maxy - miny, n);
  const span = (e: number, each: (from: number, to: number) => void) => {
    const a = strip(xy[e * 2 + 1]);
    const b = strip(xy[e * 2 + 3]);
    each(Math.min(a, b), Math.max(a, b));
  };
  for (; n > 1; n >>= 1) {
    let total = 0;
    for (const e of edges) span(e, (from, to) => (total += to - from + 1));
    if (total <= edges.length * ENTRIES_MAX) break;
  }
  const strips = new Int32Array(n + 1);
  for (const e of edges)
    span(e, (from, to) => {
      for (let s = from; s <= to; s++) strips[s + 1]++;
    });
  for (let s = 0; s < n; s++) strips[s + 1] += strips[s];
  const entries = new Int32Array(strips[n]);
  const next = strips.slice();
  for (let index = 0; index < edges.length; index++) {
    span(edges[index], (from, to) => {
      for (let s = from; s <= to; s++) entries[next[s]++] = index;
    });
  }
  return { strips, entries };
}

function stripAt(y: number, miny: number, height: number, n: number): number {
  if (height === 0) return 0;
  return Math.max(0, Math.min(n - 1, Math.floor(((y - miny) / height) * n)));
}

/** First and last strip that the range of y meets. */
export function stripRange({ shape, strips, height }: Prepared, low: number, high: number): [number, number] {
  const n = strips.length - 1;
  return [stripAt(low, shape.miny, height, n), stripAt(high, shape.miny, height, n)];
}

/** Exact. Above 0: c is left of the way from a to b; 0: on the line. */
export function side(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return -orient2d(ax, ay, bx, by, cx, cy);
}

/**
 * Whether the point is in the shape, on its boundary or outside; areas come before lines, lines before points. Exact.
 * `points`: false looks past points, as an edge does that begins at one.
 */
export function locate(prepared: Prepared, x: number, y: number, points = true): number {
  const { shape, edges, paths, strips, entries, lineEnds } = prepared;
  const { xy, kinds, minx, maxx, miny, maxy } = shape;
  if (!(x >= minx && x <= maxx && y >= miny && y <= maxy)) return EXTERIOR;
  const [strip] = stripRange(prepared, y, y);
  let inside = false;
  let onLine = false;
  for (let i = strips[strip]; i < strips[strip + 1]; i++) {
    const e = edges[entries[i]] * 2;
    const ring = kinds[paths[entries[i]]] === RING;
    const [x1, y1, x2, y2] = [xy[e], xy[e + 1], xy[e + 2], xy[e + 3]];
    if (ring ? x1 < x && x2 < x : Math.max(x1, x2) < x || Math.min(x1, x2) > x) continue;
    if (Math.min(y1, y2) > y || Math.max(y1, y2) < y) continue;
    const turn = side(x1, y1, x2, y2, x, y);
    if (turn === 0 && x >= Math.min(x1, x2) && x <= Math.max(x1, x2)) {
      if (ring) return BOUNDARY;
      onLine = true;
    }
    // An edge counts where it crosses the ray to the right; its lower end belongs to it, the upper does not.
    if (ring && y1 > y !== y2 > y && y2 > y1 === turn > 0) inside = !inside;
  }
  if (inside) return INTERIOR;
  if (onLine || lineEnds?.size) {
    const ends = lineEnds?.get(`${x + 0},${y + 0}`) ?? 0;
    if (ends % 2 === 1) return BOUNDARY;
    if (onLine || ends > 0) return INTERIOR;
  }
  return points && prepared.points?.has(`${x + 0},${y + 0}`) ? INTERIOR : EXTERIOR;
}
