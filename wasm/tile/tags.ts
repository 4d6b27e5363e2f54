// AssemblyScript.
/**
 * Attributes into tags, as src/render/vector/properties.ts does: a value is encoded behind the others as the protobuf Value it
 * would be, and stays there if it is new.
 */
import {
  COLUMNS,
  SLOTS,
  TAGS,
  TAGS_BYTES,
  VALUE_ENDS,
  VALUE_HASHES,
  VALUES,
  VALUES_BYTES,
  VALUES_MAX,
} from './memory';
import { copy, varint } from './varint';

/** FlatGeobuf's column types. */
const BYTE = 0;
const UBYTE = 1;
const BOOL = 2;
const SHORT = 3;
const USHORT = 4;
const INT = 5;
const UINT = 6;
const LONG = 7;
const ULONG = 8;
const FLOAT = 9;
const DOUBLE = 10;

const SLOTS_LEAST: i32 = 2048;
/** −2^52: below it zigzag would leave what a double holds. */
const SAFE_LEAST: i64 = -0x10000000000000;

let columns: i32 = 0;
let idColumn: i32 = -1;
/** Keys used, and the columns they are named after, in order: the caller writes their names. */
let keys: i32 = 0;
let values: usize = VALUES;
let count: i32 = 0;
let mask: i32 = SLOTS_LEAST - 1;

export let tagsEnd: usize = TAGS;
/** What the id column held; −1: nothing that can be an id. */
export let ownId: i64 = -1;

/** A column in memory: bytes 0 type, 1 wanted; 4: the first column of its name; 8: its key, −1 while unused; 12: column of key. */
export function beginTags(n: i32, id: i32): void {
  columns = n;
  idColumn = id;
  keys = 0;
  values = VALUES;
  count = 0;
  mask = SLOTS_LEAST - 1;
  memory.fill(SLOTS, 0, usize(SLOTS_LEAST) << 2);
  for (let i = 0; i < n; i++) store<i32>(COLUMNS + (usize(i) << 4), -1, 8);
}

export function keyCount(): i32 {
  return keys;
}

export function valueCount(): i32 {
  return count;
}

export function valueBytes(): i32 {
  return i32(values - VALUES);
}

export const FINE = 0;
export const CORRUPT = 1;
export const FULL = 2;

/** Reads the attributes at from … to and writes their tags. */
export function putTags(from: usize, to: usize): i32 {
  tagsEnd = TAGS;
  ownId = -1;
  let p = from;
  // One byte of padding behind the last value is what some writers leave.
  while (p + 1 < to) {
    const index = i32(load<u16>(p));
    if (index >= columns) return CORRUPT;
    const column = COLUMNS + (usize(index) << 4);
    const type = i32(load<u8>(column));
    p += 2;
    let length: u32 = sizeOf(type);
    if (length == 0) {
      if (p + 4 > to) return CORRUPT;
      length = load<u32>(p);
      p += 4;
    }
    if (u64(length) > u64(to - p)) return CORRUPT;
    if (index == idColumn) ownId = idOf(p, type);
    if (load<u8>(column, 1) != 0) {
      if (values + length + 32 > VALUES + VALUES_BYTES || count >= VALUES_MAX - 1) return FULL;
      if (tagsEnd + 20 > TAGS + TAGS_BYTES) return FULL;
      const end = encode(values, p, length, type);
      if (end != 0) {
        tagsEnd = varint(tagsEnd, u32(keyOf(index, column)));
        tagsEnd = varint(tagsEnd, u32(valueNumber(end)));
      }
    }
    p += length;
  }
  return FINE;
}

function sizeOf(type: i32): u32 {
  switch (type) {
    case BYTE:
    case UBYTE:
    case BOOL:
      return 1;
    case SHORT:
    case USHORT:
      return 2;
    case INT:
    case UINT:
    case FLOAT:
      return 4;
    case LONG:
    case ULONG:
    case DOUBLE:
      return 8;
    default:
      return 0;
  }
}

/** Columns of one name share its key. */
function keyOf(index: i32, column: usize): i32 {
  const first = COLUMNS + (usize(load<i32>(column, 4)) << 4);
  let key = load<i32>(first, 8);
  if (key >= 0) return key;
  key = keys++;
  store<i32>(first, key, 8);
  store<i32>(COLUMNS + (usize(key) << 4), index, 12);
  return key;
}

/** Safe integers that are not negative. */
function idOf(p: usize, type: i32): i64 {
  let id: i64 = -1;
  switch (type) {
    case BYTE:
      id = i64(load<i8>(p));
      break;
    case UBYTE:
      id = i64(load<u8>(p));
      break;
    case SHORT:
      id = i64(load<i16>(p));
      break;
    case USHORT:
      id = i64(load<u16>(p));
      break;
    case INT:
      id = i64(load<i32>(p));
      break;
    case UINT:
      id = i64(load<u32>(p));
      break;
    case LONG:
    case ULONG:
      id = load<i64>(p);
      break;
    case FLOAT:
      id = whole(f64(load<f32>(p)));
      break;
    case DOUBLE:
      id = whole(load<f64>(p));
      break;
  }
  return id >= 0 && id <= 0x1fffffffffffff ? id : -1;
}

function whole(v: f64): i64 {
  return v >= 0 && v <= 9007199254740991 && Math.floor(v) == v ? i64(v) : -1;
}

/** Writes the value as a Value message; answers with its end, or 0 where MVT has no such value (NaN). */
function encode(at: usize, p: usize, length: u32, type: i32): usize {
  switch (type) {
    case BYTE:
      return integer(at, i64(load<i8>(p)));
    case UBYTE:
      return integer(at, i64(load<u8>(p)));
    case BOOL:
      store<u8>(at, 0x38);
      store<u8>(at, u8(load<u8>(p) != 0), 1);
      return at + 2;
    case SHORT:
      return integer(at, i64(load<i16>(p)));
    case USHORT:
      return integer(at, i64(load<u16>(p)));
    case INT:
      return integer(at, i64(load<i32>(p)));
    case UINT:
      return integer(at, i64(load<u32>(p)));
    case LONG: {
      const v = load<i64>(p);
      if (v >= SAFE_LEAST) return integer(at, v);
      store<u8>(at, 0x20);
      return varint(at + 1, v);
    }
    case ULONG:
      store<u8>(at, 0x28);
      return varint(at + 1, load<u64>(p));
    case FLOAT: {
      const v = load<f32>(p);
      if (v != v) return 0;
      store<u8>(at, 0x15);
      store<u32>(at, load<u32>(p), 1);
      return at + 5;
    }
    case DOUBLE: {
      const v = load<f64>(p);
      if (v != v) return 0;
      store<u8>(at, 0x19);
      store<u64>(at, load<u64>(p), 1);
      return at + 9;
    }
    default: {
      store<u8>(at, 0x0a);
      const text = varint(at + 1, length);
      copy(text, p, length);
      return text + length;
    }
  }
}

/** uint_value where it is not negative, else sint_value: both exact, and the shortest. */
function integer(at: usize, v: i64): usize {
  store<u8>(at, v < 0 ? 0x30 : 0x28);
  return varint(at + 1, v < 0 ? (~u64(v) << 1) | 1 : u64(v));
}

/** The number of the value that lies behind the last one and ends at `end`. */
function valueNumber(end: usize): i32 {
  const start = values;
  const length = end - start;
  const hash = hashOf(start, length);
  let slot = hash & mask;
  while (true) {
    const found = load<i32>(SLOTS + (usize(slot) << 2)) - 1;
    if (found < 0) break;
    if (load<i32>(VALUE_HASHES + (usize(found) << 2)) == hash) {
      const from = found > 0 ? usize(load<u32>(VALUE_ENDS + (usize(found - 1) << 2))) : VALUES;
      const to = usize(load<u32>(VALUE_ENDS + (usize(found) << 2)));
      if (to - from == length && same(from, start, length)) return found;
    }
    slot = (slot + 1) & mask;
  }
  store<i32>(SLOTS + (usize(slot) << 2), count + 1);
  store<u32>(VALUE_ENDS + (usize(count) << 2), u32(end));
  store<i32>(VALUE_HASHES + (usize(count) << 2), hash);
  values = end;
  if (++count > mask >> 1) grow();
  return count - 1;
}

function hashOf(start: usize, length: usize): i32 {
  let hash: u64 = length;
  let p = start;
  for (const stop = start + length - (length & 7); p < stop; p += 8) {
    hash = (hash ^ load<u64>(p)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  let rest: u64 = 0;
  for (let i: usize = 0; i < (length & 7); i++) rest |= u64(load<u8>(p + i)) << (i << 3);
  hash = (hash ^ rest) * 0x9e3779b97f4a7c15;
  return i32(hash >> 32) ^ i32(hash >> 40);
}

function same(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  for (; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

function grow(): void {
  mask = mask * 2 + 1;
  memory.fill(SLOTS, 0, usize(mask + 1) << 2);
  for (let i = 0; i < count; i++) {
    let slot = load<i32>(VALUE_HASHES + (usize(i) << 2)) & mask;
    while (load<i32>(SLOTS + (usize(slot) << 2)) != 0) slot = (slot + 1) & mask;
    store<i32>(SLOTS + (usize(slot) << 2), i + 1);
  }
}

/** Writes the values behind the layer's features, at `at`; answers with where they end. */
export function writeValues(to: usize): usize {
  let at = to;
  let from = VALUES;
  for (let i = 0; i < count; i++) {
    const end = usize(load<u32>(VALUE_ENDS + (usize(i) << 2)));
    store<u8>(at, 0x22);
    at = varint(at + 1, end - from);
    copy(at, from, end - from);
    at += end - from;
    from = end;
  }
  return at;
}
