// AssemblyScript.
/**
 * Lossy WebP: a key frame of VP8 (RFC 6386). Strips of 16 rows are converted, predicted, transformed and quantised; levels wait until
 * all of them are counted, so that the tokens get the probabilities they have. Built by scripts/make-wasm.ts.
 */
import { convert } from './convert';
import { firstPartition, tokenPartition } from './frame';
import { beginMacroblocks, beginRow, macroblock } from './macroblock';
import { body, FIRST, HIST, layOut, levels, modes, pixels, topModes, topNz, topUV, topY } from './memory';
import { setModeCosts } from './modes';
import { setSteps } from './quant';
import { settleAll } from './tokens';

export { reconstruct } from './macroblock';

let width: i32 = 0;
let height: i32 = 0;
let channels: i32 = 0;
let across: i32 = 0;
let row: i32 = 0;
/** What steps and costs of modes were made for: they are the same for the next picture. */
let quantIndex: i32 = -1;
let filter: i32 = 0;

/** What a picture takes of the memory, in bytes. */
export function taken(w: i32, h: i32, c: i32): usize {
  return layOut(w, h, c) - FIRST;
}

/** Where the pixels of a strip go; 0 where the picture does not fit. */
export function start(w: i32, h: i32, c: i32, index: i32, level: i32): usize {
  if (layOut(w, h, c) > usize(memory.size()) << 16) return 0;
  width = w;
  height = h;
  channels = c;
  across = (w + 15) >> 4;
  row = 0;
  filter = level;
  if (index != quantIndex) {
    quantIndex = index;
    setSteps(index);
    setModeCosts();
  }
  memory.fill(HIST, 0, 96 * 64);
  memory.fill(topY - 16, 127, usize(across) * 16 + 48);
  memory.fill(topUV, 127, usize(across) * 16);
  memory.fill(topModes, 0, usize(across) * 4);
  memory.fill(topNz, 0, usize(across) * 16);
  beginMacroblocks(modes, levels);
  return pixels;
}

/** The next 16 rows are there, or the last of them. */
export function strip(): void {
  convert(width, min(16, height - row * 16), channels);
  beginRow(row);
  for (let x = 0; x < across; x++) macroblock(x, row, across);
  row++;
}

/** Behind the last strip: the length of the file that lies at written(), 0 where it does not fit. */
export function finish(): usize {
  settleAll();
  const head = body + 30;
  const count = across * row;
  const tokens = firstPartition(head, across, count, quantIndex, filter);
  const first = tokens - head;
  if (first >= 1 << 19) return 0;
  const last = tokenPartition(tokens, across, count);
  if (last == 0) return 0;
  const size = last - body - 20;
  const padded = (size + 1) & ~1;
  store<u8>(last, 0);
  store<u32>(body, 0x46464952); // RIFF
  store<u32>(body, <u32>(12 + padded), 4);
  store<u32>(body, 0x50424557, 8); // WEBP
  store<u32>(body, 0x20385056, 12); // 'VP8 '
  store<u32>(body, u32(size), 16);
  store<u32>(body, (u32(first) << 5) | 0x10, 20);
  store<u32>(body + 23, 0x002a019d);
  store<u16>(body, u16(width), 26);
  store<u16>(body, u16(height), 28);
  return 20 + padded;
}

export function written(): usize {
  return body;
}
