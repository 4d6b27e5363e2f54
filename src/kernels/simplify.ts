/** From clipped doubles to the tile's integers: rounding, repeated points, Douglas–Peucker, area. */

/** Rounds n points into `out`, leaving out points equal to the one before; answers with how many there are. */
export function quantise(src: Float64Array, from: number, n: number, shift: number, out: Int32Array): number {
  let m = 0;
  let px = 0;
  let py = 0;
  for (let i = 0; i < n; i++) {
    const x = Math.round(src[from + i * 2] + shift);
    const y = Math.round(src[from + i * 2 + 1]);
    if (m > 0 && x === px && y === py) continue;
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

/** Douglas–Peucker of an open line, in place; its ends stay. */
export function simplifyLine(points: Int32Array, n: number, tolerance2: number, scratch: SimplifyScratch): number {
  if (n <= 2 || tolerance2 <= 0) return n;
  room(scratch, n);
  scratch.keep.fill(0, 0, n);
  scratch.keep[0] = scratch.keep[n - 1] = 1;
  mark(points, n, 0, n - 1, tolerance2, scratch);
  return compact(points, n, scratch.keep);
}

/**
 * Douglas–Peucker of a ring (first point not repeated), in place. Its two anchors are its lowest-leftmost point and the
 * farthest from that, so that the same ring comes out alike wherever it begins.
 */
export function simplifyRing(points: Int32Array, n: number, tolerance2: number, scratch: SimplifyScratch): number {
  if (n <= 4 || tolerance2 <= 0) return n;
  room(scratch, n);
  scratch.keep.fill(0, 0, n);
  let a = 0;
  for (let i = 1; i < n; i++) {
    const d = points[i * 2] - points[a * 2];
    if (d < 0 || (d === 0 && points[i * 2 + 1] < points[a * 2 + 1])) a = i;
  }
  let b = a;
  let far = -1;
  for (let i = 0; i < n; i++) {
    const dx = points[i * 2] - points[a * 2];
    const dy = points[i * 2 + 1] - points[a * 2 + 1];
    if (dx * dx + dy * dy > far) {
      far = dx * dx + dy * dy;
      b = i;
    }
  }
  if (far <= 0) return 1;
  scratch.keep[a] = scratch.keep[b] = 1;
  mark(points, n, a, b > a ? b : b + n, tolerance2, scratch);
  mark(points, n, b, a > b ? a : a + n, tolerance2, scratch);
  return compact(points, n, scratch.keep);
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
