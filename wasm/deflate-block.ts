// AssemblyScript. What blocks of deflate (RFC 1951) are made of, whoever finds what they say: bits, codes, header, end.

export const FREQ: usize = 45056; // 288 × u32
export const SORTED: usize = FREQ + 1152; // 288 × u32: frequency << 9 | symbol
export const DEPTH: usize = SORTED + 1152; // 288 × u32
export const LENS: usize = DEPTH + 1152; // 288 + 32 bytes, literals and then distances
export const CODES: usize = LENS + 320; // 288 × u32: code | length << 16
const PACKED: usize = CODES + 1152; // lengths as runs, 320 × u16: symbol | extra << 8
const CL_CODES: usize = PACKED + 640; // 19 × u32
const CL_LENS: usize = CL_CODES + 128;
const COUNTS: usize = CL_LENS + 32; // 34 × u32, and 19 × u32
/** Where tables of one's own may begin. */
export const FREE: usize = COUNTS + 256;

/** Of literals and lengths: four codes and seven bits that wait fit 64. */
export const LIMIT: u32 = 12;

const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** Bits that do not fill a byte yet, how many, and where the next byte goes. */
export let acc: u64 = 0;
export let waiting: u64 = 0;
export let to: usize = 0;

/** A new stream. */
export function beginBits(): void {
  acc = 0;
  waiting = 0;
}

export function writeAt(out: usize): void {
  to = out;
}

/** For loops that keep the three in locals. */
@inline
export function goOn(bits: u64, n: u64, at: usize): void {
  acc = bits;
  waiting = n;
  to = at;
}

@inline
export function put(bits: u64, length: u64): void {
  acc |= bits << waiting;
  waiting += length;
  store<u64>(to, acc);
  to += usize(waiting >> 3);
  acc >>= waiting & 56;
  waiting &= 7;
}

/** Ends the stream on a byte. */
export function endBits(): void {
  if (waiting > 0) store<u8>(to++, u8(acc));
  beginBits();
}

/** The code of one symbol, out of a table of codes. */
@inline
export function putCode(codes: usize, symbol: u32): void {
  const entry = u64(load<u32>(codes + (usize(symbol) << 2)));
  put(entry & 0xffff, entry >> 16);
}

@inline
export function count(table: usize, symbol: u32): void {
  const p = table + (symbol << 2);
  store<u32>(p, load<u32>(p) + 1);
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

/** How many of the lengths matter: up to the last that is not 0, at least so many. */
export function usedLengths(lens: usize, most: u32, least: u32): u32 {
  let n = most;
  while (n > least && load<u8>(lens + n - 1) == 0) n--;
  return n;
}

/** The n lengths as runs; returns how many there are. Their codes are made too. */
export function packLengths(lens: usize, n: u32): u32 {
  const freq = COUNTS + 136;
  memory.fill(freq, 0, 76);
  let k: u32 = 0;
  let i: u32 = 0;
  while (i < n) {
    const len = <u32>load<u8>(lens + i);
    let run: u32 = 1;
    while (i + run < n && <u32>load<u8>(lens + i + run) == len) run++;
    let symbol = len;
    let extra: u32 = 0;
    if (len == 0 && run >= 3) {
      run = min<u32>(run, 138);
      symbol = run < 11 ? 17 : 18;
      extra = run - (run < 11 ? 3 : 11);
    } else if (i > 0 && run >= 3 && <u32>load<u8>(lens + i - 1) == len) {
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

/** What a header of so many runs takes at most. */
@inline
export function headerBits(packed: u32): u32 {
  return packed * 14 + 80;
}

/** Of a block with so many literals and lengths, distances, and runs of their lengths. */
export function writeHeader(lits: u32, dists: u32, packed: u32, last: bool): void {
  put((last ? 1 : 0) | (2 << 1), 3);
  put(lits - 257, 5);
  put(dists - 1, 5);
  let lens: u32 = 19;
  while (lens > 4 && load<u8>(CL_LENS + <usize>load<u8>(ORDER + lens - 1)) == 0) lens--;
  put(lens - 4, 4);
  for (let i: u32 = 0; i < lens; i++) put(load<u8>(CL_LENS + <usize>load<u8>(ORDER + i)), 3);
  for (let i: u32 = 0; i < packed; i++) {
    const x = <u32>load<u16>(PACKED + (i << 1));
    const symbol = x & 255;
    putCode(CL_CODES, symbol);
    if (symbol > 15) put(x >> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
  }
}

/** What codes would only make longer, as it is. */
export function storeRaw(at: usize, length: u32, last: bool): void {
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
