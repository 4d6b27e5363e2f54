/** Attributes of many points as one: what supercluster and MapLibre do by `map` and `reduce`, by the names that Tippecanoe has for them. */

export const AGGREGATE_OPS = ['sum', 'min', 'max', 'mean', 'count', 'any', 'all'] as const;
export type AggregateOp = (typeof AGGREGATE_OPS)[number];

/** As an operator chooses it. */
export interface Aggregate {
  readonly op: AggregateOp;
  /** Name of an attribute that has values. */
  readonly property: string;
}

/** Of a cluster; null: none of its points has a value. */
export type Aggregated = number | boolean | null;

/** Whether it is of booleans, and makes one. */
export function ofBooleans(op: AggregateOp): boolean {
  return op === 'any' || op === 'all';
}

/** Bytes of one aggregate of one cell. */
export const AGGREGATE_BYTES = 12;

/** One aggregate of so many cells. Points without a value change nothing. */
export class Aggregator {
  readonly #op: AggregateOp;
  readonly #values: Float64Array;
  readonly #seen: Uint32Array;

  constructor(op: AggregateOp, cells: number) {
    this.#op = op;
    this.#values = new Float64Array(cells);
    this.#seen = new Uint32Array(cells);
  }

  /** Booleans are 0 and 1; NaN is no value. */
  add(cell: number, value: number): void {
    if (Number.isNaN(value)) return;
    const values = this.#values;
    const first = this.#seen[cell]++ === 0;
    switch (this.#op) {
      case 'sum':
      case 'mean':
        values[cell] += value;
        return;
      case 'min':
      case 'all':
        if (first || value < values[cell]) values[cell] = value;
        return;
      case 'max':
      case 'any':
        if (first || value > values[cell]) values[cell] = value;
    }
  }

  of(cell: number): Aggregated {
    const seen = this.#seen[cell];
    if (this.#op === 'count') return seen;
    if (seen === 0) return null;
    if (ofBooleans(this.#op)) return this.#values[cell] !== 0;
    return this.#op === 'mean' ? this.#values[cell] / seen : this.#values[cell];
  }
}
