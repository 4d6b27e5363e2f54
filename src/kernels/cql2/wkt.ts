/** Geometry literals of CQL2 text: WKT and BBOX. */
import type { Geometry, Position } from 'geojson';
import { fault } from './ast.ts';
import { checkGeometry } from './geometry.ts';
import { numberOf, type Words } from './words.ts';

const TYPES = {
  POINT: 'Point',
  LINESTRING: 'LineString',
  POLYGON: 'Polygon',
  MULTIPOINT: 'MultiPoint',
  MULTILINESTRING: 'MultiLineString',
  MULTIPOLYGON: 'MultiPolygon',
  GEOMETRYCOLLECTION: 'GeometryCollection',
} as const;

type GeometryWord = keyof typeof TYPES;

export function isGeometryWord(word: string): word is GeometryWord {
  return Object.hasOwn(TYPES, word);
}

/** What follows the name of the type. */
export function readGeometry(parser: Words, word: GeometryWord): Geometry {
  const { at } = parser.token;
  parser.takeWord('Z');
  const geometry = parser.deeper(() => readBody(parser, word));
  checkGeometry(geometry, at);
  return geometry;
}

function readBody(parser: Words, word: GeometryWord): Geometry {
  const line = () => readList(parser, () => readPosition(parser));
  const rings = () => readList(parser, line);
  switch (word) {
    case 'POINT': {
      const [position, ...more] = line();
      if (more.length > 0) throw parser.unexpected('one position of a point');
      return { type: 'Point', coordinates: position };
    }
    case 'LINESTRING':
      return { type: 'LineString', coordinates: line() };
    case 'POLYGON':
      return { type: 'Polygon', coordinates: rings() };
    case 'MULTIPOINT':
      // The standard wants parentheses around each point; WKT is often written without.
      return {
        type: 'MultiPoint',
        coordinates: readList(parser, () => {
          if (!parser.takeSymbol('(')) return readPosition(parser);
          const position = readPosition(parser);
          parser.expect(')', 'after the point');
          return position;
        }),
      };
    case 'MULTILINESTRING':
      return { type: 'MultiLineString', coordinates: rings() };
    case 'MULTIPOLYGON':
      return { type: 'MultiPolygon', coordinates: readList(parser, rings) };
    case 'GEOMETRYCOLLECTION':
      return { type: 'GeometryCollection', geometries: readList(parser, () => readMember(parser)) };
  }
}

function readMember(parser: Words): Geometry {
  const word = parser.token.text.toUpperCase();
  if (parser.token.kind !== 'name' || !isGeometryWord(word)) throw parser.unexpected('a geometry of the collection');
  parser.take();
  return readGeometry(parser, word);
}

function readList<T>(parser: Words, read: () => T): T[] {
  parser.expect('(', 'of the geometry');
  const items: T[] = [];
  do items.push(read());
  while (parser.takeSymbol(','));
  parser.expect(')', 'or "," of the geometry');
  return items;
}

function readPosition(parser: Words): Position {
  const x = readNumber(parser);
  const y = readNumber(parser);
  return isNumber(parser) ? [x, y, readNumber(parser)] : [x, y];
}

function isNumber(parser: Words): boolean {
  return parser.token.kind === 'number' || parser.isSymbol('-') || parser.isSymbol('+');
}

function readNumber(parser: Words): number {
  const minus = parser.takeSymbol('-');
  if (!minus) parser.takeSymbol('+');
  if (parser.token.kind !== 'number') throw parser.unexpected('a coordinate');
  return Number(numberOf(parser.take(), minus));
}

/** (west, south, [lowest,] east, north [, highest]) */
export function readBox(parser: Words, at: number): number[] {
  const numbers = readList(parser, () => readNumber(parser));
  checkBox(numbers, at);
  return numbers;
}

export function checkBox(numbers: readonly number[], at: number | string): void {
  const n = numbers.length;
  if (n !== 4 && n !== 6) throw fault(at, `a bounding box has 4 or 6 numbers, not ${n}`);
  const half = n / 2;
  if (numbers[1] > numbers[half + 1]) {
    throw fault(at, `the lower edge ${numbers[1]} of the box is above its upper edge ${numbers[half + 1]}`);
  }
}
