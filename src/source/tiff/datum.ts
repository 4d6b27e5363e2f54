/** The datum of a user-defined CRS, as the geodetic part of a PROJ string. */
import { resolveCrs } from '../../crs/index.ts';
import { Problem } from '../../errors.ts';
import { type GeoKeys, KEY, number, USER_DEFINED } from './geokeys.ts';
import type { Findings } from './reasons.ts';

/** EPSG ellipsoid codes that user-defined datums name: semi-major axis and inverse flattening. */
const ELLIPSOIDS: Readonly<Record<number, readonly [number, number]>> = {
  7001: [6377563.396, 299.3249646],
  7004: [6377397.155, 299.1528128],
  7008: [6378206.4, 294.978698213898],
  7012: [6378249.145, 293.465],
  7019: [6378137, 298.257222101],
  7022: [6378388, 297],
  7024: [6378245, 298.3],
  7030: [6378137, 298.257223563],
  7043: [6378135, 298.26],
  7048: [6371000, 0],
};

/** The geodetic part of a PROJ string, out of whichever key states it best. */
export function datumOf(keys: GeoKeys, findings: Findings): string {
  const geographic = number(keys, KEY.GeographicType);
  if (geographic && geographic !== USER_DEFINED) return geodeticPart(geographic);
  const datum = number(keys, KEY.GeodeticDatum);
  // EPSG numbers a datum 2000 above the geographic CRS that is made of it.
  if (datum && datum !== USER_DEFINED && datum > 6000 && datum < 7000) {
    try {
      return geodeticPart(datum - 2000);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
  const shift = keys.get(KEY.ToWgs84);
  if (shift === undefined) {
    findings.note('tiff-datum-assumed', 'the datum is known by its ellipsoid only; it is taken for one with WGS 84');
  }
  const meridian = number(keys, KEY.PrimeMeridianLong);
  return `${ellipsoidOf(keys)}${shift === undefined ? '' : ` +towgs84=${shift}`}${meridian ? ` +pm=${meridian}` : ''}`;
}

function geodeticPart(code: number): string {
  const { proj, geographic } = resolveCrs(`EPSG:${code}`);
  if (!geographic) throw new Problem('unprocessable', `EPSG:${code} is no geographic CRS`);
  return proj.replace(/\+(proj=\S+|no_defs|type=\S+)\s*/g, '').trim();
}

function ellipsoidOf(keys: GeoKeys): string {
  const a = number(keys, KEY.SemiMajorAxis);
  const b = number(keys, KEY.SemiMinorAxis);
  const rf = number(keys, KEY.InvFlattening);
  const known = ELLIPSOIDS[number(keys, KEY.Ellipsoid) ?? 0];
  if (a && rf) return `+a=${a} +rf=${rf}`;
  if (a && (b || rf === 0)) return `+a=${a} +b=${b ?? a}`;
  if (known) return known[1] === 0 ? `+a=${known[0]} +b=${known[0]}` : `+a=${known[0]} +rf=${known[1]}`;
  throw new Problem('unprocessable', 'a user-defined CRS without a datum or an ellipsoid');
}
