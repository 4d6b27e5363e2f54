// AssemblyScript. PNG's rows filtered, and deflated by code lengths and runs alone: after a filter hardly anything else repeats.

import {
  acc,
  beginBits,
  buildCodes,
  CODES,
  count,
  DEPTH,
  endBits,
  FREQ,
  goOn,
  headerBits,
  LENS,
  lengthExtra,
  lengthSymbol,
  LIMIT,
  packLengths,
  put,
  putCode,
  SORTED,
  storeRaw,
  to,
  usedLengths,
  waiting,
  writeAt,
  writeHeader,
} from './deflate-block';

/** Runs are looked for where at least one byte in so many goes on the three before it: what is gained by fewer costs more than it is worth. */
const RUNS_PAY: u32 = 8;

/** Rows of `stride` bytes, each behind one byte of its own: that becomes the filter's number, the rest differences to the left. */
export function filterSub(at: usize, rows: u32, stride: u32, channels: u32): void {
  for (let row: u32 = 0; row < rows; row++, at += stride + 1) {
    store<u8>(at, 1);
    // From the right, so that what is subtracted is still what it was.
    let i = stride;
    while (i >= 16 + channels) {
      i -= 16;
      const p = at + 1 + i;
      v128.store(p, i8x16.sub(v128.load(p), v128.load(p - channels)));
    }
    while (i > channels) {
      i--;
      const p = at + 1 + i;
      store<u8>(p, load<u8>(p) - load<u8>(p - channels));
    }
  }
}

/** The same with the row above, which for the first is in front of `at` in the same form (zeros: none). */
export function filterUp(at: usize, rows: u32, stride: u32): void {
  const step = stride + 1;
  for (let row = rows; row > 0; row--) {
    const p = at + (row - 1) * step;
    store<u8>(p, 2);
    let i: u32 = 1;
    for (; i + 16 <= step; i += 16) v128.store(p + i, i8x16.sub(v128.load(p + i), v128.load(p + i - step)));
    for (; i < step; i++) store<u8>(p + i, load<u8>(p + i) - load<u8>(p + i - step));
  }
}

/** A new stream of raw deflate. */
export function deflateBegin(): void {
  beginBits();
}

/** Ends on a byte without ending the stream: an empty block. Returns the bytes written, at most six. */
export function deflateFlush(out: usize): u32 {
  writeAt(out);
  put(0, 3);
  if (waiting > 0) put(0, 8 - waiting);
  store<u32>(to, 0xffff0000);
  return <u32>(to - out) + 4;
}

/**
 * One block of `length` bytes (at least 1) to `out`, where there must be room for them and an eighth more; the bits of a byte
 * that has only begun wait for the next block, and come with the last. `tokens` has room for two bytes each. Returns the bytes
 * written.
 */
export function deflateBlock(at: usize, length: u32, out: usize, tokens: usize, last: bool): u32 {
  writeAt(out);
  memory.fill(FREQ, 0, 1152);
  const runs = hasRuns(at, length);
  let tokenCount: u32 = 0;
  if (runs) tokenCount = tokenize(at, length, tokens);
  else histogram(at, length);
  store<u32>(FREQ + (256 << 2), 1);
  buildCodes(FREQ, 286, LIMIT, LENS, CODES);
  const lits = usedLengths(LENS, 286, 257);
  store<u8>(LENS + lits, 1); // distance 1, the only one
  const packed = packLengths(LENS, lits + 1);
  if (bitsOf() + headerBits(packed) >= length << 3) {
    storeRaw(at, length, last);
  } else {
    writeHeader(lits, 1, packed, last);
    if (runs) writeTokens(tokens, tokenCount);
    else writeBytes(at, length);
    putCode(CODES, 256);
  }
  if (last) endBits();
  return <u32>(to - out);
}

function hasRuns(at: usize, length: u32): bool {
  let found: u32 = 0;
  let i: u32 = 3;
  for (; i + 16 <= length; i += 16) {
    const p = at + i;
    const x = v128.load(p);
    const same = v128.and(
      i8x16.eq(x, v128.load(p - 1)),
      v128.and(i8x16.eq(x, v128.load(p - 2)), i8x16.eq(x, v128.load(p - 3))),
    );
    found += <u32>popcnt(i8x16.bitmask(same));
  }
  return found * RUNS_PAY > length;
}

/** Four tables: equal neighbours would otherwise wait for each other's sums. */
function histogram(at: usize, length: u32): void {
  // DEPTH, SORTED and CODES are not in use yet.
  memory.fill(SORTED, 0, 1152);
  memory.fill(DEPTH, 0, 1152);
  memory.fill(CODES, 0, 1152);
  let i: u32 = 0;
  for (; i + 4 <= length; i += 4) {
    const x = load<u32>(at + i);
    count(FREQ, x & 255);
    count(SORTED, (x >> 8) & 255);
    count(DEPTH, (x >> 16) & 255);
    count(CODES, x >> 24);
  }
  for (; i < length; i++) count(FREQ, <u32>load<u8>(at + i));
  for (let s: usize = 0; s < 1024; s += 4) {
    store<u32>(FREQ + s, load<u32>(FREQ + s) + load<u32>(SORTED + s) + load<u32>(DEPTH + s) + load<u32>(CODES + s));
  }
}

/** Literals below 256, runs of the byte before as 256 + their length; three to 258 bytes. */
function tokenize(at: usize, length: u32, tokens: usize): u32 {
  let n: u32 = 0;
  let i: u32 = 0;
  let before: u32 = 256;
  while (i < length) {
    const byte = <u32>load<u8>(at + i);
    if (byte == before) {
      let j = i + 1;
      const most = min<u32>(length, i + 258);
      while (j < most && <u32>load<u8>(at + j) == byte) j++;
      const run = j - i;
      if (run >= 3) {
        store<u16>(tokens + (n << 1), <u16>(256 + run));
        count(FREQ, lengthSymbol(run));
        n++;
        i = j;
        continue;
      }
    }
    store<u16>(tokens + (n << 1), <u16>byte);
    count(FREQ, byte);
    n++;
    before = byte;
    i++;
  }
  return n;
}

function bitsOf(): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < 286; i++) {
    let extra: u32 = 0;
    if (i > 264 && i < 285) extra = (i - 261) >> 2;
    // A run also names its distance, one bit.
    if (i > 256) extra++;
    sum += load<u32>(FREQ + (i << 2)) * (<u32>load<u8>(LENS + i) + extra);
  }
  return sum;
}

function writeBytes(at: usize, length: u32): void {
  let a = acc;
  let n = waiting;
  let p = to;
  let i: u32 = 0;
  for (; i + 4 <= length; i += 4) {
    const x = load<u32>(at + i);
    const e0 = <u64>load<u32>(CODES + ((x & 255) << 2));
    const e1 = <u64>load<u32>(CODES + (((x >> 8) & 255) << 2));
    const e2 = <u64>load<u32>(CODES + (((x >> 16) & 255) << 2));
    const e3 = <u64>load<u32>(CODES + ((x >> 24) << 2));
    // Pairs first: they do not wait for what came before.
    const l0 = e0 >> 16;
    const l2 = e2 >> 16;
    const first = (e0 & 0xffff) | ((e1 & 0xffff) << l0);
    const second = (e2 & 0xffff) | ((e3 & 0xffff) << l2);
    const l01 = l0 + (e1 >> 16);
    a |= (first | (second << l01)) << n;
    n += l01 + l2 + (e3 >> 16);
    store<u64>(p, a);
    p += <usize>(n >> 3);
    a >>= n & 56;
    n &= 7;
  }
  goOn(a, n, p);
  for (; i < length; i++) putCode(CODES, load<u8>(at + i));
}

function writeTokens(tokens: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const token = <u32>load<u16>(tokens + (i << 1));
    if (token < 256) {
      putCode(CODES, token);
      continue;
    }
    const run = token - 256;
    const e = load<u32>(CODES + (lengthSymbol(run) << 2));
    const extra = lengthExtra(run);
    const more = (run - 3) & ((1 << extra) - 1);
    // The distance's code is a single 0.
    put((e & 0xffff) | (more << (e >> 16)), (e >> 16) + extra + 1);
  }
}
