/**
 * Flatbuffers by hand: tables, vectors and FlatGeobuf's slots, read straight from a DataView. Every offset is checked against
 * the frame (start, end) of its own feature before it is followed, so that a broken file ends in a corrupt-data Problem.
 */
import { problem } from '../../errors.ts';
import type { ColumnType, GeometryKind } from '../types.ts';

/** vtable slots: 4 + 2 × field id. */
export const FEATURE_GEOMETRY = 4;
export const FEATURE_PROPERTIES = 6;
export const FEATURE_COLUMNS = 8;
export const GEOMETRY_ENDS = 4;
export const GEOMETRY_XY = 6;
export const GEOMETRY_Z = 8;
export const GEOMETRY_TYPE = 16;
export const GEOMETRY_PARTS = 18;
export const COLUMN_NAME = 4;
export const COLUMN_TYPE = 6;

/** How deep geometries may nest, and how many columns a header may hold. */
export const DEPTH_MAX = 16;

export const GEOMETRY_KINDS: readonly GeometryKind[] = [
  'Unknown',
  'Point',
  'LineString',
  'Polygon',
  'MultiPoint',
  'MultiLineString',
  'MultiPolygon',
  'GeometryCollection',
  'CircularString',
  'CompoundCurve',
  'CurvePolygon',
  'MultiCurve',
  'MultiSurface',
  'Curve',
  'Surface',
  'PolyhedralSurface',
  'TIN',
  'Triangle',
];

export const COLUMN_TYPES: readonly ColumnType[] = [
  'byte',
  'ubyte',
  'bool',
  'short',
  'ushort',
  'int',
  'uint',
  'long',
  'ulong',
  'float',
  'double',
  'string',
  'json',
  'datetime',
  'binary',
];

/** Bytes of a value by column type number; 0: a u32 length and that many bytes. */
export const VALUE_BYTES: readonly number[] = [1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 0, 0, 0];

export function corrupt(detail: string): Error {
  return problem('corrupt-data', detail);
}

/**
 * What following a feature's offsets may cost: no more than its own bytes. Offsets may share their targets, so that a few
 * hundred bytes could be told to be walked for ever.
 */
export interface Walked {
  left: number;
}

export function spend(walked: Walked, bytes: number): void {
  walked.left -= bytes;
  if (walked.left < 0) throw corrupt('offsets lead to the same bytes again and again');
}

/** Where the table that the offset at `at` points to begins. */
export function follow(view: DataView, at: number, start: number, end: number): number {
  if (at < start || at + 4 > end) throw corrupt(`an offset at byte ${at - start} lies outside the feature`);
  const target = at + view.getUint32(at, true);
  if (target + 4 > end)
    throw corrupt(`an offset at byte ${at - start} points to byte ${target - start} of ${end - start}`);
  return target;
}

/** Where the field of that slot lies, or 0 where the table leaves it out. */
export function field(view: DataView, table: number, slot: number, start: number, end: number): number {
  if (table < start || table + 4 > end) throw corrupt(`a table at byte ${table - start} lies outside the feature`);
  const vtable = table - view.getInt32(table, true);
  if (vtable < start || vtable + 4 > end) throw corrupt(`a vtable at byte ${vtable - start} lies outside the feature`);
  if (slot >= view.getUint16(vtable, true)) return 0;
  if (vtable + slot + 2 > end) throw corrupt(`a vtable at byte ${vtable - start} runs past the feature`);
  const offset = view.getUint16(vtable + slot, true);
  if (offset === 0) return 0;
  if (table + offset >= end) throw corrupt(`a field at byte ${table + offset - start} lies outside the feature`);
  return table + offset;
}

/** Where the vector of that field has its length; its elements follow, and all of them are inside. 0: left out. */
export function vector(
  view: DataView,
  table: number,
  slot: number,
  elementBytes: number,
  start: number,
  end: number,
): number {
  const at = field(view, table, slot, start, end);
  if (at === 0) return 0;
  const found = follow(view, at, start, end);
  const length = view.getUint32(found, true);
  if (length * elementBytes > end - found - 4) {
    throw corrupt(`a vector at byte ${found - start} claims ${length} elements, more than the feature has bytes for`);
  }
  return found;
}

/** The frame of the size-prefixed feature at `at`, of which `limit` bytes are there: where it ends. */
export function featureEnd(view: DataView, at: number, limit: number): number {
  if (at + 8 > limit) throw corrupt(`a feature of ${limit - at} bytes is too short`);
  const size = view.getUint32(at, true);
  if (size < 4 || at + 4 + size > limit) throw corrupt(`a feature claims ${size} bytes where ${limit - at - 4} are`);
  return at + 4 + size;
}
