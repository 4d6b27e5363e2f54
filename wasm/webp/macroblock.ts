// AssemblyScript.
/** Macroblocks one after the other: their modes, levels and counts. */
import { chroma, modeUV } from './chroma';
import { bits16, blocks16, end2, luma16, mode16, squares } from './luma16';
import { luma4 } from './luma4';
import {
  chromaStrip,
  ENDS16,
  ENDS4,
  ENDS_UV,
  LEFT_MODES,
  LEFT_NZ,
  LEFT_UV,
  LEFT_Y,
  LEVELS16,
  LEVELS4,
  LEVELS_UV,
  LEVELS_Y2,
  lumaStrip,
  MODES4,
  REC16,
  REC4,
  REC_UV,
  topModes,
  topNz,
  topUV,
  topY,
} from './memory';
import { lambda } from './quant';
import { clearContexts, countBlock, countSecond } from './tokens';

/** A macroblock is as well off with one prediction where no more blocks than this have anything left beside their DC. */
const FEW_BLOCKS: i32 = 1;

/** Where modes and levels of the next macroblock go, and how many have had no levels. */
export let nextModes: usize = 0;
export let nextLevels: usize = 0;
export let skipped: u32 = 0;

let cornerY: i32 = 0;
let cornerU: i32 = 0;
let cornerV: i32 = 0;

/** Where the next macroblock as a decoder makes it goes, before the loop filter: 16 rows of luma, 8 of U and V. 0: nowhere. */
let reconstruction: usize = 0;

export function reconstruct(at: usize): void {
  reconstruction = at;
}

export function beginMacroblocks(modes: usize, levels: usize): void {
  nextModes = modes;
  nextLevels = levels;
  skipped = 0;
}

/** What is left of the first macroblock of row y. */
export function beginRow(y: i32): void {
  v128.store(LEFT_Y, i8x16.splat(-127));
  v128.store(LEFT_UV, i8x16.splat(-127));
  store<u32>(LEFT_MODES, 0);
  store<u64>(LEFT_NZ, 0);
  store<u8>(LEFT_NZ, 0, 8);
  cornerY = cornerU = cornerV = y == 0 ? 127 : 129;
}

/** The type of the luma blocks, as macroblocks and their levels are written: 0 has a second order, 3 has none. */
@inline
export function lumaType(is4: bool): usize {
  return is4 ? 3 : 0;
}

/** Counts the tokens of a block with its neighbours' contexts, which it becomes, and keeps its levels. */
@inline
function keep(levels: usize, end: usize, type: usize, top: usize, left: usize): void {
  const first: usize = type == 0 ? 1 : 0;
  countBlock(levels, first, end, type, usize(load<u8>(top)) + usize(load<u8>(left)));
  const has: u8 = end > first ? 1 : 0;
  store<u8>(top, has);
  store<u8>(left, has);
  if (!has) return;
  v128.store(nextLevels, v128.load(levels));
  nextLevels += end;
}

function keepLevels(is4: bool, top: usize): void {
  const ends = is4 ? ENDS4 : ENDS16;
  const levels = is4 ? LEVELS4 : LEVELS16;
  store<u8>(nextLevels, is4 ? 0 : u8(end2));
  v128.store(nextLevels, v128.load(ends), 1);
  store<u64>(nextLevels, load<u64>(ENDS_UV), 17);
  nextLevels += 25;
  if (!is4) {
    countSecond(LEVELS_Y2, end2, usize(load<u8>(top, 8)) + usize(load<u8>(LEFT_NZ, 8)));
    store<u8>(top, end2 > 0 ? 1 : 0, 8);
    store<u8>(LEFT_NZ, end2 > 0 ? 1 : 0, 8);
    v128.store(nextLevels, v128.load(LEVELS_Y2));
    v128.store(nextLevels, v128.load(LEVELS_Y2, 16), 16);
    nextLevels += usize(end2) << 1;
  }
  const type = lumaType(is4);
  for (let i: usize = 0; i < 16; i++)
    keep(levels + (i << 4), load<u8>(ends + i), type, top + (i & 3), LEFT_NZ + (i >> 2));
  for (let i: usize = 0; i < 8; i++) {
    const plane: usize = 4 + ((i >> 2) << 1);
    keep(LEVELS_UV + (i << 4), load<u8>(ENDS_UV + i), 2, top + plane + (i & 1), LEFT_NZ + plane + ((i >> 1) & 1));
  }
}

/** Edges for the macroblocks to the right and below. */
function keepEdges(x: usize, is4: bool): void {
  const above = topY + (x << 4);
  cornerY = load<u8>(above, 15);
  if (is4) {
    v128.store(above, v128.load(REC4 + 16 * 64, 16));
    for (let r: usize = 0; r < 16; r++) store<u8>(LEFT_Y + r, load<u8>(REC4 + (r + 1) * 64, 31));
    store<u32>(topModes + (x << 2), load<u32>(MODES4, 12));
    for (let r: usize = 0; r < 4; r++) store<u8>(LEFT_MODES + r, load<u8>(MODES4 + (r << 2), 3));
  } else {
    v128.store(above, v128.load(REC16, 240));
    for (let r: usize = 0; r < 16; r++) store<u8>(LEFT_Y + r, load<u8>(REC16 + (r << 4), 15));
    store<u32>(topModes + (x << 2), u32(mode16) * 0x01010101);
    store<u32>(LEFT_MODES, u32(mode16) * 0x01010101);
  }
  const aboveUV = topUV + (x << 4);
  cornerU = load<u8>(aboveUV, 7);
  cornerV = load<u8>(aboveUV, 15);
  v128.store(aboveUV, v128.load(REC_UV, 112));
  for (let r: usize = 0; r < 8; r++) {
    store<u8>(LEFT_UV + r, load<u8>(REC_UV + (r << 4), 7));
    store<u8>(LEFT_UV + r, load<u8>(REC_UV + (r << 4), 15), 8);
  }
}

/** Whether its blocks are predicted one by one. */
function lumaOf(src: usize, x: i32, y: i32, last: bool): bool {
  luma16(src, x, y, cornerY);
  if (blocks16 <= FEW_BLOCKS) return false;
  const error = squares(src, REC16);
  return luma4(src, x, y, cornerY, last, error + ((lambda * bits16) >> 8));
}

function keepPixels(is4: bool): void {
  for (let r: usize = 0; r < 16; r++)
    v128.store(reconstruction + (r << 4), v128.load(is4 ? REC4 + (r + 1) * 64 + 16 : REC16 + (r << 4)));
  memory.copy(reconstruction + 256, REC_UV, 128);
  reconstruction += 384;
}

export function macroblock(x: i32, y: i32, across: i32): void {
  const is4 = lumaOf(lumaStrip + (usize(x) << 8), x, y, x == across - 1);
  chroma(chromaStrip + (usize(x) << 7), x, y, cornerU, cornerV);
  const ends = v128.load(is4 ? ENDS4 : ENDS16);
  const none = !v128.any_true(ends) && load<u64>(ENDS_UV) == 0 && (is4 || end2 == 0);
  const top = topNz + (usize(x) << 4);
  if (none) {
    skipped++;
    clearContexts(top, !is4);
  } else keepLevels(is4, top);
  store<u8>(nextModes, u8(i32(is4) | (i32(none) << 1) | (mode16 << 2) | (modeUV << 4)));
  if (is4) {
    v128.store(nextModes, v128.load(MODES4), 1);
    nextModes += 17;
  } else nextModes++;
  keepEdges(usize(x), is4);
  if (reconstruction != 0) keepPixels(is4);
}
