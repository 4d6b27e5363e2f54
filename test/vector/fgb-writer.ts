/** Writes FlatGeobuf for tests: any geometry, columns by header or by feature, with a packed index or without, broken on demand. */
import { Builder } from 'flatbuffers';
import type { Geometry, Position } from 'geojson';
import { COLUMN_TYPES, GEOMETRY_KINDS } from '../../src/source/fgb/layout.ts';
import type { ColumnType, GeometryKind } from '../../src/source/types.ts';

export interface WriteColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table of FlatGeobuf as it lies in the file: also what GeoJSON has no word for. */
export interface RawGeometry {
  readonly type: GeometryKind;
  readonly xy?: readonly number[];
  readonly z?: readonly number[];
  readonly m?: readonly number[];
  readonly ends?: readonly number[];
  readonly parts?: readonly RawGeometry[];
}

export interface WriteFeature {
  readonly geometry: Geometry | RawGeometry | null;
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Columns of its own, by which its properties are written. */
  readonly columns?: readonly WriteColumn[];
}

export interface WriteOptions {
  readonly columns?: readonly WriteColumn[];
  /** 'Unknown' where each feature says its own. */
  readonly type?: GeometryKind;
  /** null: none. */
  readonly crs?: number | null;
  /** 0: no index. */
  readonly nodeSize?: number;
  readonly hasZ?: boolean;
  readonly hasM?: boolean;
  /** What the header claims, where that is not the truth. */
  readonly count?: number;
}

const MAGIC = [0x66, 0x67, 0x62, 3, 0x66, 0x67, 0x62, 0];

export function writeFgb(features: readonly WriteFeature[], options: WriteOptions = {}): Uint8Array {
  const { nodeSize = 16, columns = [] } = options;
  const bodies = features.map(feature => featureBytes(feature, columns));
  const header = headerBytes(features.length, options);
  const index = nodeSize >= 2 && features.length > 0 ? indexBytes(features, bodies, nodeSize) : new Uint8Array(0);
  return Buffer.concat([Uint8Array.from(MAGIC), header, index, ...bodies]);
}

function headerBytes(count: number, options: WriteOptions): Uint8Array {
  const { columns = [], type = 'Unknown', crs = 4326, nodeSize = 16, hasZ = false, hasM = false } = options;
  const b = new Builder(1024);
  const written = columns.map(column => columnOf(b, column));
  const list = offsets(b, written);
  let system = 0;
  if (crs !== null) {
    const org = b.createString('EPSG');
    b.startObject(6);
    b.addFieldOffset(0, org, 0);
    b.addFieldInt32(1, crs, 0);
    system = b.endObject();
  }
  b.startObject(14);
  b.addFieldInt8(2, GEOMETRY_KINDS.indexOf(type), 0);
  b.addFieldInt8(3, hasZ ? 1 : 0, 0);
  b.addFieldInt8(4, hasM ? 1 : 0, 0);
  if (columns.length > 0) b.addFieldOffset(7, list, 0);
  b.addFieldInt64(8, BigInt(options.count ?? count), 0n);
  b.addFieldInt16(9, nodeSize, 16);
  if (system) b.addFieldOffset(10, system, 0);
  b.finishSizePrefixed(b.endObject());
  return b.asUint8Array().slice();
}

function columnOf(b: Builder, { name, type }: WriteColumn): number {
  const text = b.createString(name);
  b.startObject(11);
  b.addFieldOffset(0, text, 0);
  b.addFieldInt8(1, COLUMN_TYPES.indexOf(type), 0);
  return b.endObject();
}

function offsets(b: Builder, all: readonly number[]): number {
  b.startVector(4, all.length, 4);
  for (let i = all.length - 1; i >= 0; i--) b.addOffset(all[i]);
  return b.endVector();
}

export function featureBytes(feature: WriteFeature, columns: readonly WriteColumn[]): Uint8Array {
  const b = new Builder(1024);
  const geometry = feature.geometry === null ? 0 : geometryOf(b, rawOf(feature.geometry));
  const raw = propertyBytes(feature.properties ?? {}, feature.columns ?? columns);
  const properties = raw.length > 0 ? b.createByteVector(raw) : 0;
  const own = feature.columns
    ? offsets(
        b,
        feature.columns.map(column => columnOf(b, column)),
      )
    : 0;
  b.startObject(3);
  if (geometry) b.addFieldOffset(0, geometry, 0);
  if (properties) b.addFieldOffset(1, properties, 0);
  if (own) b.addFieldOffset(2, own, 0);
  b.finishSizePrefixed(b.endObject());
  return b.asUint8Array().slice();
}

function doubles(b: Builder, values: readonly number[]): number {
  b.startVector(8, values.length, 8);
  for (let i = values.length - 1; i >= 0; i--) b.addFloat64(values[i]);
  return b.endVector();
}

function geometryOf(b: Builder, { type, xy, z, m, ends, parts }: RawGeometry): number {
  const inner = parts
    ? offsets(
        b,
        parts.map(part => geometryOf(b, part)),
      )
    : 0;
  const points = xy ? doubles(b, xy) : 0;
  const heights = z ? doubles(b, z) : 0;
  const measures = m ? doubles(b, m) : 0;
  let stops = 0;
  if (ends) {
    b.startVector(4, ends.length, 4);
    for (let i = ends.length - 1; i >= 0; i--) b.addInt32(ends[i]);
    stops = b.endVector();
  }
  b.startObject(8);
  if (stops) b.addFieldOffset(0, stops, 0);
  if (points) b.addFieldOffset(1, points, 0);
  if (heights) b.addFieldOffset(2, heights, 0);
  if (measures) b.addFieldOffset(3, measures, 0);
  b.addFieldInt8(6, GEOMETRY_KINDS.indexOf(type), 0);
  if (inner) b.addFieldOffset(7, inner, 0);
  return b.endObject();
}

export function rawOf(geometry: Geometry | RawGeometry): RawGeometry {
  if ('geometries' in geometry) return { type: 'GeometryCollection', parts: geometry.geometries.map(rawOf) };
  if (!('coordinates' in geometry)) return geometry;
  switch (geometry.type) {
    case 'Point':
      return flat('Point', [[geometry.coordinates]]);
    case 'MultiPoint':
    case 'LineString':
      return flat(geometry.type, [geometry.coordinates]);
    case 'MultiLineString':
    case 'Polygon':
      return flat(geometry.type, geometry.coordinates);
    default:
      return { type: 'MultiPolygon', parts: geometry.coordinates.map(rings => flat('Polygon', rings)) };
  }
}

function flat(type: GeometryKind, lines: readonly (readonly Position[])[]): RawGeometry {
  const all = lines.flat();
  let at = 0;
  const ends = lines.map(line => (at += line.length));
  const z = all.some(p => p.length > 2) ? { z: all.map(p => p[2] ?? 0) } : {};
  return { type, xy: all.flatMap(p => p.slice(0, 2)), ...z, ...(lines.length > 1 ? { ends } : {}) };
}

const WIDTHS: Partial<Record<ColumnType, number>> = {
  byte: 1,
  ubyte: 1,
  bool: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
};

function propertyBytes(properties: Readonly<Record<string, unknown>>, columns: readonly WriteColumn[]): Uint8Array {
  const out: Uint8Array[] = [];
  columns.forEach(({ name, type }, i) => {
    const value = properties[name];
    if (value === undefined || value === null) return;
    out.push(Uint8Array.of(i & 255, i >> 8), valueBytes(value, type));
  });
  return Buffer.concat(out);
}

function valueBytes(value: unknown, type: ColumnType): Uint8Array {
  if (type === 'string' || type === 'json' || type === 'datetime' || type === 'binary') {
    const body = value instanceof Uint8Array ? value : Buffer.from(String(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return Buffer.concat([length, body]);
  }
  const bytes = Buffer.alloc(WIDTHS[type] ?? 8);
  if (type === 'long') bytes.writeBigInt64LE(BigInt(value as bigint));
  else if (type === 'ulong') bytes.writeBigUInt64LE(BigInt(value as bigint));
  else if (type === 'double') bytes.writeDoubleLE(Number(value));
  else if (type === 'float') bytes.writeFloatLE(Number(value));
  else if (type === 'byte' || type === 'short' || type === 'int') bytes.writeIntLE(Number(value), 0, bytes.length);
  else bytes.writeUIntLE(Number(value), 0, bytes.length);
  return bytes;
}

export type Box = readonly [number, number, number, number];

export function boxOf(geometry: Geometry | RawGeometry | null): Box {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const grow = ({ xy = [], parts = [] }: RawGeometry): void => {
    for (let i = 0; i < xy.length; i += 2) {
      if (!Number.isFinite(xy[i]) || !Number.isFinite(xy[i + 1])) continue;
      box[0] = Math.min(box[0], xy[i]);
      box[1] = Math.min(box[1], xy[i + 1]);
      box[2] = Math.max(box[2], xy[i]);
      box[3] = Math.max(box[3], xy[i + 1]);
    }
    parts.forEach(grow);
  };
  if (geometry) grow(rawOf(geometry));
  return box;
}

/** The features as they come: a packed tree needs no order to be right, only to be quick. */
function indexBytes(features: readonly WriteFeature[], bodies: readonly Uint8Array[], nodeSize: number): Uint8Array {
  let at = 0;
  let level = features.map(({ geometry }, i) => {
    const node = { box: boxOf(geometry), child: at };
    at += bodies[i].length;
    return node;
  });
  const levels = [level];
  do {
    const above: { box: Box; child: number }[] = [];
    for (let i = 0; i < level.length; i += nodeSize) above.push({ box: union(level.slice(i, i + nodeSize)), child: i });
    level = above;
    levels.push(above);
  } while (level.length > 1);
  const nodes = levels.reduce((sum, l) => sum + l.length, 0);
  const out = Buffer.alloc(nodes * 40);
  let start = nodes;
  const starts = levels.map(l => (start -= l.length));
  levels.forEach((l, k) => {
    l.forEach(({ box, child }, i) => {
      const p = (starts[k] + i) * 40;
      box.forEach((v, d) => {
        out.writeDoubleLE(v, p + d * 8);
      });
      out.writeBigUInt64LE(BigInt(k === 0 ? child : starts[k - 1] + child), p + 32);
    });
  });
  return out;
}

function union(nodes: readonly { readonly box: Box }[]): Box {
  return [
    Math.min(...nodes.map(({ box }) => box[0])),
    Math.min(...nodes.map(({ box }) => box[1])),
    Math.max(...nodes.map(({ box }) => box[2])),
    Math.max(...nodes.map(({ box }) => box[3])),
  ];
}
