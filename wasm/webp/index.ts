// AssemblyScript.
/**
 * Lossy WebP: a key frame of VP8 (RFC 6386). Strips of 16 rows are converted, predicted, transformed and quantised; levels wait until
 * all of them are counted, so that the tokens get the probabilities they have. Built by scripts/make-wasm.ts.
 */
import { begin, end, position, put, putBits, writeBlock, writeSecond } from './bool';
import { convert } from './convert';
import { beginMacroblocks, beginRow, macroblock, skipped } from './macroblock';
import {
  body,
  bodyEnd,
  HIST,
  layOut,
  LEFT_MODES,
  LEFT_NZ,
  levels,
  MODE_COSTS,
  modes,
  pixels,
  PROBS,
  topModes,
  topNz,
  topUV,
  topY,
  TUNE,
} from './memory';
import { DEFAULTS, UPDATES } from './probabilities';
import { lambda, setSteps } from './quant';
import { COSTS, SUBMODES } from './tables';
import { clearContexts, settleAll } from './tokens';

export { TUNE };

let width: i32 = 0;
let height: i32 = 0;
let channels: i32 = 0;
let across: i32 = 0;
let row: i32 = 0;
let quantIndex: i32 = 0;
let filter: i32 = 0;

function cost(bit: bool, p: u32): i32 {
  return i32(load<u16>(COSTS + (usize(bit ? 256 - p : p) << 1)));
}

/** Bits of mode m by the nine probabilities of its context. */
function modeCost(m: i32, p: usize): i32 {
  let sum = cost(m != 0, load<u8>(p));
  if (m == 0) return sum;
  sum += cost(m != 1, load<u8>(p, 1));
  if (m == 1) return sum;
  sum += cost(m != 2, load<u8>(p, 2));
  if (m == 2) return sum;
  sum += cost(m >= 6, load<u8>(p, 3));
  if (m < 6) {
    sum += cost(m != 3, load<u8>(p, 4));
    return m == 3 ? sum : sum + cost(m != 4, load<u8>(p, 5));
  }
  for (let k = 6; k < 9; k++) {
    sum += cost(m != k, load<u8>(p + usize(k)));
    if (m == k) break;
  }
  return sum;
}

/** In squared error times 16, the mode in the lowest bits; what is no mode costs too much. */
function setModeCosts(): void {
  for (let i: usize = 0; i < 100; i++)
    for (let m = 0; m < 12; m++) {
      const value = m < 10 ? ((((modeCost(m, SUBMODES + i * 9) * lambda) >> 8) << 4) | m) : 0x7000000;
      store<i32>(MODE_COSTS + i * 48 + (usize(m) << 2), value);
    }
}

/** Where the pixels of a strip go; 0 where the picture does not fit. */
export function start(w: i32, h: i32, c: i32, index: i32, level: i32): usize {
  if (layOut(w, h, c) > usize(memory.size()) << 16) return 0;
  width = w;
  height = h;
  channels = c;
  across = (w + 15) >> 4;
  row = 0;
  quantIndex = index;
  filter = level;
  setSteps(index);
  setModeCosts();
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

function putSubmode(m: i32, p: usize): void {
  put(m != 0, load<u8>(p));
  if (m == 0) return;
  put(m != 1, load<u8>(p, 1));
  if (m == 1) return;
  put(m != 2, load<u8>(p, 2));
  if (m == 2) return;
  put(m >= 6, load<u8>(p, 3));
  if (m < 6) {
    put(m != 3, load<u8>(p, 4));
    if (m != 3) put(m != 4, load<u8>(p, 5));
    return;
  }
  for (let k = 6; k < 9; k++) {
    put(m != k, load<u8>(p + usize(k)));
    if (m == k) return;
  }
}

function putModes(at: usize, x: usize): usize {
  const flags = i32(load<u8>(at));
  const above = topModes + (x << 2);
  const mode = (flags >> 2) & 3;
  put((flags & 1) == 0, 145);
  if (flags & 1) {
    for (let i: usize = 0; i < 16; i++) {
      const up = above + (i & 3);
      const left = LEFT_MODES + (i >> 2);
      const m = load<u8>(at + 1 + i);
      putSubmode(m, SUBMODES + (usize(load<u8>(up)) * 10 + usize(load<u8>(left))) * 9);
      store<u8>(up, m);
      store<u8>(left, m);
    }
  } else {
    put((mode & 1) == 1, 156);
    if (mode & 1) put(mode == 1, 128);
    else put(mode == 2, 163);
    store<u32>(above, u32(mode) * 0x01010101);
    store<u32>(LEFT_MODES, u32(mode) * 0x01010101);
  }
  const uv = flags >> 4;
  put(uv != 0, 142);
  if (uv != 0) {
    put(uv != 2, 114);
    if (uv != 2) put(uv == 1, 183);
  }
  return at + (flags & 1 ? 17 : 1);
}

function putDelta(value: i32): void {
  put(value != 0, 128);
  if (value == 0) return;
  putBits(u32(abs(value)), 4);
  put(value < 0, 128);
}

function putProbabilities(): void {
  for (let k: usize = 0; k < 96; k++)
    for (let i: usize = 0; i < 11; i++) {
      const p = load<u8>(PROBS + (k << 4) + i);
      const changed = p != load<u8>(DEFAULTS + k * 11 + i);
      put(changed, load<u8>(UPDATES + k * 11 + i));
      if (changed) putBits(p, 8);
    }
}

/** The first partition: what holds for the frame, and the modes. */
function firstPartition(at: usize): usize {
  const count = across * ((height + 15) >> 4);
  begin(at);
  putBits(0, 3); // colour space, clamping, no segments
  putBits(0, 1); // the normal loop filter
  putBits(filter, 6);
  putBits(0, 3 + 1 + 2); // sharpness, no deltas, one partition of tokens
  putBits(quantIndex, 7);
  for (let i = 0; i < 5; i++) putDelta(0);
  putBits(0, 1);
  putProbabilities();
  const none = u32(max<i32>(1, min<i32>(254, (255 * (count - i32(skipped))) / count)));
  put(skipped > 0, 128);
  if (skipped > 0) putBits(none, 8);
  memory.fill(topModes, 0, usize(across) * 4);
  let from = modes;
  for (let i = 0; i < count; i++) {
    const x = i % across;
    if (x == 0) store<u32>(LEFT_MODES, 0);
    if (skipped > 0) put((load<u8>(from) & 2) != 0, none);
    from = putModes(from, usize(x));
  }
  return end();
}

@inline
function putLevels(from: usize, last: usize, type: usize, top: usize, left: usize): usize {
  const first: usize = type == 0 ? 1 : 0;
  writeBlock(from, first, last, type, usize(load<u8>(top)) + usize(load<u8>(left)));
  const has: u8 = last > first ? 1 : 0;
  store<u8>(top, has);
  store<u8>(left, has);
  return from + last;
}

function putMacroblock(ends: usize, is4: bool, top: usize): usize {
  let from = ends + 25;
  if (!is4) {
    const last = usize(load<u8>(ends));
    writeSecond(from, last, usize(load<u8>(top, 8)) + usize(load<u8>(LEFT_NZ, 8)));
    store<u8>(top, last > 0 ? 1 : 0, 8);
    store<u8>(LEFT_NZ, last > 0 ? 1 : 0, 8);
    from += last << 1;
  }
  const type: usize = is4 ? 3 : 0;
  for (let i: usize = 0; i < 16; i++)
    from = putLevels(from, load<u8>(ends + 1 + i), type, top + (i & 3), LEFT_NZ + (i >> 2));
  for (let i: usize = 0; i < 8; i++) {
    const plane: usize = 4 + ((i >> 2) << 1);
    from = putLevels(from, load<u8>(ends + 17 + i), 2, top + plane + (i & 1), LEFT_NZ + plane + ((i >> 1) & 1));
  }
  return from;
}

/** The tokens; 0 where there is no room. */
function tokenPartition(at: usize): usize {
  begin(at);
  memory.fill(topNz, 0, usize(across) * 16);
  let from = levels;
  let mode = modes;
  const count = across * ((height + 15) >> 4);
  for (let i = 0; i < count; i++) {
    const x = i % across;
    if (x == 0) {
      store<u64>(LEFT_NZ, 0);
      store<u8>(LEFT_NZ, 0, 8);
    }
    const flags = load<u8>(mode);
    mode += flags & 1 ? 17 : 1;
    const top = topNz + (usize(x) << 4);
    if (flags & 2) clearContexts(top, (flags & 1) == 0);
    else from = putMacroblock(from, (flags & 1) == 1, top);
    // A macroblock has 400 levels of 24 bits at most.
    if (position() + 1200 > bodyEnd) return 0;
  }
  return end();
}

/** Behind the last strip: the length of the file that lies at written(), 0 where it does not fit. */
export function finish(): usize {
  settleAll();
  const head = body + 30;
  const tokens = firstPartition(head);
  const first = tokens - head;
  if (first >= 1 << 19) return 0;
  const last = tokenPartition(tokens);
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
