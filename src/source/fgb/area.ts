/**
 * Areas of polygons, for the sums that dust shows. In a projected CRS: of the plane, in its units squared. In degrees: square
 * metres on the sphere that has the earth's surface, with edges straight in the cylindrical equal-area map of it.
 */
import type { Geometry, Position } from 'geojson';
import { isLonLat, resolveCrs } from '../../crs/index.ts';

/** Radius of the sphere with the surface of WGS 84's ellipsoid, metres. */
export const AUTHALIC_RADIUS = 6371007.1809;
const RADIAN = Math.PI / 180;

/** 0 for points, lines and nothing. */
export function areaOf(geometry: Geometry | null, crs: string): number {
  if (!geometry) return 0;
  switch (geometry.type) {
    case 'Polygon':
      return polygonArea(geometry.coordinates, crs);
    case 'MultiPolygon':
      return geometry.coordinates.reduce((sum, rings) => sum + polygonArea(rings, crs), 0);
    case 'GeometryCollection':
      return geometry.geometries.reduce((sum, part) => sum + areaOf(part, crs), 0);
    default:
      return 0;
  }
}

function polygonArea(rings: readonly Position[][], crs: string): number {
  const degrees = areasInDegrees(crs);
  let area = 0;
  rings.forEach((ring, i) => {
    area += (i === 0 ? 1 : -1) * Math.abs(degrees ? sphereArea(ring) : planeArea(ring));
  });
  return Math.max(0, area);
}

/** From the ring's first point, so that far from the origin nothing is lost. */
function planeArea(ring: readonly Position[]): number {
  const [x0, y0] = ring[0] ?? [0, 0];
  let twice = 0;
  for (let i = 1; i < ring.length; i++) {
    twice += (ring[i - 1][0] - x0) * (ring[i][1] - y0) - (ring[i][0] - x0) * (ring[i - 1][1] - y0);
  }
  return twice / 2;
}

function sphereArea(ring: readonly Position[]): number {
  return planeArea(ring.map(([x, y]) => [x * RADIAN * AUTHALIC_RADIUS, Math.sin(y * RADIAN) * AUTHALIC_RADIUS]));
}

/** Area of a box, of the same kind; `degrees` as boxes of that layer are. Boxes that are inside out have none. */
export function boxArea(minx: number, miny: number, maxx: number, maxy: number, degrees: boolean): number {
  if (!(maxx > minx && maxy > miny)) return 0;
  if (!degrees) return (maxx - minx) * (maxy - miny);
  const sine = (y: number) => Math.sin(Math.max(-90, Math.min(90, y)) * RADIAN);
  return (maxx - minx) * RADIAN * (sine(maxy) - sine(miny)) * AUTHALIC_RADIUS ** 2;
}

/** Whether areas of that layer are square metres on the sphere; else they are in its own units squared. */
export function areasInDegrees(crs: string): boolean {
  return isLonLat(crs) || resolveCrs(crs).geographic;
}

/** Degrees of latitude on either side of the middle for which Middle is as exact as sines are: to a part in 10¹². */
const REACH = 1;

/** Areas of many boxes about one latitude, by one sine and one cosine for all. Only where reaches() says so. */
export class Middle {
  #y = 0;
  #sine = 0;
  #cosine = 0;

  /** Sets the middle; false where the range is too wide, or no latitude. */
  reaches(miny: number, maxy: number): boolean {
    if (!(maxy - miny <= 2 * REACH && miny >= -90 && maxy <= 90)) return false;
    this.#y = (miny + maxy) / 2;
    this.#sine = Math.sin(this.#y * RADIAN);
    this.#cosine = Math.cos(this.#y * RADIAN);
    return true;
  }

  /** As boxArea of degrees. sin a − sin b = 2 sin ((a − b) / 2) cos ((a + b) / 2), and all angles are small. */
  boxArea(minx: number, miny: number, maxx: number, maxy: number): number {
    if (!(maxx > minx && maxy > miny)) return 0;
    const half = ((maxy - miny) / 2) * RADIAN;
    const off = ((miny + maxy) / 2 - this.#y) * RADIAN;
    const square = off * off;
    const cosine =
      this.#cosine * (1 - (square / 2) * (1 - square / 12)) - this.#sine * off * (1 - (square / 6) * (1 - square / 20));
    const height = 2 * half * (1 - ((half * half) / 6) * (1 - (half * half) / 20)) * cosine;
    return (maxx - minx) * RADIAN * height * AUTHALIC_RADIUS ** 2;
  }
}
