/** Lists as sets: A_EQUALS, A_CONTAINS, A_CONTAINEDBY, A_OVERLAPS over JSON columns and literals. */
import { type ArrayNode, type Arrays as ArrayOp, type CallNode, fault, type Node } from '../../kernels/cql2/ast.ts';
import type { Compiler } from './compile.ts';
import type { Row } from './row.ts';
import { instantKey } from './temporal.ts';
import { type Arrays, type Booleans, FALSE, KIND_NAMES, NULL, TRUE, type Value } from './values.ts';

/** A JSON column; what is no list there has no value. */
export function jsonArray(row: Row, slot: number): Arrays {
  return keysOfJson(row, slot, false);
}

function keysOfJson(row: Row, slot: number, instants: boolean): Arrays & { readonly slot: number } {
  const get = () => {
    const text = row.text(slot);
    if (text === null) return null;
    const value = parsed(text);
    return Array.isArray(value) ? new Set(value.map(one => keyOfJson(one, instants))) : null;
  };
  return { kind: 'array', get, fixed: false, instants: false, slot };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Equal elements have equal keys. `instants`: texts that are dates or times are those. */
function keyOfJson(value: unknown, instants: boolean): string {
  if (typeof value === 'string') return (instants ? instantKey(value) : null) ?? `s${value}`;
  if (typeof value === 'number') return `n${value + 0}`;
  if (typeof value === 'boolean') return `b${value ? TRUE : FALSE}`;
  if (Array.isArray(value)) return setKey(new Set(value.map(one => keyOfJson(one, instants))));
  return `j${JSON.stringify(value)}`;
}

function setKey(keys: ReadonlySet<string>): string {
  return `a${JSON.stringify([...keys].sort())}`;
}

export function arrayOf({ items }: ArrayNode, compiler: Compiler): Arrays {
  const keys = items.map(item => elementKey(item, compiler));
  const fixed = keys.every(key => key.fixed !== null);
  const instants = keys.some(key => key.instants);
  const known = new Set(keys.map(key => key.fixed ?? ''));
  const get = () => {
    if (fixed) return known;
    const found = new Set<string>();
    for (const key of keys) {
      const one = key.get();
      if (one === null) return null;
      found.add(one);
    }
    return found;
  };
  return { kind: 'array', get, fixed, instants };
}

interface ElementKey {
  readonly get: () => string | null;
  readonly fixed: string | null;
  readonly instants: boolean;
}

function elementKey(item: Node, compiler: Compiler): ElementKey {
  const value = compiler.value(item);
  const get = keyOf(value, item);
  const instants = value.kind === 'instant' || (value.kind === 'array' && value.instants);
  return { get, fixed: value.fixed ? get() : null, instants };
}

function keyOf(value: Value, item: Node): () => string | null {
  switch (value.kind) {
    case 'number':
      return () => {
        const n = value.get();
        return Number.isNaN(n) ? null : `n${typeof n === 'bigint' ? n : n + 0}`;
      };
    case 'string':
      return () => {
        const text = value.get();
        return text === null ? null : `s${text}`;
      };
    case 'boolean':
      return () => (value.get() === NULL ? null : `b${value.get()}`);
    case 'instant':
      return () => {
        const { ms, date } = value.get();
        return Number.isNaN(ms) ? null : `${date ? 'd' : 't'}${ms}`;
      };
    case 'array':
      return () => {
        const keys = value.get();
        return keys === null ? null : setKey(keys);
      };
    default:
      throw fault(item.at, `${KIND_NAMES[value.kind]} cannot be an element of a list here`);
  }
}

const RELATIONS: Readonly<Record<ArrayOp, (a: ReadonlySet<string>, b: ReadonlySet<string>) => boolean>> = {
  a_equals: (a, b) => a.size === b.size && a.isSubsetOf(b),
  a_contains: (a, b) => b.isSubsetOf(a),
  a_containedBy: (a, b) => a.isSubsetOf(b),
  a_overlaps: (a, b) => !a.isDisjointFrom(b),
};

export function arrayPredicate(op: ArrayOp, node: CallNode, compiler: Compiler, row: Row): Booleans {
  const [a, b] = compiler.two(node).map(arg => {
    const value = compiler.value(arg);
    if (value.kind !== 'array') {
      throw fault(arg.at, `${op.toUpperCase()} takes lists and JSON properties, not ${KIND_NAMES[value.kind]}`);
    }
    return value;
  });
  const [left, right] = [withInstants(a, b.instants, row), withInstants(b, a.instants, row)];
  const relation = RELATIONS[op];
  const get = () => {
    const first = left.get();
    const second = first === null ? null : right.get();
    if (first === null || second === null) return NULL;
    return relation(first, second) ? TRUE : FALSE;
  };
  return { kind: 'boolean', get, fixed: a.fixed && b.fixed };
}

function withInstants(value: Arrays, instants: boolean, row: Row): Arrays {
  return instants && 'slot' in value ? keysOfJson(row, value.slot as number, true) : value;
}
