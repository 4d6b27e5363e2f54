// AssemblyScript.
/** Flatbuffer tables of one feature. Every offset is checked against its frame: `broken` is set, and the slow path says how. */

let start: i64 = 0;
let end: i64 = 0;
export let broken: bool = false;

/** Begins the size-prefixed feature of `length` bytes at `at`; answers with its root table. */
export function feature(at: usize, length: u32): usize {
  broken = false;
  start = at;
  end = at + length;
  if (length < 8) return fail();
  const size: i64 = load<u32>(at);
  if (size < 4 || size + 4 > i64(length)) return fail();
  end = start + 4 + size;
  return follow(at + 4);
}

function fail(): usize {
  broken = true;
  return 0;
}

/** Where the table that the offset at `at` points to begins. */
export function follow(at: usize): usize {
  if (i64(at) < start || i64(at) + 4 > end) return fail();
  const target = i64(at) + i64(load<u32>(at));
  return target + 4 > end ? fail() : usize(target);
}

/** Where the field of that slot lies; 0: left out, or broken. */
export function field(table: usize, slot: i32): usize {
  if (i64(table) < start || i64(table) + 4 > end) return fail();
  const vtable = i64(table) - i64(load<i32>(table));
  if (vtable < start || vtable + 4 > end) return fail();
  const v = usize(vtable);
  if (slot >= i32(load<u16>(v))) return 0;
  if (vtable + slot + 2 > end) return fail();
  const offset = load<u16>(v + slot);
  if (offset == 0) return 0;
  const at = table + offset;
  return i64(at) >= end ? fail() : at;
}

/** Where the vector of that field has its length, all of its elements inside; 0: left out, or broken. */
export function vector(table: usize, slot: i32, elementBytes: i32): usize {
  const at = field(table, slot);
  if (at == 0) return 0;
  const found = follow(at);
  if (found == 0) return 0;
  return i64(load<u32>(found)) * elementBytes > end - i64(found) - 4 ? fail() : found;
}
