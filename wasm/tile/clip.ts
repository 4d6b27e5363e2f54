// AssemblyScript.
/** Sutherland–Hodgman, side by side, as src/kernels/clip.ts does. */
import { CLIP_A, CLIP_B, POINTS } from './memory';
import { maxx, maxy, minx, miny } from './project';

/** Where the clipped ring lies. */
export let ring: usize = POINTS;

/** Clips n points at `from`, whose bounds project.ts found, to the square. */
export function clipRing(from: usize, n: i32, min: f64, max: f64): i32 {
  return clipBox(from, n, min, max, minx, miny, maxx, maxy);
}

export function clipBox(from: usize, n: i32, min: f64, max: f64, x0: f64, y0: f64, x1: f64, y1: f64): i32 {
  ring = from;
  let count = n;
  if (x0 < min) count = clipSide(count, 0, min, 1);
  if (x1 > max) count = clipSide(count, 0, max, -1);
  if (y0 < min) count = clipSide(count, 8, min, 1);
  if (y1 > max) count = clipSide(count, 8, max, -1);
  return count;
}

function clipSide(n: i32, axis: usize, limit: f64, sign: f64): i32 {
  const from = ring;
  const out = from == CLIP_A ? CLIP_B : CLIP_A;
  ring = out;
  if (n == 0) return 0;
  const other: usize = 8 - axis;
  let to = out;
  const last = from + (usize(n - 1) << 4);
  let pv = load<f64>(last + axis);
  let po = load<f64>(last + other);
  let pIn = (pv - limit) * sign >= 0;
  for (let p = from; p <= last; p += 16) {
    const v = load<f64>(p + axis);
    const o = load<f64>(p + other);
    const inside = (v - limit) * sign >= 0;
    if (inside != pIn) {
      store<f64>(to + axis, limit);
      store<f64>(to + other, po + ((o - po) * (limit - pv)) / (v - pv));
      to += 16;
    }
    if (inside) {
      store<f64>(to + axis, v);
      store<f64>(to + other, o);
      to += 16;
    }
    pv = v;
    po = o;
    pIn = inside;
  }
  return i32((to - out) >> 4);
}
