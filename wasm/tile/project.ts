// AssemblyScript.
/** Source coordinates to tile units, as src/render/vector/project.ts does: the same operations in the same order. */
import { POINTS } from './memory';

/** Row of a latitude where no polynomial is good enough: the sine and the logarithm are the caller's. */
@external('env', 'row')
declare function row(lat: f64): f64;

let mercator: bool = false;
let ax: f64 = 0;
let bx: f64 = 0;
let ay: f64 = 0;
let by: f64 = 0;
let middle: f64 = 0;
let scale: f64 = 0;
let c0: f64 = 0;
let c1: f64 = 0;
let c2: f64 = 0;
let c3: f64 = 0;
let c4: f64 = 0;

export function setAffine(kx: f64, x: f64, ky: f64, y: f64): void {
  mercator = false;
  ax = kx;
  bx = x;
  ay = ky;
  by = y;
}

export function setMercator(kx: f64, x: f64, m: f64, s: f64, p0: f64, p1: f64, p2: f64, p3: f64, p4: f64): void {
  mercator = true;
  ax = kx;
  bx = x;
  middle = m;
  scale = s;
  c0 = p0;
  c1 = p1;
  c2 = p2;
  c3 = p3;
  c4 = p4;
}

export let minx: f64 = 0;
export let miny: f64 = 0;
export let maxx: f64 = 0;
export let maxy: f64 = 0;

/** Projects n points at `xy` to POINTS and finds their bounds; false where a coordinate is not a number. */
export function project(xy: usize, n: i32): bool {
  let x0 = f64.POSITIVE_INFINITY;
  let y0 = f64.POSITIVE_INFINITY;
  let x1 = f64.NEGATIVE_INFINITY;
  let y1 = f64.NEGATIVE_INFINITY;
  let sane: f64 = 0;
  let to = POINTS;
  const stop = xy + (usize(n) << 4);
  for (let from = xy; from < stop; from += 16) {
    const x = load<f64>(from) * ax + bx;
    const v = load<f64>(from, 8);
    let y: f64;
    if (mercator) {
      const t = (v - middle) * scale;
      y = t >= -1 && t <= 1 ? c0 + t * (c1 + t * (c2 + t * (c3 + t * c4))) : row(v);
    } else y = v * ay + by;
    store<f64>(to, x);
    store<f64>(to, y, 8);
    to += 16;
    sane += x - x + (y - y);
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  minx = x0;
  miny = y0;
  maxx = x1;
  maxy = y1;
  return sane == 0;
}

/** Without last points that repeat the first. */
export function opened(n: i32): i32 {
  let m = n;
  const x = load<f64>(POINTS);
  const y = load<f64>(POINTS, 8);
  while (m > 1) {
    const last = POINTS + (usize(m - 1) << 4);
    if (load<f64>(last) != x || load<f64>(last, 8) != y) break;
    m--;
  }
  return m;
}
