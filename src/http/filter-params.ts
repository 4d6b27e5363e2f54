/** filter, filter-lang and filter-crs (OGC API Features part 3), for items and tiles alike; where in the filter a fault is. */
import { northFirst } from '../crs/axes.ts';
import { Problem, problem } from '../errors.ts';
import type { FilterLimits, Node } from '../kernels/cql2/ast.ts';
import { parseJson, parseText, toJson } from '../kernels/cql2/index.ts';
import { tokenAt } from '../kernels/cql2/lexer.ts';
import type { VectorLayer } from '../layers/types.ts';
import { checkFilter, type FilterSpec, filterSchema } from '../render/filter/filter.ts';
import type { FilterCrs } from '../render/filter/spatial.ts';
import { jsonFault } from '../sessions/json-fault.ts';
import { namedCrs } from './crs-params.ts';
import { oneOf, type Query, text } from './params.ts';

export interface FilterParams {
  readonly filter: FilterLimits;
}

export const FILTER_LANGS = ['cql2-text', 'cql2-json'] as const;
export const FILTER_PARAMETERS: readonly string[] = ['filter', 'filter-lang', 'filter-crs'];

type Lang = (typeof FILTER_LANGS)[number];

const CRS84: FilterCrs = { id: 'OGC:CRS84', northFirst: false };

/** null: all features. The filter must fit every layer. Errors: bad-filter with its place, bad-parameter. */
export function filterParameter(query: Query, layers: readonly VectorLayer[], limits: FilterParams): FilterSpec | null {
  const source = text(query, 'filter');
  const lang = oneOf('filter-lang', text(query, 'filter-lang') ?? 'cql2-text', FILTER_LANGS);
  const crs = filterCrs(query, layers);
  if (source === undefined) return null;
  if (Array.isArray(query['filter'])) throw problem('bad-parameter', 'filter is given more than once');
  const node = placed(source, lang, () => parse(source, lang, limits.filter));
  for (const layer of layers) placed(source, lang, () => checkFilter(node, crs, filterSchema(layer)));
  const cql = toJson(node);
  // Without coordinates their CRS makes no other filter.
  return { cql, crs: /"(coordinates|bbox)":/.test(cql) ? crs : CRS84 };
}

function filterCrs(query: Query, layers: readonly VectorLayer[]): FilterCrs {
  const given = text(query, 'filter-crs');
  if (given === undefined) return CRS84;
  const all = layers.map(layer => namedCrs('filter-crs', given, layer));
  return { id: all[0].id, northFirst: northFirst(all[0]) };
}

function parse(source: string, lang: Lang, limits: FilterLimits): Node {
  if (lang === 'cql2-text') return parseText(source, limits);
  try {
    return parseJson(source, limits);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const bytes = new TextEncoder().encode(source);
    const at = Buffer.from(bytes.subarray(0, jsonFault(bytes) ?? 0)).toString('utf8').length;
    const detail = at >= source.length ? 'the filter ends before its JSON does' : 'the filter is no JSON from here on';
    throw problem('bad-filter', detail, { at, token: source.slice(at, at + 1) });
  }
}

/** Turns `at` of a fault into what people count: offset, line and column of text; a JSON pointer of JSON. */
function placed<T>(source: string, lang: Lang, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'bad-filter') throw error;
    const { at, token, ...rest } = error.extra;
    if (typeof at === 'string') {
      const where = at === '' ? '' : ` (at ${at})`;
      throw problem('bad-filter', `filter: ${error.message}${where}`, {
        ...rest,
        pointer: at,
        ...(token === undefined ? {} : { token }),
      });
    }
    const offset = Math.min(typeof at === 'number' ? at : 0, source.length);
    const before = source.slice(0, offset).split('\n');
    const line = before.length;
    const column = (before.at(-1) as string).length + 1;
    const where = `line ${line}, column ${column}`;
    const found = token ?? (lang === 'cql2-text' ? tokenText(source, offset) : '');
    throw problem('bad-filter', `filter: ${error.message} (${where})`, { ...rest, offset, line, column, token: found });
  }
}

function tokenText(source: string, offset: number): string {
  const { at, end } = tokenAt(source, offset);
  return source.slice(at, Math.min(end, at + 80));
}
