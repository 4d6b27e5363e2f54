// AssemblyScript.
/** What the predictions of whole macroblocks have in common, luma and chroma: their modes, and how far off each is. */

export const DC: i32 = 0;
export const TM: i32 = 1;
export const VERTICAL: i32 = 2;
export const HORIZONTAL: i32 = 3;

@inline
export function absolute(a: v128, b: v128): v128 {
  return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
}

@inline
export function error(sum: v128, a: v128, b: v128): v128 {
  return i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(absolute(a, b)));
}

/** Squares of the differences of 16 bytes, four to a lane. */
@inline
export function squared(a: v128, b: v128): v128 {
  const d = absolute(a, b);
  const low = i16x8.extend_low_i8x16_u(d);
  const high = i16x8.extend_high_i8x16_u(d);
  return i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high));
}

/** The sum of 4 lanes, 8 or 16. */
@inline
export function total4(x: v128): i32 {
  const t = i32x4.add(x, i64x2.shuffle(x, x, 1, 0));
  return i32x4.extract_lane(t, 0) + i32x4.extract_lane(t, 1);
}

@inline
export function total8(x: v128): i32 {
  return total4(i32x4.extadd_pairwise_i16x8_u(x));
}

@inline
export function total16(x: v128): i32 {
  return total8(i16x8.extadd_pairwise_i8x16_u(x));
}

/** A row of TrueMotion: what is above, moved by the difference of left and corner. */
@inline
export function moved(above: v128, left: v128, corner: v128): v128 {
  return i8x16.sub_sat_u(i8x16.add_sat_u(above, i8x16.sub_sat_u(left, corner)), i8x16.sub_sat_u(corner, left));
}

/** The mode of the least sum of absolute differences; of equal ones the first of the arguments. */
@inline
export function leastOf(ofMean: v128, ofAbove: v128, ofLeft: v128, ofMotion: v128): i32 {
  let mode = DC;
  let least = total8(ofMean);
  const a = total8(ofAbove);
  if (a < least) {
    least = a;
    mode = VERTICAL;
  }
  const l = total8(ofLeft);
  if (l < least) {
    least = l;
    mode = HORIZONTAL;
  }
  return total8(ofMotion) < least ? TM : mode;
}
