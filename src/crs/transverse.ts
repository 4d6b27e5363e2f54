/**
 * Degrees of WGS 84 to transverse mercator by Krüger's series to the sixth order in the third flattening (Karney, "Transverse
 * Mercator with an accuracy of a few nanometers", 2011): what PROJ and proj4 compute, in a third of proj4's time. A warped tile asks
 * for some eight hundred positions.
 */

export interface TransverseMercator {
  /**
   * `psi` is the isometric latitude of the sphere, atanh(sin(latitude)), which web mercator has for nothing. False, and nothing
   * written, where the point is too far from the central meridian or too near a pole: there proj4 is asked.
   */
  forward(lon: number, psi: number, out: Float64Array, at: number): boolean;
}

interface Definition {
  /** Semi-major axis, and the inverse of the flattening. */
  readonly a: number;
  readonly rf: number;
  readonly lon0: number;
  readonly lat0: number;
  readonly k0: number;
  readonly x0: number;
  readonly y0: number;
}

const RADIANS = Math.PI / 180;
const ELLIPSOIDS: Readonly<Record<string, readonly [number, number]>> = {
  WGS84: [6378137, 298.257223563],
  GRS80: [6378137, 298.257222101],
};
/** Degrees from the central meridian within which the series is exact to less than a micrometre. */
const REACH = 20;
/** Isometric latitude of 89.3°. */
const PSI_MAX = 5.1;
/** Any other word of a definition means something that is not done here. */
const KNOWN = new Set([
  'proj', 'zone', 'south', 'datum', 'ellps', 'a', 'rf', 'towgs84', 'lat_0', 'lon_0', 'k', 'k_0', 'x_0', 'y_0', 'units', 'no_defs', 'type',
]); // biome-ignore format: one line of names

/** Null where a PROJ string says anything else, another datum above all. */
export function transverseMercator(proj: string): TransverseMercator | null {
  const definition = definitionOf(proj);
  return definition && transverse(definition);
}

function definitionOf(proj: string): Definition | null {
  const words = new Map(
    proj
      .trim()
      .split(/\s+/)
      .map((word): [string, string | undefined] => {
        const [name, value] = word.replace(/^\+/, '').split('=');
        return [name, value];
      }),
  );
  if ([...words.keys()].some(name => !KNOWN.has(name))) return null;
  if ((words.get('units') ?? 'm') !== 'm' || !/^(0(\.0*)?,?)*$/.test(words.get('towgs84') ?? '')) return null;
  const shape = ellipsoidOf(words);
  if (shape === null) return null;
  const number = (usual: number, ...names: string[]) =>
    Number(names.map(name => words.get(name)).find(text => text !== undefined) ?? usual);
  if (words.get('proj') === 'utm') {
    const zone = number(0, 'zone');
    const y0 = words.has('south') ? 10_000_000 : 0;
    if (!(Number.isInteger(zone) && zone >= 1 && zone <= 60)) return null;
    return { ...shape, lon0: zone * 6 - 183, lat0: 0, k0: 0.9996, x0: 500_000, y0 };
  }
  if (words.get('proj') !== 'tmerc') return null;
  const found = {
    ...shape,
    lon0: number(0, 'lon_0'),
    lat0: number(0, 'lat_0'),
    k0: number(1, 'k_0', 'k'),
    x0: number(0, 'x_0'),
    y0: number(0, 'y_0'),
  };
  const usable = Object.values(found).every(Number.isFinite) && Math.abs(found.lat0) < 85;
  return usable ? found : null;
}

/** Of WGS 84 and what differs from it by less than a micrometre. */
function ellipsoidOf(words: ReadonlyMap<string, string | undefined>): { a: number; rf: number } | null {
  const datum = words.get('datum');
  if (datum !== undefined) return datum === 'WGS84' ? { a: 6378137, rf: 298.257223563 } : null;
  const named = ELLIPSOIDS[words.get('ellps') ?? ''];
  return named ? { a: named[0], rf: named[1] } : null;
}

function transverse({ a, rf, lon0, lat0, k0, x0, y0 }: Definition): TransverseMercator {
  const f = 1 / rf;
  const e = Math.sqrt(f * (2 - f));
  const n = f / (2 - f);
  const [a1, a2, a3, a4, a5, a6] = seriesOf(n);
  const scale = ((k0 * a) / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64 + n ** 6 / 256);
  let north = 0;
  let row = Number.NaN;
  let tangent = Number.NaN;

  const forward: TransverseMercator['forward'] = (lon, psi, out, at) => {
    let from = lon - lon0;
    if (from > 180) from -= 360;
    else if (from < -180) from += 360;
    if (!(Math.abs(from) < REACH && Math.abs(psi) < PSI_MAX)) return false;
    // Tangent of the conformal latitude; the sphere's and the ellipsoid's meridians are the same. Positions come row by row.
    if (psi !== row) {
      row = psi;
      tangent = Math.sinh(psi - e * Math.atanh(e * Math.tanh(psi)));
    }
    const t = tangent;
    const c = Math.cos(from * RADIANS);
    const s = Math.sin(from * RADIANS);
    const square = t * t + c * c;
    const u = s / Math.sqrt(square);
    const sin2 = (2 * t * c) / square;
    const cos2 = (c * c - t * t) / square;
    const sinh2 = 2 * u * Math.sqrt(1 + u * u);
    const cosh2 = 1 + 2 * u * u;
    // Clenshaw's sum of a_k sin(2k z), z = ξ' + iη'.
    const re = 2 * cos2 * cosh2;
    const im = -2 * sin2 * sinh2;
    const r5 = a5 + re * a6;
    const i5 = im * a6;
    const r4 = a4 + re * r5 - im * i5 - a6;
    const i4 = re * i5 + im * r5;
    const r3 = a3 + re * r4 - im * i4 - r5;
    const i3 = re * i4 + im * r4 - i5;
    const r2 = a2 + re * r3 - im * i3 - r4;
    const i2 = re * i3 + im * r3 - i4;
    const r1 = a1 + re * r2 - im * i2 - r3;
    const i1 = re * i2 + im * r2 - i3;
    const xi = Math.atan2(t, c) + sin2 * cosh2 * r1 - cos2 * sinh2 * i1;
    const eta = Math.asinh(u) + sin2 * cosh2 * i1 + cos2 * sinh2 * r1;
    out[at] = x0 + scale * eta;
    out[at + 1] = y0 - north + scale * xi;
    return true;
  };

  const origin = new Float64Array(2);
  forward(lon0, Math.atanh(Math.sin(lat0 * RADIANS)), origin, 0);
  north = origin[1] - y0;
  return { forward };
}

function seriesOf(n: number): [number, number, number, number, number, number] {
  const sum = (...factors: number[]) => factors.reduceRight((rest, factor) => (rest + factor) * n, 0);
  return [
    sum(1 / 2, -2 / 3, 5 / 16, 41 / 180, -127 / 288, 7891 / 37800),
    sum(0, 13 / 48, -3 / 5, 557 / 1440, 281 / 630, -1983433 / 1935360),
    sum(0, 0, 61 / 240, -103 / 140, 15061 / 26880, 167603 / 181440),
    sum(0, 0, 0, 49561 / 161280, -179 / 168, 6601661 / 7257600),
    sum(0, 0, 0, 0, 34729 / 80640, -3418889 / 1995840),
    sum(0, 0, 0, 0, 0, 212378941 / 319334400),
  ];
}
