/** User-defined projected CRSs: GeoKey parameters → PROJ string, for the projections that proj4 and GDAL agree on. */
import { Problem } from '../../errors.ts';
import { datumOf } from './datum.ts';
import { type GeoKeys, KEY, number, USER_DEFINED } from './geokeys.ts';
import type { Findings } from './reasons.ts';

interface Parameters {
  readonly lat0: number;
  readonly lon0: number;
  readonly lat1: number | undefined;
  readonly lat2: number | undefined;
  readonly k: number | undefined;
  readonly x0: number;
  readonly y0: number;
  readonly poleLong: number;
}

/** ProjCoordTransGeoKey → the projection's own part of the string. One line each. */
const METHODS: Readonly<Record<number, (p: Parameters) => string>> = {
  1: p => `+proj=tmerc +lat_0=${p.lat0} +lon_0=${p.lon0} +k=${p.k ?? 1}`,
  7: p => `+proj=merc +lon_0=${p.lon0} ${p.lat1 === undefined ? `+k=${p.k ?? 1}` : `+lat_ts=${p.lat1}`}`,
  8: p => `+proj=lcc +lat_0=${p.lat0} +lon_0=${p.lon0} +lat_1=${p.lat1 ?? 0} +lat_2=${p.lat2 ?? p.lat1 ?? 0}`,
  9: p => `+proj=lcc +lat_0=${p.lat0} +lon_0=${p.lon0} +lat_1=${p.lat0} +k_0=${p.k ?? 1}`,
  10: p => `+proj=laea +lat_0=${p.lat0} +lon_0=${p.lon0}`,
  11: p => `+proj=aea +lat_0=${p.lat0} +lon_0=${p.lon0} +lat_1=${p.lat1 ?? 0} +lat_2=${p.lat2 ?? 0}`,
  12: p => `+proj=aeqd +lat_0=${p.lat0} +lon_0=${p.lon0}`,
  13: p => `+proj=eqdc +lat_0=${p.lat0} +lon_0=${p.lon0} +lat_1=${p.lat1 ?? 0} +lat_2=${p.lat2 ?? 0}`,
  15: polarStereographic,
  16: p => `+proj=sterea +lat_0=${p.lat0} +lon_0=${p.lon0} +k=${p.k ?? 1}`,
  17: p => `+proj=eqc +lat_ts=${p.lat1 ?? p.lat0} +lon_0=${p.lon0}`,
  18: p => `+proj=cass +lat_0=${p.lat0} +lon_0=${p.lon0}`,
  22: p => `+proj=poly +lat_0=${p.lat0} +lon_0=${p.lon0}`,
  24: p => `+proj=sinu +lon_0=${p.lon0}`,
  28: p => `+proj=cea +lat_ts=${p.lat1 ?? 0} +lon_0=${p.lon0}`,
};

function polarStereographic(p: Parameters): string {
  const pole = p.lat0 < 0 ? -90 : 90;
  const scale = Math.abs(p.lat0) === 90 ? `+k=${p.k ?? 1}` : `+lat_ts=${p.lat0}`;
  return `+proj=stere +lat_0=${pole} ${scale} +lon_0=${p.poleLong}`;
}

export function projected(keys: GeoKeys, findings: Findings): string {
  const citation = `${keys.get(KEY.Citation) ?? ''} ${keys.get(KEY.ProjectedCitation) ?? ''}`;
  if (/Pseudo-Mercator|Auxiliary_Sphere/i.test(citation)) return 'EPSG:3857';
  const zone = utmZone(number(keys, KEY.Projection));
  if (zone) return `${zone} ${datumOf(keys, findings)} +units=m +no_defs`;
  const method = number(keys, KEY.CoordTrans);
  const build = METHODS[method ?? 0];
  if (!build) {
    const what = method === undefined || method === USER_DEFINED ? 'without parameters' : `of method ${method}`;
    throw new Problem('unprocessable', `a user-defined projection ${what} (${citation.trim() || 'no citation'})`);
  }
  const unit = linearUnit(keys);
  const p = parametersOf(keys);
  // PROJ wants false eastings in metres whatever the unit of the coordinates.
  const false0 = `+x_0=${p.x0 * unit} +y_0=${p.y0 * unit}`;
  return `${build(p)} ${false0} ${datumOf(keys, findings)} ${unit === 1 ? '+units=m' : `+to_meter=${unit}`} +no_defs`;
}

/** ProjectionGeoKey 16001–16060 and 16101–16160: UTM zones north and south. */
function utmZone(projection: number | undefined): string | null {
  if (projection === undefined) return null;
  const zone = projection % 100;
  const series = Math.floor(projection / 100);
  if ((series !== 160 && series !== 161) || zone < 1 || zone > 60) return null;
  return `+proj=utm +zone=${zone}${series === 161 ? ' +south' : ''}`;
}

function linearUnit(keys: GeoKeys): number {
  const code = number(keys, KEY.LinearUnits) ?? 9001;
  const known: Readonly<Record<number, number>> = { 9001: 1, 9002: 0.3048, 9003: 1200 / 3937, 9036: 1000 };
  const size = code === USER_DEFINED ? number(keys, KEY.LinearUnitSize) : known[code];
  if (!size) throw new Problem('unprocessable', `a projected CRS in the linear unit ${code}`);
  return size;
}

function angularUnit(keys: GeoKeys): number {
  const code = number(keys, KEY.AngularUnits) ?? 9102;
  if (code === 9102 || code === 9122) return 1;
  if (code === 9101) return 180 / Math.PI;
  if (code === 9105 || code === 9106) return 0.9;
  const size = code === USER_DEFINED ? number(keys, KEY.AngularUnitSize) : undefined;
  if (!size) throw new Problem('unprocessable', `a CRS in the angular unit ${code}`);
  return (size * 180) / Math.PI;
}

function parametersOf(keys: GeoKeys): Parameters {
  const degree = angularUnit(keys);
  const first = (...wanted: number[]) => wanted.map(key => number(keys, key)).find(value => value !== undefined);
  const angle = (...wanted: number[]) => {
    const value = first(...wanted);
    return value === undefined ? undefined : value * degree;
  };
  return {
    lat0: angle(KEY.NatOriginLat, KEY.FalseOriginLat, KEY.CenterLat) ?? 0,
    lon0: angle(KEY.NatOriginLong, KEY.FalseOriginLong, KEY.CenterLong, KEY.StraightVertPoleLong) ?? 0,
    lat1: angle(KEY.StdParallel1),
    lat2: angle(KEY.StdParallel2),
    k: first(KEY.ScaleAtNatOrigin, KEY.ScaleAtCenter),
    x0: first(KEY.FalseEasting, KEY.FalseOriginEasting, KEY.CenterEasting) ?? 0,
    y0: first(KEY.FalseNorthing, KEY.FalseOriginNorthing, KEY.CenterNorthing) ?? 0,
    poleLong: angle(KEY.StraightVertPoleLong, KEY.NatOriginLong) ?? 0,
  };
}
