/** Where output pixels lie in a raster: the one definition that plans and painters share. */
import { resolveCrs, type Transformer, transformer, xPeriod } from '../../crs/index.ts';
import { CELL, type CellSink, MAX_ERROR, type Patch, type PixelMap, patchAt } from '../../kernels/warp.ts';
import { latToMercator, lonToMercator, MERCATOR_HALF, MERCATOR_MAX_LAT } from '../../tile.ts';
import type { Affine, OutputGrid, Placement } from './types.ts';

/** Positions nearer than this to a pixel's edge are on it, so that aligned tiles do not touch the next block. */
export const SNAP = 1e-6;

/** In GDAL's order of operations, so that positions on a pixel's edge fall to the same side. */
export function invertAffine(t: Affine): Affine {
  if (t[2] === 0 && t[4] === 0) return [-t[0] / t[1], 1 / t[1], 0, -t[3] / t[5], 0, 1 / t[5]];
  const det = t[1] * t[5] - t[2] * t[4];
  const [a, b, c, d] = [t[5] / det, -t[2] / det, -t[4] / det, t[1] / det];
  return [-(t[0] * a + t[3] * b), a, b, -(t[0] * c + t[3] * d), c, d];
}

export function sameCrs(a: string, b: string): boolean {
  const [x, y] = [resolveCrs(a), resolveCrs(b)];
  return x.id === y.id || x.proj === y.proj;
}

/** Meridians are vertical and parallels horizontal, on the same datum: web mercator and degrees of WGS 84. */
function cylindrical(crs: string): boolean {
  const { id } = resolveCrs(crs);
  return id === 'EPSG:3857' || id === 'EPSG:4326' || id === 'OGC:CRS84';
}

/** Of the positions of one strip of pixels, or of their corners. */
export function positionBytes({ width, height }: OutputGrid): number {
  return (width + 1) * (Math.min(CELL, height) + 1) * 16;
}

/** The corner of a pixel is the centre of one that lies half a pixel up and left. */
export function cornerMap(map: PixelMap): PixelMap {
  return (x, y, out, at) => map(x - 0.5, y - 0.5, out, at);
}

export interface GridMap {
  /** Output pixels → level pixels, continuous across the antimeridian. */
  readonly map: PixelMap;
  /** Infinity where interpolation is exact (same CRS), so that nothing is probed. */
  readonly maxError: number;
  /** x depends on the column only, y on the row only. */
  readonly separable: boolean;
  /** What one wrap of x adds to a level pixel position; null where x does not wrap. */
  readonly wrap: readonly [number, number] | null;
}

export function gridMap(grid: OutputGrid, place: Placement): GridMap {
  const { scaleX, scaleY } = place;
  if (grid.crs === null) {
    const stepX = (place.width * scaleX) / grid.width;
    const { from, of } = grid.rows ?? { from: 0, of: grid.height };
    const stepY = (place.height * scaleY) / of;
    const stretch: PixelMap = (x, y, out, at) => {
      out[at] = x * stepX;
      out[at + 1] = (y + from) * stepY;
      return true;
    };
    return { map: stretch, maxError: Infinity, separable: true, wrap: null };
  }
  const t = place.transform;
  // Level pixels are larger: overviews have a geotransform of their own.
  const inverse = invertAffine([t[0], t[1] / scaleX, t[2] / scaleY, t[3], t[4] / scaleX, t[5] / scaleY]);
  const period = xPeriod(place.crs);
  const wrap = period === null ? null : ([period * inverse[1], period * inverse[4]] as const);
  const upright = place.transform[2] === 0 && place.transform[4] === 0;
  if (sameCrs(grid.crs, place.crs)) {
    return { map: affineMap(grid, inverse), maxError: Infinity, separable: upright, wrap };
  }
  const move = moveBetween(grid.crs, place.crs);
  const separable = upright && cylindrical(grid.crs) && cylindrical(place.crs);
  return { map: projectedMap(grid, move, inverse, period), maxError: MAX_ERROR, separable, wrap };
}

/**
 * Into web mercator, which transformer() ends at its square: what lies nearer to the poles must come out beyond the raster, not on
 * its edge. It goes on as steeply as it ends.
 */
function moveBetween(from: string, to: string): Transformer {
  if (resolveCrs(to).id !== 'EPSG:3857') return transformer(from, to);
  const degrees = transformer(from, 'OGC:CRS84');
  return {
    forward(x, y, out, at) {
      if (!degrees.forward(x, y, out, at)) return false;
      const lat = out[at + 1];
      const over = Math.max(0, Math.abs(lat) - MERCATOR_MAX_LAT) * EDGE_METRES_PER_DEGREE;
      out[at] = lonToMercator(out[at]);
      out[at + 1] = latToMercator(lat) + Math.sign(lat) * over;
      return true;
    },
  };
}

/** A degree of latitude at the upper edge of web mercator. */
const EDGE_METRES_PER_DEGREE = (MERCATOR_HALF / 180) * Math.cosh(Math.PI);

function affineMap(grid: OutputGrid, inverse: Affine): PixelMap {
  return (px, py, out, at) => {
    const x = grid.originX + px * grid.resX;
    const y = grid.originY - py * grid.resY;
    out[at] = inverse[0] + x * inverse[1] + y * inverse[2];
    out[at + 1] = inverse[3] + x * inverse[4] + y * inverse[5];
    return true;
  };
}

function projectedMap(grid: OutputGrid, move: Transformer, inverse: Affine, period: number | null): PixelMap {
  const centre = new Float64Array(2);
  const midX = grid.originX + (grid.resX * grid.width) / 2;
  const midY = grid.originY - (grid.resY * grid.height) / 2;
  const around = period !== null && move.forward(midX, midY, centre, 0) ? centre[0] : 0;
  return (px, py, out, at) => {
    if (!move.forward(grid.originX + px * grid.resX, grid.originY - py * grid.resY, out, at)) return false;
    let x = out[at];
    const y = out[at + 1];
    // Half a world from the middle of the image is where its left and right halves would meet: names stay on their side.
    if (period !== null) {
      const turns = (around - x) / period;
      if (turns > 0.5 + 1e-9 || turns < -0.5 - 1e-9) x += period * Math.round(turns);
    }
    out[at] = inverse[0] + x * inverse[1] + y * inverse[2];
    out[at + 1] = inverse[3] + x * inverse[4] + y * inverse[5];
    return true;
  };
}

export interface Span {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

export function emptySpan(): Span {
  return { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
}

/**
 * Source pixels that one output pixel covers, an axis: the box of the grid's nodes over the output's size, as gdalwarp
 * takes it. Where some nodes have no image the others speak for the part they cover.
 */
export function samplingRatio(map: PixelMap, width: number, height: number): { x: number; y: number } | null {
  const span = emptySpan();
  const valid = emptySpan();
  const at = new Float64Array(2);
  const columns = Math.max(1, Math.min(21, Math.ceil(width / CELL) * 2));
  const rows = Math.max(1, Math.min(21, Math.ceil(height / CELL) * 2));
  for (let j = 0; j <= rows; j++) {
    for (let i = 0; i <= columns; i++) {
      const px = (i * width) / columns;
      const py = (j * height) / rows;
      if (!map(px, py, at, 0)) continue;
      stretch(span, at[0], at[1]);
      stretch(valid, px, py);
    }
  }
  if (!(valid.maxX > valid.minX && valid.maxY > valid.minY)) return null;
  return {
    x: (span.maxX - span.minX) / (valid.maxX - valid.minX),
    y: (span.maxY - span.minY) / (valid.maxY - valid.minY),
  };
}

export function stretch(span: Span, x: number, y: number): void {
  if (x < span.minX) span.minX = x;
  if (x > span.maxX) span.maxX = x;
  if (y < span.minY) span.minY = y;
  if (y > span.maxY) span.maxY = y;
}

/**
 * gdalwarp's rule: the coarsest level that is still as fine as what is wanted (within a tenth of a pixel), judged by
 * the axis that is magnified more. `ratios` are full resolution pixels in a pixel of each level.
 */
export function chooseLevel(ratios: readonly number[], wanted: number): number {
  let best = 0;
  for (let i = 1; i < ratios.length; i++) {
    if (ratios[i] < wanted + 0.1 && ratios[i] > ratios[best]) best = i;
  }
  return best;
}

/** GDAL's triangle is as wide as an output pixel; ratios within 0.05 of a whole number are that number, and 1/0.95 is 1. */
export function kernelRadii(x: number, y: number, max: number): { x: number; y: number } {
  if (1 / x >= 0.95 && 1 / y >= 0.95) return { x: 1, y: 1 };
  return { x: radius(x, max), y: radius(y, max) };
}

function radius(ratio: number, max: number): number {
  const whole = Math.round(ratio);
  const snapped = Math.abs(ratio - whole) < 0.05 ? whole : ratio;
  return Math.min(max, Math.max(1, snapped));
}

/**
 * A sink that hands on the box of the pixel centres of each cell, or of their corners, moved by one wrap or none. The centres
 * are where interpolation puts them, which is where the painter will look.
 */
export function boxSink(
  dx: number,
  dy: number,
  corners: boolean,
  take: (minX: number, minY: number, maxX: number, maxY: number) => void,
): CellSink {
  const hull = new Float64Array(9);
  const range = new Float64Array(4);
  return {
    pixel: (_x, _y, sx, sy) => take(sx + dx, sy + dy, sx + dx, sy + dy),
    cell(x0, y0, x1, y1, patch) {
      const u = corners ? 0 : 0.5 / (x1 - x0);
      const v = corners ? 0 : 0.5 / (y1 - y0);
      patchRange(patch, 0, u, v, hull, range);
      patchRange(patch, 1, u, v, hull, range);
      take(range[0] + dx, range[1] + dy, range[2] + dx, range[3] + dy);
    },
  };
}

/**
 * What a patch reaches, from u to 1 − u and v to 1 − v: no parabola leaves the hull of its control points. The least goes to
 * range[axis], the most to range[axis + 2]. A plan asks for this of every cell, so nothing is allocated.
 */
function patchRange(patch: Patch, axis: 0 | 1, u: number, v: number, hull: Float64Array, range: Float64Array): void {
  for (let j = 0; j < 3; j++) {
    const y = j === 0 ? v : j === 1 ? 0.5 : 1 - v;
    hull[j * 3] = patchAt(patch, axis, u, y);
    hull[j * 3 + 1] = patchAt(patch, axis, 0.5, y);
    hull[j * 3 + 2] = patchAt(patch, axis, 1 - u, y);
    control(hull, j * 3, 1);
  }
  for (let i = 0; i < 3; i++) control(hull, i, 3);
  let least = hull[0];
  let most = hull[0];
  for (let i = 1; i < 9; i++) {
    if (hull[i] < least) least = hull[i];
    if (hull[i] > most) most = hull[i];
  }
  range[axis] = least;
  range[axis + 2] = most;
}

/** In place of the middle one of three points at even distances, the control point of the parabola through them. */
function control(hull: Float64Array, at: number, step: number): void {
  hull[at + step] = 2 * hull[at + step] - (hull[at] + hull[at + 2 * step]) / 2;
}
