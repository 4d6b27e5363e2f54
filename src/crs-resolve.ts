/** Text of any of the usual forms → Crs. Anything that cannot be served right is refused here, never guessed. */
import type { Crs } from './crs-types.ts';
import { problem } from './errors.ts';
import { EARTH_RADIUS } from './tile.ts';

export const METRES_PER_DEGREE = (Math.PI * EARTH_RADIUS) / 180;

const LONLAT = '+proj=longlat +datum=WGS84 +no_defs';
const MERCATOR = '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +no_defs';

const CRS84: Crs = {
  id: 'OGC:CRS84',
  proj: LONLAT,
  geographic: true,
  metresPerUnit: METRES_PER_DEGREE,
  title: 'WGS 84 longitude-latitude',
};
const EPSG4326: Crs = { ...CRS84, id: 'EPSG:4326', title: 'WGS 84' };
const EPSG3857: Crs = {
  id: 'EPSG:3857',
  proj: MERCATOR,
  geographic: false,
  metresPerUnit: 1,
  title: 'WGS 84 / Pseudo-Mercator',
};

/** Old names of web mercator that files still carry. */
const WEB_MERCATOR_CODES: ReadonlySet<number> = new Set([3857, 3785, 900913, 102100, 102113]);

const SPELLINGS: readonly RegExp[] = [
  /^\[?(EPSG|OGC|PROJ)::?([A-Za-z0-9_.-]+)\]?$/i,
  /^https?:\/\/(?:www\.)?opengis\.net\/def\/crs\/(EPSG|OGC)\/[^/]+\/([A-Za-z0-9]+)$/i,
  /^urn:(?:x-)?ogc:def:crs:(EPSG|OGC):[^:]*:([A-Za-z0-9]+)$/i,
  /^urn:(?:x-)?ogc:def:crs:(EPSG|OGC):([A-Za-z0-9]+)$/i,
];

export function resolveCrs(text: string): Crs {
  const trimmed = text.trim();
  for (const spelling of SPELLINGS) {
    const match = spelling.exec(trimmed);
    if (match) return fromAuthority(match[1].toUpperCase(), match[2], trimmed);
  }
  const proj = trimmed.startsWith('PROJ:') ? trimmed.slice(5) : trimmed;
  if (proj.startsWith('+proj=')) return fromProj(proj);
  throw unknownCrs(trimmed);
}

export function unknownCrs(text: string, why = ''): Error {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return problem('unprocessable', `unknown CRS '${shown}'${why && `: ${why}`}`, { crs: shown });
}

function fromAuthority(authority: string, code: string, text: string): Crs {
  if (authority === 'OGC' && /^CRS84$/i.test(code)) return CRS84;
  const number = Number(code);
  if (authority !== 'EPSG' || !Number.isInteger(number)) throw unknownCrs(text);
  if (number === 4326) return EPSG4326;
  if (WEB_MERCATOR_CODES.has(number)) return EPSG3857;
  const zone = number % 100;
  if ((number > 32600 && number <= 32660) || (number > 32700 && number <= 32760)) {
    const south = number > 32700;
    const proj = `+proj=utm +zone=${zone}${south ? ' +south' : ''} +datum=WGS84 +units=m +no_defs`;
    const title = `WGS 84 / UTM zone ${zone}${south ? 'S' : 'N'}`;
    return { id: `EPSG:${number}`, proj, geographic: false, metresPerUnit: 1, title };
  }
  throw unknownCrs(text);
}

function fromProj(proj: string): Crs {
  const grid = /\+(nadgrids|geoidgrids|grids|xy_grids|z_grids)=(\S+)/.exec(proj);
  if (grid && grid[2] !== '@null') {
    throw problem('unprocessable', `CRS '${proj}' needs the datum grid ${grid[2]}, which is not here`, {
      reason: 'crs-needs-grid',
    });
  }
  const geographic = /\+proj=(longlat|lonlat|latlong|latlon)\b/.test(proj);
  const toMeter = /\+to_meter=([\d.eE+-]+)/.exec(proj);
  const metresPerUnit = geographic ? METRES_PER_DEGREE : toMeter ? Number(toMeter[1]) : unitOf(proj);
  return { id: `PROJ:${proj}`, proj, geographic, metresPerUnit };
}

function unitOf(proj: string): number {
  const unit = /\+units=(\S+)/.exec(proj)?.[1];
  if (unit === 'us-ft') return 1200 / 3937;
  if (unit === 'ft') return 0.3048;
  if (unit === 'km') return 1000;
  return 1;
}
