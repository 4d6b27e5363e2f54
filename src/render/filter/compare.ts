/** Comparisons: = <> < > <= >=, LIKE, BETWEEN, IN. */
import { type CallNode, type Comparison, fault, type Node } from '../../kernels/cql2/ast.ts';
import { LikePattern } from '../../kernels/cql2/strings.ts';
import { compareInstants, type Instant } from '../../kernels/cql2/time.ts';
import type { Compiler } from './compile.ts';
import type { Row } from './row.ts';
import { asInstant } from './temporal.ts';
import {
  type Booleans,
  FALSE,
  type Instants,
  KIND_NAMES,
  NULL,
  type Numbers,
  type Texts,
  TRUE,
  type Value,
} from './values.ts';

/** By the sign of left − right. */
const ACCEPTS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': order => order === 0,
  '<>': order => order !== 0,
  '<': order => order < 0,
  '>': order => order > 0,
  '<=': order => order <= 0,
  '>=': order => order >= 0,
};

export function compare(op: Comparison, node: CallNode, compiler: Compiler, row: Row): Booleans {
  const [a, b] = compiler.two(node);
  const left = compiler.value(a);
  const right = compiler.value(b);
  const accepts = ACCEPTS[op];
  const fixed = left.fixed && right.fixed;
  if ((op === '=' || op === '<>') && left.kind === 'string' && right.kind === 'string') {
    const [column, other] = left.slot >= 0 ? [left, right] : [right, left];
    if (column.slot >= 0 && other.fixed) return sameBytes(op, column.slot, other.get() as string, row);
  }
  const order = orderOf(left, right, op, node);
  const get = () => {
    const found = order();
    return Number.isNaN(found) ? NULL : accepts(found) ? TRUE : FALSE;
  };
  return { kind: 'boolean', get, fixed };
}

/** Equal texts are equal bytes: no string is made of them. */
function sameBytes(op: '=' | '<>', slot: number, text: string, row: Row): Booleans {
  const bytes = new TextEncoder().encode(text);
  const equal = () => row.sameBytes(slot, bytes);
  const differs = () => {
    const same = row.sameBytes(slot, bytes);
    return same === NULL ? NULL : 1 - same;
  };
  return { kind: 'boolean', get: op === '=' ? equal : differs, fixed: false };
}

/** The sign of left − right; NaN where either has no value. Errors: bad-filter where the kinds cannot be compared. */
function orderOf(left: Value, right: Value, op: string, node: CallNode): () => number {
  if (left.kind === 'number' && right.kind === 'number') return numberOrder(left, right);
  if (left.kind === 'string' && right.kind === 'string') return textOrder(left, right);
  if (left.kind === 'boolean' && right.kind === 'boolean') {
    return () => {
      const a = left.get();
      const b = right.get();
      return a === NULL || b === NULL ? Number.NaN : a - b;
    };
  }
  if (left.kind === 'instant' || right.kind === 'instant') {
    const a = asInstant(left);
    const b = asInstant(right);
    if (a && b) return instantOrder(a, b);
  }
  const hint = hintOf(left, right);
  throw fault(node.at, `${op} compares ${KIND_NAMES[left.kind]} with ${KIND_NAMES[right.kind]}${hint}`, op);
}

function hintOf(left: Value, right: Value): string {
  const kinds = [left.kind, right.kind];
  if (kinds.includes('geometry')) return ': geometries are compared by S_EQUALS';
  if (kinds.includes('array')) return ': lists are compared by A_EQUALS';
  if (kinds.includes('interval')) return ': intervals are compared by T_EQUALS';
  return kinds.includes('instant') && kinds.includes('string') ? ": write DATE('…') or TIMESTAMP('…')" : '';
}

function numberOrder(left: Numbers, right: Numbers): () => number {
  return () => {
    const a = left.get();
    const b = right.get();
    // Mixed with bigint these are exact, and NaN is neither.
    return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
  };
}

/** By code units, as databases do with the collation C. */
function textOrder(left: Texts, right: Texts): () => number {
  return () => {
    const a = left.get();
    const b = right.get();
    if (a === null || b === null) return Number.NaN;
    return a < b ? -1 : a > b ? 1 : 0;
  };
}

function instantOrder(left: Instants, right: Instants): () => number {
  return () => orderOfInstants(left.get(), right.get());
}

export function orderOfInstants(a: Instant, b: Instant): number {
  return Number.isNaN(a.ms) || Number.isNaN(b.ms) ? Number.NaN : compareInstants(a, b);
}

export function like(node: CallNode, compiler: Compiler): Booleans {
  const text = compiler.text(node.args[0]);
  const pattern = compiler.text(node.args[1]);
  if (!pattern.fixed)
    throw fault(node.args[1].at, 'the pattern of LIKE is a text in quotes, or CASEI or ACCENTI of one');
  const compiled = new LikePattern(pattern.get() as string);
  const get = () => {
    const value = text.get();
    return value === null ? NULL : compiled.matches(value) ? TRUE : FALSE;
  };
  return { kind: 'boolean', get, fixed: text.fixed };
}

export function between(node: CallNode, compiler: Compiler): Booleans {
  const [value, low, high] = node.args.map(arg => compiler.value(arg));
  const above = orderOf(value, low, 'BETWEEN', node);
  const below = orderOf(value, high, 'BETWEEN', node);
  if (value.kind !== 'number' && value.kind !== 'instant')
    throw fault(node.at, `BETWEEN takes numbers, not ${KIND_NAMES[value.kind]}`, 'BETWEEN');
  const get = () => {
    const a = above();
    if (a < 0) return FALSE;
    const b = below();
    if (b > 0) return FALSE;
    return Number.isNaN(a) || Number.isNaN(b) ? NULL : TRUE;
  };
  return { kind: 'boolean', get, fixed: false };
}

export function inList(node: CallNode, compiler: Compiler): Booleans {
  const [operand, list] = node.args;
  if (list.kind !== 'array') throw fault(list.at, 'IN takes a list in parentheses');
  if (list.items.length === 0) throw fault(list.at, 'the list of IN is empty');
  const value = compiler.value(operand);
  const texts = fixedTexts(value, list.items, compiler);
  if (value.kind === 'string' && texts) {
    const get = () => {
      const text = value.get();
      return text === null ? NULL : texts.has(text) ? TRUE : FALSE;
    };
    return { kind: 'boolean', get, fixed: false };
  }
  const orders = list.items.map(item => orderOf(value, compiler.value(item), 'IN', { ...node, at: item.at }));
  const get = () => {
    let found = FALSE;
    for (const order of orders) {
      const sign = order();
      if (sign === 0) return TRUE;
      if (Number.isNaN(sign)) found = NULL;
    }
    return found;
  };
  return { kind: 'boolean', get, fixed: false };
}

function fixedTexts(value: Value, items: readonly Node[], compiler: Compiler): Set<string> | null {
  if (value.kind !== 'string') return null;
  const texts = new Set<string>();
  for (const item of items) {
    const one = compiler.value(item);
    if (one.kind !== 'string' || !one.fixed) return null;
    texts.add(one.get() as string);
  }
  return texts;
}
