// AssemblyScript.
/** Steps of the kinds of blocks, ready for vectors, and what a bit is worth in squared error. */
import { QUANT, TUNE } from './memory';
import { AC_STEPS, DC_STEPS } from './tables';

/** Each six vectors: step, inverse and dead zone of the vector that has the DC, and of the others. */
export const LUMA4: usize = QUANT;
export const LUMA16: usize = QUANT + 96;
export const CHROMA: usize = QUANT + 192;
export const SECOND: usize = QUANT + 288;

/** Squared error that a bit may cost. */
export let lambda: i32 = 0;

function lane(at: usize, i: usize, step: i32, rounding: i32): void {
  store<i16>(at + (i << 1), i16(step));
  store<i16>(at + 16 + (i << 1), i16((32768 + (step >> 1)) / step));
  // Half a step is what rounding adds again.
  store<i16>(at + 32 + (i << 1), i16((step * (128 - rounding) + 128) >> 8));
}

/** `dcs` has a bit for each lane that is a DC of the first vector; rounding is in 1/256. */
function fill(at: usize, dc: i32, ac: i32, dcs: i32, dcRounding: i32, rounding: i32): void {
  for (let i: usize = 0; i < 8; i++) {
    const isDc = ((dcs >> i32(i)) & 1) == 1;
    lane(at, i, isDc ? dc : ac, isDc ? dcRounding : rounding);
    lane(at + 48, i, ac, rounding);
  }
}

@inline
export function tune(i: usize): i32 {
  return load<i32>(TUNE + (i << 2));
}

/** For the frame's index, 14 … 127: below, levels would take more than seven bits. */
export function setSteps(index: i32): void {
  const dc = i32(load<u8>(DC_STEPS + usize(index)));
  const ac = i32(load<u16>(AC_STEPS + (usize(index) << 1)));
  fill(LUMA4, dc, ac, 1, tune(0), tune(1));
  fill(LUMA16, dc, ac, 0, tune(2), tune(2));
  // The DCs go their own way.
  store<i16>(LUMA16 + 32, 0x7fff);
  store<i16>(LUMA16 + 32 + 8, 0x7fff);
  const uv = i32(load<u8>(DC_STEPS + usize(min(index, 117))));
  fill(CHROMA, uv, ac, 0x11, tune(3), tune(4));
  fill(SECOND, dc * 2, max(8, (ac * 155) / 100), 1, tune(5), tune(6));
  lambda = (ac * ac * tune(7)) >> 8;
}

/** Levels of coefficients. */
@inline
export function quantize(c: v128, at: usize): v128 {
  const sign = i16x8.shr_s(c, 15);
  const over = i16x8.sub_sat_u(i16x8.abs(c), v128.load(at, 32));
  const level = i16x8.q15mulr_sat_s(over, v128.load(at, 16));
  return i16x8.sub(v128.xor(level, sign), sign);
}
