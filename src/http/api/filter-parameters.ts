/** filter, filter-lang, filter-crs: one description for items and tiles. */
import { propertyName } from '../../kernels/cql2/print.ts';
import { FILTER_LANGS } from '../filter-params.ts';
import { CRS84 } from '../ogc.ts';
import { queryParam } from './parts.ts';
import type { Parameter } from './types.ts';

/** `columns`: the example asks for the first. */
export function filterParameters(columns: readonly string[], of: string): Parameter[] {
  const [first] = columns;
  const example = first === undefined ? 'geometry IS NOT NULL' : `${propertyName(first)} IS NOT NULL`;
  return [
    queryParam(
      'filter',
      `${of}a CQL2 expression (OGC 21-065r2): comparison, LIKE, BETWEEN, IN, IS NULL, AND, OR, NOT, arithmetic, CASEI, ACCENTI, the S_, T_ and A_ predicates over the queryables and geometry. A fault is told with its place.`,
      { type: 'string', minLength: 1 },
      { example },
    ),
    queryParam(
      'filter-lang',
      'Language of filter.',
      { type: 'string', enum: FILTER_LANGS, default: 'cql2-text' },
      {
        example: 'cql2-text',
      },
    ),
    queryParam(
      'filter-crs',
      'CRS of the coordinates in filter, one of the collection’s crs; in the order of its axes.',
      { type: 'string', pattern: '^https?://www\\.opengis\\.net/def/crs/', default: CRS84 },
      { example: CRS84 },
    ),
  ];
}
