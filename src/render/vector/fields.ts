/** What attributes the tiles of a layer have, as TileJSON and the tilesets' documents tell it. */
import { ofBooleans } from '../../kernels/aggregates.ts';
import { CLUSTER_NAMES, clusterSettings } from '../../kernels/clusters.ts';
import type { LayerOptions } from '../../layers/types.ts';
import type { ColumnType, VectorSource, WrittenAs } from '../../source/types.ts';
import { AREA, DUST, POINT_COUNT, SQRT_POINT_COUNT } from './counted.ts';

/** TileJSON's field types. */
export type FieldType = 'Number' | 'String' | 'Boolean';

/** The abbreviated count is a number below 1000. */
const CLUSTER_FIELDS: Readonly<Record<(typeof CLUSTER_NAMES)[number], FieldType>> = {
  cluster: 'Boolean',
  cluster_id: 'Number',
  point_count: 'Number',
  point_count_abbreviated: 'String',
};

/** Names of attributes that tiles add, which columns of the same names give way to: a tile knows a name once. */
export function addedNames({ pointCount, cluster }: LayerOptions): readonly string[] {
  return [...(cluster ? CLUSTER_NAMES : []), ...(pointCount ? [POINT_COUNT, SQRT_POINT_COUNT] : [])];
}

/** Columns that are served (binary ones are in tiles where an operator says so), and what an operator has tiles say besides. */
export function vectorLayerFields({ columns }: VectorSource, options: LayerOptions): Record<string, FieldType> {
  const { properties, pointCount, drop, cluster } = options;
  const wanted = columns.filter(
    ({ name, type, as }) => (type !== 'binary' || as === 'base64') && (properties?.includes(name) ?? true),
  );
  const fields = Object.fromEntries(wanted.map(({ name, type, as }) => [name, fieldType(type, as)]));
  // The counts take the place of columns of their names, and what dust says of the column's in squares of dust.
  return {
    ...fields,
    ...(cluster ? { ...CLUSTER_FIELDS, ...aggregateFields(options) } : {}),
    ...(pointCount ? { [POINT_COUNT]: 'Number', [SQRT_POINT_COUNT]: 'Number' } : {}),
    ...(drop === 'dust' ? { [DUST]: 'Boolean', [AREA]: 'Number', [POINT_COUNT]: 'Number' } : {}),
  };
}

/** A single point has the column of that name, where there is one. */
function aggregateFields(options: LayerOptions): Record<string, FieldType> {
  const made = Object.entries(clusterSettings(options)?.aggregates ?? {});
  return Object.fromEntries(made.map(([name, { op }]) => [name, ofBooleans(op) ? 'Boolean' : 'Number']));
}

function fieldType(type: ColumnType, as: WrittenAs | undefined): FieldType {
  if (type === 'bool') return 'Boolean';
  if (as === 'text' || as === 'base64') return 'String';
  return type === 'string' || type === 'json' || type === 'datetime' ? 'String' : 'Number';
}
