// AssemblyScript.
/** Modes of macroblocks and of their blocks (RFC 6386, 11.2 and 11.3): what they cost, and how they are written. */
import { put } from './bool';
import { LEFT_MODES, MODE_COSTS, topModes } from './memory';
import { lambda } from './quant';
import { COSTS, SUBMODES } from './tables';

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
export function setModeCosts(): void {
  for (let i: usize = 0; i < 100; i++)
    for (let m = 0; m < 12; m++) {
      const value = m < 10 ? ((((modeCost(m, SUBMODES + i * 9) * lambda) >> 8) << 4) | m) : 0x7000000;
      store<i32>(MODE_COSTS + i * 48 + (usize(m) << 2), value);
    }
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

/** Of macroblock x of its row, noted at `at`; answers with where the next one is. */
export function putModes(at: usize, x: usize): usize {
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
