/** Polygons of a request in the pixels of a level or of an image. */
import { xPeriod } from '../../crs/index.ts';
import { emptySpan, invertAffine, stretch } from './geometry.ts';
import { ringMover } from './rings.ts';
import type { Affine, OutputGrid, Placement, Rect } from './types.ts';

/** Polygons, each its rings: the exterior, then holes. Rings are closed, x and y alternate. */
export type Zone = readonly (readonly (readonly number[])[])[];

export interface ZoneArea {
  readonly window: Rect;
  readonly rings: Float64Array[];
}

/** Null: it does not touch the level. The window is around all of its polygons. Corners are moved, sides stay straight in the raster's own CRS, as GDAL does it. */
export function zoneIn(zone: Zone, crs: string, place: Placement, size: Size): ZoneArea | null {
  const t = place.transform;
  const { scaleX, scaleY } = place;
  const inverse = invertAffine([t[0], t[1] / scaleX, t[2] / scaleY, t[3], t[4] / scaleX, t[5] / scaleY]);
  const rings: Float64Array[] = [];
  const span = emptySpan();
  for (const { ring, window } of ringsOn(zone, crs, place.crs, inverse, size)) {
    rings.push(ring);
    stretch(span, window.x, window.y);
    stretch(span, window.x + window.width, window.y + window.height);
  }
  if (rings.length === 0) return null;
  const { minX: x, minY: y } = span;
  return { window: { x, y, width: span.maxX - x, height: span.maxY - y }, rings };
}

/**
 * Polygons in degrees that were cut at the antimeridian (RFC 7946, 3.1.9), as one area: those west of the widest gap between all
 * of them are named a world further east. Others stay as they are.
 */
export function joinedZone(zone: Zone): Zone {
  const spans = zone.map(([exterior]) => {
    let [from, to] = [Infinity, -Infinity];
    for (let i = 0; i < exterior.length; i += 2) [from, to] = [Math.min(from, exterior[i]), Math.max(to, exterior[i])];
    return { from, to };
  });
  if (!spans.some(({ from }) => from === -180) || !spans.some(({ to }) => to === 180)) return zone;
  let [reached, gap, edge] = [-180, 0, -180];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    if (from - reached > gap) [gap, edge] = [from - reached, from];
    reached = Math.max(reached, to);
  }
  if (gap === 0) return zone;
  return zone.map((polygon, i) =>
    spans[i].from >= edge ? polygon : polygon.map(ring => ring.map((value, n) => (n % 2 === 0 ? value + 360 : value))),
  );
}

/** In the pixels of an image with a CRS. */
export function zoneOn(zone: Zone, crs: string, grid: OutputGrid & { readonly crs: string }): Float64Array[] {
  const { originX, originY, resX, resY } = grid;
  const inverse: Affine = [-originX / resX, 1 / resX, 0, originY / resY, 0, -1 / resY];
  return ringsOn(zone, crs, grid.crs, inverse, grid).map(({ ring }) => ring);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Rings of the polygons that meet the size, each with its polygon's window. Exteriors come out running one way, holes the other. */
function ringsOn(zone: Zone, from: string, to: string, inverse: Affine, { width, height }: Size) {
  const period = xPeriod(to);
  const move = ringMover(from, to);
  const found: { readonly ring: Float64Array; readonly window: Rect }[] = [];
  for (const polygon of zone) {
    const moved = polygon.map((ring, n) => turned(move(ring), n === 0));
    // Each by all of its names that are on it: one side of the antimeridian may be at the other end.
    for (const turns of period === null ? [0] : [0, 1, -1]) {
      const rings = moved.map(ring => onPixels(ring, turns * (period ?? 0), inverse));
      const window = boxOf(rings, width, height);
      if (window) for (const ring of rings) found.push({ ring, window });
    }
  }
  return found;
}

function onPixels(ring: readonly number[], shift: number, inverse: Affine): Float64Array {
  const out = new Float64Array(ring.length);
  for (let i = 0; i < ring.length; i += 2) {
    const [x, y] = [ring[i] + shift, ring[i + 1]];
    out[i] = inverse[0] + x * inverse[1] + y * inverse[2];
    out[i + 1] = inverse[3] + x * inverse[4] + y * inverse[5];
  }
  return out;
}

/** Whichever way it ran. */
function turned(ring: number[], exterior: boolean): readonly number[] {
  const back = exterior ? area(ring) > 0 : area(ring) < 0;
  return back ? reversed(ring) : ring;
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
