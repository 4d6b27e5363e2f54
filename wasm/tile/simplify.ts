// AssemblyScript.
/** Rounding and Douglas–Peucker, as src/kernels/simplify.ts and src/render/vector/rounder.ts do: same points, same order. */
import { INTS, KEEP, STACK } from './memory';

let tolerance2: f64 = 0;
let buffer: i32 = 0;
let extent: i32 = 0;

export function setSimplify(tolerance: f64, seamBuffer: i32, tileExtent: i32): void {
  tolerance2 = tolerance * tolerance;
  buffer = seamBuffer;
  extent = tileExtent;
}

@inline
export function xAt(i: i32): i32 {
  return load<i32>(INTS + (usize(i) << 3));
}

@inline
export function yAt(i: i32): i32 {
  return load<i32>(INTS + (usize(i) << 3), 4);
}

@inline
export function put(i: i32, x: i32, y: i32): void {
  const at = INTS + (usize(i) << 3);
  store<i32>(at, x);
  store<i32>(at, y, 4);
}

@inline
function keep(i: i32): u8 {
  return load<u8>(KEEP + i);
}

@inline
function clear(n: i32): void {
  for (let i = 0; i < n; i += 8) store<u64>(KEEP + i, 0);
}

/** Rounds n points at `from` half up into INTS, leaving out those equal to the one before. */
export function quantise(from: usize, n: i32): i32 {
  if (n == 0) return 0;
  let px = i32(Math.floor(load<f64>(from) + 0.5));
  let py = i32(Math.floor(load<f64>(from, 8) + 0.5));
  put(0, px, py);
  let to = INTS + 8;
  const stop = from + (usize(n) << 4);
  for (let p = from + 16; p < stop; p += 16) {
    const x = i32(Math.floor(load<f64>(p) + 0.5));
    const y = i32(Math.floor(load<f64>(p, 8) + 0.5));
    if (x == px && y == py) continue;
    store<i32>(to, x);
    store<i32>(to, y, 4);
    to += 8;
    px = x;
    py = y;
  }
  return i32((to - INTS) >> 3);
}

export function openRing(n: i32): i32 {
  let m = n;
  while (m > 1 && xAt(m - 1) == xAt(0) && yAt(m - 1) == yAt(0)) m--;
  return m;
}

export function area2(n: i32): i64 {
  let sum: i64 = 0;
  let px: i64 = xAt(n - 1);
  let py: i64 = yAt(n - 1);
  for (let i = 0; i < n; i++) {
    const x: i64 = xAt(i);
    const y: i64 = yAt(i);
    sum += px * y - x * py;
    px = x;
    py = y;
  }
  return sum;
}

/** An open ring of n points at `from`; what simplifying flattens stays as it was rounded. */
export function roundRing(from: usize, n: i32, seamed: bool): i32 {
  const before = openRing(quantise(from, n));
  if (before < 4 || tolerance2 == 0) return before;
  const marked = seamed ? markSeams(before, true) : 0;
  const m = openRing(simplifyRing(before, marked));
  if (m == before || (m >= 3 && area2(m) != 0)) return m;
  return openRing(quantise(from, n));
}

export function roundLine(from: usize, n: i32, seamed: bool): i32 {
  const rounded = quantise(from, n);
  if (tolerance2 == 0) return rounded;
  const marked = seamed ? markSeams(rounded, false) : 0;
  const kept = simplifyLine(rounded, marked);
  return kept < 2 && rounded >= 3 ? quantise(from, n) : kept;
}

@inline
function zone(v: i32): i32 {
  return i32(v > -buffer) + i32(v >= buffer) + i32(v > extent - buffer) + i32(v >= extent + buffer);
}

function markSeams(n: i32, closed: bool): i32 {
  clear(n);
  let marked = 0;
  let p = closed ? n - 1 : 0;
  let column = zone(xAt(p));
  let line = zone(yAt(p));
  for (let i = closed ? 0 : 1; i < n; i++) {
    const c = zone(xAt(i));
    const r = zone(yAt(i));
    if (c != column || r != line) {
      marked += 2 - keep(p);
      store<u8>(KEEP + p, 1);
      store<u8>(KEEP + i, 1);
      column = c;
      line = r;
    }
    p = i;
  }
  return marked;
}

function simplifyLine(n: i32, marked: i32): i32 {
  if (n <= 2) return n;
  if (marked == 0) clear(n);
  store<u8>(KEEP, 1);
  store<u8>(KEEP + n - 1, 1);
  let a = 0;
  for (let i = 1; i < n; i++) {
    if (keep(i) == 0) continue;
    mark(n, a, i);
    a = i;
  }
  return compact(n);
}

function simplifyRing(n: i32, marked: i32): i32 {
  if (n <= 4 && marked == 0) return n;
  if (marked == 0) {
    clear(n);
    if (!anchor(n)) return 1;
  }
  let first = 0;
  while (keep(first) == 0) first++;
  let a = first;
  for (let i = first + 1; i <= first + n; i++) {
    if (keep(i >= n ? i - n : i) == 0) continue;
    mark(n, a, i);
    a = i;
  }
  return compact(n);
}

/** Marks the lowest-leftmost point and the farthest from it; false where all points are one. */
function anchor(n: i32): bool {
  let a = 0;
  let ax: i64 = xAt(0);
  let ay: i64 = yAt(0);
  for (let i = 1; i < n; i++) {
    const x: i64 = xAt(i);
    const y: i64 = yAt(i);
    if (x < ax || (x == ax && y < ay)) {
      a = i;
      ax = x;
      ay = y;
    }
  }
  let b = a;
  let far: i64 = 0;
  let bdx: i64 = 0;
  let by: i64 = ay;
  for (let i = 0; i < n; i++) {
    const y: i64 = yAt(i);
    const dx: i64 = i64(xAt(i)) - ax;
    const dy: i64 = y - ay;
    const d = dx * dx + dy * dy;
    if (d > far || (d == far && d > 0 && (dx < bdx || (dx == bdx && y < by)))) {
      far = d;
      b = i;
      bdx = dx;
      by = y;
    }
  }
  store<u8>(KEEP + a, 1);
  store<u8>(KEEP + b, 1);
  return far > 0;
}

/** Marks what stays strictly between first and last; indices run past n and wrap. */
function mark(n: i32, first: i32, last: i32): void {
  let depth: usize = STACK;
  let a = first;
  let b = last;
  while (true) {
    const pa = a >= n ? a - n : a;
    const pb = b >= n ? b - n : b;
    const ax = xAt(pa);
    const ay = yAt(pa);
    const dx = f64(xAt(pb) - ax);
    const dy = f64(yAt(pb) - ay);
    const length2 = dx * dx + dy * dy;
    let worst = tolerance2;
    let at = -1;
    for (let i = a + 1; i < b; i++) {
      const p = i >= n ? i - n : i;
      let ex = f64(xAt(p) - ax);
      let ey = f64(yAt(p) - ay);
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
      store<u8>(KEEP + (at >= n ? at - n : at), 1);
      store<i32>(depth, at);
      store<i32>(depth, b, 4);
      depth += 8;
      b = at;
    } else {
      if (depth == STACK) return;
      depth -= 8;
      b = load<i32>(depth, 4);
      a = load<i32>(depth);
    }
  }
}

/** Closes the gaps, and with them points that have come to lie beside their equal. */
function compact(n: i32): i32 {
  let m = 0;
  for (let i = 0; i < n; i++) {
    if (keep(i) == 0) continue;
    const x = xAt(i);
    const y = yAt(i);
    if (m > 0 && xAt(m - 1) == x && yAt(m - 1) == y) continue;
    put(m++, x, y);
  }
  return m;
}
