// AssemblyScript. Deflate, decoded only as far as somebody wants to see: a stream can be left at any symbol and taken up again.
//
// The table of literals and lengths holds up to three literals an entry, all that its 11 bits decide: what predictors leave
// is mostly short codes. Longer codes are rare by their nature and found bit by bit.

const LIT_BITS: u32 = 11;
const DIST_BITS: u32 = 9;

// Everything below the first page of the caller's: see memory.ts.
const SINGLE: usize = 2048; // one symbol an entry
const COMBINED: usize = SINGLE + (4 << LIT_BITS); // up to three literals an entry
const DIST: usize = COMBINED + (4 << LIT_BITS);
const LENGTHS: usize = DIST + (4 << DIST_BITS); // code lengths as read, 320 bytes
const LIT_COUNT: usize = LENGTHS + 320; // 16 × u16 and then 288 × u16 symbols by code
const DIST_COUNT: usize = LIT_COUNT + 32 + 576;
const CODE_COUNT: usize = DIST_COUNT + 32 + 64;
const CODE_TABLE: usize = CODE_COUNT + 32 + 64; // 7 bits
const OFFSETS: usize = CODE_TABLE + (4 << 7);
/** What a caller keeps to go on later: eight 64-bit words. */
export const STATE: usize = OFFSETS + 64;

// Entries: bits 0–3 length of the code, 4–5 how many literals, 8–31 the literals, first lowest.
// Without literals, bits 6–7: 0 a length (8–16 base, 20–22 extra bits), 1 end of block, 2 the code is longer than the table.
const KIND_END: u32 = 1 << 6;
const KIND_LONG: u32 = 2 << 6;
const KIND_BAD: u32 = 3 << 6;

const DONE: i32 = 1; // the stream has ended
const WANTED: i32 = 2; // as much as was wanted is there
const SHORT: i32 = 3; // the input has ended before the stream
const CORRUPT: i32 = -1;
const TOO_MUCH: i32 = -2; // more output than there may be

const LENGTH_BASE = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]);
const LENGTH_EXTRA = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);
const DIST_BASE = memory.data<u16>([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
  12289, 16385, 24577,
]);
const DIST_EXTRA = memory.data<u8>([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]);
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// Between calls: bits not yet used, where the next byte is, and in which block we are.
let bits: u64 = 0;
let count: u32 = 0;
let at: usize = 0;
let end: usize = 0;
/** 0: before a block; 1: in a stored one; 2: in a coded one; 3: at the end. */
let place: u32 = 0;
let final: u32 = 0;
let stored: u32 = 0;
/** Where the header of the block began: to read its codes again. */
let headerBits: u64 = 0;
let headerCount: u32 = 0;
let headerAt: usize = 0;

/** Where the stream was read to: bytes from `base`. */
export function used(base: usize): u32 {
  return <u32>(at - base) - (count >> 3);
}

export function begin(input: usize, length: u32): i32 {
  at = input;
  end = input + length;
  bits = 0;
  count = 0;
  place = 0;
  final = 0;
  stored = 0;
  if (length < 2) return SHORT;
  const cmf = <u32>load<u8>(input);
  const flags = <u32>load<u8>(input, 1);
  if ((cmf & 15) != 8 || cmf >> 4 > 7 || ((cmf << 8) | flags) % 31 != 0 || (flags & 32) != 0) return CORRUPT;
  at += 2;
  return 0;
}

/** Puts down where we are, as offsets from `base`: the same bytes may lie elsewhere when it goes on. */
export function leave(base: usize): void {
  store<u64>(STATE, bits);
  store<u64>(STATE, headerBits, 8);
  store<u32>(STATE, count, 16);
  store<u32>(STATE, <u32>(at - base), 20);
  store<u32>(STATE, headerCount, 24);
  store<u32>(STATE, <u32>(headerAt - base), 28);
  store<u32>(STATE, place | (final << 4), 32);
  store<u32>(STATE, stored, 36);
}

export function resume(base: usize, length: u32): i32 {
  end = base + length;
  place = load<u32>(STATE, 32);
  final = place >> 4;
  place &= 15;
  stored = load<u32>(STATE, 36);
  headerBits = load<u64>(STATE, 8);
  headerCount = load<u32>(STATE, 24);
  headerAt = base + load<u32>(STATE, 28);
  if (place == 2) {
    bits = headerBits;
    count = headerCount;
    at = headerAt;
    const status = header();
    if (status != 0) return status;
  }
  bits = load<u64>(STATE);
  count = load<u32>(STATE, 16);
  at = base + load<u32>(STATE, 20);
  return 0;
}

@inline
function fill(): void {
  while (count <= 56 && at < end) {
    bits |= (<u64>load<u8>(at)) << (<u64>count);
    at++;
    count += 8;
  }
}

@inline
function drop(n: u32): void {
  bits >>= <u64>n;
  count -= n;
}

@inline
function peek(n: u32): u32 {
  return <u32>bits & ((1 << n) - 1);
}

@inline
function reversed(code: u32, length: u32): u32 {
  let out: u32 = 0;
  for (let i: u32 = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

@inline
function litEntry(symbol: u32, length: u32): u32 {
  if (symbol < 256) return length | (1 << 4) | (symbol << 8);
  if (symbol == 256) return length | KIND_END;
  if (symbol > 285) return length | KIND_BAD;
  const i = symbol - 257;
  return length | ((<u32>load<u16>(LENGTH_BASE + (i << 1))) << 8) | ((<u32>load<u8>(LENGTH_EXTRA + i)) << 20);
}

@inline
function distEntry(symbol: u32, length: u32): u32 {
  if (symbol > 29) return length | KIND_BAD;
  return length | ((<u32>load<u8>(DIST_EXTRA + symbol)) << 24) | ((<u32>load<u16>(DIST_BASE + (symbol << 1))) << 8);
}

/** kind 0: literals and lengths, 1: distances, 2: code lengths. Counts and symbols by code go to `counts`. */
function build(lengths: usize, n: u32, width: u32, table: usize, counts: usize, kind: u32): i32 {
  memory.fill(counts, 0, 32);
  for (let i: u32 = 0; i < n; i++) {
    const slot = counts + ((<usize>load<u8>(lengths + i)) << 1);
    store<u16>(slot, load<u16>(slot) + 1);
  }
  const none = load<u16>(counts);
  store<u16>(counts, 0);
  let left: i32 = 1;
  let longest: u32 = 0;
  let offset: u32 = 0;
  for (let len: u32 = 1; len < 16; len++) {
    const c = <u32>load<u16>(counts + (len << 1));
    left = (left << 1) - <i32>c;
    if (left < 0) return CORRUPT;
    if (c != 0) longest = len;
    store<u16>(OFFSETS + (len << 1), <u16>offset);
    offset += c;
  }
  // As zlib: an incomplete code may only be one of a single symbol, or of none.
  if (left > 0 && longest > 1) return CORRUPT;
  if (kind == 2 && left > 0) return CORRUPT;
  const symbols = counts + 32;
  for (let i: u32 = 0; i < n; i++) {
    const len = <u32>load<u8>(lengths + i);
    if (len == 0) continue;
    const o = OFFSETS + (len << 1);
    const to = <usize>load<u16>(o);
    store<u16>(symbols + (to << 1), <u16>i);
    store<u16>(o, <u16>(to + 1));
  }
  const size: u32 = 1 << width;
  for (let i: u32 = 0; i < size; i++) store<u32>(table + (i << 2), KIND_LONG);
  let code: u32 = 0;
  let index: u32 = 0;
  for (let len: u32 = 1; len <= width; len++) {
    const c = <u32>load<u16>(counts + (len << 1));
    for (let k: u32 = 0; k < c; k++) {
      const symbol = <u32>load<u16>(symbols + (index << 1));
      const entry = kind == 0 ? litEntry(symbol, len) : kind == 1 ? distEntry(symbol, len) : len | (symbol << 8);
      const step: u32 = 1 << len;
      for (let i = reversed(code, len); i < size; i += step) store<u32>(table + (i << 2), entry);
      code++;
      index++;
    }
    code <<= 1;
  }
  return <u32>none == n && kind == 0 ? CORRUPT : 0;
}

/** Two and three literals where the bits of an entry decide them. */
function combine(): void {
  const size: u32 = 1 << LIT_BITS;
  for (let i: u32 = 0; i < size; i++) {
    let entry = load<u32>(SINGLE + (i << 2));
    if ((entry & 0x30) != 0) {
      const l1 = entry & 15;
      const second = load<u32>(SINGLE + ((i >> l1) << 2));
      const l2 = l1 + (second & 15);
      if ((second & 0x30) != 0 && l2 <= LIT_BITS) {
        entry = l2 | (2 << 4) | (entry & 0xff00) | ((second & 0xff00) << 8);
        const third = load<u32>(SINGLE + ((i >> l2) << 2));
        const l3 = l2 + (third & 15);
        if ((third & 0x30) != 0 && l3 <= LIT_BITS) {
          entry = l3 | (3 << 4) | (entry & 0xffff00) | ((third & 0xff00) << 16);
        }
      }
    }
    store<u32>(COMBINED + (i << 2), entry);
  }
}

/** A code longer than its table: its symbol << 4 | length; -1 where there is none. */
function longCode(counts: usize): i32 {
  let code: i32 = 0;
  let first: i32 = 0;
  let index: i32 = 0;
  let rest = bits;
  for (let len = 1; len < 16; len++) {
    code |= <i32>(rest & 1);
    rest >>= 1;
    const c = <i32>load<u16>(counts + (len << 1));
    if (code - c < first) return ((<i32>load<u16>(counts + 32 + ((index + code - first) << 1))) << 4) | len;
    index += c;
    first = (first + c) << 1;
    code <<= 1;
  }
  return -1;
}

/** Reads a block's header and builds its tables. 0, SHORT or CORRUPT. */
function header(): i32 {
  headerBits = bits;
  headerCount = count;
  headerAt = at;
  fill();
  if (count < 3) return SHORT;
  final = peek(1);
  const type = peek(3) >> 1;
  drop(3);
  if (type == 0) {
    drop(count & 7);
    fill();
    if (count < 32) return SHORT;
    const length = peek(16);
    drop(16);
    if ((length ^ 0xffff) != peek(16)) return CORRUPT;
    drop(16);
    // Whole bytes that were taken too early go back.
    at -= count >> 3;
    bits = 0;
    count = 0;
    stored = length;
    place = 1;
    return 0;
  }
  if (type == 3) return CORRUPT;
  place = 2;
  if (type == 1) {
    memory.fill(LENGTHS, 8, 144);
    memory.fill(LENGTHS + 144, 9, 112);
    memory.fill(LENGTHS + 256, 7, 24);
    memory.fill(LENGTHS + 280, 8, 8);
    memory.fill(LENGTHS + 288, 5, 32);
    build(LENGTHS, 288, LIT_BITS, SINGLE, LIT_COUNT, 0);
    combine();
    return build(LENGTHS + 288, 32, DIST_BITS, DIST, DIST_COUNT, 1);
  }
  return codes();
}

function codes(): i32 {
  fill();
  if (count < 14) return SHORT;
  const lits = peek(5) + 257;
  drop(5);
  const dists = peek(5) + 1;
  drop(5);
  const lens = peek(4) + 4;
  drop(4);
  if (lits > 286 || dists > 30) return CORRUPT;
  memory.fill(LENGTHS, 0, 19);
  for (let i: u32 = 0; i < lens; i++) {
    fill();
    if (count < 3) return SHORT;
    store<u8>(LENGTHS + load<u8>(ORDER + i), <u8>peek(3));
    drop(3);
  }
  if (build(LENGTHS, 19, 7, CODE_TABLE, CODE_COUNT, 2) != 0) return CORRUPT;
  let i: u32 = 0;
  while (i < lits + dists) {
    fill();
    const entry = load<u32>(CODE_TABLE + (peek(7) << 2));
    const length = entry & 15;
    if (length == 0) return CORRUPT;
    if (length > count) return SHORT;
    drop(length);
    const symbol = entry >> 8;
    if (symbol < 16) {
      store<u8>(LENGTHS + i++, <u8>symbol);
      continue;
    }
    if (symbol == 16 && i == 0) return CORRUPT;
    const extra: u32 = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (count < extra) return SHORT;
    const run = peek(extra) + (symbol == 18 ? 11 : 3);
    drop(extra);
    if (i + run > lits + dists) return CORRUPT;
    memory.fill(LENGTHS + i, symbol == 16 ? load<u8>(LENGTHS + i - 1) : 0, run);
    i += run;
  }
  if (load<u8>(LENGTHS + 256) == 0) return CORRUPT;
  if (build(LENGTHS, lits, LIT_BITS, SINGLE, LIT_COUNT, 0) != 0) return CORRUPT;
  combine();
  return build(LENGTHS + lits, dists, DIST_BITS, DIST, DIST_COUNT, 1);
}

/** Bytes written by the last call. */
let written: usize = 0;

export function writtenTo(): usize {
  return written;
}

/**
 * Writes from `out` on until `wanted` is reached or passed (by less than 258 bytes), or the stream ends. What was written before
 * begins at `start`; nothing is written at `limit` or beyond but 32 bytes of noise that copies may leave there.
 */
export function inflate(start: usize, out: usize, wanted: usize, limit: usize): i32 {
  let status: i32 = 0;
  written = out;
  while (true) {
    // In front of a block it goes on: a stream that ends here says so in its next bits.
    if (written >= wanted && wanted < limit) return WANTED;
    if (place == 3) return DONE;
    if (place == 0) {
      status = header();
      if (status != 0) return status;
    }
    if (place == 1) {
      const have = <u32>min<usize>(end - at, stored);
      if (written + have > limit) return TOO_MUCH;
      memory.copy(written, at, have);
      written += have;
      at += have;
      stored -= have;
      if (stored != 0) return SHORT;
    } else {
      status = coded(start, wanted, limit);
      if (status != 0) return status;
    }
    place = final != 0 ? 3 : 0;
  }
}

/** Most matches are short and from further back than they are long: one copy, no loop. May leave noise in the 32 bytes behind. */
@inline
function copyMatch(to: usize, distance: usize, length: usize): void {
  const from = to - distance;
  if (distance >= 16 || length <= distance) {
    v128.store(to, v128.load(from));
    for (let i: usize = 16; i < length; i += 16) v128.store(to + i, v128.load(from + i));
  } else if (distance == 1) {
    const splat = i8x16.splat(load<u8>(from));
    for (let i: usize = 0; i < length; i += 16) v128.store(to + i, splat);
  } else {
    for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

/** Symbols of a coded block. 0: the block has ended. */
function coded(start: usize, wanted: usize, limit: usize): i32 {
  // As long as neither end is near nothing has to be checked but distances.
  const slack = limit > 320 ? limit - 320 : 0;
  const safeOut = min<usize>(wanted, slack);
  const safeIn = end > 32 ? end - 32 : 0;
  let b = bits;
  let n = <u64>count;
  let ip = at;
  let op = written;
  let status: i32 = WANTED;
  while (op < safeOut && ip < safeIn) {
    b |= load<u64>(ip) << n;
    ip += <usize>((63 - n) >> 3);
    n |= 56;
    let e = load<u32>(COMBINED + ((<usize>b & 2047) << 2));
    if ((e & 0x30) != 0) {
      store<u32>(op, e >> 8);
      op += (e >> 4) & 3;
      b >>= <u64>(e & 15);
      n -= <u64>(e & 15);
      e = load<u32>(COMBINED + ((<usize>b & 2047) << 2));
      if ((e & 0x30) != 0) {
        store<u32>(op, e >> 8);
        op += (e >> 4) & 3;
        b >>= <u64>(e & 15);
        n -= <u64>(e & 15);
        e = load<u32>(COMBINED + ((<usize>b & 2047) << 2));
        if ((e & 0x30) != 0) {
          store<u32>(op, e >> 8);
          op += (e >> 4) & 3;
          b >>= <u64>(e & 15);
          n -= <u64>(e & 15);
          e = load<u32>(COMBINED + ((<usize>b & 2047) << 2));
          if ((e & 0x30) != 0) {
            store<u32>(op, e >> 8);
            op += (e >> 4) & 3;
            b >>= <u64>(e & 15);
            n -= <u64>(e & 15);
            continue;
          }
        }
      }
      b |= load<u64>(ip) << n;
      ip += <usize>((63 - n) >> 3);
      n |= 56;
    }
    if ((e & 0xc0) == KIND_LONG) {
      bits = b;
      const found = longCode(LIT_COUNT);
      if (found < 0) return CORRUPT;
      e = litEntry(<u32>found >> 4, <u32>found & 15);
      if ((e & 0x30) != 0) {
        store<u8>(op, <u8>(e >> 8));
        op++;
        b >>= <u64>(e & 15);
        n -= <u64>(e & 15);
        continue;
      }
    }
    b >>= <u64>(e & 15);
    n -= <u64>(e & 15);
    if ((e & 0xc0) != 0) {
      if ((e & 0xc0) != KIND_END) return CORRUPT;
      status = 0;
      break;
    }
    const lengthExtra = <u64>(e >> 20);
    const length = ((e >> 8) & 0x1ff) + (<u32>b & ((1 << <u32>lengthExtra) - 1));
    b >>= lengthExtra;
    n -= lengthExtra;
    let d = load<u32>(DIST + ((<usize>b & 511) << 2));
    if ((d & 0xc0) == KIND_LONG) {
      bits = b;
      const found = longCode(DIST_COUNT);
      if (found < 0) return CORRUPT;
      d = distEntry(<u32>found >> 4, <u32>found & 15);
    }
    if ((d & 0xc0) != 0) return CORRUPT;
    b >>= <u64>(d & 15);
    n -= <u64>(d & 15);
    const distExtra = <u64>(d >> 24);
    const distance = <usize>(((d >> 8) & 0xffff) + (<u32>b & ((1 << <u32>distExtra) - 1)));
    b >>= distExtra;
    n -= distExtra;
    if (distance > op - start) return CORRUPT;
    copyMatch(op, distance, length);
    op += length;
  }
  bits = n == 0 ? 0 : b & (~(<u64>0) >> (64 - n));
  count = <u32>n;
  at = ip;
  written = op;
  if (status == 0) return 0;
  if (op >= wanted && wanted < limit) return WANTED;
  return carefully(start, wanted, limit);
}

/** One symbol at a time, near an end of the input or the output. 0: the block has ended. */
function carefully(start: usize, wanted: usize, limit: usize): i32 {
  while (written < wanted || wanted >= limit) {
    fill();
    let e = load<u32>(SINGLE + ((<usize>bits & 2047) << 2));
    if ((e & 0xf0) == KIND_LONG) {
      const found = longCode(LIT_COUNT);
      if (found < 0) return count < 15 ? SHORT : CORRUPT;
      e = litEntry(<u32>found >> 4, <u32>found & 15);
    }
    if ((e & 15) > count) return SHORT;
    if ((e & 0x30) != 0) {
      if (written >= limit) return TOO_MUCH;
      store<u8>(written, <u8>(e >> 8));
      written++;
      drop(e & 15);
      continue;
    }
    if ((e & 0xc0) == KIND_END) {
      drop(e & 15);
      return 0;
    }
    if ((e & 0xc0) != 0) return CORRUPT;
    const extra = e >> 20;
    // 48 bits at most, of which there are 57 where the input has them.
    let rest = bits >> <u64>(e & 15);
    const length = ((e >> 8) & 0x1ff) + (<u32>rest & ((1 << extra) - 1));
    rest >>= <u64>extra;
    const before = bits;
    bits = rest;
    let d = load<u32>(DIST + ((<usize>rest & 511) << 2));
    if ((d & 0xc0) == KIND_LONG) {
      const found = longCode(DIST_COUNT);
      if (found < 0) {
        bits = before;
        return count < 48 ? SHORT : CORRUPT;
      }
      d = distEntry(<u32>found >> 4, <u32>found & 15);
    }
    bits = before;
    if ((d & 0xc0) != 0) return CORRUPT;
    const distExtra = d >> 24;
    const taken = (e & 15) + extra + (d & 15) + distExtra;
    if (taken > count) return SHORT;
    const distance = <usize>(((d >> 8) & 0xffff) + (<u32>(rest >> <u64>(d & 15)) & ((1 << distExtra) - 1)));
    if (distance > written - start) return CORRUPT;
    if (written + length > limit) return TOO_MUCH;
    drop(taken);
    const from = written - distance;
    for (let i: usize = 0; i < length; i++) store<u8>(written + i, load<u8>(from + i));
    written += length;
  }
  return WANTED;
}
