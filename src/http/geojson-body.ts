/** GeoJSON that a client sends to a raster: judged before anything is planned, and what is wrong named by its place (a JSON pointer). */
import { problem } from '../errors.ts';

type Position = readonly [number, number];

export interface Area {
  /** Polygons, each its rings, x and y alternating. */
  readonly polygons: number[][][];
  readonly feature: Record<string, unknown>;
}

export interface Areas {
  readonly collection: Record<string, unknown> | null;
  readonly areas: readonly Area[];
}

function fault(pointer: string, what: string): Error {
  return problem('bad-body', `${pointer === '' ? 'the body' : pointer} ${what}`, { pointer });
}

function objectAt(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(pointer, 'is no object');
  return value as Record<string, unknown>;
}

function listAt(value: unknown, pointer: string): readonly unknown[] {
  if (!Array.isArray(value)) throw fault(pointer, 'is no array');
  return value;
}

/** A Feature or a FeatureCollection of polygons. */
export function areasOf(body: unknown, { collections = true } = {}): Areas {
  const top = objectAt(body, '');
  if (top['type'] === 'Feature') return { collection: null, areas: [areaOf(top, '')] };
  if (!collections || top['type'] !== 'FeatureCollection')
    throw fault('/type', `is ${text(top['type'])}, not Feature${collections ? ' or FeatureCollection' : ''}`);
  const features = listAt(top['features'], '/features');
  const { features: _, ...collection } = top;
  if (features.length === 0) throw fault('/features', 'is empty');
  return { collection, areas: features.map((one, i) => areaOf(objectAt(one, `/features/${i}`), `/features/${i}`)) };
}

function areaOf(feature: Record<string, unknown>, pointer: string): Area {
  if (feature['type'] !== 'Feature') throw fault(`${pointer}/type`, `is ${text(feature['type'])}, not Feature`);
  const { properties } = feature;
  if (properties !== undefined && properties !== null) objectAt(properties, `${pointer}/properties`);
  const geometry = objectAt(feature['geometry'], `${pointer}/geometry`);
  return { feature, polygons: polygonsOf(geometry, `${pointer}/geometry`) };
}

function polygonsOf(geometry: Record<string, unknown>, pointer: string): number[][][] {
  const at = `${pointer}/coordinates`;
  if (geometry['type'] === 'Polygon') return [polygonOf(geometry['coordinates'], at)];
  if (geometry['type'] === 'MultiPolygon')
    return listAt(geometry['coordinates'], at).map((polygon, i) => polygonOf(polygon, `${at}/${i}`));
  throw fault(`${pointer}/type`, `is ${text(geometry['type'])}, not Polygon or MultiPolygon`);
}

function polygonOf(value: unknown, pointer: string): number[][] {
  const rings = listAt(value, pointer);
  if (rings.length === 0) throw fault(pointer, 'has no ring');
  return rings.map((ring, i) => {
    const at = `${pointer}/${i}`;
    const places = listAt(ring, at).map((place, n) => positionOf(place, `${at}/${n}`));
    if (places.length < 4) throw fault(at, `has ${places.length} positions; a ring has 4 or more`);
    const [first, last] = [places[0], places[places.length - 1]];
    if (first[0] !== last[0] || first[1] !== last[1]) throw fault(at, 'does not end where it begins');
    return places.slice(0, -1).flat();
  });
}

function positionOf(value: unknown, pointer: string): Position {
  const [x, y] = listAt(value, pointer);
  if (typeof x !== 'number' || typeof y !== 'number') throw fault(pointer, 'is no position: two numbers, x before y');
  return [x, y];
}

function text(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 40);
}

/** `{"coordinates": [[x, y], …]}`, or a GeoJSON MultiPoint, alone or as a feature. */
export function placesOf(body: unknown): Position[] {
  const { value, pointer } = coordinatesOf(body, ['MultiPoint']);
  const places = listAt(value, pointer).map((place, i) => positionOf(place, `${pointer}/${i}`));
  if (places.length === 0) throw fault(pointer, 'is empty');
  return places;
}

/** A GeoJSON LineString, alone or as a feature, or its coordinates alone as for placesOf. */
export function lineOf(body: unknown): Position[] {
  const { value, pointer } = coordinatesOf(body, ['LineString']);
  const places = listAt(value, pointer).map((place, i) => positionOf(place, `${pointer}/${i}`));
  if (places.length < 2) throw fault(pointer, `has ${places.length} positions; a line has 2 or more`);
  return places;
}

function coordinatesOf(body: unknown, types: readonly string[]): { value: unknown; pointer: string } {
  const top = objectAt(body, '');
  if (top['type'] === 'Feature') {
    const inner = coordinatesOf(objectAt(top['geometry'], '/geometry'), types);
    return { ...inner, pointer: `/geometry${inner.pointer}` };
  }
  if (top['type'] !== undefined && !types.includes(top['type'] as string))
    throw fault('/type', `is ${text(top['type'])}, not ${types.join(' or ')}`);
  return { value: top['coordinates'], pointer: '/coordinates' };
}
