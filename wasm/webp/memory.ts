// AssemblyScript.
/**
 * The one memory of an instance, laid out by hand and never grown: a picture that does not fit is none for this encoder. The first
 * 64 KiB are left to the compiler; what depends on the size of the picture lies behind FRAME, at addresses that layOut() gives.
 */

export const FIRST: usize = 0x10000;
/** Probabilities of tokens, 16 bytes for each type of block, band and context, and how often which token occurred there. */
export const PROBS: usize = 0x10000;
export const HIST: usize = 0x10800;
/** What a submode costs in squared error, by the two beside it: 12 words each. */
export const MODE_COSTS: usize = 0x12400;
/** Steps, their inverses and dead zones, as vectors: quant.ts. */
export const QUANT: usize = 0x14000;
/** Predicted and reconstructed luma of the macroblock at hand, 16 rows of 16. */
export const PRED: usize = 0x14400;
export const REC16: usize = 0x14500;
/** The same where blocks of 4 × 4 px follow each other, with what is around it: rows of 64, see luma4.ts. */
export const REC4: usize = 0x14600;
export const PREDS4: usize = 0x14c00;
/** Dequantised coefficients of pairs of blocks, DCs of the 16 blocks. */
export const DEQUANT: usize = 0x14d00;
export const DCS: usize = 0x14f00;
/** Levels in the order of the scan, 16 bytes a block: i16, i4, chroma; 16 words of the second order; where each ends. */
export const LEVELS16: usize = 0x15000;
export const LEVELS4: usize = 0x15100;
export const LEVELS_UV: usize = 0x15200;
export const LEVELS_Y2: usize = 0x15280;
export const ENDS16: usize = 0x152a0;
export const ENDS4: usize = 0x152b0;
export const ENDS_UV: usize = 0x152c0;
export const MODES4: usize = 0x152d0;
/** Chroma reconstructed: 8 rows of 8 U and 8 V; predicted. */
export const REC_UV: usize = 0x152e0;
export const PRED_UV: usize = 0x15360;
/** Column to the left: 16 luma, 8 U and 8 V. */
export const LEFT_Y: usize = 0x153e0;
export const LEFT_UV: usize = 0x153f0;
/** Modes of the blocks to the left, and whether they have coefficients: 4 luma, 2 U, 2 V, the second order. */
export const LEFT_MODES: usize = 0x15400;
export const LEFT_NZ: usize = 0x15410;
const FRAME: usize = 0x15800;

/** Bytes that levels and modes of a macroblock take at most, and of its part of the body. */
const LEVEL_BYTES: usize = 25 + 32 + 24 * 16;
const MODE_BYTES: usize = 18;
const BODY_BYTES: usize = 320;
/** Header, probabilities. */
const BODY_MORE: usize = 4096;

export let pixels: usize = 0;
export let planes: usize = 0;
export let planeBytes: usize = 0;
export let lumaStrip: usize = 0;
export let chromaStrip: usize = 0;
export let topY: usize = 0;
export let topUV: usize = 0;
export let topModes: usize = 0;
export let topNz: usize = 0;
export let modes: usize = 0;
export let levels: usize = 0;
export let body: usize = 0;
export let bodyEnd: usize = 0;

let next: usize = 0;

function take(bytes: usize): usize {
  const at = next;
  next = (next + bytes + 15) & ~15;
  return at;
}

/** Answers with the first byte behind it all. */
export function layOut(width: i32, height: i32, channels: i32): usize {
  const across = usize((width + 15) >> 4);
  const count = across * usize((height + 15) >> 4);
  next = FRAME;
  pixels = take(usize(width) * usize(channels) * 16 + 64);
  planeBytes = across * 16 + 16;
  planes = take(planeBytes * 6);
  lumaStrip = take(across * 256);
  chromaStrip = take(across * 128);
  // Behind the last macroblock of a row what is above and to the right is read too.
  topY = take(across * 16 + 32) + 16;
  topUV = take(across * 16 + 16);
  topModes = take(across * 4);
  topNz = take(across * 16);
  modes = take(count * MODE_BYTES);
  levels = take(count * LEVEL_BYTES + 32);
  body = take(count * BODY_BYTES + BODY_MORE);
  bodyEnd = next - 64;
  return next;
}
