// AssemblyScript.
/**
 * The fast path of vector tiles: features of one run, from their bytes in the file to MVT. src/render/vector/fast.ts drives it;
 * what it leaves out, and what it must equal byte for byte, is the painter beside that. Built by scripts/make-wasm.ts.
 */
import { broken, feature, field, follow, vector } from './flat';
import { draw, drawn, largest, SLOW } from './geometry';
import { COMMANDS, IDS, LENGTHS, OFFSETS, OUT, OUT_BYTES, RUN, TAGS } from './memory';
import { beginTags, CORRUPT, FINE, FULL, ownId, putTags, tagsEnd, valueBytes, valueCount, writeValues } from './tags';
import { copy, varint, varintSize } from './varint';

export { deflate } from './deflate';
export { setTile } from './geometry';
export {
  COLUMNS,
  COLUMNS_MAX,
  COMMANDS,
  COMMANDS_BYTES,
  IDS,
  LENGTHS,
  OFFSETS,
  OUT,
  OUT_BYTES,
  RUN,
  RUN_BYTES,
  RUN_FEATURES_MAX,
} from './memory';
export { setAffine, setMercator } from './project';
export { setSimplify } from './simplify';
export { keyCount, valueBytes } from './tags';

const GEOMETRY = 4;
const PROPERTIES = 6;
const OWN_COLUMNS = 8;

/** Why paint() stopped: at the end, at a feature that the slow path draws, or at one that ends the fast path for the layer. */
const DONE = 0;
const DRAW = 1;
const GIVE_UP = 2;

let why: i32 = DONE;
let out: usize = OUT;
let ownIds: bool = false;

export function begin(columns: i32, idColumn: i32, idsOfColumn: bool): void {
  beginTags(columns, idColumn);
  ownIds = idsOfColumn;
  out = OUT;
}

export function reason(): i32 {
  return why;
}

export function outBytes(): i32 {
  return i32(out - OUT);
}

export function largestPart(): i32 {
  return largest;
}

/** Paints features first … n − 1 of the run; answers with the first that is not done. */
export function paint(first: i32, n: i32): i32 {
  for (let i = first; i < n; i++) {
    const root = feature(RUN + load<u32>(OFFSETS + (usize(i) << 2)), load<u32>(LENGTHS + (usize(i) << 2)));
    if (root == 0) return stop(i, DRAW);
    const geometry = field(root, GEOMETRY);
    if (broken) return stop(i, DRAW);
    if (geometry == 0) continue;
    const table = follow(geometry);
    if (table == 0) return stop(i, DRAW);
    const bytes = draw(table);
    if (bytes == SLOW) return stop(i, DRAW);
    if (bytes == 0) continue;
    const state = attributes(root);
    if (state != FINE) return stop(i, state == CORRUPT ? DRAW : GIVE_UP);
    if (!write(i, drawn, bytes)) return stop(i, GIVE_UP);
  }
  why = DONE;
  return n;
}

function stop(i: i32, reason: i32): i32 {
  why = reason;
  return i;
}

function attributes(root: usize): i32 {
  const properties = vector(root, PROPERTIES, 1);
  if (broken) return CORRUPT;
  if (properties == 0) return putTags(0, 0);
  if (field(root, OWN_COLUMNS) != 0) return FULL;
  if (broken) return CORRUPT;
  return putTags(properties + 4, properties + 4 + load<u32>(properties));
}

/** The tags of a feature that the slow path drew: 0 fine, 1 corrupt, 2 to be given up. */
export function tag(i: i32): i32 {
  const root = feature(RUN + load<u32>(OFFSETS + (usize(i) << 2)), load<u32>(LENGTHS + (usize(i) << 2)));
  return root == 0 ? CORRUPT : attributes(root);
}

/** Writes feature i with the tags at hand and so many bytes of commands; false where there is no room. */
export function write(i: i32, type: i32, bytes: i32): bool {
  const id = ownIds ? ownId : i64(load<f64>(IDS + (usize(i) << 3)));
  const tagged = i32(tagsEnd - TAGS);
  const idSize = id < 0 ? 0 : 1 + varintSize(id);
  const tagsSize = tagged == 0 ? 0 : 1 + varintSize(tagged) + tagged;
  const size = idSize + tagsSize + 3 + varintSize(bytes) + bytes;
  if (out + size + 32 > OUT + OUT_BYTES) return false;
  let at = out;
  store<u8>(at, 0x12);
  at = varint(at + 1, size);
  if (id >= 0) {
    store<u8>(at, 0x08);
    at = varint(at + 1, id);
  }
  if (tagged > 0) {
    store<u8>(at, 0x12);
    at = varint(at + 1, tagged);
    copy(at, TAGS, tagged);
    at += tagged;
  }
  store<u8>(at, 0x18);
  store<u8>(at, u8(type), 1);
  store<u8>(at, 0x22, 2);
  at = varint(at + 3, bytes);
  copy(at, COMMANDS, bytes);
  out = at + bytes;
  return true;
}

/** Writes the values behind the features; answers with where they end, counted as the features are; −1: no room. */
export function finish(): i32 {
  if (out + valueBytes() + usize(valueCount()) * 6 + 32 > OUT + OUT_BYTES) return -1;
  return i32(writeValues(out) - OUT);
}
