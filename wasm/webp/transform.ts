// AssemblyScript.
/**
 * The transforms of blocks of 4 × 4 px (RFC 6386, 14.3 and 14.4). Two blocks beside each other lie in the halves of four vectors; one
 * block lies in two. Coefficients lie by their horizontal frequency, their vertical one is the lane: the inverse begins with that.
 */
import { OTHERS, quantize, remains } from './quant';

/** In memory: as constants of the code they would be made anew for every block. */
const FACTORS = memory.data<i16>([
  0, 0, 0, 0, -1, -1, -1, -1, 20091, 20091, 20091, 20091, 20091, 20091, 20091, 20091, -30068, -30068, -30068, -30068,
  -30068, -30068, -30068, -30068, 8868, 8868, 8868, 8868, 8868, 8868, 8868, 8868, 21408, 21408, 21408, 21408, 21408, 21408,
  21408, 21408, 21408, 21408, 21408, 21408, -21408, -21408, -21408, -21408,
]);

@inline
function factor(i: usize): v128 {
  return v128.load(FACTORS + (i << 4));
}

@inline
export function swap(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** From rows 0 and 2, 1 and 3 to columns 0 and 1 (first) … */
@inline
export function turnLow(even: v128, odd: v128): v128 {
  return i32x4.shuffle(zipLow(even, odd), zipHigh(even, odd), 0, 4, 1, 5);
}

/** … 2 and 3. */
@inline
export function turnHigh(even: v128, odd: v128): v128 {
  return i32x4.shuffle(zipLow(even, odd), zipHigh(even, odd), 2, 6, 3, 7);
}

@inline
function zipLow(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function zipHigh(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

@inline
function firstHalves(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 0, 2);
}

@inline
function secondHalves(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 1, 3);
}

@inline
function subtractHigh(x: v128): v128 {
  const high = factor(0);
  return i16x8.sub(v128.xor(x, high), high);
}

/** x · 20091 / 65536, rounded down: 0.85·√2 − 1 … */
@inline
function most(x: v128): v128 {
  const c = factor(1);
  const low = i32x4.extmul_low_i16x8_s(x, c);
  const high = i32x4.extmul_high_i16x8_s(x, c);
  return i16x8.add(x, i16x8.shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15));
}

/** x · 35468 / 65536, rounded down. */
@inline
function half(x: v128): v128 {
  const c = factor(2);
  const low = i32x4.extmul_low_i16x8_s(x, c);
  const high = i32x4.extmul_high_i16x8_s(x, c);
  return i16x8.add(x, i16x8.shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15));
}

/** x · 2217 / 4096 and x · 5352 / 4096, halved, of what is four times as large as it should be. */
@inline
function small(x: v128): v128 {
  return i16x8.q15mulr_sat_s(x, factor(3));
}

@inline
function large(x: v128): v128 {
  return i16x8.q15mulr_sat_s(x, factor(4));
}

@inline
function difference(src: usize, pred: usize): v128 {
  return i16x8.sub(v128.load8x8_u(src), v128.load8x8_u(pred));
}

@inline
function lastNonZero(levels: v128): i32 {
  return 32 - clz(i8x16.bitmask(i8x16.ne(levels, i8x16.splat(0))));
}

/** Bytes of the scan by horizontal frequency: 0, 2, 1, 3. In memory: a constant would be made anew for every block. */
const SCAN = memory.data<u8>([0, 8, 1, 2, 9, 4, 12, 5, 10, 3, 11, 6, 13, 14, 7, 15]);

/** The levels of a block in the order of the scan, from its coefficients by horizontal frequency: 0 and 2, 1 and 3. */
@inline
export function scanned(even: v128, odd: v128): v128 {
  return i8x16.relaxed_swizzle(i8x16.narrow_i16x8_s(even, odd), v128.load(SCAN));
}

/**
 * Two blocks: of the difference of rows of 16 bytes to coefficients. Levels go to `levels` (16 bytes each), where they end to `ends`,
 * dequantised coefficients to `out`, DCs to `dcs`. False where all levels are 0: nothing is at `out` then.
 */
export function forwardPair(src: usize, pred: usize, quant: usize, levels: usize, ends: usize, out: usize, dcs: usize): bool {
  const r0 = difference(src, pred);
  const r1 = difference(src + 16, pred + 16);
  const r2 = difference(src + 32, pred + 32);
  const r3 = difference(src + 48, pred + 48);
  const a0 = i16x8.add(r0, r3);
  const a1 = i16x8.add(r1, r2);
  const a2 = i16x8.shl(i16x8.sub(r1, r2), 4);
  const a3 = i16x8.shl(i16x8.sub(r0, r3), 4);
  const f0 = i16x8.shl(i16x8.add(a0, a1), 3);
  const f2 = i16x8.shl(i16x8.sub(a0, a1), 3);
  const f1 = i16x8.add(small(a2), large(a3));
  const f3 = i16x8.sub(small(a3), large(a2));
  // Both blocks are turned at once: low halves, then high halves.
  const p0 = zipLow(f0, f1);
  const p1 = zipHigh(f0, f1);
  const p2 = zipLow(f2, f3);
  const p3 = zipHigh(f2, f3);
  const q0 = i32x4.shuffle(p0, p2, 0, 4, 1, 5);
  const q1 = i32x4.shuffle(p0, p2, 2, 6, 3, 7);
  const q2 = i32x4.shuffle(p1, p3, 0, 4, 1, 5);
  const q3 = i32x4.shuffle(p1, p3, 2, 6, 3, 7);
  const x0 = firstHalves(q0, q2);
  const x1 = secondHalves(q0, q2);
  const x2 = firstHalves(q1, q3);
  const x3 = secondHalves(q1, q3);
  const b0 = i16x8.add(x0, x3);
  const b1 = i16x8.add(x1, x2);
  const b2 = i16x8.sub(x1, x2);
  const b3 = i16x8.sub(x0, x3);
  const seven = i16x8.splat(7);
  const c0 = i16x8.shr_s(i16x8.add(i16x8.add(b0, b1), seven), 4);
  const c2 = i16x8.shr_s(i16x8.add(i16x8.sub(b0, b1), seven), 4);
  const c1 = i16x8.shr_s(i16x8.add(i16x8.add(small(b2), large(b3)), i16x8.splat(4)), 3);
  const c3 = i16x8.shr_s(i16x8.add(i16x8.sub(small(b3), large(b2)), i16x8.splat(4)), 3);
  store<i16>(dcs, i16x8.extract_lane_s(c0, 0));
  store<i16>(dcs, i16x8.extract_lane_s(c0, 4), 2);
  const own = v128.or(remains(c0, quant), remains(c1, quant + OTHERS));
  if (!v128.any_true(v128.or(own, v128.or(remains(c2, quant + OTHERS), remains(c3, quant + OTHERS))))) {
    store<u16>(ends, 0);
    return false;
  }
  const l0 = quantize(c0, quant);
  const l1 = quantize(c1, quant + OTHERS);
  const l2 = quantize(c2, quant + OTHERS);
  const l3 = quantize(c3, quant + OTHERS);
  const a = scanned(firstHalves(l0, l2), firstHalves(l1, l3));
  const b = scanned(secondHalves(l0, l2), secondHalves(l1, l3));
  v128.store(levels, a);
  v128.store(levels, b, 16);
  store<u8>(ends, u8(lastNonZero(a)));
  store<u8>(ends, u8(lastNonZero(b)), 1);
  if (load<u16>(ends) == 0) return false;
  const ac = v128.load(quant + OTHERS);
  v128.store(out, i16x8.mul(l0, v128.load(quant)));
  v128.store(out, i16x8.mul(l1, ac), 16);
  v128.store(out, i16x8.mul(l2, ac), 32);
  v128.store(out, i16x8.mul(l3, ac), 48);
  return true;
}

@inline
function addRow(pred: usize, rec: usize, row: v128): void {
  const sum = i16x8.add(v128.load8x8_u(pred), i16x8.shr_s(row, 3));
  v128.store64_lane(rec, i8x16.narrow_i16x8_u(sum, sum), 0);
}

/** What forwardPair left at `from`, back to pixels: added to the prediction. */
export function inversePair(from: usize, pred: usize, rec: usize): void {
  // By horizontal frequency; turned, so that the vertical pass is between vectors.
  const h0 = v128.load(from);
  const h1 = v128.load(from, 16);
  const h2 = v128.load(from, 32);
  const h3 = v128.load(from, 48);
  let p0 = zipLow(h0, h1);
  let p1 = zipHigh(h0, h1);
  let p2 = zipLow(h2, h3);
  let p3 = zipHigh(h2, h3);
  let q0 = i32x4.shuffle(p0, p2, 0, 4, 1, 5);
  let q1 = i32x4.shuffle(p0, p2, 2, 6, 3, 7);
  let q2 = i32x4.shuffle(p1, p3, 0, 4, 1, 5);
  let q3 = i32x4.shuffle(p1, p3, 2, 6, 3, 7);
  const v0 = firstHalves(q0, q2);
  const v1 = secondHalves(q0, q2);
  const v2 = firstHalves(q1, q3);
  const v3 = secondHalves(q1, q3);
  let a = i16x8.add(v0, v2);
  let b = i16x8.sub(v0, v2);
  let c = i16x8.sub(half(v1), most(v3));
  let d = i16x8.add(most(v1), half(v3));
  const t0 = i16x8.add(a, d);
  const t1 = i16x8.add(b, c);
  const t2 = i16x8.sub(b, c);
  const t3 = i16x8.sub(a, d);
  p0 = zipLow(t0, t1);
  p1 = zipHigh(t0, t1);
  p2 = zipLow(t2, t3);
  p3 = zipHigh(t2, t3);
  q0 = i32x4.shuffle(p0, p2, 0, 4, 1, 5);
  q1 = i32x4.shuffle(p0, p2, 2, 6, 3, 7);
  q2 = i32x4.shuffle(p1, p3, 0, 4, 1, 5);
  q3 = i32x4.shuffle(p1, p3, 2, 6, 3, 7);
  const x0 = i16x8.add(firstHalves(q0, q2), i16x8.splat(4));
  const x1 = secondHalves(q0, q2);
  const x2 = firstHalves(q1, q3);
  const x3 = secondHalves(q1, q3);
  a = i16x8.add(x0, x2);
  b = i16x8.sub(x0, x2);
  c = i16x8.sub(half(x1), most(x3));
  d = i16x8.add(most(x1), half(x3));
  const y0 = i16x8.add(a, d);
  const y1 = i16x8.add(b, c);
  const y2 = i16x8.sub(b, c);
  const y3 = i16x8.sub(a, d);
  p0 = zipLow(y0, y1);
  p1 = zipHigh(y0, y1);
  p2 = zipLow(y2, y3);
  p3 = zipHigh(y2, y3);
  q0 = i32x4.shuffle(p0, p2, 0, 4, 1, 5);
  q1 = i32x4.shuffle(p0, p2, 2, 6, 3, 7);
  q2 = i32x4.shuffle(p1, p3, 0, 4, 1, 5);
  q3 = i32x4.shuffle(p1, p3, 2, 6, 3, 7);
  addRow(pred, rec, firstHalves(q0, q2));
  addRow(pred + 16, rec + 16, secondHalves(q0, q2));
  addRow(pred + 32, rec + 32, firstHalves(q1, q3));
  addRow(pred + 48, rec + 48, secondHalves(q1, q3));
}

/** The same of two blocks that have a DC each, or nothing. */
export function addDcs(a: i32, b: i32, pred: usize, rec: usize): void {
  const x = i16x8.splat(i16(a));
  const both = i64x2.shuffle(x, i16x8.splat(i16(b)), 0, 2);
  const row = i16x8.add(both, i16x8.splat(4));
  addRow(pred, rec, row);
  addRow(pred + 16, rec + 16, row);
  addRow(pred + 32, rec + 32, row);
  addRow(pred + 48, rec + 48, row);
}

/** Walsh and Hadamard's, one pass: even results of the sum of rows 0 and 1, 3 and 2; the odd ones come of the difference. */
@inline
export function walsh(x: v128): v128 {
  return i16x8.add(subtractHigh(x), swap(x));
}

/** One pass over rows 0 and 1, 3 and 2: frequencies 0 and 2 … */
@inline
export function evenOf(first: v128, last: v128): v128 {
  return walsh(i16x8.add(first, last));
}

/** … 1 and 3, of what is 1/scale of the even ones' eighth. */
@inline
export function oddOf(first: v128, last: v128, shift: i32): v128 {
  const d = i16x8.shl(i16x8.sub(first, last), shift);
  const own = i16x8.q15mulr_sat_s(d, factor(5));
  return i16x8.add(own, small(swap(d)));
}

/** One pass of the inverse, over vectors 0 and 1, 2 and 3: results 0 and 1 … */
@inline
export function sums(low: v128, high: v128): v128 {
  return firstHalves(i16x8.add(low, high), i16x8.sub(low, high));
}

/** … which this is added to, and subtracted from for 3 and 2. */
@inline
export function turns(low: v128, high: v128): v128 {
  const z = secondHalves(low, high);
  const m = most(z);
  const h = half(z);
  return i16x8.add(firstHalves(m, h), subtractHigh(secondHalves(h, m)));
}

/** Rows 0 and 2 of rows 0 and 1, 3 and 2; and rows 1 and 3. */
@inline
export function evenRows(first: v128, last: v128): v128 {
  return i64x2.shuffle(first, last, 0, 3);
}

@inline
export function oddRows(first: v128, last: v128): v128 {
  return i64x2.shuffle(first, last, 1, 2);
}
