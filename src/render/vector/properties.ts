/**
 * Attributes into MVT tags without making one JavaScript string: a value is encoded as the protobuf Value it would be, and
 * the layer's dictionary finds those bytes again. Same bytes, same value.
 */
import { copyBytes, ensure, newOut, type Out, varint, varint64 } from '../../kernels/bytes-out.ts';
import { putBytes } from '../../kernels/mvt.ts';
import { COLUMN_TYPES, corrupt, VALUE_BYTES } from '../../source/fgb/layout.ts';
import { idOf } from './ids.ts';
import type { JobColumn } from './job.ts';
import { putWritten } from './written.ts';

const [BYTE, UBYTE, BOOL, SHORT, USHORT, INT, UINT, LONG, ULONG, FLOAT, DOUBLE] = COLUMN_TYPES.keys();
export const BINARY = COLUMN_TYPES.indexOf('binary');

const SLOTS_START = 1024;
/** The high word of −2^52. */
const SAFE_HIGH = 0xfff00000;

/** Keys and values of one layer of one tile; reset and used again for the next. */
export interface Dictionary {
  /** The layer's columns, and their key numbers, −1 while unused. */
  columns: readonly JobColumn[];
  keys: Int32Array;
  /** Key numbers by name: columns that features bring themselves may be called as the layer's are. */
  byName: Map<string, number>;
  values: Out;
  /** Where value i ends in `values`. */
  ends: Int32Array;
  count: number;
  /** Open addressing: value number + 1, 0 free. */
  slots: Int32Array;
  hashes: Int32Array;
}

export function newDictionary(): Dictionary {
  return {
    columns: [],
    keys: new Int32Array(0),
    byName: new Map(),
    values: newOut(16 * 1024),
    ends: new Int32Array(SLOTS_START),
    count: 0,
    slots: new Int32Array(SLOTS_START * 2),
    hashes: new Int32Array(SLOTS_START),
  };
}

export function resetDictionary(d: Dictionary, columns: readonly JobColumn[]): void {
  d.columns = columns;
  d.keys = new Int32Array(columns.length).fill(-1);
  d.byName.clear();
  d.values.at = 0;
  d.count = 0;
  d.slots.fill(0);
}

/** What a feature's attributes held for its id column: −1 where there is none or it cannot be an id. */
export interface TagsResult {
  id: number;
}

/** Reads the attributes at from … to and writes their tags. Columns other than the layer's are the feature's own. */
export function putTags(
  view: DataView,
  raw: Uint8Array,
  from: number,
  to: number,
  columns: readonly JobColumn[],
  idColumn: number,
  d: Dictionary,
  tags: Out,
  result: TagsResult,
): void {
  let p = from;
  // One byte of padding behind the last value is what some writers leave.
  while (p + 1 < to) {
    const index = view.getUint16(p, true);
    if (index >= columns.length) throw corrupt(`an attribute names column ${index} of ${columns.length}`);
    const { type, wanted, as } = columns[index];
    p += 2;
    let length = VALUE_BYTES[type];
    if (length === 0) {
      if (p + 4 > to) throw corrupt(`the value of column ${index} runs past the attributes`);
      length = view.getUint32(p, true);
      p += 4;
    }
    if (length > to - p) throw corrupt(`the value of column ${index} claims ${length} bytes where ${to - p} are`);
    if (index === idColumn) result.id = idOf(view, p, type);
    if (wanted && encoded(view, raw, p, length, type, as, d.values)) {
      ensure(tags, 20);
      tags.at = varint(tags.bytes, tags.at, keyOf(d, columns, index));
      tags.at = varint(tags.bytes, tags.at, valueNumber(d));
    }
    p += length;
  }
}

function keyOf(d: Dictionary, columns: readonly JobColumn[], column: number): number {
  if (columns !== d.columns) return named(d, columns[column].name);
  if (d.keys[column] < 0) d.keys[column] = named(d, columns[column].name);
  return d.keys[column];
}

/** The number of that key. */
export function named(d: Dictionary, name: string): number {
  const known = d.byName.get(name);
  if (known !== undefined) return known;
  d.byName.set(name, d.byName.size);
  return d.byName.size - 1;
}

/** The value's number, where its bytes lie behind the end of the last value; these stay only if they are new. */
export function valueNumber(d: Dictionary): number {
  const { values } = d;
  const start = d.count > 0 ? d.ends[d.count - 1] : 0;
  const end = values.at;
  const { bytes } = values;
  const hash = hashOf(bytes, start, end);
  const mask = d.slots.length - 1;
  let slot = hash & mask;
  for (;;) {
    const found = d.slots[slot] - 1;
    if (found < 0) break;
    if (d.hashes[found] === hash && same(bytes, found > 0 ? d.ends[found - 1] : 0, d.ends[found], start, end)) {
      values.at = start;
      return found;
    }
    slot = (slot + 1) & mask;
  }
  const number = d.count++;
  d.slots[slot] = number + 1;
  d.ends[number] = end;
  d.hashes[number] = hash;
  if (d.count === d.ends.length) growDictionary(d);
  return number;
}

/** Four bytes a step: values are short, and there are as many as features times attributes. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function same(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = a, j = b; i < aEnd; i++, j++) if (bytes[i] !== bytes[j]) return false;
  return true;
}

function growDictionary(d: Dictionary): void {
  const ends = new Int32Array(d.ends.length * 2);
  ends.set(d.ends);
  d.ends = ends;
  const hashes = new Int32Array(d.hashes.length * 2);
  hashes.set(d.hashes);
  d.hashes = hashes;
  d.slots = new Int32Array(d.slots.length * 2);
  const mask = d.slots.length - 1;
  for (let i = 0; i < d.count; i++) {
    let slot = d.hashes[i] & mask;
    while (d.slots[slot] !== 0) slot = (slot + 1) & mask;
    d.slots[slot] = i + 1;
  }
}

function encoded(
  view: DataView,
  raw: Uint8Array,
  p: number,
  length: number,
  type: number,
  as: JobColumn['as'],
  out: Out,
): boolean {
  if (as !== null && as !== 'number' && putWritten(view, p, length, type, out)) return true;
  return type !== BINARY && encodeValue(view, raw, p, length, type, out);
}

/** Writes the value as a Value message behind the others; false where MVT has no such value (NaN). */
function encodeValue(view: DataView, raw: Uint8Array, p: number, length: number, type: number, out: Out): boolean {
  ensure(out, length + 16);
  switch (type) {
    case BYTE:
      return putInteger(out, view.getInt8(p));
    case UBYTE:
      return putInteger(out, view.getUint8(p));
    case BOOL:
      out.bytes[out.at++] = 0x38;
      out.bytes[out.at++] = view.getUint8(p) === 0 ? 0 : 1;
      return true;
    case SHORT:
      return putInteger(out, view.getInt16(p, true));
    case USHORT:
      return putInteger(out, view.getUint16(p, true));
    case INT:
      return putInteger(out, view.getInt32(p, true));
    case UINT:
      return putInteger(out, view.getUint32(p, true));
    case LONG:
    case ULONG:
      return putLong(out, view.getUint32(p, true), view.getUint32(p + 4, true), type === LONG);
    case FLOAT:
      if (Number.isNaN(view.getFloat32(p, true))) return false;
      out.bytes[out.at++] = 0x15;
      out.at = copyBytes(raw, p, p + 4, out.bytes, out.at);
      return true;
    case DOUBLE:
      if (Number.isNaN(view.getFloat64(p, true))) return false;
      out.bytes[out.at++] = 0x19;
      out.at = copyBytes(raw, p, p + 8, out.bytes, out.at);
      return true;
    default:
      out.bytes[out.at++] = 0x0a;
      out.at = varint(out.bytes, out.at, length);
      out.at = copyBytes(raw, p, p + length, out.bytes, out.at);
      return true;
  }
}

/** uint_value where it is not negative, else sint_value: both exact, and the shortest. */
export function putInteger(out: Out, value: number): boolean {
  out.bytes[out.at++] = value < 0 ? 0x30 : 0x28;
  out.at = varint(out.bytes, out.at, value < 0 ? -value * 2 - 1 : value);
  return true;
}

function putLong(out: Out, low: number, high: number, signed: boolean): boolean {
  const negative = signed && high >>> 31 === 1;
  if (negative && high >>> 0 < SAFE_HIGH) {
    // Zigzag would double it beyond what a double holds, and readers in JavaScript lose its very sign: int_value.
    out.bytes[out.at++] = 0x20;
    out.at = varint64(out.bytes, out.at, low, high);
    return true;
  }
  out.bytes[out.at++] = negative ? 0x30 : 0x28;
  // Zigzag of a negative n is 2 × ~n + 1.
  out.at = negative
    ? varint64(out.bytes, out.at, (~low << 1) | 1, (~high << 1) | (~low >>> 31))
    : varint64(out.bytes, out.at, low, high);
  return true;
}

/** Keys and values behind the features of the layer. */
export function putDictionary(out: Out, d: Dictionary): void {
  for (const name of d.byName.keys()) {
    const bytes = Buffer.from(name);
    putBytes(out, 0x1a, bytes, 0, bytes.length);
  }
  ensure(out, d.values.at + d.count * 6);
  let start = 0;
  for (let i = 0; i < d.count; i++) {
    putBytes(out, 0x22, d.values.bytes, start, d.ends[i]);
    start = d.ends[i];
  }
}
