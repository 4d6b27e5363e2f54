/** The GeoKey directory: keys → values. */
import type { CrsKeys } from '../types.ts';
import type { Directory } from './ifd.ts';
import { TAG } from './tags.ts';

export type GeoKeys = ReadonlyMap<number, number | string>;

export const KEY = {
  ModelType: 1024,
  RasterType: 1025,
  Citation: 1026,
  GeographicType: 2048,
  GeogCitation: 2049,
  GeodeticDatum: 2050,
  AngularUnits: 2054,
  AngularUnitSize: 2055,
  Ellipsoid: 2056,
  SemiMajorAxis: 2057,
  SemiMinorAxis: 2058,
  InvFlattening: 2059,
  PrimeMeridianLong: 2061,
  ToWgs84: 2062,
  ProjectedType: 3072,
  ProjectedCitation: 3073,
  Projection: 3074,
  CoordTrans: 3075,
  LinearUnits: 3076,
  LinearUnitSize: 3077,
  StdParallel1: 3078,
  StdParallel2: 3079,
  NatOriginLong: 3080,
  NatOriginLat: 3081,
  FalseEasting: 3082,
  FalseNorthing: 3083,
  FalseOriginLong: 3084,
  FalseOriginLat: 3085,
  FalseOriginEasting: 3086,
  FalseOriginNorthing: 3087,
  CenterLong: 3088,
  CenterLat: 3089,
  CenterEasting: 3090,
  CenterNorthing: 3091,
  ScaleAtNatOrigin: 3092,
  ScaleAtCenter: 3093,
  Azimuth: 3094,
  StraightVertPoleLong: 3095,
  RectifiedGridAngle: 3096,
  Vertical: 4096,
  VerticalUnits: 4099,
} as const;

export const USER_DEFINED = 32767;
/** Of all that a file says of its system, where it is copied. */
export const CRS_BYTES_MAX = 8192;

export function geoKeysOf(directory: Directory): GeoKeys {
  const words = directory.numbers.get(TAG.GeoKeyDirectory) ?? [];
  const doubles = directory.numbers.get(TAG.GeoDoubleParams) ?? [];
  const ascii = directory.texts.get(TAG.GeoAsciiParams) ?? '';
  const keys = new Map<number, number | string>();
  for (let i = 4; i + 3 < words.length && i < 4 + (words[3] ?? 0) * 4; i += 4) {
    const [key, location, count, value] = words.slice(i, i + 4);
    if (location === 0) keys.set(key, value);
    else if (location === TAG.GeoDoubleParams && value + count <= doubles.length && count > 0) {
      keys.set(key, count === 1 ? doubles[value] : doubles.slice(value, value + count).join(','));
    } else if (location === TAG.GeoAsciiParams) {
      keys.set(
        key,
        ascii
          .slice(value, value + count)
          .replace(/\|$/, '')
          .trim(),
      );
    } else if (location === TAG.GeoKeyDirectory && value < words.length) keys.set(key, words[value]);
  }
  return keys;
}

/** As they are, for a picture in the same system that no number names; null where one does, or where they are overlong. */
export function crsKeysOf(directory: Directory, crs: string | null): CrsKeys | null {
  const words = directory.numbers.get(TAG.GeoKeyDirectory) ?? [];
  if (crs === null || crs.startsWith('EPSG:') || words.length < 4) return null;
  const doubles = directory.numbers.get(TAG.GeoDoubleParams) ?? [];
  const ascii = directory.texts.get(TAG.GeoAsciiParams) ?? '';
  if (words.length * 2 + doubles.length * 8 + ascii.length + 1 > CRS_BYTES_MAX) return null;
  return { words: [...words], doubles: [...doubles], ascii };
}

export function number(keys: GeoKeys, key: number): number | undefined {
  const value = keys.get(key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** EPSG's vertical systems in feet; all others that files name are in metres. */
const FEET: readonly number[] = [5614, 6130, 6131, 6132, 8050, 8051, 8228, 8897];
const SURVEY_FEET: readonly number[] = [5702, 6358, 6359, 6360, 8052, 8053];

/** Of heights, in PROJ's words; null where the file has no vertical system. */
export function verticalUnitOf(keys: GeoKeys): string | null {
  const vertical = number(keys, KEY.Vertical) ?? 0;
  if (vertical === 0) return null;
  const unit = number(keys, KEY.VerticalUnits);
  if (unit === 9003 || SURVEY_FEET.includes(vertical)) return 'US survey foot';
  return unit === 9002 || FEET.includes(vertical) ? 'foot' : 'metre';
}

export function isPixelIsPoint(keys: GeoKeys): boolean {
  return keys.get(KEY.RasterType) === 2;
}
