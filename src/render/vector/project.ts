/**
 * Source coordinates to tile units: x = (X − left) × kx, y = (top − Y) × ky. Degrees to web mercator have their closed
 * form here; any other pair of systems goes through crs.ts, on a grid of control points where that is exact enough.
 */
import { transformer } from '../../crs/index.ts';
import { EARTH_RADIUS, MERCATOR_HALF } from '../../tile.ts';
import type { VectorJob, VectorJobLayer } from './job.ts';

/** Projects n points from xy[from] to out[0…]; answers with how many have an image. */
export type Projector = (xy: Float64Array, from: number, n: number, out: Float64Array) => number;

/** Web mercator ends at infinity: beyond this latitude nothing shows in any tile, and y stays a usable number. */
const LAT_MAX = 89.9;
/** Control points a side, and how far in tile units a point between four of them may lie from its true place. */
const GRID = 9;
const GRID_ERROR_MAX = 0.02;

export function projector(job: VectorJob, layer: VectorJobLayer): Projector {
  const form = closedForm(job, layer);
  if (form === null) return gridded(exact(layer.crs, job, layer.extent / job.width, layer.extent / job.height), layer);
  return form.kind === 'affine' ? affine(form) : mercator(form);
}

/** To units of the grid, y down; the same sums in every tile. */
export function gridProjector(job: VectorJob, { crs, projection }: VectorJobLayer): Projector {
  const unit = { ...job, left: 0, top: 0, width: 1, height: 1 };
  if (projection === 'same') return affine(flatForm(unit, 1, 1));
  return projection === 'mercator' ? mercator(mercatorForm(1, 1, unit)) : exact(crs, unit, 1, 1);
}

interface Affine {
  readonly kind: 'affine';
  readonly kx: number;
  readonly bx: number;
  readonly ky: number;
  readonly by: number;
}

interface Mercator {
  readonly kind: 'mercator';
  readonly kx: number;
  readonly bx: number;
  /** Row of any latitude. */
  readonly row: (degrees: number) => number;
  /** The same near the tile. */
  readonly near: Polynomial;
}

/** The projection as numbers, where it is so simple: what the fast path of the painter needs. null: it is not. */
export function closedForm(job: VectorJob, layer: VectorJobLayer): Affine | Mercator | null {
  const kx = layer.extent / job.width;
  const ky = layer.extent / job.height;
  if (layer.projection === 'same') return flatForm(job, kx, ky);
  return layer.projection === 'mercator' ? mercatorForm(kx, ky, job) : null;
}

function flatForm({ left, top }: VectorJob, kx: number, ky: number): Affine {
  return { kind: 'affine', kx, bx: -left * kx, ky: -ky, by: top * ky };
}

function affine({ kx, bx, ky, by }: Affine): Projector {
  return (xy, from, n, out) => {
    for (let i = 0; i < n * 2; i += 2) {
      out[i] = xy[from + i] * kx + bx;
      out[i + 1] = xy[from + i + 1] * ky + by;
    }
    return n;
  };
}

function mercatorForm(kx: number, ky: number, job: VectorJob): Mercator {
  // y = R × ½ ln((1 + sin φ) / (1 − sin φ)): one sine and one logarithm a point.
  const ay = (-EARTH_RADIUS / 2) * ky;
  const by = job.top * ky;
  const rad = Math.PI / 180;
  const row = (degrees: number): number => {
    const s = Math.sin(Math.max(-LAT_MAX, Math.min(LAT_MAX, degrees)) * rad);
    return Math.log((1 + s) / (1 - s)) * ay + by;
  };
  return { kind: 'mercator', kx: (MERCATOR_HALF / 180) * kx, bx: -job.left * kx, row, near: polynomialNear(row, job) };
}

function mercator({ kx, bx, row, near }: Mercator): Projector {
  return (xy, from, n, out) => {
    for (let i = 0; i < n * 2; i += 2) {
      const lat = xy[from + i + 1];
      out[i] = xy[from + i] * kx + bx;
      const t = (lat - near.middle) * near.scale;
      out[i + 1] = t >= -1 && t <= 1 ? near.c0 + t * (near.c1 + t * (near.c2 + t * (near.c3 + t * near.c4))) : row(lat);
    }
    return n;
  };
}

interface Polynomial {
  readonly middle: number;
  /** 1 / half the range of latitudes; Infinity where none is good enough: then no t lies between −1 and 1. */
  readonly scale: number;
  readonly c0: number;
  readonly c1: number;
  readonly c2: number;
  readonly c3: number;
  readonly c4: number;
}

/** What a tile's polynomial may be off, in tile units: a hundredth of what rounding is. */
const POLYNOMIAL_ERROR_MAX = 0.005;

/**
 * Rows of the tile and half a tile around it as a polynomial of the latitude, from zoom 5 or so on: a fifth of what the
 * sine and the logarithm take. Interpolated at Chebyshev nodes, and checked between them.
 */
function polynomialNear(row: (lat: number) => number, { top, height }: VectorJob): Polynomial {
  const lat = (y: number): number => (Math.atan(Math.exp(y / EARTH_RADIUS)) * 360) / Math.PI - 90;
  const south = lat(top - 1.5 * height);
  const north = lat(top + 0.5 * height);
  const middle = (south + north) / 2;
  const half = (north - south) / 2;
  const nodes = [0, 1, 2, 3, 4].map(k => Math.cos(((2 * k + 1) * Math.PI) / 10));
  const values = nodes.map(t => row(middle + t * half));
  // Newton's divided differences, then out of his form into powers of t.
  for (let order = 1; order < 5; order++) {
    for (let k = 4; k >= order; k--) values[k] = (values[k] - values[k - 1]) / (nodes[k] - nodes[k - order]);
  }
  const c = [0, 0, 0, 0, 0];
  for (let k = 4; k >= 0; k--) {
    for (let power = 4; power > 0; power--) c[power] = c[power - 1] - nodes[k] * c[power];
    c[0] = values[k] - nodes[k] * c[0];
  }
  const at = (t: number): number => c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * c[4])));
  let worst = 0;
  for (let t = -1; t <= 1; t += 1 / 16) worst = Math.max(worst, Math.abs(at(t) - row(middle + t * half)));
  const scale = worst <= POLYNOMIAL_ERROR_MAX ? 1 / half : Number.POSITIVE_INFINITY;
  return { middle, scale, c0: c[0], c1: c[1], c2: c[2], c3: c[3], c4: c[4] };
}

function exact(crs: string, job: VectorJob, kx: number, ky: number): Projector {
  // By way of degrees where the poles lie at infinity: a shape that reaches there must not lose its corners.
  const degrees = POLELESS.includes(job.gridCrs);
  const move = transformer(crs, degrees ? 'OGC:CRS84' : job.gridCrs);
  const flat = affine(flatForm(job, kx, ky));
  const toTile =
    job.gridCrs === 'EPSG:3857' ? mercator(mercatorForm(kx, ky, job)) : degrees ? clamped(job.gridCrs, flat) : flat;
  const at = new Float64Array(2);
  return (xy, from, n, out) => {
    let m = 0;
    for (let i = 0; i < n * 2; i += 2) {
      // A point without an image (the far side of the globe) is left out of its line or ring.
      if (!move.forward(xy[from + i], xy[from + i + 1], at, 0)) continue;
      out[m++] = at[0];
      out[m++] = at[1];
    }
    return toTile(out, 0, m >> 1, out);
  };
}

/** Mercator, spherical and ellipsoidal. */
const POLELESS: readonly string[] = ['EPSG:3857', 'EPSG:3395'];

/** Degrees in place, no nearer to the poles than LAT_MAX, then to the grid's CRS and to the tile. */
function clamped(gridCrs: string, toTile: Projector): Projector {
  const move = transformer('OGC:CRS84', gridCrs);
  return (xy, from, n, out) => {
    let m = 0;
    for (let i = from; i < from + n * 2; i += 2) {
      if (move.forward(xy[i], Math.max(-LAT_MAX, Math.min(LAT_MAX, xy[i + 1])), out, m)) m += 2;
    }
    return toTile(out, 0, m >> 1, out);
  };
}

/** Bilinear between 9 × 9 exact points over the tile's own box, exact outside of it and where the check fails. */
function gridded(precise: Projector, layer: VectorJobLayer): Projector {
  const [minx, miny, maxx, maxy] = layer.boxes;
  if (layer.boxes.length !== 4 || !(maxx > minx && maxy > miny)) return precise;
  const sx = (maxx - minx) / (GRID - 1);
  const sy = (maxy - miny) / (GRID - 1);
  const points = controlPoints(precise, minx, miny, sx, sy, GRID);
  if (!points) return precise;
  // Conformal maps are exact to the second order in the middle of a cell, and worst in the middle of its sides.
  for (const [u, v] of [
    [0.5, 0.5],
    [0.5, 0],
    [0, 0.5],
    [0.25, 0.25],
  ]) {
    const between = controlPoints(precise, minx + sx * u, miny + sy * v, sx, sy, GRID - 1);
    if (!between || !goodEnough(points, between, u, v)) return precise;
  }
  const one = new Float64Array(2);
  return (xy, from, n, out) => {
    let m = 0;
    for (let i = 0; i < n * 2; i += 2) {
      const gx = (xy[from + i] - minx) / sx;
      const gy = (xy[from + i + 1] - miny) / sy;
      if (gx >= 0 && gx <= GRID - 1 && gy >= 0 && gy <= GRID - 1) {
        const c = gx === GRID - 1 ? GRID - 2 : Math.floor(gx);
        const r = gy === GRID - 1 ? GRID - 2 : Math.floor(gy);
        const p = (r * GRID + c) * 2;
        const u = gx - c;
        const v = gy - r;
        out[m++] = mix(points[p], points[p + 2], points[p + GRID * 2], points[p + GRID * 2 + 2], u, v);
        out[m++] = mix(points[p + 1], points[p + 3], points[p + GRID * 2 + 1], points[p + GRID * 2 + 3], u, v);
      } else if (precise(xy, from + i, 1, one) === 1) {
        out[m++] = one[0];
        out[m++] = one[1];
      }
    }
    return m >> 1;
  };
}

function mix(a: number, b: number, c: number, d: number, u: number, v: number): number {
  return (a + (b - a) * u) * (1 - v) + (c + (d - c) * u) * v;
}

function controlPoints(
  project: Projector,
  minx: number,
  miny: number,
  sx: number,
  sy: number,
  n: number,
): Float64Array | null {
  const from = new Float64Array(n * n * 2);
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) {
      from[(r * n + c) * 2] = minx + c * sx;
      from[(r * n + c) * 2 + 1] = miny + r * sy;
    }
  }
  const out = new Float64Array(n * n * 2);
  return project(from, 0, n * n, out) === n * n ? out : null;
}

/** Whether mixing comes near enough to the points that lie at (u, v) of each cell. */
function goodEnough(points: Float64Array, between: Float64Array, u: number, v: number): boolean {
  for (let r = 0; r < GRID - 1; r++) {
    for (let c = 0; c < GRID - 1; c++) {
      for (let d = 0; d < 2; d++) {
        const p = (r * GRID + c) * 2 + d;
        const guess = mix(points[p], points[p + 2], points[p + GRID * 2], points[p + GRID * 2 + 2], u, v);
        if (!(Math.abs(guess - between[(r * (GRID - 1) + c) * 2 + d]) <= GRID_ERROR_MAX)) return false;
      }
    }
  }
  return true;
}
