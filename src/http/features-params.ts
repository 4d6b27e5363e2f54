/** Query parameters of /collections/{id}/items. What is not known is refused: a mistyped filter must not mean "all". */
import { northFirst } from '../crs/axes.ts';
import { type Crs, crsUri, resolveCrs, transformBounds, transformer } from '../crs/index.ts';
import { problem } from '../errors.ts';
import type { VectorLayer } from '../layers/types.ts';
import { didYouMean } from '../nearest.ts';
import { equalsOf, type ItemsFilter, timeSpan } from '../render/items/match.ts';
import { CRS84_OUT, type ItemsAsk, type OutputCrs, servedColumns } from '../render/items/stream.ts';
import { type BBox, intersection } from '../tile.ts';
import { clip, list, oneOf, type Query, text, toInteger, toNumber } from './params.ts';

export interface ItemsLimits {
  readonly limitDefault: number;
  readonly limitMax: number;
  /** Bytes of features that are read at a time. */
  readonly batchBytes?: number;
}

export const ITEMS_PARAMETERS = [
  'bbox',
  'bbox-crs',
  'crs',
  'datetime',
  'limit',
  'cursor',
  'properties',
  'f',
  'explain',
] as const;

/** What `f` may say; all mean GeoJSON. */
export const FORMATS_OF_ITEMS = ['json', 'geojson', 'application/geo+json', 'application/json'] as const;

export function itemsAsk(
  query: Query,
  layer: VectorLayer,
  { limitDefault, limitMax, batchBytes }: ItemsLimits,
): ItemsAsk {
  format(query);
  refuseUnknown(query, layer);
  // A limit above the most is served with the most (OGC API Features, fc-limit-response-1); only its form can be wrong.
  const limit = Math.min(limitMax, whole(query, 'limit', 1) ?? limitDefault);
  return {
    layer,
    boxes: boxesOf(query, layer),
    filter: filterOf(query, layer),
    properties: propertiesOf(query, layer),
    crs: outputCrs(query, layer),
    ...(batchBytes === undefined ? {} : { batchBytes }),
    from: whole(query, 'cursor', 0) ?? 0,
    limit,
  };
}

function whole(query: Query, name: string, min: number): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const n = toInteger(name, value);
  if (n < min) throw problem('bad-parameter', `${name}: ${n} is below ${min}`);
  return n;
}

export function format(query: Query): void {
  const f = text(query, 'f');
  if (f !== undefined) oneOf('f', f, FORMATS_OF_ITEMS);
}

function refuseUnknown(query: Query, layer: VectorLayer): void {
  const known = [...ITEMS_PARAMETERS, ...servedColumns(layer).map(({ name }) => name)];
  const unknown = Object.keys(query).find(name => !known.includes(name));
  if (unknown === undefined) return;
  throw problem(
    'unknown-parameter',
    `"${clip(unknown)}" is neither a parameter nor an attribute of ${layer.id}${didYouMean(unknown, known)}`,
    {
      parameter: clip(unknown),
    },
  );
}

/** Reserved words win over an attribute of the same name. */
function filterOf(query: Query, layer: VectorLayer): ItemsFilter {
  const columns = servedColumns(layer);
  const equals = [];
  for (const column of columns) {
    if ((ITEMS_PARAMETERS as readonly string[]).includes(column.name)) continue;
    const value = query[column.name];
    if (value === undefined) continue;
    if (Array.isArray(value)) throw problem('bad-parameter', `${clip(column.name)} is given more than once`);
    equals.push(equalsOf(column, value));
  }
  const datetime = text(query, 'datetime');
  if (datetime === undefined) return { equals, time: null };
  const column = columns.find(({ type }) => type === 'datetime');
  const time = timeSpan(column?.name ?? '', datetime);
  return { equals, time: column ? time : null };
}

function propertiesOf(query: Query, layer: VectorLayer): string[] | null {
  if (query['properties'] === undefined) return null;
  const known = servedColumns(layer).map(({ name }) => name);
  const names = list(query, 'properties').filter(name => name !== '');
  const unknown = names.find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw problem(
      'bad-parameter',
      `properties: "${clip(unknown)}" is no attribute of ${layer.id}${didYouMean(unknown, known)}`,
    );
  }
  return known.filter(name => names.includes(name));
}

function boxesOf(query: Query, layer: VectorLayer): readonly BBox[] | null {
  const given = text(query, 'bbox');
  const crs = bboxCrs(query, layer);
  if (given === undefined) return null;
  const parts = given.split(',');
  if (parts.length !== 4 && parts.length !== 6)
    throw problem('bad-parameter', `bbox: takes 4 or 6 numbers, not ${parts.length}`);
  const numbers = parts.map(part => toNumber('bbox', part));
  // Heights are taken and not looked at: the index has none.
  const [a, b, c, d] = numbers.length === 6 ? [numbers[0], numbers[1], numbers[3], numbers[4]] : numbers;
  const box: BBox = crs.swapped ? [b, a, d, c] : [a, b, c, d];
  if (box[1] > box[3])
    throw problem('bad-parameter', `bbox: ${clip(given)}: the lower edge ${box[1]} is above the upper edge ${box[3]}`);
  if (crs.geographic) return lonLatBoxes(box, layer, crs.id);
  if (box[0] > box[2])
    throw problem('bad-parameter', `bbox: ${clip(given)}: the left edge ${box[0]} is beyond the right edge ${box[2]}`);
  const moved = crs.id === layer.source.crs ? box : transformBounds(crs.id, layer.source.crs as string, box);
  return moved ? [moved] : [];
}

interface BoxCrs {
  readonly id: string;
  readonly geographic: boolean;
  /** Its URI means north (or latitude) first. */
  readonly swapped: boolean;
}

function bboxCrs(query: Query, layer: VectorLayer): BoxCrs {
  const given = text(query, 'bbox-crs');
  if (given === undefined) return { id: 'OGC:CRS84', geographic: true, swapped: false };
  if (/^https?:\/\/www\.opengis\.net\/def\/crs\/OGC\/0\/CRS84h$/.test(given))
    return { id: 'OGC:CRS84', geographic: true, swapped: false };
  const crs = namedCrs('bbox-crs', given, layer);
  return { id: crs.id, geographic: crs.geographic, swapped: northFirst(crs) };
}

/** The CRS that features are written in: one of the collection's, by its URI, in the order of its own axes. */
export function outputCrs(query: Query, layer: VectorLayer): OutputCrs {
  const given = text(query, 'crs');
  if (given === undefined) return CRS84_OUT;
  const crs = namedCrs('crs', given, layer);
  return { id: crs.id, uri: crsUri(crs) ?? given, northFirst: northFirst(crs) };
}

function namedCrs(name: string, given: string, layer: VectorLayer): Crs {
  const allowed = crsUris(layer);
  if (!allowed.includes(given.replace('https:', 'http:')))
    throw problem('bad-parameter', `${name}: "${clip(given)}" is none of ${allowed.join(', ')}`);
  return resolveCrs(given);
}

/** What crs and bbox-crs take: the two everyday systems in both orders, and the layer's own. */
export function crsUris({ source }: VectorLayer): string[] {
  const uris = [
    'http://www.opengis.net/def/crs/OGC/1.3/CRS84',
    'http://www.opengis.net/def/crs/EPSG/0/4326',
    'http://www.opengis.net/def/crs/EPSG/0/3857',
  ];
  const own = source.crs === null ? null : crsUri(resolveCrs(source.crs));
  return own === null || uris.includes(own) ? uris : [...uris, own];
}

/** West beyond east: the box crosses the antimeridian and is two boxes to a planar index. */
function lonLatBoxes(box: BBox, layer: VectorLayer, crs: string): readonly BBox[] | null {
  const [west, south, east, north] = box;
  const boxes: BBox[] =
    west > east
      ? [
          [west, south, 180, north],
          [-180, south, east, north],
        ]
      : [box];
  const moved = boxes.map(one => toLayer(one, layer, crs)).filter(one => one !== 'none');
  return moved.includes(null) ? null : (moved as BBox[]);
}

/** Room around the layer's bounds, as a share of their size, since edges bend on the way to another CRS. */
const BOUNDS_ROOM = 0.05;

/** The box in the layer's CRS; cut to where the layer is, since a projection may be nonsense far from its home. */
function toLayer(box: BBox, { source, lonLatBounds: home }: VectorLayer, crs: string): BBox | null | 'none' {
  if (isLonLat(source.crs as string)) return box;
  if (!home) return 'none';
  let cut: BBox | null = box;
  if (home[0] <= home[2]) {
    if (box[0] <= home[0] && box[1] <= home[1] && box[2] >= home[2] && box[3] >= home[3]) return null;
    const dx = (home[2] - home[0]) * BOUNDS_ROOM + 1e-9;
    const dy = (home[3] - home[1]) * BOUNDS_ROOM + 1e-9;
    cut = intersection(box, [home[0] - dx, Math.max(-90, home[1] - dy), home[2] + dx, Math.min(90, home[3] + dy)]);
  }
  if (!cut) return 'none';
  return transformBounds(crs, source.crs as string, cut) ?? 'none';
}

/** True where the layer's units are WGS 84 degrees as they are (also NAD 83 and the like, as in crs-transform.ts). */
function isLonLat(crs: string): boolean {
  if (!resolveCrs(crs).geographic) return false;
  const at = new Float64Array(2);
  return transformer('OGC:CRS84', crs).forward(12.5, 41.5, at, 0) && at[0] === 12.5 && at[1] === 41.5;
}
