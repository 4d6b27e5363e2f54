/** What attributes the tiles of a layer have, as TileJSON and the tilesets' documents tell it. */
import type { LayerOptions } from '../../layers/types.ts';
import type { ColumnType, VectorSource, WrittenAs } from '../../source/types.ts';
import { AREA, DUST, POINT_COUNT, SQRT_POINT_COUNT } from './counted.ts';

/** TileJSON's field types. */
export type FieldType = 'Number' | 'String' | 'Boolean';

/** Columns that are served (binary ones are in tiles where an operator says so), and what an operator has tiles say besides. */
export function vectorLayerFields(
  { columns }: VectorSource,
  { properties, pointCount, drop }: LayerOptions,
): Record<string, FieldType> {
  const wanted = columns.filter(
    ({ name, type, as }) => (type !== 'binary' || as === 'base64') && (properties?.includes(name) ?? true),
  );
  const fields = Object.fromEntries(wanted.map(({ name, type, as }) => [name, fieldType(type, as)]));
  // The counts take the place of columns of their names, and what dust says of the column's in squares of dust.
  return {
    ...fields,
    ...(pointCount ? { [POINT_COUNT]: 'Number', [SQRT_POINT_COUNT]: 'Number' } : {}),
    ...(drop === 'dust' ? { [DUST]: 'Boolean', [AREA]: 'Number', [POINT_COUNT]: 'Number' } : {}),
  };
}

function fieldType(type: ColumnType, as: WrittenAs | undefined): FieldType {
  if (type === 'bool') return 'Boolean';
  if (as === 'text' || as === 'base64') return 'String';
  return type === 'string' || type === 'json' || type === 'datetime' ? 'String' : 'Number';
}
