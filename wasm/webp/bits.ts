// AssemblyScript.
/** What blocks will take, told by where they end and how large their levels are, in 1/256 bit. */
import { LEVELS_Y2 } from './memory';
import { tune } from './quant';

@inline
function words(x: v128): i32 {
  const s = i32x4.extadd_pairwise_i16x8_u(x);
  const t = i32x4.add(s, i64x2.shuffle(s, s, 1, 0));
  return i32x4.extract_lane(t, 0) + i32x4.extract_lane(t, 1);
}

@inline
export function bitsOfLevels(levels: v128, end: i32): i32 {
  const size = i8x16.abs(levels);
  const count = popcnt(i8x16.bitmask(i8x16.ne(levels, i8x16.splat(0))));
  const sum = words(i16x8.extadd_pairwise_i8x16_u(i8x16.min_u(size, i8x16.splat(12))));
  return tune(9) + tune(10) * end + tune(11) * count + tune(12) * (sum - count);
}

@inline
export function bitsOfBlock(levels: usize, end: i32): i32 {
  return end == 0 ? tune(8) : bitsOfLevels(v128.load(levels), end);
}

export function bitsOfSecond(end: i32): i32 {
  if (end == 0) return tune(8);
  const a = v128.load(LEVELS_Y2);
  const b = v128.load(LEVELS_Y2, 16);
  return bitsOfLevels(i8x16.narrow_i16x8_s(a, b), end);
}
