/**
 * A geojson-vt tile as MVT 2.1 by vt-pbf, around what vt-pbf and geojson-vt get wrong: rings without area and repeated
 * points (geojson-vt keeps them at its last zoom) are left out here; attribute names that every JavaScript object
 * inherits ('constructor' …) come with an escaped first letter, of the same length, and are mended in the finished bytes.
 */
import type { RawFeature, RawTile } from 'geojson-vt';
import vtpbf from 'vt-pbf';

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Drawable {
  readonly id: number | undefined;
  readonly type: 1 | 2 | 3;
  readonly properties: Record<string, unknown>;
  loadGeometry(): Point[][];
}

export interface SessionTileOptions {
  readonly layer: string;
  readonly extent: number;
  /** Escaped name → true name; empty where no attribute needed it. */
  readonly escaped: ReadonlyMap<string, string>;
}

type Flat = Int16Array | Int32Array;

/** null: nothing of the layer is drawn in this tile. */
export function encodeSessionTile(tile: RawTile, { layer, extent, escaped }: SessionTileOptions): Uint8Array | null {
  const features: Drawable[] = [];
  for (const feature of tile.features) {
    const geometry = geometryOf(feature);
    if (geometry.length === 0) continue;
    features.push({
      id: typeof feature.id === 'number' ? feature.id : undefined,
      type: feature.type === 4 ? 1 : feature.type,
      properties: feature.tags ?? {},
      loadGeometry: () => geometry,
    });
  }
  if (features.length === 0) return null;
  const drawn = { version: 2, name: layer, extent, length: features.length, feature: (i: number) => features[i] };
  const body: Uint8Array = vtpbf.fromVectorTileJs({ layers: { [layer]: drawn } });
  if (escaped.size > 0) restoreKeys(body, escaped);
  return body;
}

function geometryOf(feature: RawFeature): Point[][] {
  if (feature.type === 4) return [[{ x: feature.x, y: feature.y }]];
  if (feature.type === 1) return feature.geometry.length === 0 ? [] : [points(feature.geometry)];
  if (feature.type === 2) return feature.geometry.map(distinct).filter(line => line.length >= 2);
  return polygonRings(feature.geometry);
}

/** Outer rings have positive area here (y down). A ring that has none left is dropped; a hole needs its outer ring. */
function polygonRings(rings: readonly Flat[]): Point[][] {
  const kept: Point[][] = [];
  for (const flat of rings) {
    const ring = distinct(flat);
    if (ring.length < 4) continue;
    const area = doubleArea(ring);
    if (area > 0 || (area < 0 && kept.length > 0)) kept.push(ring);
  }
  return kept;
}

function points(flat: Flat): Point[] {
  const out: Point[] = [];
  for (let i = 0; i < flat.length; i += 2) out.push({ x: flat[i], y: flat[i + 1] });
  return out;
}

function distinct(flat: Flat): Point[] {
  const out: Point[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    if (i > 0 && flat[i] === flat[i - 2] && flat[i + 1] === flat[i - 1]) continue;
    out.push({ x: flat[i], y: flat[i + 1] });
  }
  return out;
}

function doubleArea(ring: readonly Point[]): number {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) sum += ring[i - 1].x * ring[i].y - ring[i].x * ring[i - 1].y;
  return sum;
}

/** Walks tile → layer → keys (field 3 of field 3) and puts the first byte of every escaped key back. */
export function restoreKeys(body: Uint8Array, escaped: ReadonlyMap<string, string>): void {
  const text = new TextDecoder();
  eachField(body, 0, body.length, (tileField, from, to) => {
    if (tileField !== 3) return;
    eachField(body, from, to, (field, start, end) => {
      if (field !== 3 || body[start] !== 1) return;
      const name = escaped.get(text.decode(body.subarray(start, end)));
      if (name !== undefined) body[start] = name.charCodeAt(0);
    });
  });
}

/** Visits the length-delimited fields of a protobuf message; vt-pbf writes only these and varints on these levels. */
function eachField(
  body: Uint8Array,
  from: number,
  to: number,
  visit: (field: number, start: number, end: number) => void,
): void {
  let at = from;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = body[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < to) {
    const tag = varint();
    const length = varint();
    if ((tag & 7) !== 2) continue;
    visit(tag >>> 3, at, at + length);
    at += length;
  }
}
