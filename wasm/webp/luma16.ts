// AssemblyScript.
/** A macroblock whose luma is predicted as one: mode, levels, reconstruction and what it takes. */
import { bitsOfBlock, bitsOfSecond, EMPTY } from './bits';
import {
  DCS,
  DEQUANT,
  ENDS16,
  LEFT_Y,
  LEVELS16,
  LEVELS_Y2,
  PRED,
  REC16,
  topY,
} from './memory';
import { error, HORIZONTAL, leastOf, moved, squared, TM, total16, total4, VERTICAL } from './predict';
import { LUMA16, OTHERS, quantizeWide, SECOND } from './quant';
import { addDcs, forwardPair, inversePair, swap, turnHigh, turnLow, walsh } from './transform';

/** Of the macroblock at hand: its mode, where the second order ends, how many blocks have AC, bits (in 1/256) of all. */
export let mode16: i32 = 0;
export let end2: i32 = 0;
export let blocks16: i32 = 0;
export let bits16: i32 = 0;

let dc16: i32 = 0;

function meanOf(x: i32, y: i32): i32 {
  if (x == 0 && y == 0) return 128;
  const left = total16(v128.load(LEFT_Y));
  const above = total16(v128.load(topY + (usize(x) << 4)));
  if (y == 0) return (left + 8) >> 4;
  if (x == 0) return (above + 8) >> 4;
  return (left + above + 16) >> 5;
}

/** The mode of the least sum of absolute differences. */
function choose(src: usize, x: i32, y: i32, corner: i32): void {
  const above = v128.load(topY + (usize(x) << 4));
  dc16 = meanOf(x, y);
  const mean = i8x16.splat(i8(dc16));
  const edge = i8x16.splat(i8(corner));
  let ofMean = i16x8.splat(0);
  let ofAbove = ofMean;
  let ofLeft = ofMean;
  let ofMotion = ofMean;
  for (let r: usize = 0; r < 16; r++) {
    const s = v128.load(src + (r << 4));
    const left = v128.load8_splat(LEFT_Y + r);
    ofMean = error(ofMean, s, mean);
    ofAbove = error(ofAbove, s, above);
    ofLeft = error(ofLeft, s, left);
    ofMotion = error(ofMotion, s, moved(above, left, edge));
  }
  mode16 = leastOf(ofMean, ofAbove, ofLeft, ofMotion);
}

function predict(x: i32, corner: i32): void {
  const above = v128.load(topY + (usize(x) << 4));
  const mean = i8x16.splat(i8(dc16));
  const edge = i8x16.splat(i8(corner));
  for (let r: usize = 0; r < 16; r++) {
    const left = v128.load8_splat(LEFT_Y + r);
    let row = mean;
    if (mode16 == VERTICAL) row = above;
    else if (mode16 == HORIZONTAL) row = left;
    else if (mode16 == TM) row = moved(above, left, edge);
    v128.store(PRED + (r << 4), row);
  }
}

/** The 16 DCs to levels of the second order, and back to what a decoder makes of them. */
function secondOrder(): void {
  const first = v128.load(DCS);
  const last = swap(v128.load(DCS, 16));
  let even = walsh(i16x8.add(first, last));
  let odd = walsh(i16x8.sub(first, last));
  let low = turnLow(even, odd);
  let high = swap(turnHigh(even, odd));
  even = quantizeWide(i16x8.shr_s(walsh(i16x8.add(low, high)), 1), SECOND);
  odd = quantizeWide(i16x8.shr_s(walsh(i16x8.sub(low, high)), 1), SECOND + OTHERS);
  if (!v128.any_true(v128.or(even, odd))) {
    end2 = 0;
    v128.store(DCS, i16x8.splat(0));
    v128.store(DCS, i16x8.splat(0), 16);
    return;
  }
  const a = i16x8.shuffle(even, odd, 0, 8, 1, 2, 9, 4, 12, 5);
  const b = i16x8.shuffle(even, odd, 10, 3, 11, 6, 13, 14, 7, 15);
  v128.store(LEVELS_Y2, a);
  v128.store(LEVELS_Y2, b, 16);
  const none = i16x8.splat(0);
  end2 = 32 - clz(i16x8.bitmask(i16x8.ne(a, none)) | (i16x8.bitmask(i16x8.ne(b, none)) << 8));
  even = i16x8.mul(even, v128.load(SECOND));
  odd = i16x8.mul(odd, v128.load(SECOND + OTHERS));
  low = turnLow(even, odd);
  high = swap(turnHigh(even, odd));
  even = walsh(i16x8.add(low, high));
  odd = walsh(i16x8.sub(low, high));
  low = i16x8.add(turnLow(even, odd), i16x8(3, 3, 3, 3, 0, 0, 0, 0));
  high = swap(turnHigh(even, odd));
  even = i16x8.shr_s(walsh(i16x8.add(low, high)), 3);
  odd = i16x8.shr_s(walsh(i16x8.sub(low, high)), 3);
  // By columns: turned back to rows.
  v128.store(DCS, turnLow(even, odd));
  v128.store(DCS, turnHigh(even, odd), 16);
}

/** Macroblock x, y of the frame, its luma at `src`. */
export function luma16(src: usize, x: i32, y: i32, corner: i32): void {
  choose(src, x, y, corner);
  predict(x, corner);
  let coded: u32 = 0;
  for (let i: usize = 0; i < 8; i++) {
    const at = ((i >> 1) << 6) + ((i & 1) << 3);
    if (forwardPair(src + at, PRED + at, LUMA16, LEVELS16 + (i << 5), ENDS16 + (i << 1), DEQUANT + (i << 6), DCS + (i << 2)))
      coded |= 1 << u32(i);
  }
  secondOrder();
  bits16 = bitsOfSecond(end2);
  blocks16 = 0;
  for (let i: usize = 0; i < 8; i++) {
    const at = ((i >> 1) << 6) + ((i & 1) << 3);
    const a = i32(load<i16>(DCS + (i << 2)));
    const b = i32(load<i16>(DCS + (i << 2), 2));
    if (((coded >> u32(i)) & 1) == 0) {
      addDcs(a, b, PRED + at, REC16 + at);
      bits16 += 2 * EMPTY;
      continue;
    }
    const from = DEQUANT + (i << 6);
    v128.store(from, i16x8.replace_lane(i16x8.replace_lane(v128.load(from), 0, i16(a)), 4, i16(b)));
    inversePair(from, PRED + at, REC16 + at);
    for (let k: usize = 0; k < 2; k++) {
      const end = i32(load<u8>(ENDS16 + (i << 1) + k));
      blocks16 += end > 0 ? 1 : 0;
      bits16 += bitsOfBlock(LEVELS16 + (i << 5) + (k << 4), end);
    }
  }
}

/** Sum of squared differences of two macroblocks, rows of 16. */
export function squares(src: usize, rec: usize): i32 {
  let sum = i32x4.splat(0);
  for (let r: usize = 0; r < 256; r += 16) sum = i32x4.add(sum, squared(v128.load(src + r), v128.load(rec + r)));
  return total4(sum);
}
