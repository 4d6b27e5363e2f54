/**
 * The checker of tiles is checked itself: one tile for each rule that mapbox/mvt-fixtures has a fixture for, made here. A
 * checker that lets one of them pass would let our own tiles pass as well.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PbfWriter } from 'pbf';
import { checkTile } from '../lib/mvt-check.ts';

interface Feature {
  id?: number;
  tags?: number[];
  type?: number;
  geometry?: number[] | null;
}

interface Layer {
  version?: number | null;
  name?: string | null;
  extent?: number | null;
  keys?: string[];
  /** Each a Value message as it is. */
  values?: Uint8Array[];
  features?: Feature[];
}

const move = (n: number, ...deltas: number[]): number[] => [(n << 3) | 1, ...deltas.map(zigzag)];
const line = (n: number, ...deltas: number[]): number[] => [(n << 3) | 2, ...deltas.map(zigzag)];
const close = (n = 1): number[] => [(n << 3) | 7];
const zigzag = (v: number): number => ((v << 1) ^ (v >> 31)) >>> 0;

const TEXT = Uint8Array.of(0x0a, 1, 0x61);
const ONE = Uint8Array.of(0x28, 1);
const SQUARE = [...move(1, 0, 0), ...line(3, 8, 0, 0, 8, -8, 0), ...close()];
const POINT: Feature = { id: 1, type: 1, geometry: move(1, 5, 5), tags: [0, 0] };

function writeFeature(feature: Feature, pbf: PbfWriter): void {
  if (feature.id !== undefined) pbf.writeVarintField(1, feature.id);
  if (feature.tags) pbf.writePackedVarint(2, feature.tags);
  if (feature.type !== undefined) pbf.writeVarintField(3, feature.type);
  if (feature.geometry) pbf.writePackedVarint(4, feature.geometry);
}

function tileWith(...layers: Layer[]): Uint8Array {
  const pbf = new PbfWriter();
  for (const layer of layers) {
    const { version = 2, name = 'a', extent = 4096, keys = ['k'], values = [TEXT], features = [POINT] } = layer;
    pbf.writeMessage(
      3,
      (_, own) => {
        if (version !== null) own.writeVarintField(15, version);
        if (name !== null) own.writeStringField(1, name);
        for (const feature of features) own.writeMessage(2, writeFeature, feature);
        for (const key of keys) own.writeStringField(3, key);
        for (const value of values) own.writeBytesField(4, value);
        if (extent !== null) own.writeVarintField(5, extent);
      },
      null,
    );
  }
  return pbf.finish();
}

const drawn = (type: number, geometry: number[] | null): Layer => ({ features: [{ type, geometry, tags: [0, 0] }] });
const tagged = (...tags: number[]): Layer => ({ features: [{ ...POINT, tags }] });

const VALID: Record<string, Layer[]> = {
  'an empty tile': [],
  'a point': [{}],
  'two layers': [{ name: 'a' }, { name: 'b' }],
  'no id, no attributes': [{ features: [{ type: 1, geometry: move(1, 1, 1) }] }],
  'points in one MoveTo': [drawn(1, move(3, 1, 1, 2, 2, 3, 3))],
  'a line': [drawn(2, [...move(1, 1, 1), ...line(2, 4, 0, 0, 4)])],
  'two lines': [drawn(2, [...move(1, 1, 1), ...line(1, 4, 0), ...move(1, 1, 1), ...line(1, 4, 0)])],
  'a polygon': [drawn(3, SQUARE)],
  'a polygon with a hole': [drawn(3, [...SQUARE, ...move(1, 2, -6), ...line(3, 0, 2, 2, 0, 0, -2), ...close()])],
  'two polygons': [drawn(3, [...SQUARE, ...move(1, 20, 0), ...line(3, 8, 0, 0, 8, -8, 0), ...close()])],
  'every kind of value': [
    {
      values: [
        TEXT,
        Uint8Array.of(0x15, 0, 0, 128, 63),
        Uint8Array.of(0x19, 0, 0, 0, 0, 0, 0, 240, 63),
        Uint8Array.of(0x20, 1),
        ONE,
        Uint8Array.of(0x30, 2),
        Uint8Array.of(0x38, 1),
      ],
    },
  ],
};

const INVALID: Record<string, [Layer[], RegExp]> = {
  'version 1': [[{ version: 1 }], /version 1/],
  'no version': [[{ version: null }], /version/],
  'an unknown version': [[{ version: 99 }], /version 99/],
  'no name': [[{ name: null }], /no name/],
  'no extent': [[{ extent: null }], /no extent/],
  'no feature': [[{ features: [] }], /no feature/],
  'two layers of one name': [[{}, {}], /twice/],
  'a key twice': [[{ keys: ['k', 'k'] }], /key is there twice/],
  'a value twice': [[{ values: [TEXT, TEXT] }], /value is there twice/],
  'a value without a value': [[{ values: [new Uint8Array()] }], /value 0 has 0 fields/],
  'a value with two values': [[{ values: [Uint8Array.of(...TEXT, ...ONE)] }], /value 0 has 2 fields/],
  'a value of a kind that there is not': [[{ values: [Uint8Array.of(0x40, 1)] }], /value 0/],
  'an odd number of tags': [[tagged(0, 0, 0)], /odd number of tags/],
  'a key that there is not': [[tagged(7, 0)], /key 7/],
  'a value that there is not': [[tagged(0, 7)], /value 7/],
  'one key twice in a feature': [[{ ...tagged(0, 0, 0, 1), values: [TEXT, ONE] }], /key 0 twice/],
  'no geometry': [[drawn(1, null)], /no geometry/],
  'no geometry type': [[{ features: [{ geometry: move(1, 1, 1) }] }], /geometry type 0/],
  'an unknown geometry type': [[drawn(4, move(1, 1, 1))], /geometry type 4/],
  'an unknown command': [[drawn(1, [(1 << 3) | 5, 0, 0])], /command 5/],
  'MoveTo of count 0': [[drawn(1, [1])], /count 0/],
  'LineTo of count 0': [[drawn(2, [...move(1, 1, 1), 2])], /count 0/],
  'LineTo first': [[drawn(2, line(2, 1, 1, 2, 2))], /LineTo after command 0/],
  'LineTo that goes nowhere': [[drawn(2, [...move(1, 1, 1), ...line(1, 0, 0)])], /LineTo\(0, 0\)/],
  'LineTo in a point': [[drawn(1, [...move(1, 1, 1), ...line(1, 2, 2)])], /LineTo after command 1 in type 1/],
  'points in two MoveTos': [[drawn(1, [...move(1, 1, 1), ...move(1, 2, 2)])], /two MoveTos/],
  'MoveTo of two in a line': [[drawn(2, [...move(2, 1, 1, 2, 2), ...line(1, 3, 3)])], /MoveTo of count 2/],
  'a line of one point': [[drawn(2, move(1, 1, 1))], /line of one point/],
  'ClosePath in a line': [[drawn(2, [...move(1, 1, 1), ...line(2, 4, 0, 0, 4), ...close()])], /ClosePath/],
  'ClosePath twice': [[drawn(3, [...SQUARE.slice(0, -1), ...close(2)])], /ClosePath of count 2/],
  'no ClosePath': [[drawn(3, SQUARE.slice(0, -1))], /not closed/],
  'a ring without ClosePath before the next': [[drawn(3, [...SQUARE.slice(0, -1), ...SQUARE])], /without ClosePath/],
  'a ring of two points': [[drawn(3, [...move(1, 1, 1), ...line(1, 4, 0), ...close()])], /ring of two points/],
  'a ring that repeats its first point': [
    [drawn(3, [...move(1, 0, 0), ...line(4, 8, 0, 0, 8, -8, 0, 0, -8), ...close()])],
    /repeats its first point/,
  ],
  'a ring without area': [[drawn(3, [...move(1, 0, 0), ...line(2, 4, 0, 4, 0), ...close()])], /no area/],
  'an interior ring first': [[drawn(3, [...move(1, 0, 0), ...line(3, 0, 8, 8, 0, 0, -8), ...close()])], /interior/],
  'a command that runs past the geometry': [[drawn(1, [(3 << 3) | 1, 2, 2])], /runs past/],
};

describe('the MVT checker', () => {
  for (const [name, layers] of Object.entries(VALID)) {
    test(`passes ${name}`, () => assert.deepEqual(checkTile(tileWith(...layers)).faults, []));
  }
  for (const [name, [layers, fault]] of Object.entries(INVALID)) {
    test(`finds ${name}`, () => assert.match(checkTile(tileWith(...layers)).faults.join('\n'), fault));
  }

  test('finds a geometry that is there twice, and bytes that are no protobuf', () => {
    const feature = Uint8Array.of(0x18, 1, 0x22, 3, 9, 2, 2, 0x22, 3, 9, 2, 2);
    const layer = [0x78, 2, 0x0a, 1, 0x61, 0x12, feature.length, ...feature, 0x28, 0x80, 0x20];
    assert.match(checkTile(Uint8Array.of(0x1a, layer.length, ...layer)).faults.join('\n'), /geometry is there twice/);
    assert.throws(() => checkTile(Uint8Array.of(0x1a, 5, 0xff, 0xff)));
  });
});
