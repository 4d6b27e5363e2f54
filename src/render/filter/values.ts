/** Expressions as closures over the row: each kind of value has its own, and says "no value" without an object. */
import type { Instant } from '../../kernels/cql2/time.ts';
import type { Prepared } from '../../kernels/relate/prepared.ts';
import type { Shape } from '../../kernels/relate/shape.ts';

export const FALSE = 0;
export const TRUE = 1;
export const NULL = 2;

/** NaN: no value. */
export interface Numbers {
  readonly kind: 'number';
  readonly get: () => number | bigint;
  readonly fixed: boolean;
}

export interface Texts {
  readonly kind: 'string';
  readonly get: () => string | null;
  readonly fixed: boolean;
  /** Slot of the column that it is, as it stands; −1: it is worked out. */
  readonly slot: number;
}

/** FALSE, TRUE or NULL. */
export interface Booleans {
  readonly kind: 'boolean';
  readonly get: () => number;
  readonly fixed: boolean;
}

/** Fills its own instant; ms is NaN where there is no value. */
export interface Instants {
  readonly kind: 'instant';
  readonly get: () => Instant;
  readonly fixed: boolean;
}

export interface Intervals {
  readonly kind: 'interval';
  readonly start: Instants;
  readonly end: Instants;
  readonly fixed: boolean;
}

export interface Geometries {
  readonly kind: 'geometry';
  readonly get: () => Prepared | null;
  /** The literal, where it is one. */
  readonly fixed: boolean;
  /** Its box alone, without the work of preparing it; null where there is none. */
  readonly shape: () => Shape | null;
  /** A literal that is a rectangle. */
  readonly rectangle: boolean;
}

/** Keys of the elements; null: no value. */
export interface Arrays {
  readonly kind: 'array';
  readonly get: () => ReadonlySet<string> | null;
  readonly fixed: boolean;
  /** Instants are among the elements of the literal: texts of the other side are read as such. */
  readonly instants: boolean;
}

export type Value = Numbers | Texts | Booleans | Instants | Intervals | Geometries | Arrays;

export const KIND_NAMES: Readonly<Record<Value['kind'], string>> = {
  number: 'a number',
  string: 'a text',
  boolean: 'a boolean',
  instant: 'a date or time',
  interval: 'an interval',
  geometry: 'a geometry',
  array: 'a list',
};
