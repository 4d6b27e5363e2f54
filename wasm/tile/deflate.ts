// AssemblyScript.
/**
 * Deflate (RFC 1951) for tiles that are compressed while a client waits: only the last place where the same four bytes began is
 * looked at, a match is taken as it comes, and a block has codes of its own. Within 2 % of zlib's level 1 in size.
 */
import { buildCodes, lengthExtra, lengthSymbol, ORDER } from '../png';
import { VALUES } from './memory';

/** The dictionary of values is not needed any more: 2^15 places, then what is to be coded. */
const HASH_BITS: u32 = 15;
const PLACES: usize = VALUES;
const TOKENS: usize = PLACES + (1 << HASH_BITS << 2);
const TOKENS_MAX: u32 = 1 << 15;
const LIT_FREQ: usize = TOKENS + ((TOKENS_MAX + 16) << 2);
const DIST_FREQ: usize = LIT_FREQ + 288 * 4;
const CL_FREQ: usize = DIST_FREQ + 32 * 4;
const LIT_CODES: usize = CL_FREQ + 32 * 4;
const DIST_CODES: usize = LIT_CODES + 288 * 4;
const CL_CODES: usize = DIST_CODES + 32 * 4;
/** Lengths of literals, of distances, and both one behind the other. */
const LIT_LENS: usize = CL_CODES + 32 * 4;
const DIST_LENS: usize = LIT_LENS + 288;
const CL_LENS: usize = DIST_LENS + 32;
const LENS: usize = CL_LENS + 32;
const PACKED: usize = LENS + 320;

const WINDOW: usize = 32768;
const MATCH_MAX: u32 = 258;
/** Of literals, lengths and distances: a length with its distance then takes at most 42 bits. */
const LIMIT: u32 = 12;

let acc: u64 = 0;
let waiting: u64 = 0;
let to: usize = 0;
let tokens: u32 = 0;

@inline
function put(bits: u64, length: u64): void {
  acc |= bits << waiting;
  waiting += length;
  store<u64>(to, acc);
  to += usize(waiting >> 3);
  acc >>= waiting & 56;
  waiting &= 7;
}

@inline
function count(table: usize, symbol: u32): void {
  const p = table + (usize(symbol) << 2);
  store<u32>(p, load<u32>(p) + 1);
}

/** Compresses n bytes at `from` to `out`, which has room for n + n / 1024 + 64; answers with the bytes written. */
export function deflate(from: usize, n: u32, out: usize): u32 {
  to = out;
  acc = 0;
  waiting = 0;
  memory.fill(PLACES, 0, usize(4 << HASH_BITS));
  const end = from + n;
  let at = from;
  do {
    memory.fill(LIT_FREQ, 0, CL_FREQ - LIT_FREQ);
    const next = tokenize(from, at, end);
    writeBlock(at, next, next == end);
    at = next;
  } while (at < end);
  if (waiting > 0) store<u8>(to++, u8(acc));
  return u32(to - out);
}

/** Takes bytes from `at` on as literals and matches until there are enough; answers with where they end. */
function tokenize(first: usize, at: usize, end: usize): usize {
  // Behind the last eight bytes nothing is looked for: words are read whole.
  const last = end - min<usize>(end - first, 12);
  let p = at;
  let token = TOKENS;
  const full = TOKENS + (usize(TOKENS_MAX) << 2);
  while (p < last && token < full) {
    const word = load<u32>(p);
    const place = PLACES + (usize((word * 0x9e3779b1) >> (32 - HASH_BITS)) << 2);
    const a = usize(load<u32>(place));
    store<u32>(place, u32(p));
    // A place of 0 is farther back than anything.
    const length: u32 = p - a <= WINDOW && load<u32>(a) == word ? matching(a, p, end) : 0;
    if (length == 0) {
      const byte = word & 255;
      store<u32>(token, byte);
      count(LIT_FREQ, byte);
      p++;
    } else {
      const distance = u32(p - a);
      store<u32>(token, (distance << 9) | length | 0x80000000);
      count(LIT_FREQ, lengthSymbol(length));
      count(DIST_FREQ, distanceSymbol(distance));
      const stop = p + length;
      // What begins within a match is worth finding again, but not all of it.
      if (stop < last) {
        remember(p + 1);
        remember(stop - 1);
      }
      p = stop;
    }
    token += 4;
  }
  for (; p < end && p >= last && token < full + 48; p++) {
    store<u32>(token, load<u8>(p));
    count(LIT_FREQ, load<u8>(p));
    token += 4;
  }
  tokens = u32((token - TOKENS) >> 2);
  return p;
}

@inline
function remember(p: usize): void {
  store<u32>(PLACES + (usize((load<u32>(p) * 0x9e3779b1) >> (32 - HASH_BITS)) << 2), u32(p));
}

/** How far the bytes at a and p are the same; four are. */
@inline
function matching(a: usize, p: usize, end: usize): u32 {
  const most = min<u32>(MATCH_MAX, u32(end - p));
  let n: u32 = 4;
  while (n + 8 <= most) {
    const differs = load<u64>(a + n) ^ load<u64>(p + n);
    if (differs != 0) return n + u32(ctz(differs) >> 3);
    n += 8;
  }
  while (n < most && load<u8>(a + n) == load<u8>(p + n)) n++;
  return n;
}

@inline
function distanceExtra(distance: u32): u32 {
  return distance < 5 ? 0 : 30 - clz(distance - 1);
}

@inline
function distanceSymbol(distance: u32): u32 {
  if (distance < 5) return distance - 1;
  const extra = 30 - clz(distance - 1);
  return (extra << 1) + ((distance - 1) >> extra);
}

function writeBlock(from: usize, end: usize, last: bool): void {
  store<u32>(LIT_FREQ + 256 * 4, 1);
  // A code of one symbol is none to some readers.
  for (let i: u32 = 0; i < 2; i++) {
    if (load<u32>(DIST_FREQ + (i << 2)) == 0) store<u32>(DIST_FREQ + (i << 2), 1);
    if (load<u32>(LIT_FREQ + (i << 2)) == 0) store<u32>(LIT_FREQ + (i << 2), 1);
  }
  buildCodes(LIT_FREQ, 286, LIMIT, LIT_LENS, LIT_CODES);
  buildCodes(DIST_FREQ, 30, LIMIT, DIST_LENS, DIST_CODES);
  const lits = used(LIT_LENS, 286, 257);
  const dists = used(DIST_LENS, 30, 1);
  memory.copy(LENS, LIT_LENS, lits);
  memory.copy(LENS + lits, DIST_LENS, dists);
  const packed = pack(lits + dists);
  if (bitsOf() + packed * 14 + 80 >= u32(end - from) << 3) return storeRaw(from, end, last);
  writeHeader(lits, dists, packed, last);
  writeTokens();
  const stop = load<u32>(LIT_CODES + 256 * 4);
  put(stop & 0xffff, stop >> 16);
}

function used(lens: usize, most: u32, least: u32): u32 {
  let n = most;
  while (n > least && load<u8>(lens + n - 1) == 0) n--;
  return n;
}

function bitsOf(): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < 286; i++) {
    const extra: u32 = i > 264 && i < 285 ? (i - 261) >> 2 : 0;
    sum += load<u32>(LIT_FREQ + (i << 2)) * (u32(load<u8>(LIT_LENS + i)) + extra);
  }
  for (let i: u32 = 0; i < 30; i++) {
    const extra: u32 = i > 3 ? (i >> 1) - 1 : 0;
    sum += load<u32>(DIST_FREQ + (i << 2)) * (u32(load<u8>(DIST_LENS + i)) + extra);
  }
  return sum;
}

/** The lengths as runs, and codes for them; answers with how many there are. */
function pack(n: u32): u32 {
  memory.fill(CL_FREQ, 0, 128);
  let k: u32 = 0;
  let i: u32 = 0;
  while (i < n) {
    const length = u32(load<u8>(LENS + i));
    let run: u32 = 1;
    while (i + run < n && u32(load<u8>(LENS + i + run)) == length) run++;
    let symbol = length;
    let extra: u32 = 0;
    if (length == 0 && run >= 3) {
      run = min<u32>(run, 138);
      symbol = run < 11 ? 17 : 18;
      extra = run - (run < 11 ? 3 : 11);
    } else if (i > 0 && run >= 3 && u32(load<u8>(LENS + i - 1)) == length) {
      run = min<u32>(run, 6);
      symbol = 16;
      extra = run - 3;
    } else run = 1;
    store<u16>(PACKED + (k++ << 1), u16(symbol | (extra << 8)));
    count(CL_FREQ, symbol);
    i += run;
  }
  for (let s: u32 = 0; s < 2; s++) if (load<u32>(CL_FREQ + (s << 2)) == 0) store<u32>(CL_FREQ + (s << 2), 1);
  buildCodes(CL_FREQ, 19, 7, CL_LENS, CL_CODES);
  return k;
}

function writeHeader(lits: u32, dists: u32, packed: u32, last: bool): void {
  put((last ? 1 : 0) | (2 << 1), 3);
  put(lits - 257, 5);
  put(dists - 1, 5);
  let lens: u32 = 19;
  while (lens > 4 && load<u8>(CL_LENS + usize(load<u8>(ORDER + lens - 1))) == 0) lens--;
  put(lens - 4, 4);
  for (let i: u32 = 0; i < lens; i++) put(load<u8>(CL_LENS + usize(load<u8>(ORDER + i))), 3);
  for (let i: u32 = 0; i < packed; i++) {
    const x = u32(load<u16>(PACKED + (i << 1)));
    const symbol = x & 255;
    const entry = load<u32>(CL_CODES + (symbol << 2));
    put(entry & 0xffff, entry >> 16);
    if (symbol > 15) put(x >> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
  }
}

/** In locals, and what was literals is put down three at a time. */
function writeTokens(): void {
  const stop = TOKENS + (usize(tokens) << 2);
  let a = acc;
  let n = waiting;
  let out = to;
  let p = TOKENS;
  while (p < stop) {
    const token = load<u32>(p);
    p += 4;
    const e = u64(load<u32>(LIT_CODES + (usize(min<u32>(token, 256)) << 2)));
    if (token < 256) {
      a |= (e & 0xffff) << n;
      n += e >> 16;
      // Three of at most twelve bits, and seven that waited.
      for (let k = 0; k < 2 && p < stop; k++) {
        const next = load<u32>(p);
        if (next > 255) break;
        const f = u64(load<u32>(LIT_CODES + (usize(next) << 2)));
        a |= (f & 0xffff) << n;
        n += f >> 16;
        p += 4;
      }
    } else {
      const length = token & 511;
      const distance = (token & 0x7fffffff) >> 9;
      const f = u64(load<u32>(LIT_CODES + (usize(lengthSymbol(length)) << 2)));
      const le = u64(lengthExtra(length));
      const d = u64(load<u32>(DIST_CODES + (usize(distanceSymbol(distance)) << 2)));
      a |= (f & 0xffff) << n;
      n += f >> 16;
      a |= u64(u64(length - 3) & ((1 << le) - 1)) << n;
      n += le;
      a |= (d & 0xffff) << n;
      n += d >> 16;
      const de = u64(distanceExtra(distance));
      a |= (u64(distance - 1) & ((1 << de) - 1)) << n;
      n += de;
    }
    store<u64>(out, a);
    out += usize(n >> 3);
    a >>= n & 56;
    n &= 7;
  }
  acc = a;
  waiting = n;
  to = out;
}

/** What codes would only make longer, as it is. */
function storeRaw(from: usize, end: usize, last: bool): void {
  let at = from;
  while (at < end) {
    const part = min<u32>(u32(end - at), 65535);
    put(last && at + part == end ? 1 : 0, 3);
    if (waiting > 0) put(0, 8 - waiting);
    store<u16>(to, u16(part));
    store<u16>(to, u16(~part), 2);
    to += 4;
    memory.copy(to, at, part);
    to += part;
    at += part;
  }
}
