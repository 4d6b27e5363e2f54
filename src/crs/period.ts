/** How far x goes once around the world. */
import proj4 from 'proj4';
import { MERCATOR_HALF } from '../tile.ts';
import { remembered } from './memo.ts';
import { resolveCrs } from './resolve.ts';

/** In proj4 x of these grows evenly with longitude, and so comes back to the same meridian after one world. */
const CYLINDERS = /\+proj=(merc|eqc|equi|mill|cea)\b/;
/** What of a definition is about the ellipsoid and its datum. */
const GEODETIC = /^\+(a|b|rf|f|R|es|ellps|datum|towgs84|nadgrids|pm)=/;

const PERIODS_KEPT = 64;
const periods = remembered(text => periodOf(text), PERIODS_KEPT);

/**
 * Between two names of the same place, in units of the CRS: 360 for degrees, the equator's length in a cylindrical projection,
 * whatever meridian is its middle. Null where x does not wrap. Errors: those of resolveCrs.
 */
export function xPeriod(crs: string): number | null {
  return periods(crs);
}

function periodOf(text: string): number | null {
  const { id, geographic, proj } = resolveCrs(text);
  if (geographic) return 360;
  if (id === 'EPSG:3857') return 2 * MERCATOR_HALF;
  if (!CYLINDERS.test(proj)) return null;
  // Degrees of the same datum: no shift between the two, and nothing of the middle or of false eastings is left in a difference.
  const degrees = ['+proj=longlat', ...proj.split(/\s+/).filter(word => GEODETIC.test(word)), '+no_defs'].join(' ');
  const middle = Number(/\+lon_0=(\S+)/.exec(proj)?.[1] ?? 0);
  const x = (lon: number) => proj4(degrees, proj).forward([lon, 0])[0];
  const period = 4 * (x(middle + 45) - x(middle - 45));
  return Number.isFinite(period) && period > 0 ? period : null;
}
