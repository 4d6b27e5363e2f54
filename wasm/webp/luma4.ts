// AssemblyScript.
/**
 * A macroblock whose blocks of 4 × 4 px are predicted one by one (RFC 6386, 12.3). They lie in rows of 64 bytes at REC4: the row above
 * at 0, pixels from byte 16 on, the column to the left at byte 15, and what is above and to the right of the last column from byte 32 on
 * in the rows above each row of blocks.
 */
import { bitsOfLevels, EMPTY } from './bits';
import { ENDS4, LEFT_MODES, LEFT_Y, LEVELS4, MODE_COSTS, MODES4, PREDS4, REC4, topModes, topY } from './memory';
import { moved, squared, total4 } from './predict';
import { lambda, LUMA4, OTHERS, quantize } from './quant';
import {
  evenOf,
  evenRows,
  oddOf,
  oddRows,
  scanned,
  sums,
  swap,
  turnHigh,
  turnLow,
  turns,
} from './transform';

const STEP: usize = 64;

/**
 * Where the bytes of predictions come from, 16 each, 128 for none. As constants of the code they would be made anew for every block,
 * in four instructions each.
 */
const MASKS = memory.data<u8>([
  0, 0, 1, 2, 3, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8,
  1, 2, 3, 4, 6, 7, 8, 9, 128, 128, 128, 128, 128, 128, 128, 128,
  6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9,
  4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1,
  5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
  5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8,
  3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0,
  4, 5, 6, 7, 3, 4, 5, 6, 2, 3, 4, 5, 1, 2, 3, 4,
  5, 6, 7, 8, 128, 128, 128, 128, 128, 5, 6, 7, 128, 128, 128, 128,
  128, 128, 128, 128, 4, 5, 6, 7, 3, 128, 128, 128, 2, 4, 5, 6,
  6, 7, 8, 9, 7, 8, 9, 10, 8, 9, 10, 11, 9, 10, 11, 12,
  6, 7, 8, 9, 128, 128, 128, 128, 7, 8, 9, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 6, 7, 8, 9, 128, 128, 128, 10, 7, 8, 9, 11,
  4, 128, 128, 128, 3, 128, 4, 128, 2, 128, 3, 128, 1, 128, 2, 128,
  128, 4, 5, 6, 128, 3, 128, 4, 128, 2, 128, 3, 128, 1, 128, 2,
  3, 128, 2, 128, 2, 128, 1, 128, 1, 128, 0, 0, 0, 0, 0, 0,
  128, 2, 128, 1, 128, 1, 128, 0, 128, 0, 128, 128, 128, 128, 128, 128,
]);

@inline
function swizzle(x: v128, mask: usize): v128 {
  return i8x16.relaxed_swizzle(x, v128.load(MASKS + (mask << 4)));
}

/** Squared error and bits of the macroblock, together. */
export let score4: i32 = 0;

function around(x: i32, y: i32, corner: i32, last: bool): void {
  const above = topY + (usize(x) << 4);
  store<u8>(REC4, u8(corner), 15);
  v128.store(REC4, v128.load(above), 16);
  // Beyond the last macroblock the pixel above it goes on.
  const right: u32 = last && y > 0 ? u32(load<u8>(above, 15)) * 0x01010101 : load<u32>(above, 16);
  for (let r: usize = 0; r < 16; r++) store<u8>(REC4 + (r + 1) * STEP, load<u8>(LEFT_Y + r), 15);
  for (let r: usize = 0; r < 16; r += 4) store<u32>(REC4 + r * STEP, right, 32);
}

@inline
function score(src: v128, pred: v128, mode: usize): v128 {
  v128.store(PREDS4 + (mode << 4), pred);
  return squared(src, pred);
}

/** Sums of the lanes of four vectors. */
@inline
function totals(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** Of the block at `at`: the mode that costs least, its prediction at PREDS4. `costs` are the modes' own. */
function choose(src: v128, at: usize, costs: usize): usize {
  // Lowest to highest: the left column twice its last, from below, the corner, eight above and the last again.
  const left: u32 =
    u32(load<u8>(at + STEP * 3 - 1)) |
    (u32(load<u8>(at + STEP * 2 - 1)) << 8) |
    (u32(load<u8>(at + STEP - 1)) << 16) |
    (u32(load<u8>(at - 1)) << 24);
  const top = v128.load(at - STEP - 1);
  const side = i32x4.splat(left);
  const e = v128.or(swizzle(side, 0), swizzle(top, 1));
  const e1 = i8x16.shuffle(e, e, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  const e2 = i8x16.shuffle(e, e, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
  const two = i8x16.avgr_u(e, e1);
  const ends = i8x16.sub(i8x16.avgr_u(e, e2), v128.and(v128.xor(e, e2), i8x16.splat(1)));
  const three = i8x16.avgr_u(ends, e1);

  const eight = swizzle(e, 2);
  const fours = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(eight));
  const mean = (i32x4.extract_lane(fours, 0) + i32x4.extract_lane(fours, 1) + 4) >> 3;
  const above = swizzle(e, 3);
  const beside = swizzle(e, 4);
  const corner = swizzle(e, 5);

  const dc = score(src, i8x16.splat(i8(mean)), 0);
  const tm = score(src, moved(above, beside, corner), 1);
  const ve = score(src, swizzle(three, 6), 2);
  const he = score(src, swizzle(three, 7), 3);
  const rd = score(src, swizzle(three, 8), 4);
  const vr = score(src, v128.or(swizzle(two, 9), swizzle(three, 10)), 5);
  const ld = score(src, swizzle(three, 11), 6);
  const vl = score(src, v128.or(swizzle(two, 12), swizzle(three, 13)), 7);
  const hd = score(src, v128.or(swizzle(two, 14), swizzle(three, 15)), 8);
  const hu = score(src, v128.or(swizzle(two, 16), swizzle(three, 17)), 9);

  const a = i32x4.add(i32x4.shl(totals(dc, tm, ve, he), 4), v128.load(costs));
  const b = i32x4.add(i32x4.shl(totals(rd, vr, ld, vl), 4), v128.load(costs, 16));
  const c = i32x4.add(i32x4.shl(totals(hd, hu, hd, hu), 4), v128.load(costs, 32));
  const x = i32x4.min_s(i32x4.min_s(a, b), c);
  const y = i32x4.min_s(x, i64x2.shuffle(x, x, 1, 0));
  return usize(min(i32x4.extract_lane(y, 0), i32x4.extract_lane(y, 1)) & 15);
}

/** Codes the block and puts what a decoder makes of it to `at`; adds to the score. */
function code(src: v128, pred: v128, at: usize, block: usize): void {
  let low = i16x8.sub(i16x8.extend_low_i8x16_u(src), i16x8.extend_low_i8x16_u(pred));
  let high = swap(i16x8.sub(i16x8.extend_high_i8x16_u(src), i16x8.extend_high_i8x16_u(pred)));
  let even = i16x8.shl(evenOf(low, high), 3);
  let odd = oddOf(low, high, 4);
  low = turnLow(even, odd);
  high = swap(turnHigh(even, odd));
  even = i16x8.shr_s(i16x8.add(evenOf(low, high), i16x8.splat(7)), 4);
  odd = i16x8.shr_s(i16x8.add(oddOf(low, high, 0), i16x8.splat(4)), 3);
  even = quantize(even, LUMA4);
  odd = quantize(odd, LUMA4 + OTHERS);
  let made = pred;
  const levels = scanned(even, odd);
  const end = 32 - clz(i8x16.bitmask(i8x16.ne(levels, i8x16.splat(0))));
  store<u8>(ENDS4 + block, u8(end));
  if (end == 0) score4 += (lambda * EMPTY) >> 8;
  else {
    v128.store(LEVELS4 + (block << 4), levels);
    score4 += (lambda * bitsOfLevels(levels, end)) >> 8;
    even = i16x8.mul(even, v128.load(LUMA4));
    odd = i16x8.mul(odd, v128.load(LUMA4 + OTHERS));
    low = turnLow(even, odd);
    high = turnHigh(even, odd);
    let plain = sums(low, high);
    let turn = turns(low, high);
    let first = i16x8.add(plain, turn);
    let last = i16x8.sub(plain, turn);
    even = evenRows(first, last);
    odd = oddRows(first, last);
    low = i16x8.add(turnLow(even, odd), i16x8(4, 4, 4, 4, 0, 0, 0, 0));
    high = turnHigh(even, odd);
    plain = sums(low, high);
    turn = turns(low, high);
    first = i16x8.shr_s(i16x8.add(plain, turn), 3);
    last = i16x8.shr_s(i16x8.sub(plain, turn), 3);
    even = evenRows(first, last);
    odd = oddRows(first, last);
    low = i16x8.add(i16x8.extend_low_i8x16_u(pred), turnLow(even, odd));
    high = i16x8.add(i16x8.extend_high_i8x16_u(pred), turnHigh(even, odd));
    made = i8x16.narrow_i16x8_u(low, high);
  }
  v128.store32_lane(at, made, 0);
  v128.store32_lane(at + STEP, made, 1);
  v128.store32_lane(at + STEP * 2, made, 2);
  v128.store32_lane(at + STEP * 3, made, 3);
  score4 += total4(squared(src, made));
}

/** Macroblock x, y of the frame, its luma at `src`. False where it would score worse than `limit`. */
export function luma4(src: usize, x: i32, y: i32, corner: i32, last: bool, limit: i32): bool {
  around(x, y, corner, last);
  score4 = 0;
  for (let block: usize = 0; block < 16; block++) {
    const column = (block & 3) << 2;
    const row = block & ~3;
    const p = src + (row << 4) + column;
    let own = v128.load32_zero(p);
    own = v128.load32_lane(p + 16, own, 1);
    own = v128.load32_lane(p + 32, own, 2);
    own = v128.load32_lane(p + 48, own, 3);
    const up = row == 0 ? usize(load<u8>(topModes + (usize(x) << 2) + (column >> 2))) : usize(load<u8>(MODES4 + block - 4));
    const left = column == 0 ? usize(load<u8>(LEFT_MODES + (row >> 2))) : usize(load<u8>(MODES4 + block - 1));
    const costs = MODE_COSTS + (up * 10 + left) * 48;
    const at = REC4 + (row + 1) * STEP + 16 + column;
    const mode = choose(own, at, costs);
    store<u8>(MODES4 + block, u8(mode));
    score4 += load<i32>(costs + (mode << 2)) >> 4;
    code(own, v128.load(PREDS4 + (mode << 4)), at, block);
    if (score4 >= limit) return false;
  }
  return true;
}
