/** A decoded feature as GeoJSON text (RFC 7946): seven decimals (1 cm of degrees), outer rings counterclockwise. */
import type { Geometry, Position } from 'geojson';
import type { Transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';

/** 10^7: beyond it a coordinate says more than any survey knows. */
const SCALE = 1e7;

/** To the CRS of the answer. RFC 7946 is WGS 84, longitude first; `crs=` may ask for another. */
export interface Output extends Transformer {
  readonly northFirst: boolean;
}

export interface FeatureText {
  readonly id: number | string | null;
  readonly geometry: Geometry | null;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Further members, such as `links` of a single feature. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export function featureText({ id, geometry, properties, extra }: FeatureText, out: Output): string {
  const head = id === null ? '{"type":"Feature"' : `{"type":"Feature","id":${JSON.stringify(id)}`;
  const tail = extra ? `,${JSON.stringify(extra).slice(1, -1)}` : '';
  return `${head},"geometry":${geometryText(geometry, out)},"properties":${JSON.stringify(properties)}${tail}}`;
}

export function geometryText(geometry: Geometry | null, out: Output): string {
  if (geometry === null) return 'null';
  const { type } = geometry;
  if (type === 'GeometryCollection') {
    return `{"type":"${type}","geometries":[${geometry.geometries.map(g => geometryText(g, out)).join(',')}]}`;
  }
  return `{"type":"${type}","coordinates":${coordinatesText(geometry, out)}}`;
}

function coordinatesText(geometry: Exclude<Geometry, { type: 'GeometryCollection' }>, out: Output): string {
  switch (geometry.type) {
    case 'Point':
      return lineText([geometry.coordinates], out).slice(1, -1);
    case 'MultiPoint':
    case 'LineString':
      return lineText(geometry.coordinates, out);
    case 'MultiLineString':
      return `[${geometry.coordinates.map(line => lineText(line, out)).join(',')}]`;
    case 'Polygon':
      return polygonText(geometry.coordinates, out);
    case 'MultiPolygon':
      return `[${geometry.coordinates.map(rings => polygonText(rings, out)).join(',')}]`;
  }
}

function lineText(positions: readonly Position[], out: Output): string {
  return textOf(positions, move(positions, out), false, out.northFirst);
}

function polygonText(rings: readonly Position[][], out: Output): string {
  const parts = rings.map((ring, i) => {
    const moved = move(ring, out);
    const area = doubleArea(moved);
    return textOf(ring, moved, i === 0 ? area < 0 : area > 0, out.northFirst);
  });
  return `[${parts.join(',')}]`;
}

/** Coordinates in pairs, x first. A point with no image refuses the feature: leaving it out would draw another shape. */
function move(positions: readonly Position[], out: Output): Float64Array {
  const moved = new Float64Array(positions.length * 2);
  for (let i = 0; i < positions.length; i++) {
    const [x, y] = positions[i];
    if (!out.forward(x, y, moved, i * 2)) {
      throw problem('unprocessable', `the coordinate ${x}, ${y} has no image in the CRS of the answer`);
    }
  }
  return moved;
}

function textOf(positions: readonly Position[], xy: Float64Array, reversed: boolean, northFirst: boolean): string {
  const first = northFirst ? 1 : 0;
  let text = '[';
  const n = positions.length;
  for (let k = 0; k < n; k++) {
    const i = reversed ? n - 1 - k : k;
    const z = positions[i][2];
    text += k === 0 ? '[' : ',[';
    text += `${short(xy[i * 2 + first])},${short(xy[i * 2 + 1 - first])}`;
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
