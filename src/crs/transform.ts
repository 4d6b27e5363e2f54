/**
 * Points and boxes from one CRS to another, always x = east or longitude first. The world's two everyday systems, WGS 84
 * degrees and web mercator, never reach proj4: their closed forms are here.
 */
import proj4 from 'proj4';
import { type BBox, EARTH_RADIUS, latToMercator, lonToMercator, mercatorToLat, mercatorToLon } from '../tile.ts';
import { remembered } from './memo.ts';
import { resolveCrs, unknownCrs } from './resolve.ts';
import { transverseMercator } from './transverse.ts';
import type { Crs } from './types.ts';

export interface Transformer {
  /** Writes x, y at out[at], out[at + 1]; false (and nothing written) where the point has no image. Never throws. */
  forward(x: number, y: number, out: Float64Array, at: number): boolean;
}

type Kind = 'lonlat' | 'mercator' | 'other';

/** Degrees on an ellipsoid of the WGS 84 family with no shift: the difference is below what PROJ itself resolves. */
const LIKE_WGS84 =
  /^\+proj=longlat (\+datum=(WGS84|NAD83)|\+ellps=(WGS84|GRS80)( \+towgs84=0(,0)*)?)( \+no_defs)?( \+type=crs)?$/;

const WGS84 = '+proj=longlat +datum=WGS84 +no_defs';

function kindOf(crs: Crs): Kind {
  if (crs.id === 'EPSG:3857') return 'mercator';
  return LIKE_WGS84.test(crs.proj) ? 'lonlat' : 'other';
}

/** True for degrees that can pass for WGS 84's: nothing but the axes' scale lies between them and OGC:CRS84. */
export function isLonLat(id: string): boolean {
  return kindOf(resolveCrs(id)) === 'lonlat';
}

const TRANSFORMERS_KEPT = 32;
const between = remembered((from, to) => transformerOf(from, to), TRANSFORMERS_KEPT);

/** Kept by the names of the two systems. */
export function transformer(from: string, to: string): Transformer {
  return between(from, to);
}

function transformerOf(from: string, to: string): Transformer {
  const a = resolveCrs(from);
  const b = resolveCrs(to);
  const kindA = kindOf(a);
  const kindB = kindOf(b);
  if (a.proj === b.proj || (kindA === kindB && kindA !== 'other')) return { forward: copy };
  if (kindA === 'lonlat' && kindB === 'mercator') return { forward: lonLatToMercator };
  if (kindA === 'mercator' && kindB === 'lonlat') return { forward: mercatorToLonLat };
  const convert = converter(kindA === 'other' ? a.proj : WGS84, kindB === 'other' ? b.proj : WGS84, a, b);
  const unmercator = kindA === 'mercator';
  const mercator = kindB === 'mercator';
  const own = kindA === 'other' ? null : transverseMercator(b.proj);
  return {
    forward(x, y, out, at) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
      if (own?.forward(unmercator ? mercatorToLon(x) : x, unmercator ? y / EARTH_RADIUS : isometric(y), out, at))
        return true;
      try {
        const point = convert(unmercator ? [mercatorToLon(x), mercatorToLat(y)] : [x, y]);
        return mercator ? lonLatToMercator(point[0], point[1], out, at) : copy(point[0], point[1], out, at);
      } catch {
        return false;
      }
    },
  };
}

/** Of the sphere, for a latitude in degrees; beyond the poles there is none. */
function isometric(lat: number): number {
  return Math.abs(lat) < 90 ? Math.atanh(Math.sin((lat * Math.PI) / 180)) : Number.NaN;
}

/** proj4 takes a pole of these for the other one: 90° comes out as -90°. */
const SWAPS_POLES = /\+proj=(eqc|equi)\b/;
/** As near to a pole as to be it: a hundredth of a millimetre. */
const POLE = 90 - 1e-10;

function converter(from: string, to: string, a: Crs, b: Crs): (point: number[]) => number[] {
  try {
    if (!SWAPS_POLES.test(to)) return proj4(from, to).forward;
    const degrees: (point: number[]) => number[] = from === WGS84 ? point => point : proj4(from, WGS84).forward;
    const { forward } = proj4(WGS84, to);
    return point => {
      const [lon, lat] = degrees(point);
      return forward([lon, Math.max(-POLE, Math.min(POLE, lat))]);
    };
  } catch (error) {
    throw unknownCrs(from === WGS84 ? b.id : a.id, error instanceof Error ? error.message : String(error));
  }
}

function copy(x: number, y: number, out: Float64Array, at: number): boolean {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
  out[at] = x;
  out[at + 1] = y;
  return true;
}

function lonLatToMercator(lon: number, lat: number, out: Float64Array, at: number): boolean {
  if (!Number.isFinite(lon) || !(lat >= -90.000001 && lat <= 90.000001)) return false;
  out[at] = lonToMercator(lon);
  out[at + 1] = latToMercator(lat);
  return true;
}

function mercatorToLonLat(x: number, y: number, out: Float64Array, at: number): boolean {
  return copy(mercatorToLon(x), mercatorToLat(y), out, at);
}

/**
 * The box in the other CRS, from points along its edges. Null where nothing of it has an image. For a geographic target
 * minx > maxx says that it crosses the antimeridian; a box around a pole reaches ±90 and all longitudes.
 */
export function transformBounds(from: string, to: string, bbox: BBox, densify = 21): BBox | null {
  const target = resolveCrs(to);
  const move = transformer(from, to);
  const ring = ringOf(move, bbox, densify);
  if (ring.length === 0) return null;
  if (!target.geographic) return plainBox(ring);
  return geographicBox(ring, polesIn(transformer(to, from), bbox));
}

/** The images of the points around the box, anticlockwise from its lower left corner; those without an image are left out. */
function ringOf(move: Transformer, bbox: BBox, densify: number): Float64Array {
  const [minx, miny, maxx, maxy] = bbox;
  const steps = Math.max(1, densify) + 1;
  const ring = new Float64Array(steps * 8);
  let n = 0;
  for (let side = 0; side < 4; side++) {
    for (let i = 0; i < steps; i++) {
      const t = i / steps;
      const x =
        side === 0 ? minx + (maxx - minx) * t : side === 1 ? maxx : side === 2 ? maxx - (maxx - minx) * t : minx;
      const y =
        side === 0 ? miny : side === 1 ? miny + (maxy - miny) * t : side === 2 ? maxy : maxy - (maxy - miny) * t;
      if (move.forward(x, y, ring, n)) n += 2;
    }
  }
  return ring.subarray(0, n);
}

function plainBox(ring: Float64Array): BBox {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < ring.length; i += 2) {
    box[0] = Math.min(box[0], ring[i]);
    box[1] = Math.min(box[1], ring[i + 1]);
    box[2] = Math.max(box[2], ring[i]);
    box[3] = Math.max(box[3], ring[i + 1]);
  }
  return box;
}

function polesIn(back: Transformer, [minx, miny, maxx, maxy]: BBox): { north: boolean; south: boolean } {
  const at = new Float64Array(2);
  const inside = (lat: number) =>
    back.forward(0, lat, at, 0) && at[0] > minx && at[0] < maxx && at[1] > miny && at[1] < maxy;
  return { north: inside(90), south: inside(-90) };
}

/** Longitudes are unrolled along the ring, so that a jump of 360° is seen as the antimeridian and not as the whole world. */
function geographicBox(ring: Float64Array, poles: { north: boolean; south: boolean }): BBox {
  let lon = ring[0];
  let [west, east, south, north] = [lon, lon, ring[1], ring[1]];
  for (let i = 2; i < ring.length; i += 2) {
    lon += ((((ring[i] - lon + 180) % 360) + 360) % 360) - 180;
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, ring[i + 1]);
    north = Math.max(north, ring[i + 1]);
  }
  if (poles.north) north = 90;
  if (poles.south) south = -90;
  if (poles.north || poles.south || east - west >= 360 - 1e-9) return [-180, south, 180, north];
  return [wrap(west), south, wrap(east), north];
}

function wrap(lon: number): number {
  if (lon >= -180 && lon <= 180) return lon;
  return ((((lon + 180) % 360) + 360) % 360) - 180;
}
