// AssemblyScript.
/**
 * Steps of the kinds of blocks, ready for vectors, and what a bit is worth in squared error. How levels are rounded, and the numbers of
 * bits.ts, were searched for: most PSNR and SSIM at equal size, over tiles of photographs, relief and drawn rasters.
 */
import { QUANT } from './memory';
import { AC_STEPS, DC_STEPS } from './tables';

/** Each eight vectors: step, inverse, dead zone, and what is no level yet, of the vector that has the DC, and of the others. */
export const LUMA4: usize = QUANT;
export const LUMA16: usize = QUANT + 128;
export const CHROMA: usize = QUANT + 256;
export const SECOND: usize = QUANT + 384;

/**
 * Chroma's DC is finer than the rest: a flat colour that is off by one would be so from edge to edge, since every block is predicted
 * from the one before.
 */
export const CHROMA_DC: i32 = -14;

/** From the vectors of the DC to the others'. */
export const OTHERS: usize = 64;

/** Squared error that a bit may cost. */
export let lambda: i32 = 0;

function lane(at: usize, i: usize, step: i32, rounding: i32): void {
  store<i16>(at + (i << 1), i16(step));
  store<i16>(at + 16 + (i << 1), i16((32768 + (step >> 1)) / step));
  // Half a step is what rounding adds again.
  const dead = (step * (128 - rounding) + 128) >> 8;
  store<i16>(at + 32 + (i << 1), i16(dead));
  store<i16>(at + 48 + (i << 1), i16(dead + 16384 / ((32768 + (step >> 1)) / step) - 1));
}

/** `dcs` has a bit for each lane that is a DC of the first vector; rounding is in 1/256. */
function fill(at: usize, dc: i32, ac: i32, dcs: i32, dcRounding: i32, rounding: i32): void {
  for (let i: usize = 0; i < 8; i++) {
    const isDc = ((dcs >> i32(i)) & 1) == 1;
    lane(at, i, isDc ? dc : ac, isDc ? dcRounding : rounding);
    lane(at + OTHERS, i, ac, rounding);
  }
}

@inline
function dcStep(index: i32): i32 {
  return i32(load<u8>(DC_STEPS + usize(max(0, min(127, index)))));
}

@inline
function acStep(index: i32): i32 {
  return i32(load<u16>(AC_STEPS + (usize(max(0, min(127, index))) << 1)));
}

/** For the frame's index, 0 … 127. */
export function setSteps(index: i32): void {
  const dc = dcStep(index);
  const ac = acStep(index);
  fill(LUMA4, dc, ac, 1, 110, 96);
  fill(LUMA16, ac, ac, 0, 96, 96);
  // The DCs go their own way.
  for (let i: usize = 0; i < 32; i += 8) store<i16>(LUMA16 + 32 + i, 0x7fff);
  fill(CHROMA, dcStep(min(index + CHROMA_DC, 117)), ac, 0x11, 90, 120);
  fill(SECOND, dc * 2, max(8, (ac * 155) / 100), 1, 104, 85);
  lambda = (ac * ac * 40) >> 8;
}

/** Levels of coefficients, not only the lowest seven bits of them. */
@inline
export function quantizeWide(c: v128, at: usize): v128 {
  const sign = i16x8.shr_s(c, 15);
  const over = i16x8.sub_sat_u(i16x8.abs(c), v128.load(at, 32));
  const level = i16x8.q15mulr_sat_s(over, v128.load(at, 16));
  return i16x8.sub(v128.xor(level, sign), sign);
}

/** Levels that fit a byte each: what is steeper than that at a very fine step is cut. */
@inline
export function quantize(c: v128, at: usize): v128 {
  const sign = i16x8.shr_s(c, 15);
  const over = i16x8.sub_sat_u(i16x8.abs(c), v128.load(at, 32));
  const level = i16x8.min_s(i16x8.q15mulr_sat_s(over, v128.load(at, 16)), i16x8.splat(127));
  return i16x8.sub(v128.xor(level, sign), sign);
}

/** Lanes of coefficients that become levels, and a few that nearly do. */
@inline
export function remains(c: v128, at: usize): v128 {
  return i16x8.gt_s(i16x8.abs(c), v128.load(at, 48));
}
