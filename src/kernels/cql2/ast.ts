/**
 * The one tree that CQL2 (OGC 21-065r2) is parsed to, from text and from JSON alike, and what may be wrong with it. A tree
 * is plain data; `at` is where a node was written: an offset into the text, or a JSON pointer.
 */
import type { Geometry } from 'geojson';
import { type Problem, problem } from '../../errors.ts';

export type At = number | string;

export interface Literal {
  readonly kind: 'literal';
  /** Integers beyond 2^53 are bigint, so that no digit is lost. */
  readonly value: string | number | boolean | bigint;
  readonly at: At;
}

/** A date (a whole day, UTC) or a timestamp; `text` is RFC 3339 without needless zeros. */
export interface InstantNode {
  readonly kind: 'instant';
  readonly date: boolean;
  readonly text: string;
  readonly at: At;
}

export interface IntervalNode {
  readonly kind: 'interval';
  /** '..' is open. */
  readonly ends: readonly [IntervalEnd, IntervalEnd];
  readonly at: At;
}
export type IntervalEnd = InstantNode | PropertyNode | FunctionNode | '..';

export interface GeometryNode {
  readonly kind: 'geometry';
  readonly value: Geometry;
  readonly at: At;
}

/** Four or six numbers; minx > maxx crosses the antimeridian. */
export interface BoxNode {
  readonly kind: 'bbox';
  readonly value: readonly number[];
  readonly at: At;
}

export interface PropertyNode {
  readonly kind: 'property';
  readonly name: string;
  readonly at: At;
}

export interface ArrayNode {
  readonly kind: 'array';
  readonly items: readonly Node[];
  readonly at: At;
}

export interface CallNode {
  readonly kind: 'call';
  readonly op: Op;
  readonly args: readonly Node[];
  readonly at: At;
}

/** A function that the standard does not name. */
export interface FunctionNode {
  readonly kind: 'function';
  readonly name: string;
  readonly args: readonly Node[];
  readonly at: At;
}

export type Node =
  | Literal
  | InstantNode
  | IntervalNode
  | GeometryNode
  | BoxNode
  | PropertyNode
  | ArrayNode
  | CallNode
  | FunctionNode;

export const COMPARISONS = ['=', '<>', '<', '>', '<=', '>='] as const;
export const ARITHMETIC = ['+', '-', '*', '/', '%', 'div', '^'] as const;
export const SPATIAL = [
  's_intersects',
  's_equals',
  's_disjoint',
  's_touches',
  's_within',
  's_overlaps',
  's_crosses',
  's_contains',
] as const;
export const TEMPORAL = [
  't_after',
  't_before',
  't_contains',
  't_disjoint',
  't_during',
  't_equals',
  't_finishedBy',
  't_finishes',
  't_intersects',
  't_meets',
  't_metBy',
  't_overlappedBy',
  't_overlaps',
  't_startedBy',
  't_starts',
] as const;
export const ARRAYS = ['a_equals', 'a_contains', 'a_containedBy', 'a_overlaps'] as const;
const OTHERS = ['and', 'or', 'not', 'like', 'between', 'in', 'isNull', 'casei', 'accenti'] as const;

export type Comparison = (typeof COMPARISONS)[number];
export type Arithmetic = (typeof ARITHMETIC)[number];
export type Spatial = (typeof SPATIAL)[number];
export type Temporal = (typeof TEMPORAL)[number];
export type Arrays = (typeof ARRAYS)[number];
export type Op = Comparison | Arithmetic | Spatial | Temporal | Arrays | (typeof OTHERS)[number];

export const OPS: readonly Op[] = [...COMPARISONS, ...ARITHMETIC, ...SPATIAL, ...TEMPORAL, ...ARRAYS, ...OTHERS];

/** Operators by their name in lower case: clients write S_INTERSECTS and t_finishedby alike. */
export const OP_NAMES: ReadonlyMap<string, Op> = new Map(OPS.map(op => [op.toLowerCase(), op]));

export function isOneOf<const T extends readonly string[]>(list: T, op: string): op is T[number] {
  return list.includes(op);
}

export interface FilterLimits {
  /** Characters of the filter. */
  readonly maxLength: number;
  /** How deep expressions, lists and coordinates may nest. */
  readonly maxDepth: number;
}

/** bad-filter with the place of what is wrong; `token` is what stands there. */
export function fault(at: At, detail: string, token?: string): Problem {
  return problem('bad-filter', detail, { at, ...(token === undefined ? {} : { token: clipped(token) }) });
}

export function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

export function tooDeep(at: At, { maxDepth }: FilterLimits): Problem {
  return fault(at, `the filter is nested deeper than ${maxDepth} (filter.maxDepth)`);
}

/** Refuses an operator of the standard, called with n arguments, where it takes more or fewer. */
export function checkCount(op: string, n: number, at: At): void {
  const binary = isOneOf(COMPARISONS, op) || isOneOf(ARITHMETIC, op) || isOneOf(SPATIAL, op) || isOneOf(TEMPORAL, op);
  const [least, most] =
    op === 'and' || op === 'or'
      ? [2, Number.POSITIVE_INFINITY]
      : binary || isOneOf(ARRAYS, op) || op === 'like' || op === 'in'
        ? [2, 2]
        : op === 'between'
          ? [3, 3]
          : [1, 1];
  if (n >= least && n <= most) return;
  throw fault(at, `${op} takes ${least}${most > least ? ' or more' : ''} arguments, not ${n}`, op);
}
