// AssemblyScript.
/** The two partitions of a frame, from what its macroblocks noted. */
import { begin, end, position, put, putBits, writeBlock, writeSecond } from './bool';
import { lumaType, skipped } from './macroblock';
import { bodyEnd, LEFT_MODES, LEFT_NZ, levels, modes, PROBS, topModes, topNz } from './memory';
import { putModes } from './modes';
import { DEFAULTS, UPDATES } from './probabilities';
import { CHROMA_DC } from './quant';
import { clearContexts } from './tokens';

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
export function firstPartition(at: usize, across: i32, count: i32, quantIndex: i32, filter: i32): usize {
  begin(at);
  putBits(0, 3); // colour space, clamping, no segments
  putBits(0, 1); // the normal loop filter
  putBits(filter, 6);
  putBits(0, 3 + 1 + 2); // sharpness, no deltas, one partition of tokens
  putBits(quantIndex, 7);
  for (let i = 0; i < 3; i++) putDelta(0); // luma, and both of the second order
  putDelta(CHROMA_DC);
  putDelta(0);
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
  const type = lumaType(is4);
  for (let i: usize = 0; i < 16; i++)
    from = putLevels(from, load<u8>(ends + 1 + i), type, top + (i & 3), LEFT_NZ + (i >> 2));
  for (let i: usize = 0; i < 8; i++) {
    const plane: usize = 4 + ((i >> 2) << 1);
    from = putLevels(from, load<u8>(ends + 17 + i), 2, top + plane + (i & 1), LEFT_NZ + plane + ((i >> 1) & 1));
  }
  return from;
}

/** The tokens; 0 where there is no room. */
export function tokenPartition(at: usize, across: i32, count: i32): usize {
  begin(at);
  memory.fill(topNz, 0, usize(across) * 16);
  let from = levels;
  let mode = modes;
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
