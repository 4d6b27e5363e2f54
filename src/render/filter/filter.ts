/** A filter as requests hold it, as jobs carry it, and as workers ask it of every feature. */
import type { Node } from '../../kernels/cql2/ast.ts';
import { parseJson } from '../../kernels/cql2/json.ts';
import type { VectorLayer } from '../../layers/types.ts';
import { isFgbSource } from '../../source/fgb/open.ts';
import { layerColumns } from '../columns.ts';
import { Compiler } from './compile.ts';
import { type FilterColumn, Row } from './row.ts';
import { type FilterCrs, planesOf } from './spatial.ts';
import { type Booleans, TRUE } from './values.ts';

/** Plain and canonical: equal filters are equal text, whichever language they came in. */
export interface FilterSpec {
  /** CQL2 JSON. */
  readonly cql: string;
  /** What the coordinates in it are. */
  readonly crs: FilterCrs;
}

/** What a worker must know of the layer. */
export interface FilterSchema {
  readonly layer: string;
  readonly columns: readonly FilterColumn[];
  readonly crs: string;
  readonly geometryType: number;
}

export interface FeatureFilter {
  /** True where the feature at `at` (its size prefix) matches; neither for false nor for unknown. Errors: corrupt-data. */
  test(view: DataView, at: number, limit: number): boolean;
}

export function filterSchema(layer: VectorLayer): FilterSchema {
  const { source } = layer;
  const named = new Map(layerColumns(layer).map(({ index, name }) => [index, name]));
  const columns = source.columns.map(({ name, type }, index) => ({
    name: named.get(index) ?? null,
    ownName: name,
    type,
  }));
  const geometryType = isFgbSource(source) ? source.geometryType : 0;
  return { layer: layer.id, columns, crs: source.crs as string, geometryType };
}

/** Errors: bad-filter where a name is unknown or kinds do not go together. */
export function checkFilter(node: Node, crs: FilterCrs, schema: FilterSchema): void {
  compiled(node, crs, schema);
}

function compiled(node: Node, crs: FilterCrs, schema: FilterSchema): { row: Row; predicate: Booleans } {
  const row = new Row(schema.columns);
  const planes = planesOf(schema.crs, crs, schema.geometryType);
  const predicate = new Compiler({ columns: schema.columns, row, planes, layer: schema.layer }).boolean(node);
  return { row, predicate };
}

/** It was parsed under its limits before: here there are none. */
export function treeOf({ cql }: FilterSpec): Node {
  return parseJson(cql, { maxLength: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY });
}

export function createFilter(spec: FilterSpec, schema: FilterSchema): FeatureFilter {
  const { row, predicate } = compiled(treeOf(spec), spec.crs, schema);
  const { get } = predicate;
  return {
    test(view, at, limit) {
      row.load(view, at, limit);
      return get() === TRUE;
    },
  };
}
