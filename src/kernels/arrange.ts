/**
 * Makes a valid polygon of rings that touch or cross, on the integer grid and exactly:
 *
 *   edges ─ node (cut where they meet, until none do) ─► unique edges with a net direction
 *         ─ wind (how often the rings go round either side) ─► edges with the fill on one side only
 *         ─ trace, cut rings where they touch themselves ─► outer rings, each followed by its holes
 *
 * For the few features that need it: objects and maps are fine here.
 */
import { cutEdges, type Edges } from './noding.ts';
import { addRing, edgesTouch, newRings, type Rings, type RingsScratch } from './rings.ts';
import { turn } from './segments.ts';
import { area2 } from './simplify.ts';

/** What is filled: what is gone round at all, or what is gone round more often one way than the other. */
type Rule = 'any' | 'positive';
/** x y x y …, the first point not repeated. */
type Ring = Int32Array;

/** The same area as valid rings, or as near as the grid allows. Outer rings come out with positive area, holes negative. */
export function arrange(rings: Rings, scratch: RingsScratch): Rings {
  const turned: Ring[] = [];
  for (let r = 0; r < rings.count; r++) {
    const ring = rings.xy.slice(r === 0 ? 0 : rings.ends[r - 1] * 2, rings.ends[r] * 2);
    // A ring that crosses itself has lobes that wind the other way: they are part of it all the same.
    const pieces = edgesTouch(rings, r, r + 1, scratch) ? traced([ring], 'any', scratch) : [wound(ring, true)];
    for (const piece of pieces) turned.push(rings.outer[r] ? piece : reversed(piece));
  }
  return grouped(traced(turned, 'positive', scratch));
}

function wound(ring: Ring, positive: boolean): Ring {
  return area2(ring, ring.length >> 1) > 0 === positive ? ring : reversed(ring);
}

function reversed(ring: Ring): Ring {
  const out = new Int32Array(ring.length);
  for (let i = 0; i < ring.length; i += 2) {
    out[i] = ring[ring.length - 2 - i];
    out[i + 1] = ring[ring.length - 1 - i];
  }
  return out;
}

function traced(rings: readonly Ring[], rule: Rule, scratch: RingsScratch): Ring[] {
  const edges = cutEdges(rings, scratch.sweep);
  const flat = (axis: 0 | 1) => new Columns(edges, axis);
  const columns = [flat(0), flat(1)];
  // Edges with the fill on their left, by the point they leave.
  const leaving = new Map<number, number[]>();
  const { ax, ay, bx, by, weight } = edges;
  const filled = (winding: number) => (rule === 'any' ? winding !== 0 : winding > 0);
  const ends: number[] = [];
  for (let e = 0; e < weight.length; e++) {
    const upright = ax[e] === bx[e];
    // Beside an edge: what lies below it, or west of an upright one, then across it.
    const near = columns[upright ? 1 : 0].windingBefore(e) * (upright ? -1 : 1);
    const left = filled(upright ? near : near + weight[e]);
    const right = filled(upright ? near - weight[e] : near);
    if (left === right) continue;
    const at = ends.length;
    if (left) ends.push(ax[e], ay[e], bx[e], by[e]);
    else ends.push(bx[e], by[e], ax[e], ay[e]);
    const from = pointKey(ends[at], ends[at + 1]);
    const others = leaving.get(from);
    if (others) others.push(at);
    else leaving.set(from, [at]);
  }
  return walk(ends, leaving);
}

const KEY = 2 ** 24;

function pointKey(x: number, y: number): number {
  return (x + KEY / 2) * KEY + y + KEY / 2;
}

/** Follows the edges with the fill on the left; where several leave a point, the one that keeps to the same filled face. */
function walk(ends: readonly number[], leaving: Map<number, number[]>): Ring[] {
  const out: Ring[] = [];
  const used = new Uint8Array(ends.length >> 2);
  for (let first = 0; first < ends.length; first += 4) {
    if (used[first >> 2]) continue;
    const points: number[] = [];
    let at = first;
    do {
      used[at >> 2] = 1;
      points.push(ends[at], ends[at + 1]);
      const next = leaving.get(pointKey(ends[at + 2], ends[at + 3])) ?? [];
      const free = next.filter(e => e === first || !used[e >> 2]);
      if (free.length === 0) break;
      at = free.length === 1 ? free[0] : sharpest(ends, at, free);
    } while (at !== first);
    cutAtTouches(points, out);
  }
  return out;
}

/** The edge met first when turning clockwise (y up) from where `at` came from. */
function sharpest(ends: readonly number[], at: number, next: readonly number[]): number {
  const back = Math.atan2(ends[at + 1] - ends[at + 3], ends[at] - ends[at + 2]);
  let best = next[0];
  let least = Number.POSITIVE_INFINITY;
  for (const e of next) {
    const angle = back - Math.atan2(ends[e + 3] - ends[e + 1], ends[e + 2] - ends[e]);
    const turned = angle <= 1e-12 ? angle + 2 * Math.PI : angle;
    if (turned >= least) continue;
    least = turned;
    best = e;
  }
  return best;
}

/** A ring that comes through a point twice is two rings that touch there. */
function cutAtTouches(points: readonly number[], out: Ring[]): void {
  const open: number[] = [];
  const seen = new Map<number, number>();
  for (let i = 0; i < points.length; i += 2) {
    const key = pointKey(points[i], points[i + 1]);
    const before = seen.get(key);
    if (before !== undefined) {
      for (let k = before; k < open.length; k += 2) seen.delete(pointKey(open[k], open[k + 1]));
      finish(open.splice(before), out);
    }
    seen.set(key, open.length);
    open.push(points[i], points[i + 1]);
  }
  finish(open, out);
}

/** Leaves out points on the straight between their neighbours: where edges were cut, mostly. */
function finish(points: readonly number[], out: Ring[]): void {
  const n = points.length >> 1;
  const kept: number[] = [];
  for (let i = 0; i < n; i++) {
    const p = ((i + n - 1) % n) * 2;
    const q = ((i + 1) % n) * 2;
    const [x, y] = [points[i * 2], points[i * 2 + 1]];
    if (turn(points[p], points[p + 1], x, y, points[q], points[q + 1]) !== 0) kept.push(x, y);
  }
  if (kept.length >= 6) out.push(Int32Array.from(kept));
}

/** Each outer ring with the holes in it behind it. */
function grouped(rings: readonly Ring[]): Rings {
  const areas = rings.map(ring => area2(ring, ring.length >> 1));
  const outers = rings.map((_, i) => i).filter(i => areas[i] > 0);
  const boxes = rings.map(boxOf);
  const holes = new Map<number, number[]>(outers.map(i => [i, []]));
  for (let h = 0; h < rings.length; h++) {
    if (areas[h] >= 0) continue;
    let own = -1;
    for (const o of outers) {
      if ((own < 0 || areas[o] < areas[own]) && contains(boxes[o], boxes[h]) && holds(rings[o], rings[h])) own = o;
    }
    holes.get(own)?.push(h);
  }
  const out = newRings(
    rings.reduce((sum, ring) => sum + (ring.length >> 1), 0),
    Math.max(1, rings.length),
  );
  for (const o of outers) {
    addRing(out, rings[o], rings[o].length >> 1, true, areas[o]);
    for (const h of holes.get(o) ?? []) addRing(out, rings[h], rings[h].length >> 1, false, areas[h]);
  }
  return out;
}

type Box = readonly [number, number, number, number];

function boxOf(ring: Ring): Box {
  let [minx, miny, maxx, maxy] = [ring[0], ring[1], ring[0], ring[1]];
  for (let i = 2; i < ring.length; i += 2) {
    minx = Math.min(minx, ring[i]);
    miny = Math.min(miny, ring[i + 1]);
    maxx = Math.max(maxx, ring[i]);
    maxy = Math.max(maxy, ring[i + 1]);
  }
  return [minx, miny, maxx, maxy];
}

function contains(a: Box, b: Box): boolean {
  return a[0] <= b[0] && a[1] <= b[1] && a[2] >= b[2] && a[3] >= b[3];
}

/** Rings touch in points at most, so the middle of any edge of the hole that is not on the outer ring decides. */
function holds(outer: Ring, hole: Ring): boolean {
  for (let i = 0; i < hole.length; i += 2) {
    const q = (i + 2) % hole.length;
    const side = sideOf(hole[i] + hole[q], hole[i + 1] + hole[q + 1], outer);
    if (side !== 0) return side > 0;
  }
  return false;
}

/** Of a point in half units: 1 inside, −1 outside, 0 on the ring. */
function sideOf(x: number, y: number, ring: Ring): -1 | 0 | 1 {
  let odd = false;
  let px = ring[ring.length - 2] * 2;
  let py = ring[ring.length - 1] * 2;
  for (let i = 0; i < ring.length; i += 2) {
    const qx = ring[i] * 2;
    const qy = ring[i + 1] * 2;
    const side = turn(px, py, qx, qy, x, y);
    const between = Math.min(px, qx) <= x && x <= Math.max(px, qx) && Math.min(py, qy) <= y && y <= Math.max(py, qy);
    if (side === 0 && between) return 0;
    if (py > y !== qy > y && (qy > py ? side > 0 : side < 0)) odd = !odd;
    px = qx;
    py = qy;
  }
  return odd ? 1 : -1;
}

/** Edges by the columns (or rows) that they pass, to sum the directions of all that lie before one. */
class Columns {
  readonly #lists: number[][] = [];
  readonly #edges: Edges;
  readonly #axis: 0 | 1;
  readonly #low: number;
  readonly #perUnit: number;

  constructor(edges: Edges, axis: 0 | 1) {
    this.#edges = edges;
    this.#axis = axis;
    const [from, to] = axis === 0 ? [edges.ax, edges.bx] : [edges.ay, edges.by];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let e = 0; e < from.length; e++) {
      low = Math.min(low, from[e], to[e]);
      high = Math.max(high, from[e], to[e]);
    }
    this.#low = low;
    const columns = Math.min(1024, Math.max(1, from.length >> 2));
    this.#perUnit = columns / (high - low + 1);
    for (let c = 0; c < columns; c++) this.#lists.push([]);
    for (let e = 0; e < from.length; e++) {
      if (from[e] === to[e]) continue;
      const last = this.#column(Math.max(from[e], to[e]));
      for (let c = this.#column(Math.min(from[e], to[e])); c <= last; c++) this.#lists[c].push(e);
    }
  }

  #column(v: number): number {
    return Math.floor((v - this.#low) * this.#perUnit);
  }

  /** The net direction (towards greater values along the axis) of the edges that a ray from before to e's middle crosses. */
  windingBefore(e: number): number {
    const { ax, ay, bx, by, weight } = this.#edges;
    const swap = this.#axis === 1;
    const mx = ax[e] + bx[e];
    const my = ay[e] + by[e];
    const along = swap ? my : mx;
    let sum = 0;
    for (const o of this.#lists[this.#column(along / 2)]) {
      if (o === e) continue;
      const from = (swap ? ay[o] : ax[o]) * 2;
      const to = (swap ? by[o] : bx[o]) * 2;
      if (from <= along === to <= along) continue;
      // Edges run towards greater x, or upright towards greater y; along y they may also run back.
      const side = turn(ax[o] * 2, ay[o] * 2, bx[o] * 2, by[o] * 2, mx, my);
      const forward = to > from ? 1 : -1;
      const before = swap ? side * forward < 0 : side * forward > 0;
      if (before) sum += weight[o] * forward;
    }
    return sum;
  }
}
