/**
 * Well-known text, versions 1 and 2, as far as a CRS can be trusted to it: the EPSG code at its root, or else the
 * projections and parameters of the tables below. One that is not understood whole is left to the caller to refuse.
 */

interface Node {
  readonly keyword: string;
  readonly values: readonly (string | number)[];
  readonly nodes: readonly Node[];
}

export interface WktReading {
  readonly name: string | null;
  /** The EPSG code the root carries. */
  readonly epsg: number | null;
  /** Otherwise the projection as a PROJ string (with its ellipsoid and shift, unless `datumEpsg` names them), or null. */
  readonly proj: string | null;
  readonly datumEpsg: number | null;
  readonly why: string;
}

const ROOT =
  /^\s*(PROJCS|GEOGCS|COMPD_CS|BOUNDCRS|COMPOUNDCRS|PROJCRS|PROJECTEDCRS|GEOGCRS|GEOGRAPHICCRS|GEODCRS|GEODETICCRS)\s*[[(]/i;
const PROJECTED = /^(PROJCS|PROJCRS|PROJECTEDCRS)$/;
const GEOGRAPHIC = /^(GEOGCS|GEOGCRS|GEOGRAPHICCRS|GEODCRS|GEODETICCRS|BASEGEOGCRS|BASEGEODCRS)$/;
/** Texts beyond this are no CRS anybody wrote; parsing is linear, this only bounds the nodes. */
const WKT_LENGTH_MAX = 20_000;

export function looksLikeWkt(text: string): boolean {
  return text.length <= WKT_LENGTH_MAX && ROOT.test(text);
}

export function readWkt(text: string): WktReading {
  const none = { name: null, epsg: null, proj: null, datumEpsg: null };
  const root = parse(text);
  if (root === null) return { ...none, why: 'its WKT does not parse' };
  // Heights are not transformed, so the horizontal part of a compound system is what counts.
  const node = /^COMP/.test(root.keyword)
    ? root.nodes.find(n => PROJECTED.test(n.keyword) || GEOGRAPHIC.test(n.keyword))
    : root;
  if (node === undefined || node.keyword === 'BOUNDCRS')
    return { ...none, why: 'only plain horizontal systems are read from WKT' };
  const name = typeof node.values[0] === 'string' ? node.values[0] : null;
  const epsg = codeOf(node);
  if (epsg !== null) return { ...none, name, epsg, why: '' };
  try {
    const geographic = GEOGRAPHIC.test(node.keyword) ? node : child(node, GEOGRAPHIC);
    if (geographic === null) return { ...none, name, why: 'it has no geographic base' };
    const proj = PROJECTED.test(node.keyword) ? projection(node) : longlat(node);
    return { name, epsg: null, ...datum(geographic, proj), why: '' };
  } catch (error) {
    return { ...none, name, why: error instanceof Error ? error.message : String(error) };
  }
}

/** A recursive descent over the text; null where it is not well formed. */
function parse(text: string): Node | null {
  const tokens = text.match(/"(?:[^"]|"")*"|[[(]|[\])]|,|[A-Za-z_][A-Za-z0-9_]*|[-+]?[\d.]+(?:[eE][-+]?\d+)?/g) ?? [];
  let at = 0;
  const read = (depth: number): Node | null => {
    const keyword = tokens[at++]?.toUpperCase();
    if (keyword === undefined || depth > 16 || !/^[[(]$/.test(tokens[at++] ?? '')) return null;
    const values: (string | number)[] = [];
    const nodes: Node[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined) return null;
      if (/^[\])]$/.test(token)) {
        at++;
        return { keyword, values, nodes };
      }
      if (token === ',') at++;
      else if (/^[[(]$/.test(tokens[at + 1] ?? '')) {
        const inner = read(depth + 1);
        if (inner === null) return null;
        nodes.push(inner);
      } else {
        values.push(
          token.startsWith('"')
            ? token.slice(1, -1).replaceAll('""', '"')
            : /^[-+\d.]/.test(token)
              ? Number(token)
              : token,
        );
        at++;
      }
    }
  };
  return read(0);
}

function child(node: Node, keyword: RegExp): Node | null {
  return node.nodes.find(n => keyword.test(n.keyword)) ?? null;
}

function codeOf(node: Node): number | null {
  const id = child(node, /^(AUTHORITY|ID)$/);
  if (id === null || String(id.values[0]).toUpperCase() !== 'EPSG') return null;
  const code = Number(id.values[1]);
  return Number.isInteger(code) && code > 0 ? code : null;
}

/** Names without the authority's spelling: 'Lambert_Conformal_Conic_2SP' and 'Lambert Conic Conformal (2SP)' are kept apart. */
function plain(name: unknown): string {
  return String(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** Geographic systems by the datum's plain name, for WKT whose writer gave no code (ESRI's above all). */
const DATUMS: Readonly<Record<string, number>> = {
  wgs_1984: 4326,
  d_wgs_1984: 4326,
  world_geodetic_system_1984: 4326,
  world_geodetic_system_1984_ensemble: 4326,
  north_american_datum_1983: 4269,
  d_north_american_1983: 4269,
  european_terrestrial_reference_system_1989: 4258,
  european_terrestrial_reference_system_1989_ensemble: 4258,
  d_etrs_1989: 4258,
};

function datum(geographic: Node, proj: string): { proj: string; datumEpsg: number | null } {
  const node = child(geographic, /^(DATUM|ENSEMBLE|GEODETICDATUM|TRF)$/);
  if (node === null) throw new Error('it has no datum');
  const shift = child(node, /^TOWGS84$/);
  const ellipsoid = child(node, /^(SPHEROID|ELLIPSOID)$/);
  const [, a, rf] = ellipsoid?.values ?? [];
  if (shift && typeof a === 'number' && typeof rf === 'number') {
    const figure = rf === 0 ? `+a=${a} +b=${a}` : `+a=${a} +rf=${rf}`;
    return { proj: `${proj} ${figure} +towgs84=${shift.values.join(',')}`, datumEpsg: null };
  }
  const code = codeOf(geographic) ?? DATUMS[plain(node.values[0])] ?? null;
  if (code === null) throw new Error(`its datum '${node.values[0]}' is not known`);
  return { proj, datumEpsg: code };
}

function longlat(node: Node): string {
  if (unitOf(node) !== 0.0174532925199433) throw new Error('its angles are not degrees');
  return `+proj=longlat${meridian(node)}`;
}

function meridian(geographic: Node): string {
  const degrees = child(geographic, /^PRIMEM$/)?.values[1] ?? 0;
  return degrees === 0 ? '' : ` +pm=${degrees}`;
}

/** The factor of the unit, degrees rounded to one spelling; version 2 hangs it below CS or on the axes. */
function unitOf(node: Node): number {
  const holders = [node, ...node.nodes.filter(n => n.keyword === 'AXIS')];
  const unit = holders.map(n => child(n, /^(UNIT|ANGLEUNIT|LENGTHUNIT)$/)).find(n => n !== null);
  const factor = Number(unit?.values[1] ?? Number.NaN);
  if (!(factor > 0)) throw new Error('it names no unit');
  return Math.abs(factor - Math.PI / 180) < 1e-9 ? 0.0174532925199433 : factor;
}

/** PROJ's names of the methods that mean one thing in both versions and in ESRI's dialect. */
const METHODS: Readonly<Record<string, string>> = {
  transverse_mercator: 'tmerc',
  gauss_kruger: 'tmerc',
  lambert_conformal_conic_2sp: 'lcc',
  lambert_conic_conformal_2sp: 'lcc',
  lambert_conformal_conic: 'lcc',
  lambert_conformal_conic_1sp: 'lcc',
  lambert_conic_conformal_1sp: 'lcc',
  albers: 'aea',
  albers_conic_equal_area: 'aea',
  albers_equal_area: 'aea',
  lambert_azimuthal_equal_area: 'laea',
  sinusoidal: 'sinu',
  mollweide: 'moll',
  robinson: 'robin',
  equal_earth: 'eqearth',
  cylindrical_equal_area: 'cea',
  lambert_cylindrical_equal_area: 'cea',
};

const PARAMETERS: Readonly<Record<string, string>> = {
  latitude_of_origin: 'lat_0',
  latitude_of_center: 'lat_0',
  latitude_of_natural_origin: 'lat_0',
  latitude_of_false_origin: 'lat_0',
  central_meridian: 'lon_0',
  longitude_of_center: 'lon_0',
  longitude_of_natural_origin: 'lon_0',
  longitude_of_false_origin: 'lon_0',
  longitude_of_origin: 'lon_0',
  standard_parallel_1: 'lat_1',
  standard_parallel_2: 'lat_2',
  latitude_of_1st_standard_parallel: 'lat_1',
  latitude_of_2nd_standard_parallel: 'lat_2',
  scale_factor: 'k_0',
  scale_factor_at_natural_origin: 'k_0',
  false_easting: 'x_0',
  false_northing: 'y_0',
  easting_at_false_origin: 'x_0',
  northing_at_false_origin: 'y_0',
};

function projection(node: Node): string {
  const holder = child(node, /^CONVERSION$/) ?? node;
  const name = child(holder, /^(PROJECTION|METHOD)$/)?.values[0];
  const method = METHODS[plain(name)];
  if (method === undefined) throw new Error(`its projection '${name}' is not read from WKT`);
  const unit = unitOf(node);
  const given = new Map<string, number>([
    ['x_0', 0],
    ['y_0', 0],
    ['lat_0', 0],
    ['lon_0', 0],
  ]);
  for (const { keyword, values, nodes } of holder.nodes) {
    if (keyword !== 'PARAMETER') continue;
    const key = PARAMETERS[plain(values[0])];
    if (key === undefined) throw new Error(`its parameter '${values[0]}' is not read from WKT`);
    const factor = Number(nodes.find(n => /UNIT$/.test(n.keyword))?.values[1] ?? Number.NaN);
    const length = key === 'x_0' || key === 'y_0';
    const scale = length ? (factor > 0 ? factor : unit) : factor > 0 && key !== 'k_0' ? (factor * 180) / Math.PI : 1;
    given.set(key, Number(values[1]) * scale);
  }
  if (method === 'lcc' && !given.has('lat_1')) given.set('lat_1', given.get('lat_0') ?? 0);
  if (method === 'cea' && given.has('lat_1')) given.set('lat_ts', given.get('lat_1') ?? 0);
  const words = [...given].map(([key, value]) => `+${key}=${Number(value.toPrecision(15))}`).join(' ');
  const base = child(node, GEOGRAPHIC);
  return `+proj=${method} ${words}${unit === 1 ? '' : ` +to_meter=${unit}`}${base ? meridian(base) : ''}`;
}
