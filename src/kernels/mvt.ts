/**
 * Mapbox Vector Tile 2.1, written straight into bytes. A geometry is a stream of commands with a cursor; a feature and a layer
 * are put around what is already encoded, since protobuf wants lengths first.
 */
import { copyBytes, ensure, type Out, varint, varintSize } from './bytes-out.ts';

export const POINT = 1;
export const LINESTRING = 2;
export const POLYGON = 3;

/** The commands of one feature's geometry of one type. */
export interface Commands extends Out {
  x: number;
  y: number;
}

export function resetCommands(c: Commands): void {
  c.at = 0;
  c.x = 0;
  c.y = 0;
}

/** All n points as one MoveTo. */
export function putPoints(c: Commands, points: Int32Array, n: number): void {
  if (n === 0) return;
  ensure(c, 8 + n * 10);
  c.at = varint(c.bytes, c.at, n * 8 + 1);
  putDeltas(c, points, 0, n, 1);
}

/** A line of n ≥ 2 points, none equal to the one before. */
export function putLine(c: Commands, points: Int32Array, n: number): void {
  ensure(c, 16 + n * 10);
  c.bytes[c.at++] = 9;
  putDeltas(c, points, 0, 1, 1);
  c.at = varint(c.bytes, c.at, (n - 1) * 8 + 2);
  putDeltas(c, points, 1, n - 1, 1);
}

/** A ring of n ≥ 3 points from points[first] on, the first not repeated; backwards where its winding must turn. */
export function putRing(c: Commands, points: Int32Array, first: number, n: number, backwards: boolean): void {
  ensure(c, 16 + n * 10);
  c.bytes[c.at++] = 9;
  putDeltas(c, points, first, 1, 1);
  c.at = varint(c.bytes, c.at, (n - 1) * 8 + 2);
  putDeltas(c, points, backwards ? first + n - 1 : first + 1, n - 1, backwards ? -1 : 1);
  c.bytes[c.at++] = 15;
}

function putDeltas(c: Commands, points: Int32Array, first: number, n: number, step: 1 | -1): void {
  const { bytes } = c;
  let { at, x, y } = c;
  for (let i = 0, p = first * 2; i < n; i++, p += step * 2) {
    const dx = points[p] - x;
    const dy = points[p + 1] - y;
    x = points[p];
    y = points[p + 1];
    let v = ((dx << 1) ^ (dx >> 31)) >>> 0;
    while (v > 0x7f) {
      bytes[at++] = (v & 0x7f) | 0x80;
      v >>>= 7;
    }
    bytes[at++] = v;
    v = ((dy << 1) ^ (dy >> 31)) >>> 0;
    while (v > 0x7f) {
      bytes[at++] = (v & 0x7f) | 0x80;
      v >>>= 7;
    }
    bytes[at++] = v;
  }
  c.at = at;
  c.x = x;
  c.y = y;
}

/** One feature into the layer's bytes. id < 0: none. */
export function putFeature(out: Out, id: number, tags: Out, type: number, geometry: Out): void {
  const idSize = id < 0 ? 0 : 1 + varintSize(id);
  const tagsSize = tags.at === 0 ? 0 : 1 + varintSize(tags.at) + tags.at;
  const size = idSize + tagsSize + 2 + 1 + varintSize(geometry.at) + geometry.at;
  ensure(out, size + 12);
  const { bytes } = out;
  let at = out.at;
  bytes[at++] = 0x12;
  at = varint(bytes, at, size);
  if (id >= 0) {
    bytes[at++] = 0x08;
    at = varint(bytes, at, id);
  }
  if (tags.at > 0) {
    bytes[at++] = 0x12;
    at = varint(bytes, at, tags.at);
    at = copyBytes(tags.bytes, 0, tags.at, bytes, at);
  }
  bytes[at++] = 0x18;
  bytes[at++] = type;
  bytes[at++] = 0x22;
  at = varint(bytes, at, geometry.at);
  out.at = copyBytes(geometry.bytes, 0, geometry.at, bytes, at);
}

/** A length-delimited field of some bytes. */
export function putBytes(out: Out, tag: number, from: Uint8Array, start: number, end: number): void {
  ensure(out, end - start + 12);
  out.bytes[out.at++] = tag;
  out.at = varint(out.bytes, out.at, end - start);
  out.at = copyBytes(from, start, end, out.bytes, out.at);
}

/** Bytes that beginLayer leaves free in front of the layer's content, for its tag and length. */
export const LAYER_ROOM = 6;

/** Begins a layer; answers where its content starts. */
export function beginLayer(out: Out, name: Uint8Array): number {
  ensure(out, LAYER_ROOM + name.length + 16);
  out.at += LAYER_ROOM;
  const start = out.at;
  out.bytes[out.at++] = 0x78;
  out.bytes[out.at++] = 2;
  putBytes(out, 0x0a, name, 0, name.length);
  return start;
}

/** Ends a layer: extent, then its tag and length close up in front of the content, which moves there. */
export function endLayer(out: Out, start: number, extent: number): void {
  ensure(out, 16);
  out.bytes[out.at++] = 0x28;
  out.at = varint(out.bytes, out.at, extent);
  const size = out.at - start;
  let at = start - LAYER_ROOM;
  out.bytes[at++] = 0x1a;
  at = varint(out.bytes, at, size);
  out.bytes.copyWithin(at, start, out.at);
  out.at = at + size;
}
