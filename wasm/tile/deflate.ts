// AssemblyScript.
/**
 * Deflate (RFC 1951) for tiles that are compressed while a client waits: only the last place where the same four bytes began is
 * looked at, a match is taken as it comes, and a block has codes of its own. Within 2 % of zlib's level 1 in size.
 */
import {
  acc,
  beginBits,
  buildCodes,
  CODES,
  count,
  endBits,
  FREE,
  FREQ,
  goOn,
  headerBits,
  LENS,
  lengthExtra,
  lengthSymbol,
  LIMIT,
  packLengths,
  putCode,
  storeRaw,
  to,
  usedLengths,
  waiting,
  writeAt,
  writeHeader,
} from '../deflate-block';
import { VALUES } from './memory';

/** The dictionary of values is not needed any more: 2^15 places, then what is to be coded. */
const HASH_BITS: u32 = 15;
const PLACES: usize = VALUES;
const TOKENS: usize = PLACES + (1 << HASH_BITS << 2);
const TOKENS_MAX: u32 = 1 << 15;
/** Tables of distances, as the others have theirs of literals. */
const DIST_FREQ: usize = FREE; // 32 × u32
const DIST_CODES: usize = DIST_FREQ + 128; // 32 × u32
const DIST_LENS: usize = DIST_CODES + 128;

const WINDOW: usize = 32768;
const MATCH_MAX: u32 = 258;
let tokens: u32 = 0;

/** Compresses n bytes at `from` to `out`, which has room for n + n / 1024 + 64; answers with the bytes written. */
export function deflate(from: usize, n: u32, out: usize): u32 {
  beginBits();
  writeAt(out);
  memory.fill(PLACES, 0, usize(4 << HASH_BITS));
  const end = from + n;
  let at = from;
  do {
    memory.fill(FREQ, 0, 288 * 4);
    memory.fill(DIST_FREQ, 0, 32 * 4);
    const next = tokenize(from, at, end);
    writeBlock(at, next, next == end);
    at = next;
  } while (at < end);
  endBits();
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
      count(FREQ, byte);
      p++;
    } else {
      const distance = u32(p - a);
      store<u32>(token, (distance << 9) | length | 0x80000000);
      count(FREQ, lengthSymbol(length));
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
    count(FREQ, load<u8>(p));
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
  store<u32>(FREQ + 256 * 4, 1);
  // A code of one symbol is none to some readers.
  for (let i: u32 = 0; i < 2; i++) {
    if (load<u32>(DIST_FREQ + (i << 2)) == 0) store<u32>(DIST_FREQ + (i << 2), 1);
    if (load<u32>(FREQ + (i << 2)) == 0) store<u32>(FREQ + (i << 2), 1);
  }
  buildCodes(FREQ, 286, LIMIT, LENS, CODES);
  buildCodes(DIST_FREQ, 30, LIMIT, DIST_LENS, DIST_CODES);
  const lits = usedLengths(LENS, 286, 257);
  const dists = usedLengths(DIST_LENS, 30, 1);
  // Before the lengths of distances move in behind those of literals.
  const bits = bitsOf();
  memory.copy(LENS + lits, DIST_LENS, dists);
  const packed = packLengths(LENS, lits + dists);
  const length = u32(end - from);
  if (bits + headerBits(packed) >= length << 3) return storeRaw(from, length, last);
  writeHeader(lits, dists, packed, last);
  writeTokens();
  putCode(CODES, 256);
}

function bitsOf(): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < 286; i++) {
    const extra: u32 = i > 264 && i < 285 ? (i - 261) >> 2 : 0;
    sum += load<u32>(FREQ + (i << 2)) * (u32(load<u8>(LENS + i)) + extra);
  }
  for (let i: u32 = 0; i < 30; i++) {
    const extra: u32 = i > 3 ? (i >> 1) - 1 : 0;
    sum += load<u32>(DIST_FREQ + (i << 2)) * (u32(load<u8>(DIST_LENS + i)) + extra);
  }
  return sum;
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
    const e = u64(load<u32>(CODES + (usize(min<u32>(token, 256)) << 2)));
    if (token < 256) {
      a |= (e & 0xffff) << n;
      n += e >> 16;
      // Three of at most twelve bits, and seven that waited.
      for (let k = 0; k < 2 && p < stop; k++) {
        const next = load<u32>(p);
        if (next > 255) break;
        const f = u64(load<u32>(CODES + (usize(next) << 2)));
        a |= (f & 0xffff) << n;
        n += f >> 16;
        p += 4;
      }
    } else {
      const length = token & 511;
      const distance = (token & 0x7fffffff) >> 9;
      const f = u64(load<u32>(CODES + (usize(lengthSymbol(length)) << 2)));
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
  goOn(a, n, out);
}
