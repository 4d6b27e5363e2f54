// AssemblyScript.
/** Protobuf's varints, and bytes from place to place. */

@inline
export function varint(at: usize, value: u64): usize {
  let v = value;
  while (v > 0x7f) {
    store<u8>(at++, u8(v & 0x7f) | 0x80);
    v >>= 7;
  }
  store<u8>(at, u8(v));
  return at + 1;
}

@inline
export function varintSize(value: u64): i32 {
  let n = 1;
  for (let v = value; v > 0x7f; v >>= 7) n++;
  return n;
}

/** Copies eight bytes a step, up to seven more than asked for: there is room behind everything that is written. */
@inline
export function copy(to: usize, from: usize, bytes: usize): void {
  if (bytes > 128) memory.copy(to, from, bytes);
  else for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + i, load<u64>(from + i));
}
