/** A decoded feature as GeoJSON text (RFC 7946): WGS 84, seven decimals (1 cm), outer rings counterclockwise. */
import type { Geometry, Position } from 'geojson';
import type { Transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';

/** 10^7: beyond it a coordinate says more than any survey knows. */
const SCALE = 1e7;

export interface FeatureText {
  readonly id: number | string | null;
  readonly geometry: Geometry | null;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Further members, such as `links` of a single feature. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export function featureText({ id, geometry, properties, extra }: FeatureText, toLonLat: Transformer): string {
  const head = id === null ? '{"type":"Feature"' : `{"type":"Feature","id":${JSON.stringify(id)}`;
  const tail = extra ? `,${JSON.stringify(extra).slice(1, -1)}` : '';
  return `${head},"geometry":${geometryText(geometry, toLonLat)},"properties":${JSON.stringify(properties)}${tail}}`;
}

export function geometryText(geometry: Geometry | null, toLonLat: Transformer): string {
  if (geometry === null) return 'null';
  const { type } = geometry;
  if (type === 'GeometryCollection') {
    return `{"type":"${type}","geometries":[${geometry.geometries.map(g => geometryText(g, toLonLat)).join(',')}]}`;
  }
  return `{"type":"${type}","coordinates":${coordinatesText(geometry, toLonLat)}}`;
}

function coordinatesText(geometry: Exclude<Geometry, { type: 'GeometryCollection' }>, toLonLat: Transformer): string {
  switch (geometry.type) {
    case 'Point':
      return lineText([geometry.coordinates], toLonLat).slice(1, -1);
    case 'MultiPoint':
    case 'LineString':
      return lineText(geometry.coordinates, toLonLat);
    case 'MultiLineString':
      return `[${geometry.coordinates.map(line => lineText(line, toLonLat)).join(',')}]`;
    case 'Polygon':
      return polygonText(geometry.coordinates, toLonLat);
    case 'MultiPolygon':
      return `[${geometry.coordinates.map(rings => polygonText(rings, toLonLat)).join(',')}]`;
  }
}

function lineText(positions: readonly Position[], toLonLat: Transformer): string {
  return textOf(positions, move(positions, toLonLat), false);
}

function polygonText(rings: readonly Position[][], toLonLat: Transformer): string {
  const parts = rings.map((ring, i) => {
    const moved = move(ring, toLonLat);
    const area = doubleArea(moved);
    return textOf(ring, moved, i === 0 ? area < 0 : area > 0);
  });
  return `[${parts.join(',')}]`;
}

/** Longitudes and latitudes in pairs. A point with no image refuses the feature: leaving it out would draw another shape. */
function move(positions: readonly Position[], toLonLat: Transformer): Float64Array {
  const out = new Float64Array(positions.length * 2);
  for (let i = 0; i < positions.length; i++) {
    const [x, y] = positions[i];
    if (!toLonLat.forward(x, y, out, i * 2)) {
      throw problem('unprocessable', `the coordinate ${x}, ${y} has no longitude and latitude`);
    }
  }
  return out;
}

function textOf(positions: readonly Position[], lonLat: Float64Array, reversed: boolean): string {
  let text = '[';
  const n = positions.length;
  for (let k = 0; k < n; k++) {
    const i = reversed ? n - 1 - k : k;
    const z = positions[i][2];
    text += k === 0 ? '[' : ',[';
    text += `${short(lonLat[i * 2])},${short(lonLat[i * 2 + 1])}`;
    text += z === undefined || !Number.isFinite(z) ? ']' : `,${short(z)}]`;
  }
  return `${text}]`;
}

function short(value: number): number {
  // Adding 0 makes −0 plain.
  return Math.round(value * SCALE) / SCALE + 0;
}

function doubleArea(lonLat: Float64Array): number {
  let sum = 0;
  for (let i = 2; i < lonLat.length; i += 2) sum += lonLat[i - 2] * lonLat[i + 1] - lonLat[i] * lonLat[i - 1];
  return sum;
}
