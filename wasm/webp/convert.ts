// AssemblyScript.
/** RGB to luma and chroma of BT.601 in the narrow range, 4:2:0, a strip of 16 rows at a time, macroblock by macroblock. */
import { chromaStrip, lumaStrip, pixels, planeBytes, planes } from './memory';

/** Where the bytes of a colour come from, of three vectors, 128 for none: red, green, blue. */
const MASKS = memory.data<u8>([
  0, 3, 6, 9, 12, 15, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 2, 5, 8, 11, 14, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1, 4, 7, 10, 13,
  1, 4, 7, 10, 13, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 0, 3, 6, 9, 12, 15, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 2, 5, 8, 11, 14,
  2, 5, 8, 11, 14, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 1, 4, 7, 10, 13, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 3, 6, 9, 12, 15,
]);

@inline
function colour(a: v128, b: v128, c: v128, masks: usize): v128 {
  const ab = v128.or(i8x16.relaxed_swizzle(a, v128.load(masks)), i8x16.relaxed_swizzle(b, v128.load(masks, 16)));
  return v128.or(ab, i8x16.relaxed_swizzle(c, v128.load(masks, 32)));
}

/** 16 pixels each: v128 loads behind the last one's are in the margin. */
function planesOf3(from: usize, to: usize, groups: i32): void {
  const green = to + planeBytes * 2;
  const blue = to + planeBytes * 4;
  for (let i: usize = 0; i < usize(groups) << 4; i += 16, from += 48) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    v128.store(to + i, colour(a, b, c, MASKS));
    v128.store(green + i, colour(a, b, c, MASKS + 48));
    v128.store(blue + i, colour(a, b, c, MASKS + 96));
  }
}

function planesOf4(from: usize, to: usize, groups: i32): void {
  const green = to + planeBytes * 2;
  const blue = to + planeBytes * 4;
  for (let i: usize = 0; i < usize(groups) << 4; i += 16, from += 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    const rg0 = i8x16.shuffle(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const rg1 = i8x16.shuffle(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const b0 = i8x16.shuffle(a, b, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0);
    const b1 = i8x16.shuffle(c, d, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0);
    v128.store(to + i, i64x2.shuffle(rg0, rg1, 0, 2));
    v128.store(green + i, i64x2.shuffle(rg0, rg1, 1, 3));
    v128.store(blue + i, i64x2.shuffle(b0, b1, 0, 2));
  }
}

/** One row to the three planes at `to`, its last pixel repeated to the end of the last macroblock. */
function separate(row: i32, to: usize, width: i32, channels: i32): void {
  const across = (width + 15) >> 4;
  const from = pixels + usize(row) * usize(width) * usize(channels);
  if (channels == 3) planesOf3(from, to, across);
  else if (channels == 4) planesOf4(from, to, across);
  else for (let k: usize = 0; k < 3; k++) memory.copy(to + planeBytes * 2 * k, from, width);
  if ((width & 15) == 0) return;
  for (let k: usize = 0; k < 3; k++) {
    const plane = to + planeBytes * 2 * k;
    memory.fill(plane + width, load<u8>(plane + width - 1), (across << 4) - width);
  }
}

/**
 * Factors of 256ths (luma) and of 32ths (chroma), so that products are 128ths. In memory: as constants of the code they would be made
 * anew for every pixel.
 */
const FACTORS = memory.data<i16>([
  4210, 4210, 4210, 4210, 4210, 4210, 4210, 4210, 8265, 8265, 8265, 8265, 8265, 8265, 8265, 8265, 1605, 1605, 1605, 1605,
  1605, 1605, 1605, 1605, -4860, -4860, -4860, -4860, -4860, -4860, -4860, -4860, -9540, -9540, -9540, -9540, -9540,
  -9540, -9540, -9540, 14400, 14400, 14400, 14400, 14400, 14400, 14400, 14400, -12058, -12058, -12058, -12058, -12058,
  -12058, -12058, -12058, -2342, -2342, -2342, -2342, -2342, -2342, -2342, -2342, 16192, 16192, 16192, 16192, 16192,
  16192, 16192, 16192, 16448, 16448, 16448, 16448, 16448, 16448, 16448, 16448,
]);
const U_RED: usize = 48;
const V_RED: usize = 80;
const LUMA_ZERO: usize = 128;
const CHROMA_ZERO: usize = 144;

@inline
function factor(at: usize): v128 {
  return v128.load(FACTORS + at);
}

/** Of eight pixels, (value − 128) · 256 in each: in 1/128. */
@inline
function luma(r: v128, g: v128, b: v128): v128 {
  const sum = i16x8.add(
    i16x8.add(i16x8.q15mulr_sat_s(r, factor(0)), i16x8.q15mulr_sat_s(g, factor(16))),
    i16x8.add(i16x8.q15mulr_sat_s(b, factor(32)), factor(LUMA_ZERO)),
  );
  return i16x8.shr_u(sum, 7);
}

/** Bytes 0 … 7 or 8 … 15 of what was moved by 128, as the upper bytes of words. */
@inline
function lowWords(x: v128): v128 {
  return i8x16.shuffle(i8x16.splat(0), x, 0, 16, 0, 17, 0, 18, 0, 19, 0, 20, 0, 21, 0, 22, 0, 23);
}

@inline
function highWords(x: v128): v128 {
  return i8x16.shuffle(i8x16.splat(0), x, 0, 24, 0, 25, 0, 26, 0, 27, 0, 28, 0, 29, 0, 30, 0, 31);
}

@inline
function lumaRow(r: v128, g: v128, b: v128): v128 {
  const half = i8x16.splat(-128);
  const rs = v128.xor(r, half);
  const gs = v128.xor(g, half);
  const bs = v128.xor(b, half);
  return i8x16.narrow_i16x8_u(
    luma(lowWords(rs), lowWords(gs), lowWords(bs)),
    luma(highWords(rs), highWords(gs), highWords(bs)),
  );
}

/** Four pixels' sum, times 32. */
@inline
function quad(above: v128, below: v128): v128 {
  const sum = i16x8.add(i16x8.extadd_pairwise_i8x16_u(above), i16x8.extadd_pairwise_i8x16_u(below));
  return i16x8.shl(sum, 5);
}

/** By the offsets of the factors of red, green and blue. */
@inline
function chroma(r: v128, g: v128, b: v128, cr: usize, cg: usize, cb: usize): v128 {
  const sum = i16x8.add(
    i16x8.add(i16x8.q15mulr_sat_s(r, factor(cr)), i16x8.q15mulr_sat_s(g, factor(cg))),
    i16x8.add(i16x8.q15mulr_sat_s(b, factor(cb)), factor(CHROMA_ZERO)),
  );
  return i16x8.shr_s(sum, 7);
}

/** The strip at `pixels`, of which `rows` rows are there (at least 1), to lumaStrip and chromaStrip. */
export function convert(width: i32, rows: i32, channels: i32): void {
  const across = usize((width + 15) >> 4);
  for (let y: usize = 0; y < 16; y += 2) {
    separate(min(i32(y), rows - 1), planes, width, channels);
    separate(min(i32(y) + 1, rows - 1), planes + planeBytes, width, channels);
    for (let x: usize = 0; x < across; x++) {
      const p = planes + (x << 4);
      const r0 = v128.load(p);
      const r1 = v128.load(p + planeBytes);
      const g0 = v128.load(p + planeBytes * 2);
      const g1 = v128.load(p + planeBytes * 3);
      const b0 = v128.load(p + planeBytes * 4);
      const b1 = v128.load(p + planeBytes * 5);
      const out = lumaStrip + (x << 8) + (y << 4);
      v128.store(out, lumaRow(r0, g0, b0));
      v128.store(out, lumaRow(r1, g1, b1), 16);
      const r = quad(r0, r1);
      const g = quad(g0, g1);
      const b = quad(b0, b1);
      const u = chroma(r, g, b, U_RED, U_RED + 16, V_RED);
      const v = chroma(r, g, b, V_RED, V_RED + 16, V_RED + 32);
      v128.store(chromaStrip + (x << 7) + (y << 3), i8x16.narrow_i16x8_u(u, v));
    }
  }
}
