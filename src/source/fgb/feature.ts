/** Features as JavaScript objects, for answers that are GeoJSON. The tile path never comes here: see render/vector.ts. */
import type { Geometry, Position } from 'geojson';
import { problem } from '../../errors.ts';
import type { Column } from '../types.ts';
import { arcPoints } from './arcs.ts';
import { type Bytes, featureColumns, text } from './columns.ts';
import * as at from './layout.ts';

export interface DecodedFeature {
  /** In the source's CRS, x before y, with z where the file has it; null where the feature has no geometry. */
  readonly geometry: Geometry | null;
  readonly properties: Record<string, unknown>;
}

export interface FeatureSchema {
  readonly columns: readonly Column[];
  /** The header's geometry type number; 0 where each feature says its own. */
  readonly geometryType: number;
  readonly hasZ: boolean;
  /** Names that columns which a feature brings itself are served under. */
  readonly rename?: Readonly<Record<string, string>>;
}

interface Frame extends Bytes {
  readonly hasZ: boolean;
  readonly walked: at.Walked;
}

/**
 * The size-prefixed feature that begins at `offset` of `bytes`. 64-bit integers beyond 2^53 become strings, JSON columns
 * their value (or the raw text where that is no JSON), binary columns base64, NaN and infinities null. With `wanted`, only
 * those columns.
 */
export function decodeFeature(
  bytes: Uint8Array,
  offset: number,
  schema: FeatureSchema,
  wanted?: ReadonlySet<string> | null,
): DecodedFeature {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const end = at.featureEnd(view, offset, bytes.byteLength);
    const frame = { view, start: offset, end, hasZ: schema.hasZ, walked: { left: end - offset } };
    const root = at.follow(view, offset + 4, offset, end);
    const geometryField = at.field(view, root, at.FEATURE_GEOMETRY, offset, end);
    const table = geometryField ? at.follow(view, geometryField, offset, end) : 0;
    const columns = featureColumns(frame, root, schema.rename) ?? schema.columns;
    return {
      geometry: table ? decodeGeometry(frame, table, schema.geometryType, 0) : null,
      properties: decodeProperties(frame, root, columns, wanted ?? null),
    };
  } catch (error) {
    // What the checks above do not foresee still ends as a broken file, not as a crash.
    if (error instanceof RangeError) throw problem('corrupt-data', `a feature is broken: ${error.message}`);
    throw error;
  }
}

function typeOf({ view, start, end }: Frame, table: number, fallback: number): number {
  const field = at.field(view, table, at.GEOMETRY_TYPE, start, end);
  const own = field ? view.getUint8(field) : 0;
  const type = own || fallback;
  if (type >= at.GEOMETRY_KINDS.length) throw at.corrupt(`geometry type ${type} does not exist`);
  return type;
}

/** Coordinates begin … end − 1 of the table's vectors; null where it has none. */
function positions(frame: Frame, table: number): Position[] {
  const { view, start, end, hasZ, walked } = frame;
  const xy = at.vector(view, table, at.GEOMETRY_XY, 8, start, end);
  if (!xy) return [];
  const z = hasZ ? at.vector(view, table, at.GEOMETRY_Z, 8, start, end) : 0;
  const n = view.getUint32(xy, true) >> 1;
  at.spend(walked, n * 16);
  const withZ = z !== 0 && view.getUint32(z, true) >= n;
  const out: Position[] = new Array(n);
  for (let i = 0; i < n; i++) {
    const x = view.getFloat64(xy + 4 + i * 16, true);
    const y = view.getFloat64(xy + 12 + i * 16, true);
    out[i] = withZ ? [x, y, view.getFloat64(z + 4 + i * 8, true)] : [x, y];
  }
  return out;
}

/** The table's coordinates cut at its ends: lines of a multi line, rings of a polygon. */
function lines(frame: Frame, table: number): Position[][] {
  const { view, start, end } = frame;
  const all = positions(frame, table);
  const ends = at.vector(view, table, at.GEOMETRY_ENDS, 4, start, end);
  const n = ends ? view.getUint32(ends, true) : 0;
  if (n === 0) return all.length > 0 ? [all] : [];
  const out: Position[][] = [];
  let from = 0;
  for (let i = 0; i < n; i++) {
    const to = view.getUint32(ends + 4 + i * 4, true);
    if (to < from || to > all.length) throw at.corrupt(`part ${i} ends at coordinate ${to} of ${all.length}`);
    out.push(all.slice(from, to));
    from = to;
  }
  return out;
}

function parts({ view, start, end, walked }: Frame, table: number): number[] {
  const found = at.vector(view, table, at.GEOMETRY_PARTS, 4, start, end);
  if (!found) return [];
  const n = view.getUint32(found, true);
  // An offset and, with a table of its own, at least a root behind it.
  at.spend(walked, n * 8);
  return Array.from({ length: n }, (_, i) => at.follow(view, found + 4 + i * 4, start, end));
}

function decodeGeometry(frame: Frame, table: number, fallback: number, depth: number): Geometry | null {
  if (depth > at.DEPTH_MAX) throw at.corrupt(`a geometry is nested deeper than ${at.DEPTH_MAX}`);
  const type = typeOf(frame, table, fallback);
  switch (type) {
    case 1: {
      const all = positions(frame, table);
      return all.length > 0 ? { type: 'Point', coordinates: all[0] } : null;
    }
    case 2:
    case 8:
    case 9:
    case 13:
      return nonEmpty('LineString', curve(frame, table, type, depth));
    case 3:
    case 10:
    case 17:
      return nonEmpty('Polygon', rings(frame, table, type, depth));
    case 4:
      return nonEmpty('MultiPoint', positions(frame, table));
    case 5:
      return nonEmpty('MultiLineString', lines(frame, table));
    case 11:
      return nonEmpty(
        'MultiLineString',
        parts(frame, table).map(p => curve(frame, p, typeOf(frame, p, 2), depth + 1)),
      );
    case 6:
    case 12:
    case 14:
    case 15:
    case 16:
      return nonEmpty('MultiPolygon', polygons(frame, table, type, depth));
    case 7: {
      const geometries = parts(frame, table).map(p => decodeGeometry(frame, p, 0, depth + 1));
      return { type: 'GeometryCollection', geometries: geometries.filter(g => g !== null) };
    }
    default:
      throw at.corrupt(`a feature does not say its geometry type (${type})`);
  }
}

function nonEmpty(
  type: 'LineString' | 'Polygon' | 'MultiPoint' | 'MultiLineString' | 'MultiPolygon',
  coordinates: unknown[],
): Geometry | null {
  const kept =
    type === 'MultiLineString' || type === 'MultiPolygon'
      ? coordinates.filter(c => (c as unknown[]).length > 0)
      : coordinates;
  return kept.length > 0 ? ({ type, coordinates: kept } as Geometry) : null;
}

/** A line, its arcs (CircularString) drawn out, its pieces (CompoundCurve) joined. */
function curve(frame: Frame, table: number, type: number, depth: number): Position[] {
  if (depth > at.DEPTH_MAX) throw at.corrupt(`a geometry is nested deeper than ${at.DEPTH_MAX}`);
  if (type === 8) return arcPoints(positions(frame, table));
  if (type !== 9) return positions(frame, table);
  const out: Position[] = [];
  for (const part of parts(frame, table)) {
    const piece = curve(frame, part, typeOf(frame, part, 2), depth + 1);
    for (let i = out.length > 0 ? 1 : 0; i < piece.length; i++) out.push(piece[i]);
  }
  return out;
}

/**
 * GDAL writes a TIN's triangles as rings of one table; and a writer may put the only polygon of several straight into it.
 */
function polygons(frame: Frame, table: number, type: number, depth: number): Position[][][] {
  const { view, start, end } = frame;
  const inner = type === 16 ? 17 : 3;
  if (at.vector(view, table, at.GEOMETRY_PARTS, 4, start, end) !== 0) {
    return parts(frame, table).map(p => rings(frame, p, typeOf(frame, p, inner), depth + 1));
  }
  const all = lines(frame, table);
  return type === 16 ? all.map(ring => [ring]) : [all];
}

function rings(frame: Frame, table: number, type: number, depth: number): Position[][] {
  if (type === 10) return parts(frame, table).map(p => curve(frame, p, typeOf(frame, p, 2), depth + 1));
  return lines(frame, table);
}

function decodeProperties(
  frame: Frame,
  root: number,
  columns: readonly Column[],
  wanted: ReadonlySet<string> | null,
): Record<string, unknown> {
  const { view, start, end } = frame;
  // Null prototype: a column may be called __proto__ or constructor.
  const out: Record<string, unknown> = Object.create(null);
  const found = at.vector(view, root, at.FEATURE_PROPERTIES, 1, start, end);
  if (!found) return out;
  let p = found + 4;
  const stop = p + view.getUint32(found, true);
  // Some writers leave one byte of padding behind the last value, which no reader minds.
  while (p + 1 < stop) {
    const column = columns[view.getUint16(p, true)];
    if (!column) throw at.corrupt(`an attribute names column ${view.getUint16(p, true)} of ${columns.length}`);
    p += 2;
    const fixed = at.VALUE_BYTES[at.COLUMN_TYPES.indexOf(column.type)];
    if (p + (fixed || 4) > stop) throw at.corrupt(`the value of ${column.name} runs past the attributes`);
    const length = fixed || view.getUint32(p, true);
    if (!fixed) p += 4;
    if (length > stop - p) throw at.corrupt(`the value of ${column.name} claims ${length} bytes where ${stop - p} are`);
    if (!wanted || wanted.has(column.name)) out[column.name] = decodeValue(view, p, length, column);
    p += length;
  }
  return out;
}

function decodeValue(view: DataView, p: number, length: number, { type, as }: Column): unknown {
  switch (type) {
    case 'byte':
      return view.getInt8(p);
    case 'ubyte':
      return view.getUint8(p);
    case 'bool':
      return view.getUint8(p) !== 0;
    case 'short':
      return view.getInt16(p, true);
    case 'ushort':
      return view.getUint16(p, true);
    case 'int':
      return view.getInt32(p, true);
    case 'uint':
      return view.getUint32(p, true);
    case 'long':
      return exact(view.getBigInt64(p, true), as);
    case 'ulong':
      return exact(view.getBigUint64(p, true), as);
    case 'float':
      return finite(shortest(view.getFloat32(p, true)));
    case 'double':
      return finite(view.getFloat64(p, true));
    case 'binary':
      return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + p, length).toString('base64');
    case 'json':
      return as === 'text' ? text(view, p, length) : json(text(view, p, length));
    default:
      return text(view, p, length);
  }
}

function exact(value: bigint, as: Column['as']): number | string {
  const n = Number(value);
  return as === 'number' || (as === undefined && Number.isSafeInteger(n)) ? n : value.toString();
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** 0.1 stored in 32 bits is 0.1, not 0.10000000149: seven digits are all it has. */
export function shortest(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === value ? short : value;
}

function json(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}

/** The geometry of the table at `table` within its feature's frame, curves linearised: for what tiles meet once in a blue moon. */
export function decodeGeometryAt(
  { view, start, end }: Bytes,
  table: number,
  type: number,
  walked: at.Walked,
): Geometry | null {
  return decodeGeometry({ view, start, end, hasZ: false, walked }, table, type, 0);
}
