/** The tree as CQL2 JSON (the canonical form: equal filters, equal text) and as CQL2 text. Parsing either gives the tree back. */
import type { Geometry, Position } from 'geojson';
import { ARITHMETIC, COMPARISONS, type IntervalEnd, isOneOf, type Node } from './ast.ts';
import { isPlainName } from './lexer.ts';

export function toJson(node: Node): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'bigint' ? String(node.value) : JSON.stringify(node.value);
    case 'instant':
      return JSON.stringify(node.date ? { date: node.text } : { timestamp: node.text });
    case 'interval':
      return `{"interval":[${node.ends.map(jsonEnd).join(',')}]}`;
    case 'geometry':
      return JSON.stringify(node.value);
    case 'bbox':
      return JSON.stringify({ bbox: node.value });
    case 'property':
      return JSON.stringify({ property: node.name });
    case 'array':
      return `[${node.items.map(toJson).join(',')}]`;
    default: {
      const op = node.kind === 'call' ? node.op : node.name;
      return `{"op":${JSON.stringify(op)},"args":[${node.args.map(toJson).join(',')}]}`;
    }
  }
}

function jsonEnd(end: IntervalEnd): string {
  if (end === '..') return '".."';
  return end.kind === 'instant' ? JSON.stringify(end.text) : toJson(end);
}

export function toText(node: Node): string {
  switch (node.kind) {
    case 'literal':
      if (typeof node.value === 'string') return quoted(node.value);
      return typeof node.value === 'boolean' ? String(node.value).toUpperCase() : plain(node.value);
    case 'instant':
      return `${node.date ? 'DATE' : 'TIMESTAMP'}('${node.text}')`;
    case 'interval':
      return `INTERVAL(${node.ends.map(textEnd).join(', ')})`;
    case 'geometry':
      return wkt(node.value);
    case 'bbox':
      return `BBOX(${node.value.map(plain).join(', ')})`;
    case 'property':
      return propertyName(node.name);
    case 'array':
      return `(${node.items.map(toText).join(', ')})`;
    case 'function':
      return `${node.name}(${node.args.map(toText).join(', ')})`;
    default:
      return callText(node);
  }
}

function callText({ op, args }: Node & { kind: 'call' }): string {
  const parts = args.map(inParentheses);
  if (op === 'and' || op === 'or') return parts.join(` ${op.toUpperCase()} `);
  if (op === 'not') return `NOT ${parts[0]}`;
  if (op === 'isNull') return `${parts[0]} IS NULL`;
  if (op === 'like') return `${parts[0]} LIKE ${parts[1]}`;
  if (op === 'in') return `${parts[0]} IN ${parts[1]}`;
  if (op === 'between') return `${parts[0]} BETWEEN ${parts[1]} AND ${parts[2]}`;
  if (isOneOf(COMPARISONS, op) || isOneOf(ARITHMETIC, op)) return `${parts[0]} ${op} ${parts[1]}`;
  return `${op.toUpperCase()}(${args.map(toText).join(', ')})`;
}

/** What is between operators keeps together by parentheses, whatever binds stronger. */
function inParentheses(node: Node): string {
  const text = toText(node);
  return node.kind === 'call' && !/^([ast]_|casei|accenti)/.test(node.op) ? `(${text})` : text;
}

function textEnd(end: IntervalEnd): string {
  if (end === '..') return "'..'";
  return end.kind === 'instant' ? `'${end.text}'` : toText(end);
}

const ESCAPED: Readonly<Record<string, string>> = {
  "'": "''",
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

function quoted(text: string): string {
  return `'${text.replace(/[\p{Cc}'\\]/gu, char => ESCAPED[char] ?? char)}'`;
}

const KEYWORDS =
  /^(and|or|not|like|between|in|is|null|true|false|div|date|timestamp|interval|bbox|casei|accenti|point|linestring|polygon|multipoint|multilinestring|multipolygon|geometrycollection|z)$/i;

export function propertyName(name: string): string {
  return isPlainName(name) && !KEYWORDS.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function plain(value: number | bigint): string {
  return String(value);
}

function wkt(geometry: Geometry): string {
  const tag = geometry.type.toUpperCase();
  switch (geometry.type) {
    case 'Point':
      return `${tag}(${position(geometry.coordinates)})`;
    case 'MultiPoint':
      return `${tag}(${geometry.coordinates.map(one => `(${position(one)})`).join(', ')})`;
    case 'LineString':
      return `${tag}${line(geometry.coordinates)}`;
    case 'MultiLineString':
    case 'Polygon':
      return `${tag}${lines(geometry.coordinates)}`;
    case 'MultiPolygon':
      return `${tag}(${geometry.coordinates.map(lines).join(', ')})`;
    case 'GeometryCollection':
      return `${tag}(${geometry.geometries.map(wkt).join(', ')})`;
  }
}

const position = (one: Position) => one.map(plain).join(' ');
const line = (points: readonly Position[]) => `(${points.map(position).join(', ')})`;
const lines = (all: readonly (readonly Position[])[]) => `(${all.map(line).join(', ')})`;
