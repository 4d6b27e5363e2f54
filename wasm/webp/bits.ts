// AssemblyScript.
/** What blocks will take, told by where they end and how large their levels are, in 1/256 bit. */
import { LEVELS_Y2 } from './memory';
import { total8 } from './predict';

/** Of a block without levels; with some: of its own, for each position to the last, for each level, and for what is above one. */
export const EMPTY: i32 = 80;
const SOME: i32 = 200;
const POSITION: i32 = 375;
const LEVEL: i32 = 560;
const MORE: i32 = 430;

@inline
export function bitsOfLevels(levels: v128, end: i32): i32 {
  const size = i8x16.abs(levels);
  const count = popcnt(i8x16.bitmask(i8x16.ne(levels, i8x16.splat(0))));
  const sum = total8(i16x8.extadd_pairwise_i8x16_u(i8x16.min_u(size, i8x16.splat(12))));
  return SOME + POSITION * end + LEVEL * count + MORE * (sum - count);
}

@inline
export function bitsOfBlock(levels: usize, end: i32): i32 {
  return end == 0 ? EMPTY : bitsOfLevels(v128.load(levels), end);
}

export function bitsOfSecond(end: i32): i32 {
  if (end == 0) return EMPTY;
  const a = v128.load(LEVELS_Y2);
  const b = v128.load(LEVELS_Y2, 16);
  return bitsOfLevels(i8x16.narrow_i16x8_s(a, b), end);
}
