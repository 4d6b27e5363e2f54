/** Attributes of a layer as requests and answers know them. */
import type { VectorLayer } from '../layers/types.ts';
import type { Column } from '../source/types.ts';

export interface LayerColumn extends Column {
  /** Place among the columns of the file. */
  readonly index: number;
}

/** What the operator lets out, in the order of the file. */
export function layerColumns({ source, options }: Pick<VectorLayer, 'source' | 'options'>): LayerColumn[] {
  const { properties } = options;
  const all = source.columns.map((column, index) => ({ ...column, index }));
  return properties ? all.filter(({ name }) => properties.includes(name)) : all;
}
