/** Query parameters of /collections/{id}/items. What is not known is refused: a mistyped filter must not mean "all". */
import { northFirst } from '../crs/axes.ts';
import { crsUri } from '../crs/index.ts';
import { problem } from '../errors.ts';
import type { VectorLayer } from '../layers/types.ts';
import { didYouMean } from '../nearest.ts';
import { layerColumns } from '../render/columns.ts';
import { filterBoxes } from '../render/filter/pushdown.ts';
import { equalsOf, type ItemsFilter, timeSpan } from '../render/items/match.ts';
import { CRS84_OUT, type ItemsAsk, type OutputCrs } from '../render/items/stream.ts';
import { commonBoxes, layerBoxes } from '../render/layer-boxes.ts';
import type { BBox } from '../tile.ts';
import { namedCrs } from './crs-params.ts';
import { type FilterParams, filterParameter } from './filter-params.ts';
import { clip, list, oneOf, type Query, selection, text, toInteger, toNumber } from './params.ts';

export interface ItemsLimits extends FilterParams {
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
  'exclude-properties',
  'filter',
  'filter-lang',
  'filter-crs',
  'f',
  'explain',
] as const;

/** What `f` may say; all mean GeoJSON. */
export const FORMATS_OF_ITEMS = ['json', 'geojson', 'application/geo+json', 'application/json'] as const;

export function itemsAsk(query: Query, layer: VectorLayer, limits: ItemsLimits): ItemsAsk {
  const { limitDefault, limitMax, batchBytes } = limits;
  format(query);
  refuseUnknown(query, layer);
  // A limit above the most is served with the most (OGC API Features, fc-limit-response-1); only its form can be wrong.
  const limit = Math.min(limitMax, whole(query, 'limit', 1) ?? limitDefault);
  const boxes = boxesOf(query, layer);
  const cql = filterParameter(query, [layer], limits);
  return {
    layer,
    boxes: cql === null ? boxes : commonBoxes(boxes, filterBoxes(cql, layer)),
    filter: { ...filterOf(query, layer), cql },
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
  const known = [...ITEMS_PARAMETERS, ...layerColumns(layer).map(({ name }) => name)];
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
function filterOf(query: Query, layer: VectorLayer): Omit<ItemsFilter, 'cql'> {
  const columns = layerColumns(layer);
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

/** Attributes that `properties` or `exclude-properties` leave; null where neither is given. */
export function propertiesOf(query: Query, layer: VectorLayer): string[] | null {
  const parameter = selection(query);
  if (parameter === null) return null;
  const known = layerColumns(layer).map(({ name }) => name);
  const names = list(query, parameter).filter(name => name !== '');
  const unknown = names.find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw problem(
      'bad-parameter',
      `${parameter}: "${clip(unknown)}" is no attribute of ${layer.id}${didYouMean(unknown, known)}`,
    );
  }
  return known.filter(name => names.includes(name) === (parameter === 'properties'));
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
  if (!crs.geographic && box[0] > box[2])
    throw problem('bad-parameter', `bbox: ${clip(given)}: the left edge ${box[0]} is beyond the right edge ${box[2]}`);
  return layerBoxes(box, crs.id, layer);
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
