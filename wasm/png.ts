// AssemblyScript. PNG's rows filtered, and deflated by code lengths and runs alone: after a filter hardly anything else repeats.

const FREQ: usize = 45056; // 288 × u32
const SORTED: usize = FREQ + 1152; // 288 × u32: frequency << 9 | symbol
const DEPTH: usize = SORTED + 1152; // 288 × u32
const LENS: usize = DEPTH + 1152; // 288 + 32 bytes, literals and then distances
const CODES: usize = LENS + 320; // 288 × u32: code | length << 16
const PACKED: usize = CODES + 1152; // lengths as runs, 320 × u16: symbol | extra << 8
const CL_CODES: usize = PACKED + 640; // 19 × u32
const CL_LENS: usize = CL_CODES + 128;
const COUNTS: usize = CL_LENS + 32; // 34 × u32

/** Of literals and lengths: four codes and seven bits that wait fit 64. */
const LIMIT: u32 = 12;
/** Runs are looked for where at least one byte in so many goes on the three before it: what is gained by fewer costs more than it is worth. */
const RUNS_PAY: u32 = 8;

export const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

let acc: u64 = 0;
let waiting: u32 = 0;
let to: usize = 0;

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
  acc = 0;
  waiting = 0;
}

@inline
function put(code: u32, length: u32): void {
  acc |= (<u64>code) << (<u64>waiting);
  waiting += length;
  store<u64>(to, acc);
  const bytes = waiting >> 3;
  to += bytes;
  acc >>= <u64>(bytes << 3);
  waiting &= 7;
}

/** Ends on a byte without ending the stream: an empty block. Returns the bytes written, at most six. */
export function deflateFlush(out: usize): u32 {
  to = out;
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
  to = out;
  memory.fill(FREQ, 0, 1152);
  const runs = hasRuns(at, length);
  let count: u32 = 0;
  if (runs) count = tokenize(at, length, tokens);
  else histogram(at, length);
  store<u32>(FREQ + (256 << 2), 1);
  buildCodes(FREQ, 286, LIMIT, LENS, CODES);
  const used = packLengths();
  const size = bitsOf() + used * 14 + 80;
  if (size >= (length << 3)) {
    storeRaw(at, length, last);
  } else {
    writeHeader(used, last);
    if (runs) writeTokens(tokens, count);
    else writeBytes(at, length);
    const end = load<u32>(CODES + (256 << 2));
    put(end & 0xffff, end >> 16);
  }
  if (last && waiting > 0) {
    store<u8>(to++, <u8>acc);
    waiting = 0;
    acc = 0;
  }
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

@inline
function count(table: usize, symbol: u32): void {
  const p = table + (symbol << 2);
  store<u32>(p, load<u32>(p) + 1);
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

@inline
export function lengthExtra(run: u32): u32 {
  if (run < 11 || run == 258) return 0;
  return 29 - clz(run - 3);
}

@inline
export function lengthSymbol(run: u32): u32 {
  if (run == 258) return 285;
  if (run < 11) return 254 + run;
  const extra = lengthExtra(run);
  return 257 + (extra << 2) + ((run - 3) >> extra);
}

/** Lengths of at most `limit` bits for what occurs, and the codes, first bit lowest. */
export function buildCodes(freq: usize, n: u32, limit: u32, lens: usize, codes: usize): void {
  memory.fill(lens, 0, n);
  memory.fill(COUNTS, 0, 136);
  let used: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const f = load<u32>(freq + (i << 2));
    if (f != 0) store<u32>(SORTED + (used++ << 2), (f << 9) | i);
  }
  sort(used);
  depths(used);
  for (let i: u32 = 0; i < used; i++) count(COUNTS, min<u32>(load<u32>(DEPTH + (i << 2)), limit));
  // What was cut is taken back from codes that can be longer (Kraft's sum must come out as one).
  let total: u32 = 0;
  for (let len: u32 = 1; len <= limit; len++) total += load<u32>(COUNTS + (len << 2)) << (limit - len);
  while (total > (<u32>1 << limit)) {
    store<u32>(COUNTS + (limit << 2), load<u32>(COUNTS + (limit << 2)) - 1);
    let len = limit - 1;
    while (load<u32>(COUNTS + (len << 2)) == 0) len--;
    store<u32>(COUNTS + (len << 2), load<u32>(COUNTS + (len << 2)) - 1);
    store<u32>(COUNTS + ((len + 1) << 2), load<u32>(COUNTS + ((len + 1) << 2)) + 2);
    total--;
  }
  let k: u32 = 0;
  for (let len = limit; len > 0; len--) {
    for (let c = load<u32>(COUNTS + (len << 2)); c > 0; c--) {
      store<u8>(lens + (load<u32>(SORTED + (k++ << 2)) & 511), <u8>len);
    }
  }
  let code: u32 = 0;
  for (let len: u32 = 1; len <= limit; len++) {
    code = (code + (len > 1 ? load<u32>(COUNTS + ((len - 1) << 2)) : 0)) << 1;
    store<u32>(DEPTH + (len << 2), code);
  }
  for (let i: u32 = 0; i < n; i++) {
    const len = <u32>load<u8>(lens + i);
    if (len == 0) continue;
    const next = DEPTH + (len << 2);
    const own = load<u32>(next);
    store<u32>(next, own + 1);
    let turned: u32 = 0;
    for (let b: u32 = 0; b < len; b++) turned |= ((own >> b) & 1) << (len - 1 - b);
    store<u32>(codes + (i << 2), turned | (len << 16));
  }
}

/** Shell's sort, rarest first. */
function sort(n: u32): void {
  for (let gap: u32 = 121; gap > 0; gap = (gap - 1) / 3) {
    for (let i = gap; i < n; i++) {
      const x = load<u32>(SORTED + (i << 2));
      let j = i;
      while (j >= gap && load<u32>(SORTED + ((j - gap) << 2)) > x) {
        store<u32>(SORTED + (j << 2), load<u32>(SORTED + ((j - gap) << 2)));
        j -= gap;
      }
      store<u32>(SORTED + (j << 2), x);
    }
    if (gap == 1) break;
  }
}

@inline
function depthAt(i: u32): u32 {
  return load<u32>(DEPTH + (i << 2));
}

@inline
function setDepth(i: u32, value: u32): void {
  store<u32>(DEPTH + (i << 2), value);
}

/** Moffat and Katajainen: depths of a minimum redundancy tree in the place of the sorted frequencies. n ≥ 2. */
function depths(n: u32): void {
  for (let i: u32 = 0; i < n; i++) setDepth(i, load<u32>(SORTED + (i << 2)) >> 9);
  setDepth(0, depthAt(0) + depthAt(1));
  let root: u32 = 0;
  let leaf: u32 = 2;
  for (let next: u32 = 1; next < n - 1; next++) {
    let sum: u32 = 0;
    for (let k = 0; k < 2; k++) {
      if (leaf >= n || (root < next && depthAt(root) < depthAt(leaf))) {
        sum += depthAt(root);
        setDepth(root++, next);
      } else sum += depthAt(leaf++);
    }
    setDepth(next, sum);
  }
  setDepth(n - 2, 0);
  for (let i = <i32>n - 3; i >= 0; i--) setDepth(i, depthAt(depthAt(i)) + 1);
  let open: i32 = 1;
  let inner: i32 = 0;
  let depth: u32 = 0;
  let at = <i32>n - 2;
  let next = <i32>n - 1;
  while (open > 0) {
    while (at >= 0 && depthAt(at) == depth) {
      inner++;
      at--;
    }
    while (open > inner) {
      setDepth(next--, depth);
      open--;
    }
    open = 2 * inner;
    depth++;
    inner = 0;
  }
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

/** The lengths of literals, lengths and one distance as runs; returns how many there are. Their codes are made too. */
function packLengths(): u32 {
  let lits: u32 = 286;
  while (lits > 257 && load<u8>(LENS + lits - 1) == 0) lits--;
  store<u8>(LENS + lits, 1); // distance 1, the only one
  const n = lits + 1;
  store<u32>(CL_LENS + 28, lits);
  const freq = COUNTS + 136;
  memory.fill(freq, 0, 76);
  let k: u32 = 0;
  let i: u32 = 0;
  while (i < n) {
    const len = <u32>load<u8>(LENS + i);
    let run: u32 = 1;
    while (i + run < n && <u32>load<u8>(LENS + i + run) == len) run++;
    let symbol = len;
    let extra: u32 = 0;
    if (len == 0 && run >= 3) {
      run = min<u32>(run, 138);
      symbol = run < 11 ? 17 : 18;
      extra = run - (run < 11 ? 3 : 11);
    } else if (i > 0 && run >= 3 && <u32>load<u8>(LENS + i - 1) == len) {
      run = min<u32>(run, 6);
      symbol = 16;
      extra = run - 3;
    } else run = 1;
    store<u16>(PACKED + (k++ << 1), <u16>(symbol | (extra << 8)));
    count(freq, symbol);
    i += run;
  }
  // A code of one symbol is none to zlib.
  if (load<u32>(freq) == 0) store<u32>(freq, 1);
  if (load<u32>(freq + 4) == 0) store<u32>(freq + 4, 1);
  // buildCodes uses COUNTS below `freq` only.
  buildCodes(freq, 19, 7, CL_LENS, CL_CODES);
  return k;
}

function writeHeader(packed: u32, last: bool): void {
  const lits = load<u32>(CL_LENS + 28);
  put((last ? 1 : 0) | (2 << 1), 3);
  put(lits - 257, 5);
  put(0, 5);
  let lens: u32 = 19;
  while (lens > 4 && load<u8>(CL_LENS + <usize>load<u8>(ORDER + lens - 1)) == 0) lens--;
  put(lens - 4, 4);
  for (let i: u32 = 0; i < lens; i++) put(load<u8>(CL_LENS + <usize>load<u8>(ORDER + i)), 3);
  for (let i: u32 = 0; i < packed; i++) {
    const x = <u32>load<u16>(PACKED + (i << 1));
    const symbol = x & 255;
    const entry = load<u32>(CL_CODES + (symbol << 2));
    put(entry & 0xffff, entry >> 16);
    if (symbol > 15) put(x >> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
  }
}

function writeBytes(at: usize, length: u32): void {
  let a = acc;
  let n = <u64>waiting;
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
  acc = a;
  waiting = <u32>n;
  to = p;
  for (; i < length; i++) {
    const e = load<u32>(CODES + ((<u32>load<u8>(at + i)) << 2));
    put(e & 0xffff, e >> 16);
  }
}

function writeTokens(tokens: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const token = <u32>load<u16>(tokens + (i << 1));
    if (token < 256) {
      const e = load<u32>(CODES + (token << 2));
      put(e & 0xffff, e >> 16);
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

/** What codes would only make longer, as it is. */
function storeRaw(at: usize, length: u32, last: bool): void {
  let left = length;
  while (left > 0) {
    const part = min<u32>(left, 65535);
    left -= part;
    put(last && left == 0 ? 1 : 0, 3);
    if (waiting > 0) put(0, 8 - waiting);
    store<u16>(to, <u16>part);
    store<u16>(to, <u16>~part, 2);
    to += 4;
    memory.copy(to, at, part);
    to += part;
    at += part;
  }
}
