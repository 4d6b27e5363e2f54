/**
 * Whether rounded rings still make a valid polygon: no two edges meet but neighbours at their common point, no spike, each hole
 * in its outer ring, no outer ring in the filled part of another. Rings that touch in a point may be valid too, but count as
 * not: arrange.ts then finds out.
 */
import { newSweepScratch, PAIRS_MAX, type SweepScratch, segmentsMeet, sweepPairs } from './segments.ts';

/** Rings one behind the other: points x y x y …, the first not repeated. Outer rings turn one way, holes the other. */
export interface Rings {
  xy: Int32Array;
  /** Where ring i ends, in points. */
  ends: Int32Array;
  /** 1: outer ring. A hole belongs to the outer ring before it. */
  outer: Uint8Array;
  /** Twice the signed area of each. */
  areas: Float64Array;
  count: number;
}

export function newRings(points: number, rings: number): Rings {
  return {
    xy: new Int32Array(points * 2),
    ends: new Int32Array(rings),
    outer: new Uint8Array(rings),
    areas: new Float64Array(rings),
    count: 0,
  };
}

/** Adds a ring of n points that lie in `from`. */
export function addRing(rings: Rings, from: Int32Array, n: number, outer: boolean, area: number): void {
  const start = rings.count === 0 ? 0 : rings.ends[rings.count - 1];
  if ((start + n) * 2 > rings.xy.length) {
    const grown = new Int32Array((start + n) * 3);
    grown.set(rings.xy.subarray(0, start * 2));
    rings.xy = grown;
  }
  if (rings.count === rings.ends.length) growRings(rings);
  const { xy } = rings;
  if (n > 32) xy.set(from.subarray(0, n * 2), start * 2);
  else for (let i = 0, at = start * 2; i < n * 2; i++) xy[at++] = from[i];
  rings.ends[rings.count] = start + n;
  rings.outer[rings.count] = outer ? 1 : 0;
  rings.areas[rings.count++] = area;
}

function growRings(rings: Rings): void {
  const size = rings.count * 2;
  const ends = new Int32Array(size);
  ends.set(rings.ends);
  const outer = new Uint8Array(size);
  outer.set(rings.outer);
  const areas = new Float64Array(size);
  areas.set(rings.areas);
  Object.assign(rings, { ends, outer, areas });
}

export interface RingsScratch {
  segments: Int32Array;
  /** Segment that follows each in its ring. */
  after: Int32Array;
  sweep: SweepScratch;
}

export function newRingsScratch(): RingsScratch {
  return { segments: new Int32Array(1024), after: new Int32Array(256), sweep: newSweepScratch() };
}

export function ringsValid(rings: Rings, scratch: RingsScratch): boolean {
  const n = rings.count === 0 ? 0 : rings.ends[rings.count - 1];
  if (rings.count === 1 && n <= PAIRS_MAX) return smallRingValid(rings.xy, n);
  return !edgesTouch(rings, 0, rings.count, scratch) && (rings.count === 1 || nested(rings));
}

/** True where rings first … last − 1 touch themselves or each other, or have a spike. */
export function edgesTouch(rings: Rings, first: number, last: number, scratch: RingsScratch): boolean {
  const n = edgesOf(rings, first, last, scratch);
  const { segments, after } = scratch;
  for (let i = 0; i < n; i++) {
    const p = i * 4;
    const q = after[i] * 4;
    const ux = segments[p + 2] - segments[p];
    const uy = segments[p + 3] - segments[p + 1];
    const vx = segments[q + 2] - segments[q];
    const vy = segments[q + 3] - segments[q + 1];
    if (ux * vy === uy * vx && ux * vx + uy * vy < 0) return true;
  }
  const meet = (i: number, j: number) =>
    i !== j && after[i] !== j && after[j] !== i && segmentsMeet(segments, i * 4, j * 4);
  return sweepPairs(segments, n, scratch.sweep, meet);
}

function edgesOf({ xy, ends }: Rings, first: number, last: number, scratch: RingsScratch): number {
  const from = first === 0 ? 0 : ends[first - 1];
  const n = ends[last - 1] - from;
  if (scratch.segments.length < n * 4) {
    scratch.segments = new Int32Array(n * 6);
    scratch.after = new Int32Array(n * 2);
  }
  const { segments, after } = scratch;
  let start = from;
  for (let r = first; r < last; r++) {
    for (let i = start; i < ends[r]; i++) {
      const next = i + 1 < ends[r] ? i + 1 : start;
      const at = (i - from) * 4;
      segments[at] = xy[i * 2];
      segments[at + 1] = xy[i * 2 + 1];
      segments[at + 2] = xy[next * 2];
      segments[at + 3] = xy[next * 2 + 1];
      after[i - from] = next - from;
    }
    start = ends[r];
  }
  return n;
}

/** One ring, every pair of edges; what most features are. */
function smallRingValid(xy: Int32Array, n: number): boolean {
  let ax = xy[n * 2 - 2];
  let ay = xy[n * 2 - 1];
  for (let i = 0; i < n; i++) {
    const bx = xy[i * 2];
    const by = xy[i * 2 + 1];
    const k = i + 1 < n ? i * 2 + 2 : 0;
    const ux = bx - ax;
    const uy = by - ay;
    const vx = xy[k] - bx;
    const vy = xy[k + 1] - by;
    if (ux * vy === uy * vx && ux * vx + uy * vy < 0) return false;
    // Edge a–b against those behind the next: c–d from i + 1 on; the last but one ends where a–b begins when i is 0.
    const last = i === 0 ? n - 2 : n - 1;
    let cx = xy[k];
    let cy = xy[k + 1];
    let cSide = ux * (cy - ay) - uy * (cx - ax);
    for (let j = i + 2; j <= last; j++) {
      const dx = xy[j * 2];
      const dy = xy[j * 2 + 1];
      const dSide = ux * (dy - ay) - uy * (dx - ax);
      // Both on one side of the line through a–b: no need to look closer, and mostly it is so.
      if (!((cSide > 0 && dSide > 0) || (cSide < 0 && dSide < 0)) && crosses(ax, ay, bx, by, cx, cy, dx, dy))
        return false;
      cx = dx;
      cy = dy;
      cSide = dSide;
    }
    ax = bx;
    ay = by;
  }
  return true;
}

/** c and d are not both on one side of a–b: do the segments meet? */
function crosses(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  if ((ax < cx && ax < dx && bx < cx && bx < dx) || (ax > cx && ax > dx && bx > cx && bx > dx)) return false;
  if ((ay < cy && ay < dy && by < cy && by < dy) || (ay > cy && ay > dy && by > cy && by > dy)) return false;
  const a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx);
  const b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx);
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/** Each outer ring lies in nothing filled, each hole in its own outer ring and in no other hole. No two rings touch here. */
function nested(rings: Rings): boolean {
  const { xy, ends, outer, count } = rings;
  const boxes = boxesOf(rings);
  let own = -1;
  for (let r = 0; r < count; r++) {
    if (outer[r]) own = r;
    const p = (r === 0 ? 0 : ends[r - 1]) * 2;
    const x = xy[p];
    const y = xy[p + 1];
    let depth = 0;
    let inOwn = false;
    for (let o = 0; o < count; o++) {
      if (o === r || x < boxes[o * 4] || y < boxes[o * 4 + 1] || x > boxes[o * 4 + 2] || y > boxes[o * 4 + 3]) continue;
      if (!inside(x, y, xy, o === 0 ? 0 : ends[o - 1], ends[o])) continue;
      depth += outer[o] ? 1 : -1;
      if (o === own) inOwn = true;
    }
    if (outer[r] ? depth !== 0 : depth !== 1 || !inOwn) return false;
  }
  return true;
}

function boxesOf({ xy, ends, count }: Rings): Int32Array {
  const boxes = new Int32Array(count * 4);
  let i = 0;
  for (let r = 0; r < count; r++) {
    let [minx, miny, maxx, maxy] = [xy[i * 2], xy[i * 2 + 1], xy[i * 2], xy[i * 2 + 1]];
    for (; i < ends[r]; i++) {
      const x = xy[i * 2];
      const y = xy[i * 2 + 1];
      if (x < minx) minx = x;
      if (x > maxx) maxx = x;
      if (y < miny) miny = y;
      if (y > maxy) maxy = y;
    }
    boxes[r * 4] = minx;
    boxes[r * 4 + 1] = miny;
    boxes[r * 4 + 2] = maxx;
    boxes[r * 4 + 3] = maxy;
  }
  return boxes;
}

function inside(x: number, y: number, xy: Int32Array, from: number, to: number): boolean {
  let odd = false;
  let px = xy[to * 2 - 2];
  let py = xy[to * 2 - 1];
  for (let i = from; i < to; i++) {
    const qx = xy[i * 2];
    const qy = xy[i * 2 + 1];
    if (py > y !== qy > y) {
      const side = (qx - px) * (y - py) - (qy - py) * (x - px);
      if (qy > py ? side > 0 : side < 0) odd = !odd;
    }
    px = qx;
    py = qy;
  }
  return odd;
}

/** Takes out, in place, points where the ring doubles back on itself, and the repeated points that this leaves. */
export function dropSpikes(xy: Int32Array, n: number): number {
  let count = n;
  for (let before = 0; before !== count && count >= 3; ) {
    before = count;
    let m = 0;
    for (let i = 0; i < count; i++) {
      const p = m > 0 ? m * 2 - 2 : count * 2 - 2;
      const q = i + 1 < count ? i * 2 + 2 : 0;
      const x = xy[i * 2];
      const y = xy[i * 2 + 1];
      const ux = x - xy[p];
      const uy = y - xy[p + 1];
      const vx = xy[q] - x;
      const vy = xy[q + 1] - y;
      if ((ux === 0 && uy === 0) || (ux * vy === uy * vx && ux * vx + uy * vy < 0)) continue;
      xy[m * 2] = x;
      xy[m * 2 + 1] = y;
      m++;
    }
    count = m;
  }
  return count;
}
