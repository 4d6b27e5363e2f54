// AssemblyScript.
/** How often which token occurs, and the probabilities that make fewest bits of them (RFC 6386, 13). */
import { HIST, LEFT_NZ, PROBS } from './memory';
import { DEFAULTS, UPDATES } from './probabilities';
import { COSTS } from './tables';

/** Contexts of a position's band, as an offset of 3 · 16 bytes each. */
export const BANDS = memory.data<u16>([0, 48, 96, 144, 288, 192, 240, 288, 288, 288, 288, 288, 288, 288, 288, 336, 0]);
export const TYPE_BYTES: usize = 384;
/** No more coefficients. */
const END: usize = 11;

/** Which token a level is, by its size; from 67 on it is always the same. */
const TOKENS = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9,
  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10,
]);

@inline
function tokenOf(size: u32): usize {
  return usize(load<u8>(TOKENS + usize(min<u32>(size, 67))));
}

@inline
function sizeAt(levels: usize, i: usize, wide: bool): u32 {
  return u32(abs(wide ? i32(load<i16>(levels + (i << 1))) : i32(load<i8>(levels + i))));
}

/** The tokens of a block of the type: levels first … end − 1, the last of which is not 0. `wide`: they are words. */
@inline
function count(levels: usize, first: usize, end: usize, type: usize, context: usize, wide: bool): void {
  const base = HIST + type * TYPE_BYTES * 4;
  let at = base + (usize(load<u16>(BANDS + (first << 1))) << 2) + (context << 6);
  for (let i = first; i < end; i++) {
    const size = sizeAt(levels, i, wide);
    const p = at + (tokenOf(size) << 2);
    store<u32>(p, load<u32>(p) + 1);
    at = base + (usize(load<u16>(BANDS + (i << 1), 2)) << 2) + (usize(min<u32>(size, 2)) << 6);
  }
  if (end < 16) store<u32>(at + (END << 2), load<u32>(at + (END << 2)) + 1);
}

export function countBlock(levels: usize, first: usize, end: usize, type: usize, context: usize): void {
  count(levels, first, end, type, context, false);
}

export function countSecond(levels: usize, end: usize, context: usize): void {
  count(levels, 0, end, 1, context, true);
}

function costOf(p: u32, zeros: u32, ones: u32): i64 {
  return i64(zeros) * i64(load<u16>(COSTS + (usize(p) << 1))) + i64(ones) * i64(load<u16>(COSTS + (usize(256 - p) << 1)));
}

/** The probability of 0, where that saves more than it takes to say so; else what it is without. */
function settle(i: usize, zeros: u32, ones: u32): u8 {
  const old = u32(load<u8>(DEFAULTS + i));
  const all = zeros + ones;
  if (all == 0) return u8(old);
  const own = max<u32>(1, min<u32>(255, u32((u64(zeros) * 255 + (all >> 1)) / all)));
  const stay = u32(load<u8>(UPDATES + i));
  const change =
    i64(load<u16>(COSTS + (usize(256 - stay) << 1))) - i64(load<u16>(COSTS + (usize(stay) << 1))) + 8 * 256;
  return costOf(own, zeros, ones) + change < costOf(old, zeros, ones) ? u8(own) : u8(old);
}

@inline
function tally(at: usize, token: usize): u32 {
  return load<u32>(at + (token << 2));
}

/** From HIST to PROBS. */
export function settleAll(): void {
  for (let type: usize = 0; type < 4; type++)
    for (let band: usize = 0; band < 8; band++)
      for (let context: usize = 0; context < 3; context++) {
        const k = (type * 8 + band) * 3 + context;
        const at = HIST + (k << 6);
        const to = PROBS + (k << 4);
        const i = k * 11;
        const cat12 = tally(at, 5) + tally(at, 6);
        const cat34 = tally(at, 7) + tally(at, 8);
        const cat56 = tally(at, 9) + tally(at, 10);
        const few = tally(at, 3) + tally(at, 4);
        const small = tally(at, 2) + few;
        const large = cat12 + cat34 + cat56;
        const some = tally(at, 1) + small + large;
        // Behind a zero nobody asks whether that was all.
        const asks = context > 0 || band == (type == 0 ? 1 : 0);
        store<u8>(to, asks ? settle(i, tally(at, END), tally(at, 0) + some) : load<u8>(DEFAULTS + i));
        store<u8>(to, settle(i + 1, tally(at, 0), some), 1);
        store<u8>(to, settle(i + 2, tally(at, 1), small + large), 2);
        store<u8>(to, settle(i + 3, small, large), 3);
        store<u8>(to, settle(i + 4, tally(at, 2), few), 4);
        store<u8>(to, settle(i + 5, tally(at, 3), tally(at, 4)), 5);
        store<u8>(to, settle(i + 6, cat12, cat34 + cat56), 6);
        store<u8>(to, settle(i + 7, tally(at, 5), tally(at, 6)), 7);
        store<u8>(to, settle(i + 8, cat34, cat56), 8);
        store<u8>(to, settle(i + 9, tally(at, 7), tally(at, 8)), 9);
        store<u8>(to, settle(i + 10, tally(at, 9), tally(at, 10)), 10);
      }
}

/** Neighbours of a macroblock without coefficients: the second order's is left alone where there is none. */
export function clearContexts(top: usize, second: bool): void {
  store<u64>(top, 0);
  store<u64>(LEFT_NZ, 0);
  if (!second) return;
  store<u8>(top, 0, 8);
  store<u8>(LEFT_NZ, 0, 8);
}
