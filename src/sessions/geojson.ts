/**
 * One uploaded GeoJSON text as the lazy FeatureCollection that geojson-vt reads: each feature is parsed, judged and made
 * ready when its turn comes, and is garbage afterwards. Every refusal names the feature and the place in it.
 */
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson';
import { Problem, problem } from '../errors.ts';
import type { BBox } from '../tile.ts';
import { type GeoJsonScan, parseSpan, scanGeoJson } from './scan.ts';
import { FEATURE, POINT_FEATURE, TAGS, tagBytes, typedArrayBytes } from './weights.ts';

export interface SessionLimits {
  /** Bytes the layer may hold once indexed. */
  readonly bytesMax: number;
  /** Text of one feature: it is parsed whole. */
  readonly featureBytesMax: number;
  /** Attribute names of the whole layer. */
  readonly fieldsMax: number;
}

export type FieldType = 'Number' | 'String' | 'Boolean';
export type Tags = Record<string, string | number | boolean>;

/** What the layer turned out to hold, known when the last feature has been read. */
export interface SessionSummary {
  readonly count: number;
  readonly withGeometry: number;
  readonly geometry: string;
  readonly bounds: BBox | null;
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Estimated heap of the attribute objects, which all copies of a feature share. */
  readonly tagBytes: number;
  /** True where an attribute has a name that vt-pbf cannot write (see render/session-tile.ts). */
  readonly escaped: boolean;
}

export interface SessionInput {
  readonly data: FeatureCollection;
  summary(): SessionSummary;
}

/** Names found on every object: vt-pbf looks its keys up in a plain one and mistakes these for known. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));
/** Stands in for the first letter of such a name until the tile is encoded. */
export const ESCAPE = '\u0001';
export const ESCAPED: ReadonlyMap<string, string> = new Map([...INHERITED].map(name => [ESCAPE + name.slice(1), name]));

const DEPTH: Readonly<Record<string, number>> = {
  Point: 0,
  MultiPoint: 1,
  LineString: 1,
  MultiLineString: 2,
  Polygon: 2,
  MultiPolygon: 3,
};
const COLLECTION_DEPTH_MAX = 8;
/** A vertex as geojson-vt stores it. */
const VERTEX_BYTES = 12;
/** Bytes of a layer's first use of an attribute name. */
const NAME_BYTES = 64;

/** Where the features are; nothing of them is parsed yet. */
export function scanInput(bytes: Uint8Array): GeoJsonScan {
  const scan = scanGeoJson(bytes);
  refuseOtherCrs(scan.crs);
  return scan;
}

export function sessionInput(bytes: Uint8Array, scan: GeoJsonScan, limits: SessionLimits): SessionInput {
  const reader = new FeatureReader(bytes, scan, limits);
  const features = new Proxy([] as Feature[], {
    get: (target, key) =>
      key === 'length' ? reader.count : typeof key === 'string' ? reader.at(Number(key)) : Reflect.get(target, key),
  });
  return { data: { type: 'FeatureCollection', features }, summary: () => reader.summary() };
}

/** RFC 7946 knows one CRS. Metres read as degrees would be drawn as nonsense. */
function refuseOtherCrs(crs: unknown): void {
  if (crs === undefined || crs === null) return;
  const name = (crs as { properties?: { name?: unknown } }).properties?.name;
  if (typeof name === 'string' && /(CRS84|EPSG:{1,2}(\d[\d.]*:)?4326)$/i.test(name)) return;
  throw problem(
    'unprocessable',
    `crs: ${JSON.stringify(crs).slice(0, 120)}: GeoJSON is WGS 84 longitude and latitude (RFC 7946); reproject it first, in geopandas with to_crs(4326)`,
  );
}

class FeatureReader {
  readonly count: number;
  #bytes: Uint8Array;
  #scan: GeoJsonScan;
  #limits: SessionLimits;
  #fields = new Map<string, FieldType>();
  #kinds = new Set<string>();
  #bounds: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  #held = 0;
  #tagBytes = 0;
  #withGeometry = 0;
  #ownIds: boolean | null = null;
  #escaped = false;

  constructor(bytes: Uint8Array, scan: GeoJsonScan, limits: SessionLimits) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.#limits = limits;
    this.count = scan.spans.length / 2;
  }

  /** What is refused says at which byte its feature begins, unless it knows the very place. */
  at(index: number): Feature {
    try {
      return this.#read(index);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw problem(error.code, error.message, { byte: this.#scan.spans[index * 2], ...error.extra });
    }
  }

  #read(index: number): Feature {
    const { spans, type } = this.#scan;
    const where = type === 'FeatureCollection' ? `features[${index}]` : 'the object';
    const size = spans[index * 2 + 1] - spans[index * 2];
    if (size > this.#limits.featureBytesMax) {
      throw problem(
        'body-too-large',
        `${where} alone takes ${size} bytes; one feature may take ${this.#limits.featureBytesMax}`,
      );
    }
    const value = parseSpan(this.#bytes, spans[index * 2], spans[index * 2 + 1], where);
    const feature = asFeature(value, type === 'FeatureCollection', where);
    this.#ownIds ??= feature.id !== undefined && feature.id !== null;
    const id = featureId(feature.id, this.#ownIds ? null : index + 1);
    const properties = this.#tags(feature.properties, where);
    if (feature.geometry) {
      this.#withGeometry++;
      this.#geometry(feature.geometry, `${where}.geometry`, 0);
    }
    if (this.#held > this.#limits.bytesMax) {
      throw problem(
        'quota-exceeded',
        `${where}: up to here the layer takes more than the ${this.#limits.bytesMax} bytes that are left`,
        {
          quotaBytes: this.#limits.bytesMax,
        },
      );
    }
    return { type: 'Feature', geometry: feature.geometry as Geometry, properties, ...(id === null ? {} : { id }) };
  }

  /** Fresh flat attributes: null left out, objects as JSON text, integers beyond 2^53 as text, as in GeoJSON answers. */
  #tags(properties: unknown, where: string): Tags {
    if (properties === null || properties === undefined) return {};
    if (typeof properties !== 'object' || Array.isArray(properties))
      throw problem('bad-body', `${where}.properties is no object`);
    const tags: Tags = {};
    let bytes = TAGS;
    for (const name of Object.keys(properties)) {
      const given = (properties as Record<string, unknown>)[name];
      const value = tagValue(given, where, name);
      if (value === null) continue;
      const type = fieldType(value);
      const known = this.#fields.get(name);
      if (known === undefined) {
        this.#refuseField(where);
        this.#fields.set(name, type);
        bytes += NAME_BYTES + name.length;
      } else if (known !== type) this.#fields.set(name, 'String');
      const escape = INHERITED.has(name);
      if (escape) this.#escaped = true;
      tags[escape ? ESCAPE + name.slice(1) : name] = value;
      bytes += tagBytes(value);
    }
    this.#tagBytes += bytes;
    this.#held += bytes;
    return tags;
  }

  /** Where every feature has names of its own the attributes are data, and a map of tiles is no place for them. */
  #refuseField(where: string): void {
    const { fieldsMax } = this.#limits;
    if (this.#fields.size >= fieldsMax)
      throw problem('unprocessable', `${where}.properties: the layer has more than ${fieldsMax} attribute names`, {
        fieldsMax,
      });
  }

  #geometry(geometry: unknown, where: string, depth: number): void {
    const { type, coordinates, geometries } = geometry as {
      type?: unknown;
      coordinates?: unknown;
      geometries?: unknown;
    };
    if (type === 'GeometryCollection') {
      if (depth >= COLLECTION_DEPTH_MAX)
        throw problem('unprocessable', `${where}: collections nested more than ${COLLECTION_DEPTH_MAX} deep`);
      if (!Array.isArray(geometries)) throw problem('bad-body', `${where}.geometries is no array`);
      geometries.forEach((part, i) => {
        if (part === null || typeof part !== 'object')
          throw problem('bad-body', `${where}.geometries[${i}] is no geometry`);
        this.#geometry(part, `${where}.geometries[${i}]`, depth + 1);
      });
      return;
    }
    if (typeof type !== 'string' || !Object.hasOwn(DEPTH, type)) {
      throw problem('bad-body', `${where}.type is ${JSON.stringify(type)?.slice(0, 60)}, which is no GeoJSON geometry`);
    }
    this.#kinds.add(type.replace('Multi', ''));
    this.#held += type === 'Point' ? POINT_FEATURE : FEATURE + typedArrayBytes(0);
    this.#coordinates(coordinates, DEPTH[type], `${where}.coordinates`, type.endsWith('Polygon'));
  }

  #coordinates(value: unknown, depth: number, where: string, polygon: boolean): void {
    if (!Array.isArray(value)) throw problem('bad-body', `${where} is no array`);
    if (depth === 0) return this.#position(value as Position, where);
    for (let i = 0; i < value.length; i++) this.#coordinates(value[i], depth - 1, `${where}[${i}]`, polygon);
    if (polygon && depth === 1) refuseOpenRing(value as Position[], where);
  }

  #position(position: Position, where: string): void {
    const [lon, lat] = position;
    if (!Number.isFinite(lon) || !Number.isFinite(lat))
      throw problem('bad-body', `${where} is not [longitude, latitude]`);
    if (lon < -360 || lon > 360 || lat < -90 || lat > 90) {
      throw problem('unprocessable', `${where}: [${lon}, ${lat}] is not longitude and latitude in degrees`);
    }
    const b = this.#bounds;
    if (lon < b[0]) b[0] = lon;
    if (lat < b[1]) b[1] = lat;
    if (lon > b[2]) b[2] = lon;
    if (lat > b[3]) b[3] = lat;
    this.#held += VERTEX_BYTES;
  }

  summary(): SessionSummary {
    const kinds = [...this.#kinds];
    return {
      count: this.count,
      withGeometry: this.#withGeometry,
      geometry: kinds.length === 1 ? kinds[0] : 'Unknown',
      bounds: this.#bounds[0] <= this.#bounds[2] ? this.#bounds : null,
      fields: Object.fromEntries(this.#fields),
      tagBytes: this.#tagBytes,
      escaped: this.#escaped,
    };
  }
}

function asFeature(
  value: unknown,
  inCollection: boolean,
  where: string,
): { geometry: unknown; properties: unknown; id?: unknown } {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw problem('bad-body', `${where} is no object`);
  const object = value as { type?: unknown; geometry?: unknown; properties?: unknown; id?: unknown };
  if (object.type === 'Feature') {
    const { geometry = null } = object;
    if (geometry !== null && typeof geometry !== 'object')
      throw problem('bad-body', `${where}.geometry is neither an object nor null`);
    return { geometry, properties: object.properties, id: object.id };
  }
  if (inCollection)
    throw problem('bad-body', `${where}.type is ${JSON.stringify(object.type)?.slice(0, 60)}, not "Feature"`);
  return { geometry: object, properties: null };
}

function refuseOpenRing(ring: readonly Position[], where: string): void {
  if (ring.length === 0) return;
  const first = ring[0];
  const last = ring[ring.length - 1];
  if (ring.length < 4)
    throw problem('unprocessable', `${where}: a ring of ${ring.length} positions; a linear ring has at least 4`);
  if (first[0] !== last[0] || first[1] !== last[1]) throw problem('unprocessable', `${where}: the ring is not closed`);
}

/** MVT ids are unsigned integers. A text id stays an id only where it spells one. */
function featureId(given: unknown, fallback: number | null): number | null {
  const id = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : fallback;
}

function tagValue(value: unknown, where: string, name: string): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? String(value) : value;
  try {
    return JSON.stringify(value);
  } catch {
    throw problem('unprocessable', `${where}.properties[${JSON.stringify(name.slice(0, 60))}] is nested too deeply`);
  }
}

function fieldType(value: string | number | boolean): FieldType {
  return typeof value === 'number' ? 'Number' : typeof value === 'boolean' ? 'Boolean' : 'String';
}
