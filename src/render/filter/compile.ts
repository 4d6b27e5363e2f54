/** The tree of a filter to closures over a row, and on the way what does not fit: unknown names, kinds that do not go together. */
import {
  ARITHMETIC,
  ARRAYS,
  type CallNode,
  COMPARISONS,
  fault,
  isOneOf,
  type Node,
  SPATIAL,
  TEMPORAL,
} from '../../kernels/cql2/ast.ts';
import { foldAccents, foldCase } from '../../kernels/cql2/strings.ts';
import { instantOf } from '../../kernels/cql2/time.ts';
import { didYouMean } from '../../nearest.ts';
import { arrayOf, arrayPredicate, jsonArray } from './arrays.ts';
import { between, compare, inList, like } from './compare.ts';
import type { FilterColumn, Row } from './row.ts';
import { geometryLiteral, geometryOfRow, type Planes, spatialPredicate } from './spatial.ts';
import { instantColumn, intervalOf, temporalPredicate } from './temporal.ts';
import { type Booleans, FALSE, KIND_NAMES, NULL, type Numbers, type Texts, TRUE, type Value } from './values.ts';

/** Names of the geometry where no column has them. */
export const GEOMETRY_NAMES: readonly string[] = ['geometry', 'geom'];

export interface CompileDeps {
  readonly columns: readonly FilterColumn[];
  readonly row: Row;
  readonly planes: Planes;
  /** For messages: whose properties they are. */
  readonly layer: string;
}

export class Compiler {
  readonly #deps: CompileDeps;

  constructor(deps: CompileDeps) {
    this.#deps = deps;
  }

  /** Errors: bad-filter. */
  boolean(node: Node): Booleans {
    const value = this.value(node);
    if (value.kind === 'boolean' && node.kind === 'property')
      throw fault(node.at, `a property alone is no predicate in CQL2: write ${node.name} = TRUE`, node.name);
    if (value.kind !== 'boolean') throw fault(node.at, `${KIND_NAMES[value.kind]} stands where a predicate should`);
    return value;
  }

  value(node: Node): Value {
    const { planes } = this.#deps;
    switch (node.kind) {
      case 'literal':
        return literal(node.value);
      case 'instant': {
        const instant = instantOf(node.text);
        return { kind: 'instant', get: () => instant, fixed: true };
      }
      case 'interval':
        return intervalOf(node, this);
      case 'geometry':
      case 'bbox':
        return geometryLiteral(node, planes);
      case 'property':
        return this.#property(node.name, node.at);
      case 'array':
        return arrayOf(node, this);
      case 'function':
        throw fault(
          node.at,
          `there is no function ${node.name.slice(0, 80)}: only those of CQL2 itself are known`,
          node.name,
        );
      default:
        return this.#call(node);
    }
  }

  #property(name: string, at: Node['at']): Value {
    const { columns, row, planes, layer } = this.#deps;
    const index = columns.findIndex(column => column.name === name);
    if (index < 0) {
      if (GEOMETRY_NAMES.includes(name)) return geometryOfRow(row, planes);
      const known = columns.flatMap(column => (column.name === null ? [] : [column.name]));
      throw fault(at, `"${name.slice(0, 80)}" is no property of ${layer}${didYouMean(name, known)}`, name);
    }
    const { type } = columns[index];
    if (type === 'binary') throw fault(at, `${name} is binary and cannot be asked for in a filter`, name);
    const slot = row.want(index);
    switch (type) {
      case 'bool':
        return { kind: 'boolean', get: () => row.boolean(slot), fixed: false };
      case 'string':
        return { kind: 'string', get: () => row.text(slot), fixed: false, slot };
      case 'datetime':
        return instantColumn(row, slot);
      case 'json':
        return jsonArray(row, slot);
      default:
        return { kind: 'number', get: () => row.number(slot), fixed: false };
    }
  }

  #call(node: CallNode): Value {
    const { op, args } = node;
    if (op === 'and' || op === 'or')
      return joined(
        op,
        args.map(arg => this.boolean(arg)),
      );
    if (op === 'not') return not(this.boolean(args[0]));
    if (op === 'isNull') return this.#isNull(args[0]);
    if (op === 'casei' || op === 'accenti') return this.#folded(node, op === 'casei' ? foldCase : foldAccents);
    if (op === 'like') return like(node, this);
    if (op === 'between') return between(node, this);
    if (op === 'in') return inList(node, this);
    if (isOneOf(COMPARISONS, op)) return compare(op, node, this, this.#deps.row);
    if (isOneOf(ARITHMETIC, op)) return arithmetic(op, this.number(args[0]), this.number(args[1]));
    if (isOneOf(SPATIAL, op)) return spatialPredicate(op, node, this);
    if (isOneOf(TEMPORAL, op)) return temporalPredicate(op, node, this);
    if (isOneOf(ARRAYS, op)) return arrayPredicate(op, node, this, this.#deps.row);
    throw fault(node.at, `${op} cannot be evaluated`, op);
  }

  number(node: Node): Numbers {
    const value = this.value(node);
    if (value.kind !== 'number') throw fault(node.at, `${KIND_NAMES[value.kind]} stands where a number should`);
    return value;
  }

  text(node: Node): Texts {
    const value = this.value(node);
    if (value.kind !== 'string') throw fault(node.at, `${KIND_NAMES[value.kind]} stands where a text should`);
    return value;
  }

  /** As many arguments as the operator takes. */
  two(node: CallNode): readonly [Node, Node] {
    const [a, b] = node.args;
    if (node.args.length !== 2) throw fault(node.at, `${node.op} takes 2 arguments, not ${node.args.length}`, node.op);
    return [a, b];
  }

  #folded(node: CallNode, fold: (text: string) => string): Texts {
    if (node.args.length !== 1) throw fault(node.at, `${node.op} takes 1 argument, not ${node.args.length}`, node.op);
    const { get, fixed } = this.text(node.args[0]);
    if (fixed) return literal(fold(get() as string)) as Texts;
    const folded = () => {
      const text = get();
      return text === null ? null : fold(text);
    };
    return { kind: 'string', get: folded, fixed, slot: -1 };
  }

  #isNull(node: Node): Booleans {
    const missing = missingOf(this.value(node));
    return { kind: 'boolean', get: () => (missing() ? TRUE : FALSE), fixed: false };
  }
}

function missingOf(value: Value): () => boolean {
  switch (value.kind) {
    case 'number':
      return () => Number.isNaN(value.get());
    case 'boolean':
      return () => value.get() === NULL;
    case 'instant':
      return () => Number.isNaN(value.get().ms);
    case 'interval':
      return () => Number.isNaN(value.start.get().ms) || Number.isNaN(value.end.get().ms);
    case 'geometry':
      return () => value.shape() === null;
    default:
      return () => value.get() === null;
  }
}

function literal(value: string | number | boolean | bigint): Value {
  if (typeof value === 'string') return { kind: 'string', get: () => value, fixed: true, slot: -1 };
  if (typeof value === 'boolean') return { kind: 'boolean', get: () => (value ? TRUE : FALSE), fixed: true };
  return { kind: 'number', get: () => value, fixed: true };
}

/** The standard's truth table; what comes behind a FALSE of AND or a TRUE of OR is not looked at. */
function joined(op: 'and' | 'or', all: readonly Booleans[]): Booleans {
  const gets = all.map(({ get }) => get);
  const decisive = op === 'and' ? FALSE : TRUE;
  const otherwise = op === 'and' ? TRUE : FALSE;
  const get = () => {
    let found = otherwise;
    for (let i = 0; i < gets.length; i++) {
      const value = gets[i]();
      if (value === decisive) return decisive;
      if (value === NULL) found = NULL;
    }
    return found;
  };
  return { kind: 'boolean', get, fixed: all.every(({ fixed }) => fixed) };
}

export function not({ get, fixed }: Booleans): Booleans {
  const negated = () => {
    const value = get();
    return value === NULL ? NULL : 1 - value;
  };
  return { kind: 'boolean', get: negated, fixed };
}

const CALCULATE: Readonly<Record<(typeof ARITHMETIC)[number], (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  div: (a, b) => Math.trunc(a / b),
  '^': (a, b) => a ** b,
};

/** In doubles. What is no number (division by nothing) is no value. */
function arithmetic(op: (typeof ARITHMETIC)[number], left: Numbers, right: Numbers): Numbers {
  const calculate = CALCULATE[op];
  const get = () => {
    const value = calculate(Number(left.get()), Number(right.get()));
    return Number.isFinite(value) ? value : Number.NaN;
  };
  const fixed = left.fixed && right.fixed;
  if (!fixed) return { kind: 'number', get, fixed };
  const value = get();
  return { kind: 'number', get: () => value, fixed };
}
