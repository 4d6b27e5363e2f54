/** Text of any of the usual forms → Crs. Anything that cannot be served right is refused here, never guessed. */
import proj4 from 'proj4';
import { type Problem, problem } from '../errors.ts';
import { EARTH_RADIUS } from '../tile.ts';
import { remembered } from './memo.ts';
import { lookUpEpsg, type Shift } from './table.ts';
import type { Crs } from './types.ts';
import { looksLikeWkt, readWkt } from './wkt.ts';

export const METRES_PER_DEGREE = (Math.PI * EARTH_RADIUS) / 180;

const CRS84: Crs = {
  id: 'OGC:CRS84',
  proj: '+proj=longlat +datum=WGS84 +no_defs',
  geographic: true,
  metresPerUnit: METRES_PER_DEGREE,
  title: 'WGS 84 longitude-latitude',
};
const EPSG4326: Crs = { ...CRS84, id: 'EPSG:4326', title: 'WGS 84' };
const EPSG3857: Crs = {
  id: 'EPSG:3857',
  proj: '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +no_defs',
  geographic: false,
  metresPerUnit: 1,
  title: 'WGS 84 / Pseudo-Mercator',
};

/** Old names of web mercator that files still carry. */
const WEB_MERCATOR_CODES: ReadonlySet<number> = new Set([3857, 3785, 900913, 102100, 102113]);

const SPELLINGS: readonly RegExp[] = [
  /^\[?(EPSG|OGC|ESRI)::?([A-Za-z0-9_.-]+)\]?$/i,
  /^https?:\/\/(?:www\.)?opengis\.net\/def\/crs\/(EPSG|OGC)\/[^/]+\/([A-Za-z0-9]+)$/i,
  /^urn:(?:x-)?ogc:def:crs:(EPSG|OGC):(?:[^:]*:)?([A-Za-z0-9]+)$/i,
];

const REMEDY =
  'ogr2ogr -t_srs EPSG:4326 out.fgb in.fgb, or gdalwarp -t_srs EPSG:3857 -of COG in.tif out.tif, with its grids (projsync)';

/** Of systems that are named; those that are spelled out are parsed each time. */
const NAMES_KEPT = 64;
const NAME_LENGTH_MAX = 64;
const named = remembered(text => resolved(text), NAMES_KEPT);

export function resolveCrs(text: string): Crs {
  return text.length <= NAME_LENGTH_MAX ? named(text) : resolved(text);
}

function resolved(text: string): Crs {
  const trimmed = text.trim();
  for (const spelling of SPELLINGS) {
    const match = spelling.exec(trimmed);
    if (match) return fromAuthority(match[1].toUpperCase(), match[2], trimmed);
  }
  const proj = trimmed.startsWith('PROJ:') ? trimmed.slice(5) : trimmed;
  if (proj.startsWith('+')) return fromProj(proj);
  if (looksLikeWkt(trimmed)) return fromWkt(trimmed);
  throw unknownCrs(trimmed);
}

export function unknownCrs(text: string, why = ''): Problem {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return problem('unprocessable', `unknown CRS '${shown}'${why && `: ${why}`}`, { code: 'crs-unknown', crs: shown });
}

function fromAuthority(authority: string, name: string, text: string): Crs {
  if (authority === 'OGC' && /^CRS84$/i.test(name)) return CRS84;
  const code = /^\d{1,8}$/.test(name) ? Number(name) : Number.NaN;
  if (WEB_MERCATOR_CODES.has(code)) return EPSG3857;
  if (authority !== 'EPSG' || Number.isNaN(code)) throw unknownCrs(text);
  return fromEpsg(code, text);
}

function fromEpsg(code: number, text: string): Crs {
  if (code === 4326) return EPSG4326;
  const entry = lookUpEpsg(code);
  if (entry === null) throw unknownCrs(text);
  if (entry.kind === 'alias') return fromAuthority('EPSG', String(entry.code), text);
  if (entry.kind === 'refused') throw refused(`EPSG:${code} (${entry.title})`, entry.reason, entry.grid);
  const { title, proj, shift } = entry;
  const note = noteOf(shift);
  return { id: `EPSG:${code}`, proj, ...unitsOf(proj), title, ...(note ? { note } : {}) };
}

/** Reasons as check-crs-table.ts writes them. */
const REFUSALS: Readonly<Record<string, readonly [code: string, why: (grid: string) => string]>> = {
  'needs-grid': ['crs-needs-grid', grid => `it is right only with the datum grid ${grid}, which is not here`],
  'no-shift': ['crs-datum-unknown', () => 'no way from its datum to WGS 84 is known'],
  'many-shifts': ['crs-datum-by-place', () => 'its way to WGS 84 differs from place to place by more than 10 m'],
  unsupported: ['crs-unsupported', () => 'its projection cannot be computed here within a metre of PROJ'],
};

function refused(name: string, reason: string, grid: string): Problem {
  const [code, why] = REFUSALS[reason] ?? REFUSALS['unsupported'];
  return problem('unprocessable', `${name} is refused: ${why(grid)}`, { code, crs: name, remedy: REMEDY });
}

/** Said where positions may be off by a metre or more: silence would pass for exactness. */
function noteOf(shift: Shift): string {
  const parts = [];
  if (shift.accuracy === null) parts.push('its datum is unspecified and taken for WGS 84');
  else if (shift.grid && shift.accuracy > 1) {
    parts.push(
      `positions are good to ${shift.accuracy} m; with the grid ${shift.grid} they would be to ${shift.gridAccuracy} m`,
    );
  } else if (shift.accuracy > 1) parts.push(`positions are good to ${shift.accuracy} m, as is the datum shift itself`);
  if (shift.spread > 0) parts.push(`PROJ, which shifts by place, differs by up to ${shift.spread} m`);
  return parts.join('; ');
}

function fromProj(proj: string): Crs {
  const grid = /\+(nadgrids|geoidgrids|grids|xy_grids|z_grids)=(\S+)/.exec(proj);
  if (grid && grid[2] !== '@null') throw refused(`'${proj}'`, 'needs-grid', grid[2]);
  if (/\+datum=NAD27\b/.test(proj)) throw refused(`'${proj}'`, 'needs-grid', 'us_noaa_conus.tif');
  const shift = /\+towgs84=(\S+)/.exec(proj)?.[1].split(',');
  if (shift && shift.length !== 3 && shift.length !== 7) throw unknownCrs(proj, 'towgs84 takes 3 or 7 numbers');
  if (!/\+proj=/.test(proj)) throw unknownCrs(proj);
  try {
    proj4(proj);
  } catch (error) {
    throw unknownCrs(proj, error instanceof Error ? error.message : String(error));
  }
  return { id: `PROJ:${proj}`, proj, ...unitsOf(proj) };
}

/** An authority's code is believed only at the root; without one the parameters are, where every one is understood. */
function fromWkt(wkt: string): Crs {
  const read = readWkt(wkt);
  if (read.epsg !== null) return fromEpsg(read.epsg, `EPSG:${read.epsg}`);
  if (read.proj === null) throw unknownCrs(read.name ?? wkt, read.why);
  const geodetic = read.datumEpsg === null ? '' : geodeticPart(read.datumEpsg);
  const crs = fromProj([read.proj, geodetic, '+no_defs'].filter(Boolean).join(' '));
  return read.name === null ? crs : { ...crs, title: read.name };
}

/** Ellipsoid and datum shift of a geographic EPSG system. */
function geodeticPart(code: number): string {
  const crs = fromEpsg(code, `EPSG:${code}`);
  if (!crs.geographic) throw unknownCrs(`EPSG:${code}`, 'it is no geographic CRS');
  return crs.proj.replace(/\+(proj=\S+|no_defs)\s*/g, '').trim();
}

const UNITS: Readonly<Record<string, number>> = {
  m: 1,
  km: 1000,
  ft: 0.3048,
  'us-ft': 1200 / 3937,
  'ind-yd': 0.91439523,
  'ind-ft': 0.30479841,
  yd: 0.9144,
  link: 0.201168,
  ch: 20.1168,
};

function unitsOf(proj: string): { geographic: boolean; metresPerUnit: number } {
  if (/\+proj=(longlat|lonlat|latlong|latlon)\b/.test(proj))
    return { geographic: true, metresPerUnit: METRES_PER_DEGREE };
  const toMeter = Number(/\+to_meter=([\d.eE+-]+)/.exec(proj)?.[1]);
  const unit = /\+units=(\S+)/.exec(proj)?.[1] ?? 'm';
  return { geographic: false, metresPerUnit: toMeter > 0 ? toMeter : (UNITS[unit] ?? 1) };
}
