// AssemblyScript.
/**
 * The boolean coder (RFC 6386, 7): `low` holds 8 bits that the range lies in, `pending` bits before them that are not written yet, and
 * above those a carry.
 */
import { BANDS, TYPE_BYTES } from './tokens';
import { PROBS } from './memory';

let low: u64 = 0;
let range: u32 = 255;
let pending: u32 = 0;
let to: usize = 0;

export function begin(at: usize): void {
  low = 0;
  range = 255;
  pending = 0;
  to = at;
}

@inline
export function position(): usize {
  return to;
}

/** Four bytes; a carry runs back through what is written. */
function flush(): void {
  const top = low >> u64(pending - 24);
  if (top >> 32 != 0) {
    let at = to - 1;
    while (load<u8>(at) == 255) store<u8>(at--, 0);
    store<u8>(at, load<u8>(at) + 1);
  }
  store<u32>(to, bswap<u32>(u32(top)));
  to += 4;
  low &= (u64(1) << u64(pending - 24)) - 1;
  pending -= 32;
}

@inline
function splitOf(range: u32, probability: u32): u32 {
  return 1 + (((range - 1) * probability) >> 8);
}

@inline
function shiftOf(range: u32): u32 {
  return clz(range) - 24;
}

export function put(bit: bool, probability: u32): void {
  const split = splitOf(range, probability);
  low += u64(select<u32>(split, 0, bit));
  const rest = select<u32>(range - split, split, bit);
  const shift = shiftOf(rest);
  range = rest << shift;
  low <<= u64(shift);
  pending += shift;
  if (pending >= 32) flush();
}

/** The highest of n bits first, even chances. */
export function putBits(value: u32, n: u32): void {
  for (let i = n; i > 0; i--) put(((value >> (i - 1)) & 1) == 1, 128);
}

/** All of it; answers with the first byte behind. */
export function end(): usize {
  // To whole bytes, and those to four at a time: what is behind them is not part of it.
  const bytes = usize((pending + 15) >> 3);
  const shift = 40 - pending;
  low <<= u64(shift);
  pending += shift;
  const from = to;
  flush();
  low <<= 24;
  pending += 24;
  flush();
  return from + bytes;
}

const CAT3 = memory.data<u8>([173, 148, 140]);
const CAT4 = memory.data<u8>([176, 155, 140, 135]);
const CAT5 = memory.data<u8>([180, 157, 141, 134, 130]);
const CAT6 = memory.data<u8>([254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129]);

function putExtra(value: u32, table: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) put(((value >> (n - 1 - i)) & 1) == 1, load<u8>(table + i));
}

/** What is larger than one, but not that it is. */
function putLarge(size: u32, p: usize): void {
  if (size < 5) {
    put(false, load<u8>(p, 3));
    put(size > 2, load<u8>(p, 4));
    if (size > 2) put(size == 4, load<u8>(p, 5));
    return;
  }
  put(true, load<u8>(p, 3));
  if (size < 11) {
    put(false, load<u8>(p, 6));
    put(size > 6, load<u8>(p, 7));
    if (size < 7) put(size == 6, 159);
    else {
      put(size > 8, 165);
      put(((size - 7) & 1) == 1, 145);
    }
    return;
  }
  put(true, load<u8>(p, 6));
  put(size > 34, load<u8>(p, 8));
  if (size < 35) {
    put(size > 18, load<u8>(p, 9));
    if (size < 19) putExtra(size - 11, CAT3, 3);
    else putExtra(size - 19, CAT4, 4);
  } else {
    put(size > 66, load<u8>(p, 10));
    if (size < 67) putExtra(size - 35, CAT5, 5);
    else putExtra(size - 67, CAT6, 11);
  }
}

/**
 * The tokens of a block, as count() of tokens.ts counts them. The coder's state is in locals here: a token that is not large shifts by
 * less than what is left above 32 bits.
 */
@inline
function write(levels: usize, first: usize, last: usize, type: usize, context: usize, wide: bool): void {
  const base = PROBS + type * TYPE_BYTES;
  let p = base + usize(load<u16>(BANDS + (first << 1))) + (context << 4);
  put(last > first, load<u8>(p));
  if (last <= first) return;
  let lo = low;
  let ra = range;
  let bits = pending;
  for (let i = first; i < last; ) {
    const x = wide ? i32(load<i16>(levels + (i << 1))) : i32(load<i8>(levels + i));
    i++;
    const next = base + usize(load<u16>(BANDS + (i << 1)));
    let split = splitOf(ra, load<u8>(p, 1));
    if (x == 0) {
      const n = shiftOf(split);
      ra = split << n;
      lo <<= u64(n);
      bits += n;
      p = next;
    } else {
      ra -= split;
      let n = shiftOf(ra);
      ra <<= n;
      lo = (lo + u64(split)) << u64(n);
      bits += n;
      split = splitOf(ra, load<u8>(p, 2));
      const size = u32(abs(x));
      if (size == 1) {
        n = shiftOf(split);
        ra = split << n;
        lo <<= u64(n);
        bits += n;
        p = next + 16;
      } else {
        ra -= split;
        n = shiftOf(ra);
        range = ra << n;
        low = (lo + u64(split)) << u64(n);
        pending = bits + n;
        if (pending >= 32) flush();
        putLarge(size, p);
        lo = low;
        ra = range;
        bits = pending;
        p = next + 32;
      }
      // The sign is as likely as not: no branch.
      split = (ra + 1) >> 1;
      lo += u64(split & u32(x >> 31));
      ra = select<u32>(ra - split, split, x < 0);
      n = shiftOf(ra);
      ra <<= n;
      lo <<= u64(n);
      bits += n;
      if (i < 16) {
        split = splitOf(ra, load<u8>(p));
        lo += u64(select<u32>(split, 0, i < last));
        ra = select<u32>(ra - split, split, i < last);
        n = shiftOf(ra);
        ra <<= n;
        lo <<= u64(n);
        bits += n;
      }
    }
    if (bits >= 32) {
      low = lo;
      pending = bits;
      flush();
      lo = low;
      bits = pending;
    }
  }
  low = lo;
  range = ra;
  pending = bits;
}

export function writeBlock(levels: usize, first: usize, last: usize, type: usize, context: usize): void {
  write(levels, first, last, type, context, false);
}

export function writeSecond(levels: usize, last: usize, context: usize): void {
  write(levels, 0, last, 1, context, true);
}
