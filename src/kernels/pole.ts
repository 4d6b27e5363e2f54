/**
 * Where to write a polygon's name: its pole of inaccessibility, the point farthest from the boundary, found by ever smaller square
 * cells, the most promising first. Cells times points are bounded; a point inside is there before the search begins.
 */
import { pointBounds } from './bounds.ts';
import { crossing, interiorPoint, type RingSet } from './interior-point.ts';

/** Grown as needed; may be shared by all searches of a thread. */
export interface PoleScratch {
  /** A binary heap of cells, each x, y, half its side, and the greatest distance that may be in it. */
  heap: Float64Array;
  /** Where a row crosses the rings. */
  crossings: Float64Array;
  /** Rings with their close points left out. */
  xy: Float64Array;
  ends: Int32Array;
}

export function newPoleScratch(): PoleScratch {
  return {
    heap: new Float64Array(256 * CELL),
    crossings: new Float64Array(64),
    xy: new Float64Array(0),
    ends: new Int32Array(0),
  };
}

const CELL = 4;
const SQRT2 = Math.SQRT2;
/** The search ends where nothing can be farther from the boundary than by this share of what was found. */
const TOLERANCE = 0.05;
/** Distances to segments that a search may take, some 2 ns each, and cells that it looks at. */
const SEGMENTS_MAX = 1 << 20;
const CELLS_MAX = 1024;
/** Cells along the longer side at first. */
const FIRST_CELLS = 16;
/** Rings of more points are searched without those nearer to the last than this share of the longer side. */
const POINTS_MAX = 2048;
const THIN_SHARE = 1 / 1024;

/** What searching rings of n points takes at most, bytes. */
export function poleBytes(n: number): number {
  return n * (8 + 16 + 4) + (CELLS_MAX * 3 + FIRST_CELLS * 4) * CELL * 8;
}

/**
 * Writes a point inside the rings to out[0] and out[1]; false where there is none (no area that doubles can tell). Within
 * `tolerance` (or 5 %) of the greatest distance to the boundary, unless the budget ends before.
 */
export function poleOf(rings: RingSet, tolerance: number, scratch: PoleScratch, out: Float64Array): boolean {
  const box = pointBounds(rings.xy, rings.ends[rings.count - 1]);
  const [minx, miny, maxx, maxy] = box;
  const n = rings.ends[rings.count - 1];
  const side = Math.max(maxx - minx, maxy - miny);
  if (!(side > 0 && Number.isFinite(side))) return false;
  centroid(rings, out);
  let best = distance(rings, out[0], out[1]);
  const middle = distance(rings, (minx + maxx) / 2, (miny + maxy) / 2);
  if (middle > best) {
    best = middle;
    out[0] = (minx + maxx) / 2;
    out[1] = (miny + maxy) / 2;
  }
  if (!(best > 0)) {
    if (scratch.crossings.length < n) scratch.crossings = new Float64Array(n);
    if (!interiorPoint(rings, miny, maxy, scratch.crossings, out)) return false;
    best = Math.max(0, distance(rings, out[0], out[1]));
  }
  if (n <= POINTS_MAX) {
    search(rings, box, tolerance, best, scratch, out);
    return true;
  }
  const [x, y] = out;
  search(thinned(rings, side * THIN_SHARE, scratch), box, tolerance, best, scratch, out);
  // What was left out may hold a bay.
  if (!(distance(rings, out[0], out[1]) > best)) {
    out[0] = x;
    out[1] = y;
  }
  return true;
}

/** Of the first ring; its first point where that has no area. */
function centroid({ xy, ends }: RingSet, out: Float64Array): void {
  const n = ends[0] * 2;
  const x0 = xy[0];
  const y0 = xy[1];
  let sum = 0;
  let sx = 0;
  let sy = 0;
  let px = xy[n - 2] - x0;
  let py = xy[n - 1] - y0;
  for (let i = 0; i < n; i += 2) {
    const x = xy[i] - x0;
    const y = xy[i + 1] - y0;
    const f = px * y - x * py;
    sum += f;
    sx += (px + x) * f;
    sy += (py + y) * f;
    px = x;
    py = y;
  }
  const [cx, cy] = [x0 + sx / (3 * sum), y0 + sy / (3 * sum)];
  const sane = Number.isFinite(cx) && Number.isFinite(cy);
  out[0] = sane ? cx : x0;
  out[1] = sane ? cy : y0;
}

/** To the boundary; negative outside. */
export function distance(rings: RingSet, x: number, y: number): number {
  return probe(rings, x, y, -1, { near: 0 });
}

/** Where in xy the nearest segment ends that does not close a ring; 0: none is known. */
interface Hint {
  near: number;
}

/** The same; −Infinity as soon as it is known to be no more than `least`. The hint is looked at first, and left for the next. */
function probe({ xy, ends, count }: RingSet, x: number, y: number, least: number, hint: Hint): number {
  const enough2 = least > 0 ? least * least : -1;
  const { near } = hint;
  if (near > 0 && segment2(xy[near - 2], xy[near - 1], xy[near], xy[near + 1], x, y) <= enough2) return -Infinity;
  let inside = false;
  let nearest = 0;
  let nearest2 = Number.POSITIVE_INFINITY;
  for (let r = 0, first = 0; r < count; r++) {
    const end = ends[r] * 2;
    let ax = xy[end - 2];
    let ay = xy[end - 1];
    for (let i = first; i < end; i += 2) {
      const bx = xy[i];
      const by = xy[i + 1];
      if (ay > y !== by > y && x < crossing(ax, ay, bx, by, y)) inside = !inside;
      const d2 = segment2(ax, ay, bx, by, x, y);
      if (d2 < nearest2) {
        nearest2 = d2;
        nearest = i === first ? 0 : i;
        if (d2 <= enough2) {
          hint.near = nearest;
          return -Infinity;
        }
      }
      ax = bx;
      ay = by;
    }
    first = end;
  }
  hint.near = nearest;
  return inside ? Math.sqrt(nearest2) : -Math.sqrt(nearest2);
}

/** Square of the distance to the segment from a to b. */
function segment2(ax: number, ay: number, bx: number, by: number, x: number, y: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length2 = dx * dx + dy * dy;
  const t = length2 > 0 ? ((x - ax) * dx + (y - ay) * dy) / length2 : 0;
  const ox = x - (t <= 0 ? ax : t >= 1 ? bx : ax + t * dx);
  const oy = y - (t <= 0 ? ay : t >= 1 ? by : ay + t * dy);
  return ox * ox + oy * oy;
}

/** Leaves the best point in out where it is better than `found`. */
function search(
  rings: RingSet,
  [minx, miny, maxx, maxy]: readonly number[],
  tolerance: number,
  found: number,
  scratch: PoleScratch,
  out: Float64Array,
): void {
  const [width, height] = [maxx - minx, maxy - miny];
  const side = Math.max(Math.min(width, height), Math.max(width, height) / FIRST_CELLS);
  let budget = Math.min(CELLS_MAX, Math.floor(SEGMENTS_MAX / rings.ends[rings.count - 1]));
  let best = found;
  let held = 0;
  const hint = { near: 0 };
  const look = (x: number, y: number, half: number) => {
    budget--;
    const target = enough(best, tolerance);
    const d = probe(rings, x, y, Math.min(best, target - half * SQRT2), hint);
    if (d > best) {
      best = d;
      out[0] = x;
      out[1] = y;
    }
    const most = d + half * SQRT2;
    if (most > enough(best, tolerance)) held = push(scratch, held, x, y, half, most);
  };
  const cols = Math.ceil(width / side);
  for (let i = cols * Math.ceil(height / side) - 1; i >= 0 && budget > 0; i--)
    look(minx + ((i % cols) + 0.5) * side, miny + (Math.floor(i / cols) + 0.5) * side, side / 2);
  while (held > 0 && budget > 0) {
    const { heap } = scratch;
    const x = heap[0];
    const y = heap[1];
    const h = heap[2] / 2;
    if (heap[3] <= enough(best, tolerance)) return;
    held = pop(heap, held);
    look(x - h, y - h, h);
    look(x + h, y - h, h);
    look(x - h, y + h, h);
    look(x + h, y + h, h);
  }
}

function enough(best: number, tolerance: number): number {
  return best + Math.max(tolerance, best * TOLERANCE);
}

/** Answers with how many cells the heap has then. */
function push(scratch: PoleScratch, n: number, x: number, y: number, half: number, most: number): number {
  if (scratch.heap.length < (n + 1) * CELL) {
    const grown = new Float64Array(scratch.heap.length * 2);
    grown.set(scratch.heap);
    scratch.heap = grown;
  }
  const { heap } = scratch;
  let i = n;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (heap[parent * CELL + 3] >= most) break;
    move(heap, parent, i);
    i = parent;
  }
  put(heap, i, x, y, half, most);
  return n + 1;
}

/** By hand: for four numbers copyWithin takes longer. */
function move(heap: Float64Array, from: number, to: number): void {
  put(heap, to, heap[from * CELL], heap[from * CELL + 1], heap[from * CELL + 2], heap[from * CELL + 3]);
}

function put(heap: Float64Array, i: number, x: number, y: number, half: number, most: number): void {
  heap[i * CELL] = x;
  heap[i * CELL + 1] = y;
  heap[i * CELL + 2] = half;
  heap[i * CELL + 3] = most;
}

/** Takes the first cell away. */
function pop(heap: Float64Array, n: number): number {
  const last = (n - 1) * CELL;
  const x = heap[last];
  const y = heap[last + 1];
  const half = heap[last + 2];
  const most = heap[last + 3];
  let i = 0;
  for (;;) {
    let child = i * 2 + 1;
    if (child >= n - 1) break;
    if (child + 1 < n - 1 && heap[child * CELL + 7] > heap[child * CELL + 3]) child++;
    if (heap[child * CELL + 3] <= most) break;
    move(heap, child, i);
    i = child;
  }
  put(heap, i, x, y, half, most);
  return n - 1;
}

/** The rings without points nearer than `least` to the one before; each keeps three. */
function thinned({ xy, ends, count }: RingSet, least: number, scratch: PoleScratch): RingSet {
  const n = ends[count - 1];
  if (scratch.xy.length < n * 2) scratch.xy = new Float64Array(n * 2);
  if (scratch.ends.length < count) scratch.ends = new Int32Array(count);
  const into = scratch.xy;
  let m = 0;
  let rings = 0;
  for (let r = 0, first = 0; r < count; r++) {
    const [end, start] = [ends[r] * 2, m];
    let [px, py] = [Number.POSITIVE_INFINITY, 0];
    for (let i = first; i < end; i += 2) {
      const [x, y] = [xy[i], xy[i + 1]];
      if (Math.abs(x - px) + Math.abs(y - py) < least && end - i > (3 - (m - start) / 2) * 2) continue;
      into[m++] = px = x;
      into[m++] = py = y;
    }
    scratch.ends[rings++] = m >> 1;
    first = end;
  }
  return { xy: into, ends: scratch.ends, count: rings };
}
