// AssemblyScript. Bilinear from a window of interleaved bytes, in fixed point: weights are fourteen bits and sum to one, so that a
// plain picture stays what it is, and what comes out is within 0.03 of the exact value before it is rounded.

const ONE: f64 = 16384;
const HALF: i32 = 8192;
/** As in src/kernels/resample.ts. */
const EDGE: f64 = 1e-10;

/** Three samples of four pixels, weighed: sums of fourteen bits' scale in the first three lanes. */
@inline
function weigh(a: usize, b: usize, c: usize, d: usize, top: i32, bottom: i32): v128 {
  const upper = i16x8.extend_low_i8x16_u(
    i8x16.shuffle(v128.load32_zero(a), v128.load32_zero(b), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
  );
  const lower = i16x8.extend_low_i8x16_u(
    i8x16.shuffle(v128.load32_zero(c), v128.load32_zero(d), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
  );
  const sum = i32x4.add(i32x4.dot_i16x8_s(upper, i32x4.splat(top)), i32x4.dot_i16x8_s(lower, i32x4.splat(bottom)));
  return i32x4.shr_s(i32x4.add(sum, i32x4.splat(HALF)), 14);
}

@inline
function put3(at: usize, sums: v128): void {
  const words = i16x8.narrow_i32x4_u(sums, sums);
  const bytes = <u32>i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
  store<u16>(at, <u16>bytes);
  store<u8>(at, <u8>(bytes >> 16), 2);
}

/**
 * `count` pixels at positions xs, ys (doubles; NaN is nowhere) in the window of width × height RGB pixels, behind which a byte more
 * may be read. Pixels outside are left
 * alone; mask gets 255 where one was written.
 */
export function bilinear3(
  window: usize,
  width: i32,
  height: i32,
  xs: usize,
  ys: usize,
  count: i32,
  out: usize,
  mask: usize,
): void {
  const right = <f64>width - EDGE;
  const bottom = <f64>height - EDGE;
  const row = width * 3;
  for (let i = 0; i < count; i++, out += 3) {
    const x = load<f64>(xs + (<usize>i << 3));
    const y = load<f64>(ys + (<usize>i << 3));
    if (!(x >= -EDGE && y >= -EDGE && x < right && y < bottom)) continue;
    const fx = x - 0.5;
    const fy = y - 0.5;
    const wholeX = floor<f64>(fx);
    const wholeY = floor<f64>(fy);
    const sx = <i32>((fx - wholeX) * ONE + 0.5);
    const sy = <i32>((fy - wholeY) * ONE + 0.5);
    const x0 = <i32>wholeX;
    const y0 = <i32>wholeY;
    const left = window + <usize>(max<i32>(x0, 0) * 3);
    const next = window + <usize>(min<i32>(x0 + 1, width - 1) * 3);
    const top = <usize>(max<i32>(y0, 0) * row);
    const under = <usize>(min<i32>(y0 + 1, height - 1) * row);
    const w11 = (sx * sy + HALF) >> 14;
    const w10 = sy - w11;
    const w01 = sx - w11;
    const w00 = 16384 - sx - w10;
    put3(out, weigh(left + top, next + top, left + under, next + under, w00 | (w01 << 16), w10 | (w11 << 16)));
    store<u8>(mask + i, 255);
  }
}

/**
 * The same for a row whose columns are known: `first` and `second` of each pixel are its columns (first -1: outside), shares how
 * far it is between them, 0 to 16384, all of 32 bits; so is the row's share of `under`.
 */
export function bilinearRow3(
  top: usize,
  under: usize,
  sy: i32,
  first: usize,
  second: usize,
  shares: usize,
  count: i32,
  out: usize,
): void {
  for (let i = 0; i < count; i++, out += 3) {
    const at = <usize>i << 2;
    const column = load<i32>(first + at);
    if (column < 0) continue;
    const a = <usize>(column * 3);
    const b = <usize>(load<i32>(second + at) * 3);
    const sx = load<i32>(shares + at);
    const w11 = (sx * sy + HALF) >> 14;
    const w10 = sy - w11;
    const w01 = sx - w11;
    const w00 = 16384 - sx - w10;
    put3(out, weigh(top + a, top + b, under + a, under + b, w00 | (w01 << 16), w10 | (w11 << 16)));
  }
}

/** Both samples of each of three bands of two pixels that lie side by side, as pairs of sixteen bits. */
@inline
function pairs(at: usize): v128 {
  return i8x16.swizzle(v128.load64_zero(at), i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}

/** From here to the ends of the window no position needs a look at its neighbours, whatever rounding does to it. */
const INSIDE: f64 = 0.500001;

/** The parabola through a, b and c, at 0, ½ and 1; in the order of operations of src/kernels/warp.ts. */
@inline
function steepness(a: v128, b: v128, c: v128): v128 {
  return f64x2.sub(f64x2.mul(f64x2.splat(4), f64x2.sub(b, a)), f64x2.sub(c, a));
}

@inline
function bend(a: v128, b: v128, c: v128): v128 {
  return f64x2.mul(f64x2.splat(2), f64x2.add(f64x2.sub(a, b), f64x2.sub(c, b)));
}

@inline
function parabola(a: v128, b: v128, c: v128, t: v128): v128 {
  return f64x2.add(a, f64x2.mul(t, f64x2.add(steepness(a, b, c), f64x2.mul(t, bend(a, b, c)))));
}

/** It does not leave what lies between a, this and c. */
@inline
function control(a: v128, b: v128, c: v128): v128 {
  return f64x2.sub(f64x2.mul(f64x2.splat(2), b), f64x2.mul(f64x2.splat(0.5), f64x2.add(a, c)));
}

@inline
function low3(a: v128, b: v128, c: v128): v128 {
  return f64x2.min(f64x2.min(a, c), control(a, b, c));
}

@inline
function high3(a: v128, b: v128, c: v128): v128 {
  return f64x2.max(f64x2.max(a, c), control(a, b, c));
}

/**
 * A cell of src/kernels/warp.ts: w × h pixels, whose positions lie on the parabolas through the nine points of `patch` (x and y, from
 * the top left on), with dx and dy added. `out` and `mask` are those of its first pixel, in rows of `pixels`.
 */
export function bilinearCell3(
  window: usize,
  width: i32,
  height: i32,
  patch: usize,
  dx: f64,
  dy: f64,
  w: i32,
  h: i32,
  out: usize,
  mask: usize,
  pixels: i32,
  position: usize,
): void {
  const p0 = v128.load(patch);
  const p1 = v128.load(patch, 16);
  const p2 = v128.load(patch, 32);
  const p3 = v128.load(patch, 48);
  const p4 = v128.load(patch, 64);
  const p5 = v128.load(patch, 80);
  const p6 = v128.load(patch, 96);
  const p7 = v128.load(patch, 112);
  const p8 = v128.load(patch, 128);
  const shift = f64x2.replace_lane(f64x2.splat(dx), 1, dy);
  const c0 = control(p0, p1, p2);
  const c1 = control(p3, p4, p5);
  const c2 = control(p6, p7, p8);
  const low = f64x2.add(f64x2.min(f64x2.min(low3(p0, p3, p6), low3(p2, p5, p8)), low3(c0, c1, c2)), shift);
  const high = f64x2.add(f64x2.max(f64x2.max(high3(p0, p3, p6), high3(p2, p5, p8)), high3(c0, c1, c2)), shift);
  const size = f64x2.replace_lane(f64x2.splat(<f64>width - INSIDE), 1, <f64>height - INSIDE);
  const inside = i64x2.all_true(v128.and(f64x2.ge(low, f64x2.splat(INSIDE)), f64x2.le(high, size)));
  const widths = f64x2.splat(<f64>w);
  const squares = f64x2.splat(<f64>(w * w));
  for (let y = 0; y < h; y++) {
    const v = f64x2.splat((<f64>y + 0.5) / <f64>h);
    const left = parabola(p0, p3, p6, v);
    const middle = parabola(p1, p4, p7, v);
    const right = parabola(p2, p5, p8, v);
    const first = f64x2.div(steepness(left, middle, right), widths);
    const second = f64x2.div(bend(left, middle, right), squares);
    const to = out + <usize>(y * pixels * 3);
    const marks = mask + <usize>(y * pixels);
    if (inside) {
      insideRow(window, width * 3, left, first, second, shift, w, to);
      memory.fill(marks, 255, w);
      continue;
    }
    for (let i = 0; i < w; i++) {
      v128.store(position, f64x2.add(along(left, first, second, f64x2.splat(<f64>i + 0.5)), shift));
      bilinear3(window, width, height, position, position + 8, 1, to + <usize>(i * 3), marks + i);
    }
  }
}

@inline
function along(left: v128, first: v128, second: v128, t: v128): v128 {
  return f64x2.add(left, f64x2.mul(t, f64x2.add(first, f64x2.mul(t, second))));
}

/** What bilinear3() makes of the same positions, where all four pixels of each are in the window. */
@inline
function insideRow(
  window: usize,
  row: i32,
  left: v128,
  first: v128,
  second: v128,
  shift: v128,
  w: i32,
  out: usize,
): void {
  let t = f64x2.splat(0.5);
  for (let i = 0; i < w; i++, out += 3) {
    const at = f64x2.sub(f64x2.add(along(left, first, second, t), shift), f64x2.splat(0.5));
    t = f64x2.add(t, f64x2.splat(1));
    const whole = f64x2.floor(at);
    const shares = i32x4.trunc_sat_f64x2_s_zero(
      f64x2.add(f64x2.mul(f64x2.sub(at, whole), f64x2.splat(ONE)), f64x2.splat(0.5)),
    );
    const corner = i32x4.trunc_sat_f64x2_s_zero(whole);
    const sx = i32x4.extract_lane(shares, 0);
    const sy = i32x4.extract_lane(shares, 1);
    const top = window + <usize>(i32x4.extract_lane(corner, 1) * row + i32x4.extract_lane(corner, 0) * 3);
    const w11 = (sx * sy + HALF) >> 14;
    const w10 = sy - w11;
    const w01 = sx - w11;
    const w00 = 16384 - sx - w10;
    const sum = i32x4.add(
      i32x4.dot_i16x8_s(pairs(top), i32x4.splat(w00 | (w01 << 16))),
      i32x4.dot_i16x8_s(pairs(top + row), i32x4.splat(w10 | (w11 << 16))),
    );
    put3(out, i32x4.shr_s(i32x4.add(sum, i32x4.splat(HALF)), 14));
  }
}
