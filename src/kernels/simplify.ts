/** From clipped doubles to the tile's integers: rounding, repeated points, Douglas–Peucker, area. */

/** Rounds n points into `out`, leaving out points equal to the one before; answers with how many there are. */
export function quantise(src: Float64Array, from: number, n: number, shift: number, out: Int32Array): number {
  if (n === 0) return 0;
  // Half up, as Math.round does; | 0 tells the compiler that neither −0 nor fractions come out.
  let px = Math.floor(src[from] + shift + 0.5) | 0;
  let py = Math.floor(src[from + 1] + 0.5) | 0;
  out[0] = px;
  out[1] = py;
  let m = 2;
  for (let i = from + 2, end = from + n * 2; i < end; i += 2) {
    const x = Math.floor(src[i] + shift + 0.5) | 0;
    const y = Math.floor(src[i + 1] + 0.5) | 0;
    if (x === px && y === py) continue;
    out[m++] = x;
    out[m++] = y;
    px = x;
    py = y;
  }
  return m >> 1;
}

/** Drops last points that repeat the first: in a ring the first follows the last anyway. */
export function openRing(points: Int32Array, n: number): number {
  let m = n;
  while (m > 1 && points[m * 2 - 2] === points[0] && points[m * 2 - 1] === points[1]) m--;
  return m;
}

/** Twice the signed area of the ring; positive is clockwise on a screen whose y goes down, as MVT wants outer rings. */
export function area2(points: Int32Array, n: number): number {
  let sum = 0;
  let px = points[n * 2 - 2];
  let py = points[n * 2 - 1];
  for (let i = 0; i < n * 2; i += 2) {
    const x = points[i];
    const y = points[i + 1];
    sum += px * y - x * py;
    px = x;
    py = y;
  }
  return sum;
}

export interface SimplifyScratch {
  keep: Uint8Array;
  stack: Int32Array;
}

export function newSimplifyScratch(points: number): SimplifyScratch {
  return { keep: new Uint8Array(points), stack: new Int32Array(points * 2 + 4) };
}

/**
 * Where a neighbouring tile begins and where this one's buffer ends, both ways: the two tiles see what lies between alike. A
 * segment that crosses one of these lines keeps both its ends, so that simplifying in between does not know which tile it is in.
 */
export interface Seams {
  readonly buffer: number;
  readonly extent: number;
}

function zone(v: number, { buffer, extent }: Seams): number {
  const inner = extent - buffer;
  return (v > -buffer ? 1 : 0) + (v >= buffer ? 1 : 0) + (v > inner ? 1 : 0) + (v >= extent + buffer ? 1 : 0);
}

/** Begins the marks of n points with those that `seams` holds fast; answers with how many. */
export function markSeams(
  points: Int32Array,
  n: number,
  closed: boolean,
  seams: Seams,
  scratch: SimplifyScratch,
): number {
  room(scratch, n);
  const { keep } = scratch;
  keep.fill(0, 0, n);
  let marked = 0;
  let p = closed ? n - 1 : 0;
  let column = zone(points[p * 2], seams);
  let row = zone(points[p * 2 + 1], seams);
  for (let i = closed ? 0 : 1; i < n; i++) {
    const c = zone(points[i * 2], seams);
    const r = zone(points[i * 2 + 1], seams);
    if (c !== column || r !== row) {
      marked += 2 - keep[p];
      keep[p] = keep[i] = 1;
      column = c;
      row = r;
    }
    p = i;
  }
  return marked;
}

/** Douglas–Peucker of an open line, in place; its ends stay, and what markSeams() marked where `marked` is not 0. */
export function simplifyLine(
  points: Int32Array,
  n: number,
  tolerance2: number,
  scratch: SimplifyScratch,
  marked = 0,
): number {
  if (n <= 2 || tolerance2 <= 0) return n;
  room(scratch, n);
  const { keep } = scratch;
  if (marked === 0) keep.fill(0, 0, n);
  keep[0] = keep[n - 1] = 1;
  let a = 0;
  for (let i = 1; i < n; i++) {
    if (keep[i] === 0) continue;
    mark(points, n, a, i, tolerance2, scratch);
    a = i;
  }
  return compact(points, n, keep);
}

/**
 * Douglas–Peucker of a ring (first point not repeated), in place. What markSeams() marked stays where `marked` is not 0; else
 * its two anchors are its lowest-leftmost point and the farthest from that, so that the same ring comes out alike wherever it
 * begins.
 */
export function simplifyRing(
  points: Int32Array,
  n: number,
  tolerance2: number,
  scratch: SimplifyScratch,
  marked = 0,
): number {
  if (tolerance2 <= 0 || (n <= 4 && marked === 0)) return n;
  room(scratch, n);
  const { keep } = scratch;
  if (marked === 0) {
    keep.fill(0, 0, n);
    if (!anchor(points, n, keep)) return 1;
  }
  let first = 0;
  while (keep[first] === 0) first++;
  let a = first;
  // Marks that are set on the way lie behind i.
  for (let i = first + 1; i <= first + n; i++) {
    if (keep[i >= n ? i - n : i] === 0) continue;
    mark(points, n, a, i, tolerance2, scratch);
    a = i;
  }
  return compact(points, n, keep);
}

/** False where all points are one. */
function anchor(points: Int32Array, n: number, keep: Uint8Array): boolean {
  let a = 0;
  for (let i = 1; i < n; i++) {
    const d = points[i * 2] - points[a * 2];
    if (d < 0 || (d === 0 && points[i * 2 + 1] < points[a * 2 + 1])) a = i;
  }
  let b = a;
  let far = 0;
  for (let i = 0; i < n; i++) {
    const dx = points[i * 2] - points[a * 2];
    const dy = points[i * 2 + 1] - points[a * 2 + 1];
    const d = dx * dx + dy * dy;
    // Of two as far away the lesser one, so that the ring may begin anywhere.
    const lesser =
      dx < points[b * 2] - points[a * 2] ||
      (dx === points[b * 2] - points[a * 2] && points[i * 2 + 1] < points[b * 2 + 1]);
    if (d > far || (d === far && d > 0 && lesser)) {
      far = d;
      b = i;
    }
  }
  keep[a] = keep[b] = 1;
  return far > 0;
}

function room(scratch: SimplifyScratch, n: number): void {
  if (scratch.keep.length >= n) return;
  scratch.keep = new Uint8Array(n * 2);
  scratch.stack = new Int32Array(n * 4 + 4);
}

/** Marks what stays strictly between first and last; indices run past n and wrap. */
function mark(
  points: Int32Array,
  n: number,
  first: number,
  last: number,
  tolerance2: number,
  scratch: SimplifyScratch,
): void {
  const { keep, stack } = scratch;
  let depth = 0;
  let a = first;
  let b = last;
  for (;;) {
    const pa = (a >= n ? a - n : a) * 2;
    const pb = (b >= n ? b - n : b) * 2;
    const ax = points[pa];
    const ay = points[pa + 1];
    const dx = points[pb] - ax;
    const dy = points[pb + 1] - ay;
    const length2 = dx * dx + dy * dy;
    let worst = tolerance2;
    let at = -1;
    for (let i = a + 1; i < b; i++) {
      const p = (i >= n ? i - n : i) * 2;
      let ex = points[p] - ax;
      let ey = points[p + 1] - ay;
      if (length2 > 0) {
        let t = (ex * dx + ey * dy) / length2;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        ex -= dx * t;
        ey -= dy * t;
      }
      const d = ex * ex + ey * ey;
      if (d > worst) {
        worst = d;
        at = i;
      }
    }
    if (at >= 0) {
      keep[at >= n ? at - n : at] = 1;
      stack[depth++] = at;
      stack[depth++] = b;
      b = at;
    } else {
      if (depth === 0) return;
      b = stack[--depth];
      a = stack[--depth];
    }
  }
}

/** Closes the gaps, and with them points that have come to lie beside their equal: no segment may have no length. */
function compact(points: Int32Array, n: number, keep: Uint8Array): number {
  let m = 0;
  for (let i = 0; i < n; i++) {
    if (keep[i] === 0) continue;
    const x = points[i * 2];
    const y = points[i * 2 + 1];
    if (m > 0 && points[m * 2 - 2] === x && points[m * 2 - 1] === y) continue;
    points[m * 2] = x;
    points[m * 2 + 1] = y;
    m++;
  }
  return m;
}
