/** Segments between integer points: which of many come near each other, and whether two of them meet. Exact: no rounding. */

/** Pooled lists of the sweep; they grow with the most segments seen. */
export interface SweepScratch {
  order: Int32Array;
  starts: Int32Array;
  heads: Int32Array;
  next: Int32Array;
  owner: Int32Array;
}

const COLUMNS = 1024;
const STRIPS = 64;
/** Up to so many segments, looking at every pair is cheaper than a sweep. */
export const PAIRS_MAX = 40;

export function newSweepScratch(): SweepScratch {
  const heads = new Int32Array(STRIPS);
  const starts = new Int32Array(COLUMNS + 1);
  return { order: new Int32Array(256), starts, heads, next: new Int32Array(1024), owner: new Int32Array(1024) };
}

/**
 * Hands over pairs of segments (x1 y1 x2 y2 each) whose boxes meet, until `visit` answers true; some pairs come more than
 * once, and of a few segments all do. From left to right, and each strip of rows keeps its own list of what the front still crosses.
 */
export function sweepPairs(
  segments: Int32Array,
  n: number,
  scratch: SweepScratch,
  visit: (a: number, b: number) => boolean,
): boolean {
  if (n <= PAIRS_MAX) return allPairs(n, visit);
  let [minx, miny, maxx, maxy] = [segments[0], segments[1], segments[0], segments[1]];
  for (let i = 0; i < n * 4; i += 2) {
    minx = Math.min(minx, segments[i]);
    maxx = Math.max(maxx, segments[i]);
    miny = Math.min(miny, segments[i + 1]);
    maxy = Math.max(maxy, segments[i + 1]);
  }
  sortByLeft(segments, n, minx, COLUMNS / (maxx - minx + 1), scratch);
  const perUnit = STRIPS / (maxy - miny + 1);
  scratch.heads.fill(-1);
  let entries = 0;
  for (let k = 0; k < n; k++) {
    const s = scratch.order[k];
    const top = Math.min(segments[s * 4 + 1], segments[s * 4 + 3]);
    const bottom = Math.max(segments[s * 4 + 1], segments[s * 4 + 3]);
    const last = Math.floor((bottom - miny) * perUnit);
    for (let strip = Math.floor((top - miny) * perUnit); strip <= last; strip++) {
      if (meetStrip(segments, s, strip, minx, maxx, scratch, visit)) return true;
      if (entries === scratch.next.length) growEntries(scratch);
      scratch.owner[entries] = s;
      scratch.next[entries] = scratch.heads[strip];
      scratch.heads[strip] = entries++;
    }
  }
  return false;
}

function allPairs(n: number, visit: (a: number, b: number) => boolean): boolean {
  for (let b = 1; b < n; b++) for (let a = 0; a < b; a++) if (visit(a, b)) return true;
  return false;
}

/** Pairs s with what the strip holds, and takes out what ends a column or more before s begins: order is by columns. */
function meetStrip(
  segments: Int32Array,
  s: number,
  strip: number,
  minx: number,
  maxx: number,
  { heads, next, owner }: SweepScratch,
  visit: (a: number, b: number) => boolean,
): boolean {
  const p = s * 4;
  const left = Math.min(segments[p], segments[p + 2]);
  const right = Math.max(segments[p], segments[p + 2]);
  const top = Math.min(segments[p + 1], segments[p + 3]);
  const bottom = Math.max(segments[p + 1], segments[p + 3]);
  const gone = left - (maxx - minx + 1) / COLUMNS - 1;
  let before = -1;
  for (let e = heads[strip]; e >= 0; e = next[e]) {
    const q = owner[e] * 4;
    const qRight = segments[q] > segments[q + 2] ? segments[q] : segments[q + 2];
    if (qRight < gone) {
      if (before < 0) heads[strip] = next[e];
      else next[before] = next[e];
      continue;
    }
    before = e;
    if (qRight < left || (segments[q] > right && segments[q + 2] > right)) continue;
    if (segments[q + 1] < top && segments[q + 3] < top) continue;
    if (segments[q + 1] > bottom && segments[q + 3] > bottom) continue;
    if (visit(owner[e], s)) return true;
  }
  return false;
}

function sortByLeft(segments: Int32Array, n: number, minx: number, perUnit: number, scratch: SweepScratch): void {
  if (scratch.order.length < n) scratch.order = new Int32Array(n * 2);
  const { starts, order } = scratch;
  starts.fill(0);
  const column = (s: number) => Math.floor((Math.min(segments[s * 4], segments[s * 4 + 2]) - minx) * perUnit);
  for (let s = 0; s < n; s++) starts[column(s) + 1]++;
  for (let c = 1; c <= COLUMNS; c++) starts[c] += starts[c - 1];
  for (let s = 0; s < n; s++) order[starts[column(s)]++] = s;
}

function growEntries(scratch: SweepScratch): void {
  const next = new Int32Array(scratch.next.length * 2);
  next.set(scratch.next);
  scratch.next = next;
  const owner = new Int32Array(next.length);
  owner.set(scratch.owner);
  scratch.owner = owner;
}

/** Twice the signed area of a, b, c: 0 where they lie on one line. */
export function turn(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** True where segments p and q (places in the array) have a point in common. */
export function segmentsMeet(s: Int32Array, p: number, q: number): boolean {
  const [ax, ay, bx, by] = [s[p], s[p + 1], s[p + 2], s[p + 3]];
  const [cx, cy, dx, dy] = [s[q], s[q + 1], s[q + 2], s[q + 3]];
  if ((ax < cx && ax < dx && bx < cx && bx < dx) || (ax > cx && ax > dx && bx > cx && bx > dx)) return false;
  if ((ay < cy && ay < dy && by < cy && by < dy) || (ay > cy && ay > dy && by > cy && by > dy)) return false;
  const c = turn(ax, ay, bx, by, cx, cy);
  const d = turn(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  const a = turn(cx, cy, dx, dy, ax, ay);
  const b = turn(cx, cy, dx, dy, bx, by);
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}
