/** What a geometry literal must be, whichever way it is written. */
import type { Geometry, Position } from 'geojson';
import { type At, fault } from './ast.ts';

/** Errors: bad-filter for lines of one point, rings that are short or open, coordinates that are no finite numbers. */
export function checkGeometry(geometry: Geometry, at: At): void {
  switch (geometry.type) {
    case 'Point':
      return checkPosition(geometry.coordinates, at);
    case 'MultiPoint':
      return some(geometry.coordinates, at, checkPosition);
    case 'LineString':
      return checkLine(geometry.coordinates, at);
    case 'MultiLineString':
      return some(geometry.coordinates, at, checkLine);
    case 'Polygon':
      return some(geometry.coordinates, at, checkRing);
    case 'MultiPolygon':
      return some(geometry.coordinates, at, rings => some(rings, at, checkRing));
    case 'GeometryCollection':
      return some(geometry.geometries, at, checkGeometry);
  }
}

function some<T>(items: readonly T[], at: At, check: (item: T, at: At) => void): void {
  if (items.length === 0) throw fault(at, 'the geometry is empty');
  for (const item of items) check(item, at);
}

function checkPosition(position: Position, at: At): void {
  const fine = position.length >= 2 && position.length <= 3 && position.every(Number.isFinite);
  if (!fine) throw fault(at, `[${String(position).slice(0, 80)}] is no position of two or three numbers`);
}

function checkLine(line: readonly Position[], at: At): void {
  some(line, at, checkPosition);
  if (line.length < 2) throw fault(at, 'a line has two points at least');
}

function checkRing(ring: readonly Position[], at: At): void {
  some(ring, at, checkPosition);
  const [first, last] = [ring[0], ring[ring.length - 1]];
  if (ring.length < 4) throw fault(at, `a ring has four points at least, not ${ring.length}`);
  if (first[0] !== last[0] || first[1] !== last[1])
    throw fault(at, `a ring ends at ${last} and not where it begins, at ${first}`);
}
