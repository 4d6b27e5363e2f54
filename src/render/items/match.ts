/** Which features a page of items is about, beyond the box: equal attributes and a time. Plain data, so that it crosses to a worker. */
import { problem } from '../../errors.ts';
import type { Column, ColumnType } from '../../source/types.ts';
import type { FilterSpec } from '../filter/filter.ts';

export interface Equals {
  readonly column: string;
  readonly value: string | number | boolean;
}

/** Milliseconds; −Infinity and Infinity where the interval is open. Both ends count. */
export interface TimeSpan {
  readonly column: string;
  readonly from: number;
  readonly to: number;
}

export interface ItemsFilter {
  /** CQL2; null: none. */
  readonly cql: FilterSpec | null;
  readonly equals: readonly Equals[];
  readonly time: TimeSpan | null;
}

export function isFiltered({ cql, equals, time }: ItemsFilter): boolean {
  return cql !== null || equals.length > 0 || time !== null;
}

export function filterColumns({ equals, time }: Pick<ItemsFilter, 'equals' | 'time'>): Set<string> {
  const names = new Set(equals.map(({ column }) => column));
  if (time) names.add(time.column);
  return names;
}

const NUMBERS: ReadonlySet<ColumnType> = new Set([
  'byte',
  'ubyte',
  'short',
  'ushort',
  'int',
  'uint',
  'float',
  'double',
]);

/** The value of `name=value` in the column's own type. */
export function equalsOf({ name, type }: Column, text: string): Equals {
  if (type === 'binary' || type === 'json')
    throw problem('bad-parameter', `${name}: a ${type} attribute cannot be compared`);
  if (type === 'bool') {
    const value = { true: true, '1': true, false: false, '0': false }[text.toLowerCase()];
    if (value === undefined)
      throw problem('bad-parameter', `${name}: "${text.slice(0, 80)}" is neither true nor false`);
    return { column: name, value };
  }
  if (type === 'long' || type === 'ulong') {
    if (!/^-?\d{1,20}$/.test(text)) throw problem('bad-parameter', `${name}: "${text.slice(0, 80)}" is not an integer`);
    const number = Number(text);
    // Beyond 2^53 the decoder gives text, so that no digit is lost; BigInt drops leading zeros.
    return { column: name, value: Number.isSafeInteger(number) ? number : BigInt(text).toString() };
  }
  if (!NUMBERS.has(type)) return { column: name, value: text };
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw problem('bad-parameter', `${name}: "${text.slice(0, 80)}" is not a number`);
  return { column: name, value: number };
}

/** RFC 3339 instant or date, or an interval with `..` or nothing for an open end. */
export function timeSpan(column: string, text: string): TimeSpan {
  const parts = text.split('/');
  if (parts.length > 2) throw badTime(text);
  const open = (part: string) => part === '' || part === '..';
  if (parts.length === 1) {
    const [from, to] = instant(parts[0], text);
    return { column, from, to };
  }
  if (open(parts[0]) && open(parts[1])) throw badTime(text);
  const from = open(parts[0]) ? Number.NEGATIVE_INFINITY : instant(parts[0], text)[0];
  const to = open(parts[1]) ? Number.POSITIVE_INFINITY : instant(parts[1], text)[1];
  if (from > to) throw problem('bad-parameter', `datetime: "${text.slice(0, 80)}" ends before it begins`);
  return { column, from, to };
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const DAY_MS = 86_400_000;

/** A date is the whole day. */
function instant(part: string, whole: string): [number, number] {
  const ms = DATE.test(part) || DATE_TIME.test(part) ? Date.parse(part.toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) throw badTime(whole);
  return DATE.test(part) ? [ms, ms + DAY_MS - 1] : [ms, ms];
}

function badTime(text: string): Error {
  return problem('bad-parameter', `datetime: "${text.slice(0, 80)}" is no RFC 3339 date-time, date or interval`);
}

/** A feature without a time matches every time (OGC API Features, fc-time-response). */
export function matchesFilter(properties: Readonly<Record<string, unknown>>, { equals, time }: ItemsFilter): boolean {
  for (const { column, value } of equals) if (properties[column] !== value) return false;
  if (time === null) return true;
  const ms = timeOf(properties[time.column]);
  return Number.isNaN(ms) || (ms >= time.from && ms <= time.to);
}

/** FlatGeobuf's datetime is ISO 8601; without a zone it is taken as UTC, whatever the server's clock says. */
function timeOf(value: unknown): number {
  if (typeof value !== 'string') return Number.NaN;
  const text = value
    .trim()
    .replace(/^(\d{4})\/(\d{2})\/(\d{2})/, '$1-$2-$3')
    .replace(' ', 'T');
  return Date.parse(/[zZ]$|[+-]\d{2}:?\d{2}$/.test(text) || DATE.test(text) ? text : `${text}Z`);
}
