/**
 * What the parts of a geojson-vt index take in V8's heap and in buffers, bytes. test/sessions/weights.test.ts holds them
 * against what V8 says for whole indexes of every shape.
 */

/** A tile record with its arrays. */
export const TILE = 320;
export const POINTER = 8;
/** A feature of the source or of a tile: the object, its numbers, its place in a list. */
export const FEATURE = 144;
/** A single point has no array; its coordinates are numbers on the heap. */
export const POINT_FEATURE = 128;
const SMALL_ARRAY = 200;
const LARGE_ARRAY = 232;
/** Up to this many bytes V8 keeps a typed array on its own heap. */
const ON_HEAP_MAX = 64;
/** The object of attributes that all copies of a feature share, and one attribute of it. */
export const TAGS = 56;
const TAG = 8;
const NUMBER = 16;
const TEXT = 24;

export function typedArrayBytes(byteLength: number): number {
  return (byteLength <= ON_HEAP_MAX ? SMALL_ARRAY : LARGE_ARRAY) + byteLength;
}

/** One attribute beyond its name, which all features share. */
export function tagBytes(value: string | number | boolean): number {
  if (typeof value === 'string') return TAG + TEXT + value.length;
  return TAG + (typeof value === 'number' && !Number.isInteger(value) ? NUMBER : 0);
}
