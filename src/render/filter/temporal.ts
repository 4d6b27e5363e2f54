/** Instants, intervals and the fifteen temporal predicates (OWL Time, intervals closed at both ends). */
import { type CallNode, fault, type IntervalNode, type Node, type Temporal } from '../../kernels/cql2/ast.ts';
import { compareInstants, type Instant, instantOf, readInstant } from '../../kernels/cql2/time.ts';
import type { Compiler } from './compile.ts';
import type { Row } from './row.ts';
import { type Booleans, FALSE, type Instants, type Intervals, KIND_NAMES, NULL, TRUE, type Value } from './values.ts';

export function instantColumn(row: Row, slot: number): Instants {
  return instantOfText(() => row.text(slot));
}

function instantOfText(text: () => string | null): Instants {
  const instant: Instant = { ms: Number.NaN, date: false };
  const get = () => {
    const found = text();
    if (found === null) instant.ms = Number.NaN;
    else readInstant(found, instant);
    return instant;
  };
  return { kind: 'instant', get, fixed: false };
}

/** Text columns often hold times: beside an instant they are read as such. Texts in quotes are not: those are mistakes. */
export function asInstant(value: Value): Instants | null {
  if (value.kind === 'instant') return value;
  return value.kind === 'string' && value.slot >= 0 ? instantOfText(value.get) : null;
}

const OPEN_START: Instant = { ms: Number.NEGATIVE_INFINITY, date: false };
const OPEN_END: Instant = { ms: Number.POSITIVE_INFINITY, date: false };

export function intervalOf({ ends, at }: IntervalNode, compiler: Compiler): Intervals {
  const [start, end] = ends.map((one, i): Instants => {
    if (one === '..') return { kind: 'instant', get: () => (i === 0 ? OPEN_START : OPEN_END), fixed: true };
    const value = asInstant(compiler.value(one));
    if (value === null) throw fault(one.at, 'an interval ends at a date or time');
    return value;
  });
  const fixed = start.fixed && end.fixed;
  if (fixed && compareInstants(start.get(), end.get()) > 0) throw fault(at, 'the interval ends before it begins');
  if (fixed && ends[0] === '..' && ends[1] === '..') throw fault(at, 'an interval has one end at least');
  return { kind: 'interval', start, end, fixed };
}

/** [start, end] of the first and of the second, as signs: how their ends lie to each other. */
interface Ends {
  /** Sign of start 1 − start 2, and so on. */
  readonly ss: number;
  readonly se: number;
  readonly es: number;
  readonly ee: number;
}

const RELATIONS: Readonly<Record<Temporal, (ends: Ends) => boolean>> = {
  t_after: ({ se }) => se > 0,
  t_before: ({ es }) => es < 0,
  t_disjoint: ({ se, es }) => se > 0 || es < 0,
  t_intersects: ({ se, es }) => se <= 0 && es >= 0,
  t_equals: ({ ss, ee }) => ss === 0 && ee === 0,
  t_contains: ({ ss, ee }) => ss < 0 && ee > 0,
  t_during: ({ ss, ee }) => ss > 0 && ee < 0,
  t_finishes: ({ ss, ee }) => ss > 0 && ee === 0,
  t_finishedBy: ({ ss, ee }) => ss < 0 && ee === 0,
  t_meets: ({ es }) => es === 0,
  t_metBy: ({ se }) => se === 0,
  t_overlaps: ({ ss, es, ee }) => ss < 0 && es > 0 && ee < 0,
  t_overlappedBy: ({ ss, se, ee }) => ss > 0 && se < 0 && ee > 0,
  t_starts: ({ ss, ee }) => ss === 0 && ee < 0,
  t_startedBy: ({ ss, ee }) => ss === 0 && ee > 0,
};

const OF_INSTANTS: ReadonlySet<Temporal> = new Set(['t_after', 't_before', 't_disjoint', 't_equals', 't_intersects']);

export function temporalPredicate(op: Temporal, node: CallNode, compiler: Compiler): Booleans {
  const [a, b] = compiler.two(node).map(arg => temporal(op, arg, compiler));
  const relation = RELATIONS[op];
  const get = () => {
    const s1 = a.start.get();
    const e1 = a.end.get();
    const s2 = b.start.get();
    const e2 = b.end.get();
    if (Number.isNaN(s1.ms) || Number.isNaN(e1.ms) || Number.isNaN(s2.ms) || Number.isNaN(e2.ms)) return NULL;
    const ends = {
      ss: compareInstants(s1, s2),
      se: compareInstants(s1, e2),
      es: compareInstants(e1, s2),
      ee: compareInstants(e1, e2),
    };
    return relation(ends) ? TRUE : FALSE;
  };
  return { kind: 'boolean', get, fixed: a.fixed && b.fixed };
}

/** An instant is an interval that begins and ends there, for the predicates that take one. */
function temporal(op: Temporal, node: Node, compiler: Compiler): Intervals {
  const value = compiler.value(node);
  if (value.kind === 'interval') return value;
  const instant = asInstant(value);
  if (!instant)
    throw fault(node.at, `${op.toUpperCase()} takes dates, times and intervals, not ${KIND_NAMES[value.kind]}`);
  if (!OF_INSTANTS.has(op)) throw fault(node.at, `${op.toUpperCase()} takes intervals; this is an instant`);
  return { kind: 'interval', start: instant, end: instant, fixed: instant.fixed };
}

/** The key of an instant among the elements of a list. */
export function instantKey(text: string): string | null {
  const { ms, date } = instantOf(text);
  return Number.isNaN(ms) ? null : `${date ? 'd' : 't'}${ms}`;
}
