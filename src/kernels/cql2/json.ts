/** CQL2 JSON to the tree. Errors name the JSON pointer of what is wrong. */
import type { Geometry } from 'geojson';
import { didYouMean } from '../../nearest.ts';
import {
  checkCount,
  type FilterLimits,
  fault,
  type InstantNode,
  type IntervalEnd,
  type Node,
  OP_NAMES,
  tooDeep,
} from './ast.ts';
import { checkGeometry } from './geometry.ts';
import { intervalEnd } from './text.ts';
import { canonicalDate, canonicalTimestamp } from './time.ts';
import { checkBox } from './wkt.ts';

/** Errors: bad-filter; SyntaxError where the text is no JSON. */
export function parseJson(source: string, limits: FilterLimits): Node {
  if (source.length > limits.maxLength) {
    throw fault('', `the filter has ${source.length} characters; at most ${limits.maxLength} (filter.maxLength)`);
  }
  // A reviver calls itself for every level, so the levels are counted before it is let loose.
  if (nesting(source) > limits.maxDepth * 2 + 8) throw tooDeep('', limits);
  return nodeOf(JSON.parse(source, exactIntegers), '', { depth: 0, limits });
}

/** Brackets open at once, those in strings left out. */
function nesting(source: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return deepest;
}

function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const digits = typeof value === 'number' && !Number.isSafeInteger(value) ? context?.source : undefined;
  return digits !== undefined && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
}

interface State {
  readonly depth: number;
  readonly limits: FilterLimits;
}

type Members = Readonly<Record<string, unknown>>;

function nodeOf(value: unknown, at: string, state: State): Node {
  const { depth, limits } = state;
  if (depth > limits.maxDepth) throw tooDeep(at, limits);
  const inner = { depth: depth + 1, limits };
  if (typeof value === 'number') return { kind: 'literal', value: finite(value, at) + 0, at };
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return { kind: 'literal', value, at };
  if (Array.isArray(value))
    return { kind: 'array', items: value.map((item, i) => nodeOf(item, `${at}/${i}`, inner)), at };
  if (typeof value !== 'object' || value === null) throw fault(at, `${value} is no expression`, String(value));
  const members = value as Members;
  if ('op' in members) return callOf(members, at, inner);
  if ('property' in members) return propertyOf(members, at);
  if ('date' in members) return instantNode(members['date'], true, `${at}/date`);
  if ('timestamp' in members) return instantNode(members['timestamp'], false, `${at}/timestamp`);
  if ('interval' in members) return intervalOf(members['interval'], `${at}/interval`, inner);
  if ('bbox' in members && !('type' in members)) return boxOf(members['bbox'], `${at}/bbox`);
  if ('type' in members) return { kind: 'geometry', value: geometryOf(members, at, inner), at };
  const names = Object.keys(members).slice(0, 5).join(', ');
  throw fault(
    at,
    `an object of CQL2 has op, property, date, timestamp, interval, bbox or type; this has ${names || 'nothing'}`,
  );
}

function finite(value: number, at: string): number {
  if (!Number.isFinite(value)) throw fault(at, 'the number is larger than any number');
  return value;
}

function propertyOf({ property }: Members, at: string): Node & { kind: 'property' } {
  if (typeof property !== 'string' || property === '') throw fault(`${at}/property`, 'property takes a name');
  return { kind: 'property', name: property, at: `${at}/property` };
}

function callOf({ op, args }: Members, at: string, state: State): Node {
  if (typeof op !== 'string' || op === '') throw fault(`${at}/op`, 'op takes the name of an operator');
  if (!Array.isArray(args)) throw fault(`${at}/args`, `${op.slice(0, 80)} takes a list, args`, op);
  const known = OP_NAMES.get(op.toLowerCase());
  const nodes = args.map((arg, i) => nodeOf(arg, `${at}/args/${i}`, state));
  if (known === undefined) {
    if (/^[ast]_/i.test(op) || !/^[\p{L}_:]/u.test(op))
      throw fault(`${at}/op`, `there is no operator ${op.slice(0, 80)}${didYouMean(op, OP_NAMES.keys())}`, op);
    return { kind: 'function', name: op, args: nodes, at: `${at}/op` };
  }
  checkCount(known, nodes.length, `${at}/args`);
  return { kind: 'call', op: known, args: nodes, at: `${at}/op` };
}

function instantNode(value: unknown, date: boolean, at: string): InstantNode {
  const text = typeof value === 'string' ? (date ? canonicalDate(value) : canonicalTimestamp(value)) : null;
  if (text === null) {
    throw fault(
      at,
      `"${String(value).slice(0, 80)}" is no RFC 3339 ${date ? 'full-date' : 'date-time'}`,
      String(value),
    );
  }
  return { kind: 'instant', date, text, at };
}

function intervalOf(value: unknown, at: string, state: State): Node {
  if (!Array.isArray(value) || value.length !== 2) throw fault(at, 'an interval is a list of its two ends');
  const [start, end] = value.map((one, i) => endOf(one, `${at}/${i}`, state));
  return { kind: 'interval', ends: [start, end], at };
}

function endOf(value: unknown, at: string, state: State): IntervalEnd {
  if (typeof value === 'string') return intervalEnd(value, at);
  const node = nodeOf(value, at, state);
  if (node.kind === 'property' || node.kind === 'function' || node.kind === 'instant') return node;
  throw fault(at, 'an interval ends at an instant, at a property or at ".."');
}

function boxOf(value: unknown, at: string): Node {
  if (!Array.isArray(value)) throw fault(at, 'bbox takes a list of numbers');
  const numbers = value.map((one, i) => coordinate(one, `${at}/${i}`));
  checkBox(numbers, at);
  return { kind: 'bbox', value: numbers, at };
}

function coordinate(value: unknown, at: string): number {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') throw fault(at, `${JSON.stringify(value)?.slice(0, 80)} is no number`);
  return finite(value, at) + 0;
}

const DEPTHS: Readonly<Record<string, number>> = {
  Point: 0,
  MultiPoint: 1,
  LineString: 1,
  MultiLineString: 2,
  Polygon: 2,
  MultiPolygon: 3,
};

/** Only what a geometry has: names beside it would make two keys of one filter. */
function geometryOf({ type, coordinates, geometries }: Members, at: string, state: State): Geometry {
  if (state.depth > state.limits.maxDepth) throw tooDeep(at, state.limits);
  if (type === 'GeometryCollection') {
    if (!Array.isArray(geometries)) throw fault(`${at}/geometries`, 'a collection has a list, geometries');
    const inner = { ...state, depth: state.depth + 1 };
    const members = geometries.map((one, i) => geometryOf((one ?? {}) as Members, `${at}/geometries/${i}`, inner));
    const collection: Geometry = { type, geometries: members };
    checkGeometry(collection, at);
    return collection;
  }
  const levels = typeof type === 'string' && Object.hasOwn(DEPTHS, type) ? DEPTHS[type] : undefined;
  if (levels === undefined)
    throw fault(
      `${at}/type`,
      `"${String(type).slice(0, 80)}" is no GeoJSON geometry${didYouMean(String(type), Object.keys(DEPTHS))}`,
    );
  const geometry = { type, coordinates: nested(coordinates, levels, `${at}/coordinates`) } as Geometry;
  checkGeometry(geometry, at);
  return geometry;
}

function nested(value: unknown, levels: number, at: string): unknown {
  if (!Array.isArray(value)) throw fault(at, 'coordinates are lists of numbers');
  return value.map((one, i) => (levels === 0 ? coordinate(one, `${at}/${i}`) : nested(one, levels - 1, `${at}/${i}`)));
}
