/** Polygons of a request in the pixels of a level or of an image. */
import { transformer } from '../../crs/index.ts';
import { invertAffine, wrapPeriod } from './geometry.ts';
import type { OutputGrid, Placement, Rect } from './types.ts';

/** Polygons, each its rings: the exterior, then holes. Rings are closed, x and y alternate. */
export type Zone = readonly (readonly (readonly number[])[])[];

export interface ZoneArea {
  readonly window: Rect;
  readonly rings: Float64Array[];
}

/** Null: it does not touch the level. Corners are moved, sides stay straight in the raster's own CRS, as GDAL does it. */
export function zoneIn(
  zone: Zone,
  crs: string,
  place: Placement,
  { width, height }: { readonly width: number; readonly height: number },
): ZoneArea | null {
  const t = place.transform;
  const inverse = invertAffine([
    t[0],
    t[1] / place.scaleX,
    t[2] / place.scaleY,
    t[3],
    t[4] / place.scaleX,
    t[5] / place.scaleY,
  ]);
  const period = wrapPeriod(place.crs);
  const rings = movedRings(zone, crs, place.crs, (x, y) => [
    inverse[0] + x * inverse[1] + y * inverse[2],
    inverse[3] + x * inverse[4] + y * inverse[5],
  ]);
  for (const turns of period === null ? [0] : [0, 1, -1]) {
    const dx = turns * (period ?? 0) * inverse[1];
    const dy = turns * (period ?? 0) * inverse[4];
    const shifted = turns === 0 ? rings : rings.map(ring => ring.map((value, i) => value + (i % 2 ? dy : dx)));
    const window = boxOf(shifted, width, height);
    if (window) return { window, rings: shifted };
  }
  return null;
}

/** In the pixels of an image with a CRS. */
export function zoneOn(zone: Zone, crs: string, grid: OutputGrid & { readonly crs: string }): Float64Array[] {
  return movedRings(zone, crs, grid.crs, (x, y) => [(x - grid.originX) / grid.resX, (grid.originY - y) / grid.resY]);
}

/** Corners that have no place there are left out. Exteriors come out running one way, holes the other. */
function movedRings(
  zone: Zone,
  from: string,
  to: string,
  pixel: (x: number, y: number) => readonly [number, number],
): Float64Array[] {
  const move = transformer(from, to);
  const at = new Float64Array(2);
  return zone.flatMap(polygon =>
    polygon.map((ring, n) => {
      const out: number[] = [];
      for (let i = 0; i < ring.length; i += 2) {
        if (move.forward(ring[i], ring[i + 1], at, 0)) out.push(...pixel(at[0], at[1]));
      }
      const turned = n === 0 ? area(out) < 0 : area(out) > 0;
      return Float64Array.from(turned ? reversed(out) : out);
    }),
  );
}

function area(ring: readonly number[]): number {
  let sum = 0;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2)
    sum += ring[j] * ring[i + 1] - ring[i] * ring[j + 1];
  return sum;
}

function reversed(ring: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = ring.length - 2; i >= 0; i -= 2) out.push(ring[i], ring[i + 1]);
  return out;
}

function boxOf(rings: readonly Float64Array[], width: number, height: number): Rect | null {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      x0 = Math.min(x0, ring[i]);
      x1 = Math.max(x1, ring[i]);
      y0 = Math.min(y0, ring[i + 1]);
      y1 = Math.max(y1, ring[i + 1]);
    }
  }
  const x = Math.max(0, Math.floor(x0));
  const y = Math.max(0, Math.floor(y0));
  const right = Math.min(width, Math.ceil(x1));
  const bottom = Math.min(height, Math.ceil(y1));
  return right > x && bottom > y ? { x, y, width: right - x, height: bottom - y } : null;
}
