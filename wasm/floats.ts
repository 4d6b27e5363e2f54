// AssemblyScript. One band of float32, the usual elevation model: the sums that src/kernels makes of doubles, in their order, so that
// what comes out is the same to the last bit.

/** Whether one of `count` values is NaN, or `nodata` where that counts. */
export function floatsLack(at: usize, count: u32, nodata: f32, counts: bool): bool {
  const none = f32x4.splat(nodata);
  const asks = counts ? i32x4.splat(-1) : i32x4.splat(0);
  let found = i32x4.splat(0);
  let i: u32 = 0;
  for (; i + 4 <= count; i += 4) {
    const x = v128.load(at + (<usize>i << 2));
    found = v128.or(found, v128.or(f32x4.ne(x, x), v128.and(f32x4.eq(x, none), asks)));
  }
  if (v128.any_true(found)) return true;
  for (; i < count; i++) {
    const x = load<f32>(at + (<usize>i << 2));
    if (x != x || (counts && x == nodata)) return true;
  }
  return false;
}

/** A row of floats1() in src/kernels/resample-axes.ts: first and second are columns of 32 bits (first -1: left alone), shares doubles. */
export function bilinearRowFloats(
  top: usize,
  under: usize,
  fy: f64,
  first: usize,
  second: usize,
  shares: usize,
  count: i32,
  out: usize,
): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const column = load<i32>(first + (i << 2));
    if (column < 0) continue;
    const a = <usize>column << 2;
    const b = <usize>load<u32>(second + (i << 2)) << 2;
    const fx = load<f64>(shares + (i << 3));
    const w11 = fx * fy;
    const w10 = fy - w11;
    const w01 = fx - w11;
    store<f32>(
      out + (i << 2),
      <f32>(
        (<f64>load<f32>(top + a) * (1.0 - fx - w10) +
          <f64>load<f32>(top + b) * w01 +
          <f64>load<f32>(under + a) * w10 +
          <f64>load<f32>(under + b) * w11)
      ),
    );
  }
}

@inline
function level(x: v128, low: v128, span: v128): v128 {
  const scaled = f64x2.mul(f64x2.div(f64x2.sub(f64x2.promote_low_f32x4(x), low), span), f64x2.splat(255));
  return i32x4.trunc_sat_f64x2_s_zero(scaled);
}

/** rescaleToBytes() of src/kernels/colour.ts; up to three values more are read and written. */
export function rescaleFloats(at: usize, count: u32, low: f64, span: f64, out: usize): void {
  const lows = f64x2.splat(low);
  const spans = f64x2.splat(span);
  for (let i: u32 = 0; i < count; i += 4, at += 16, out += 4) {
    const x = v128.load(at);
    const upper = i32x4.shuffle(x, x, 2, 3, 2, 3);
    const four = i64x2.shuffle(level(x, lows, spans), level(upper, lows, spans), 0, 2);
    const words = i16x8.narrow_i32x4_s(four, four);
    v128.store32_lane(out, i8x16.narrow_i16x8_u(words, words), 0);
  }
}
