/**
 * A geometry as flat arrays, for topology: points, lines and rings in the plane (heights are left out), rings turned so that
 * the inside is on their left.
 */
import type { Geometry, Position } from 'geojson';

export const POINT = 0;
export const LINE = 1;
export const RING = 2;

export interface Shape {
  /** x, y of all points. */
  readonly xy: Float64Array;
  /** Path k is the points starts[k] … starts[k + 1] − 1; rings end at the point at which they begin. */
  readonly starts: Int32Array;
  /** POINT, LINE or RING of each path. */
  readonly kinds: Uint8Array;
  readonly minx: number;
  readonly miny: number;
  readonly maxx: number;
  readonly maxy: number;
  /** The highest kind that it has; −1: it is empty. */
  readonly dimension: number;
}

/** Paths on their way to a shape. Buffers grow and are used again for the next feature. */
export class ShapeBuilder {
  #xy = new Float64Array(512);
  #n = 0;
  readonly #starts: number[] = [];
  readonly #kinds: number[] = [];

  begin(): void {
    this.#n = 0;
    this.#starts.length = 0;
    this.#kinds.length = 0;
  }

  path(kind: number): void {
    this.#starts.push(this.#n);
    this.#kinds.push(kind);
  }

  point(x: number, y: number): void {
    if (this.#n * 2 + 2 > this.#xy.length) {
      const larger = new Float64Array(this.#xy.length * 2);
      larger.set(this.#xy);
      this.#xy = larger;
    }
    this.#xy[this.#n * 2] = x;
    this.#xy[this.#n * 2 + 1] = y;
    this.#n++;
  }

  /** Ends a ring: closed, and its inside on the left. Shells run counterclockwise, holes clockwise. */
  endRing(hole: boolean): void {
    const first = this.#starts[this.#starts.length - 1];
    const xy = this.#xy;
    const last = this.#n - 1;
    if (last > first && (xy[last * 2] !== xy[first * 2] || xy[last * 2 + 1] !== xy[first * 2 + 1]))
      this.point(xy[first * 2], xy[first * 2 + 1]);
    const area = doubleArea(this.#xy, first, this.#n);
    if (hole ? area > 0 : area < 0) reverse(this.#xy, first, this.#n);
  }

  /** The shape owns its arrays. */
  end(): Shape {
    const xy = this.#xy.slice(0, this.#n * 2);
    const bounds = { minx: Infinity, miny: Infinity, maxx: -Infinity, maxy: -Infinity };
    for (let i = 0; i < xy.length; i += 2) {
      if (xy[i] < bounds.minx) bounds.minx = xy[i];
      if (xy[i] > bounds.maxx) bounds.maxx = xy[i];
      if (xy[i + 1] < bounds.miny) bounds.miny = xy[i + 1];
      if (xy[i + 1] > bounds.maxy) bounds.maxy = xy[i + 1];
    }
    const kinds = Uint8Array.from(this.#kinds);
    const starts = Int32Array.from([...this.#starts, this.#n]);
    return { xy, starts, kinds, ...bounds, dimension: kinds.reduce((most, kind) => Math.max(most, kind), -1) };
  }
}

/** Twice the area, positive where it runs counterclockwise; measured from its first point, so that large coordinates lose nothing. */
function doubleArea(xy: Float64Array, from: number, to: number): number {
  const x0 = xy[from * 2];
  const y0 = xy[from * 2 + 1];
  let sum = 0;
  for (let i = from + 1; i + 1 < to; i++) {
    sum += (xy[i * 2] - x0) * (xy[i * 2 + 3] - y0) - (xy[i * 2 + 2] - x0) * (xy[i * 2 + 1] - y0);
  }
  return sum;
}

function reverse(xy: Float64Array, from: number, to: number): void {
  for (let i = from, j = to - 1; i < j; i++, j--) {
    const x = xy[i * 2];
    const y = xy[i * 2 + 1];
    xy[i * 2] = xy[j * 2];
    xy[i * 2 + 1] = xy[j * 2 + 1];
    xy[j * 2] = x;
    xy[j * 2 + 1] = y;
  }
}

/** `move`: to the plane in which shapes meet, in place; false where a point has no image there (then null). */
export function shapeOf(
  geometry: Geometry,
  builder: ShapeBuilder,
  move?: (x: number, y: number, out: Float64Array) => boolean,
): Shape | null {
  builder.begin();
  const at = new Float64Array(2);
  const add = ([x, y]: Position): boolean => {
    if (!move) builder.point(x, y);
    else if (move(x, y, at)) builder.point(at[0], at[1]);
    else return false;
    return true;
  };
  return addGeometry(geometry, builder, add) ? builder.end() : null;
}

function addGeometry(geometry: Geometry, builder: ShapeBuilder, add: (position: Position) => boolean): boolean {
  const path = (kind: number, points: readonly Position[]) => {
    builder.path(kind);
    return points.every(add);
  };
  const polygon = (rings: readonly Position[][]) =>
    rings.every((ring, i) => {
      if (!path(RING, ring)) return false;
      builder.endRing(i > 0);
      return true;
    });
  switch (geometry.type) {
    case 'Point':
      return path(POINT, [geometry.coordinates]);
    case 'MultiPoint':
      return geometry.coordinates.every(point => path(POINT, [point]));
    case 'LineString':
      return path(LINE, geometry.coordinates);
    case 'MultiLineString':
      return geometry.coordinates.every(line => path(LINE, line));
    case 'Polygon':
      return polygon(geometry.coordinates);
    case 'MultiPolygon':
      return geometry.coordinates.every(polygon);
    case 'GeometryCollection':
      return geometry.geometries.every(one => addGeometry(one, builder, add));
  }
}

/** Boxes as a shape: a box without area is a line or a point. */
export function boxesShape(
  boxes: readonly (readonly [number, number, number, number])[],
  builder: ShapeBuilder,
): Shape {
  builder.begin();
  for (const [minx, miny, maxx, maxy] of boxes) {
    if (minx === maxx && miny === maxy) {
      builder.path(POINT);
      builder.point(minx, miny);
    } else if (minx === maxx || miny === maxy) {
      builder.path(LINE);
      builder.point(minx, miny);
      builder.point(maxx, maxy);
    } else {
      builder.path(RING);
      builder.point(minx, miny);
      builder.point(maxx, miny);
      builder.point(maxx, maxy);
      builder.point(minx, maxy);
      builder.endRing(false);
    }
  }
  return builder.end();
}
