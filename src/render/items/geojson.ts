/** A decoded feature as GeoJSON text (RFC 7946): seven decimals (1 cm of degrees), outer rings counterclockwise. */
import type { Geometry, Position } from 'geojson';
import type { Transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { TextSink } from './sink.ts';

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

export function writeFeature(sink: TextSink, { id, geometry, properties, extra }: FeatureText, out: Output): void {
  sink.write(
    id === null ? '{"type":"Feature","geometry":' : `{"type":"Feature","id":${JSON.stringify(id)},"geometry":`,
  );
  writeGeometry(sink, geometry, out);
  sink.write(`,"properties":${JSON.stringify(properties)}`);
  sink.write(extra ? `,${JSON.stringify(extra).slice(1, -1)}}` : '}');
}

export function writeGeometry(sink: TextSink, geometry: Geometry | null, out: Output): void {
  if (geometry === null) return sink.write('null');
  if (geometry.type === 'GeometryCollection') {
    sink.write('{"type":"GeometryCollection","geometries":');
    writeList(sink, geometry.geometries, part => writeGeometry(sink, part, out));
  } else {
    sink.write(`{"type":"${geometry.type}","coordinates":`);
    writeCoordinates(sink, geometry, out);
  }
  sink.write('}');
}

function writeCoordinates(
  sink: TextSink,
  geometry: Exclude<Geometry, { type: 'GeometryCollection' }>,
  out: Output,
): void {
  switch (geometry.type) {
    case 'Point':
      return writePositions(sink, [geometry.coordinates], move([geometry.coordinates], out), false, out.northFirst);
    case 'MultiPoint':
    case 'LineString':
      return writeLine(sink, geometry.coordinates, out);
    case 'MultiLineString':
      return writeList(sink, geometry.coordinates, line => writeLine(sink, line, out));
    case 'Polygon':
      return writePolygon(sink, geometry.coordinates, out);
    case 'MultiPolygon':
      return writeList(sink, geometry.coordinates, rings => writePolygon(sink, rings, out));
  }
}

function writeList<T>(sink: TextSink, parts: readonly T[], write: (part: T, index: number) => void): void {
  sink.write('[');
  parts.forEach((part, i) => {
    if (i > 0) sink.write(',');
    write(part, i);
  });
  sink.write(']');
}

function writeLine(sink: TextSink, positions: readonly Position[], out: Output): void {
  sink.write('[');
  writePositions(sink, positions, move(positions, out), false, out.northFirst);
  sink.write(']');
}

function writePolygon(sink: TextSink, rings: readonly Position[][], out: Output): void {
  writeList(sink, rings, (ring, i) => {
    const moved = move(ring, out);
    const area = doubleArea(moved);
    sink.write('[');
    writePositions(sink, ring, moved, i === 0 ? area < 0 : area > 0, out.northFirst);
    sink.write(']');
  });
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

function writePositions(
  sink: TextSink,
  positions: readonly Position[],
  xy: Float64Array,
  reversed: boolean,
  northFirst: boolean,
): void {
  const first = northFirst ? 1 : 0;
  const n = positions.length;
  for (let k = 0; k < n; k++) {
    const i = reversed ? n - 1 - k : k;
    const z = positions[i][2];
    const end = z === undefined || !Number.isFinite(z) ? ']' : `,${short(z)}]`;
    sink.write(`${k === 0 ? '[' : ',['}${short(xy[i * 2 + first])},${short(xy[i * 2 + 1 - first])}${end}`);
  }
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
