// AssemblyScript.
/** Chroma of a macroblock: U and V lie beside each other in rows of 16 bytes, and share a mode. */
import { DCS, DEQUANT, ENDS_UV, LEFT_UV, LEVELS_UV, PRED_UV, REC_UV, topUV } from './memory';
import { error, HORIZONTAL, leastOf, moved, TM, VERTICAL } from './predict';
import { CHROMA } from './quant';
import { forwardPair, inversePair } from './transform';

export let modeUV: i32 = 0;

/** The mean of each half. */
function meansOf(x: i32, y: i32): v128 {
  if (x == 0 && y == 0) return i8x16.splat(-128);
  const above = i16x8.extadd_pairwise_i8x16_u(v128.load(topUV + (usize(x) << 4)));
  const left = i16x8.extadd_pairwise_i8x16_u(v128.load(LEFT_UV));
  let sum = y == 0 ? i16x8.add(left, left) : x == 0 ? i16x8.add(above, above) : i16x8.add(above, left);
  sum = i32x4.extadd_pairwise_i16x8_u(sum);
  const u = (i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + 8) >> 4;
  const v = (i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3) + 8) >> 4;
  return i64x2.shuffle(i8x16.splat(i8(u)), i8x16.splat(i8(v)), 0, 2);
}

@inline
function halves(u: usize): v128 {
  return i64x2.shuffle(v128.load8_splat(u), v128.load8_splat(u + 8), 0, 2);
}

function predict(src: usize, x: i32, y: i32, corner: v128): void {
  const above = v128.load(topUV + (usize(x) << 4));
  const mean = meansOf(x, y);
  let ofMean = i16x8.splat(0);
  let ofAbove = ofMean;
  let ofLeft = ofMean;
  let ofMotion = ofMean;
  for (let r: usize = 0; r < 8; r++) {
    const s = v128.load(src + (r << 4));
    const left = halves(LEFT_UV + r);
    ofMean = error(ofMean, s, mean);
    ofAbove = error(ofAbove, s, above);
    ofLeft = error(ofLeft, s, left);
    ofMotion = error(ofMotion, s, moved(above, left, corner));
  }
  modeUV = leastOf(ofMean, ofAbove, ofLeft, ofMotion);
  for (let r: usize = 0; r < 8; r++) {
    const left = halves(LEFT_UV + r);
    let row = mean;
    if (modeUV == VERTICAL) row = above;
    else if (modeUV == HORIZONTAL) row = left;
    else if (modeUV == TM) row = moved(above, left, corner);
    v128.store(PRED_UV + (r << 4), row);
  }
}

/** Macroblock x, y, its chroma at `src`, to REC_UV. `u` and `v` are what is above their left columns. */
export function chroma(src: usize, x: i32, y: i32, u: i32, v: i32): void {
  predict(src, x, y, i64x2.shuffle(i8x16.splat(i8(u)), i8x16.splat(i8(v)), 0, 2));
  for (let i: usize = 0; i < 4; i++) {
    // Pairs in the order of the blocks: two of U, two of V.
    const at = ((i & 1) << 6) + ((i >> 1) << 3);
    const to = REC_UV + at;
    if (forwardPair(src + at, PRED_UV + at, CHROMA, LEVELS_UV + (i << 5), ENDS_UV + (i << 1), DEQUANT, DCS))
      inversePair(DEQUANT, PRED_UV + at, to);
    else
      for (let r: usize = 0; r < 64; r += 16) store<u64>(to + r, load<u64>(PRED_UV + at + r));
  }
}
