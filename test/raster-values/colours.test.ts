import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/errors.ts';
import { applyColourFormula, parseColourFormula } from '../../src/kernels/colour-formula.ts';
import { colourValues, parseColourMap, tableOfMap } from '../../src/kernels/colour-map.ts';
import { askRio, interleave, NO_TITILER, seeded } from './rio.ts';

const FORMULAS = [
  'gamma RGB 1.8',
  'Gamma R 0.5, gamma b 2',
  'sigmoidal RGB 10 0.35',
  'sigmoidal G 3 0',
  'sigmoidal RGB 0 0.5',
  'sigmoidal rb 20 1',
  'saturation 1.5',
  'saturation 0',
  'saturation 1',
  'gamma RGB 3.5 saturation 1.7 sigmoidal RGB 15 0.35',
  'gamma 12 1.2',
  'sigmoidal RGB -4 0.5',
];

test('colour formulas make of bytes what color-operations makes of them', { skip: NO_TITILER }, () => {
  const random = seeded(5);
  const bands = [0, 1, 2].map(() => [0, 255, ...Array.from({ length: 400 }, () => Math.floor(random() * 256))]);
  const told = askRio(FORMULAS.map(text => ({ kind: 'formula', text, bands })));
  for (const [f, text] of FORMULAS.entries()) {
    const pixels = interleave(bands, new Uint8Array(bands.length * 402));
    applyColourFormula(pixels, 3, parseColourFormula(text, 3));
    let off = 0;
    for (let i = 0; i < pixels.length; i++) {
      const expected = told[f]?.[(i % 3) * 402 + Math.floor(i / 3)] as number;
      // A value at the very edge of a byte may fall on either side of it.
      const difference = Math.abs((pixels[i] as number) - expected);
      assert.ok(difference <= 1, `${text}: ${pixels[i]} is not ${expected}`);
      if (difference > 0) off++;
    }
    assert.ok(off <= 12, `${text}: ${off} bytes differ by one`);
  }
});

test('formulas that mean nothing are refused in words', () => {
  const refused = (text: string, bands: number, message: RegExp) =>
    assert.throws(
      () => parseColourFormula(text, bands),
      (error: Problem) => error instanceof Problem && message.test(error.message),
    );
  refused('', 3, /no operation/);
  refused('blur RGB 2', 3, /"blur" is no operation/);
  refused('gamma RGB', 3, /gamma needs a number, not ""/);
  refused('gamma X 2', 3, /needs bands such as RGB, not "x"/);
  refused('gamma RGB 0', 3, /above 0/);
  refused('gamma G 2', 1, /the picture has 1 band$/);
  refused('saturation 2', 1, /needs three bands/);
  refused('sigmoidal RGB 3 2', 3, /between 0 and 1/);
});

test('colours by value and by interval; what has none is transparent', () => {
  const values = parseColourMap('{"1": "#f00", "2": [0, 255, 0, 128], "-3.5": "#0000ff80"}');
  assert.equal(tableOfMap(values), null);
  const mask = Uint8Array.from([255, 255, 255, 255, 0]);
  assert.deepEqual(
    [...colourValues(Float64Array.from([1, 2, -3.5, 7, 1]), mask, values)],
    [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 128, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  const table = tableOfMap(parseColourMap('{"0": "#102030", "255": [1, 2, 3]}')) as Uint8Array;
  assert.deepEqual([...table.subarray(0, 8), ...table.subarray(1020)], [16, 32, 48, 255, 0, 0, 0, 0, 1, 2, 3, 255]);
  const intervals = parseColourMap('[[[0, 10], "#ff0000"], [[5, 20], [0, 0, 255]]]');
  const shown = colourValues(Float64Array.from([0, 5, 9.9, 10, 20]), new Uint8Array(5).fill(255), intervals);
  assert.deepEqual([...shown], [255, 0, 0, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0]);
});

test('colour maps that mean nothing are refused with the entry', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(
      () => parseColourMap(text),
      (error: Problem) => error instanceof Problem && message.test(error.message),
    );
  refused('viridis', /no JSON/);
  refused('{}', /empty/);
  refused('3', /neither an object nor a list/);
  refused('{"red": "#fff"}', /"red" is no number/);
  refused('{"1": "red"}', /"red" is neither #rrggbb/);
  refused('{"1": [1, 2, 300]}', /1: \[1,2,300\]/);
  refused('[[[5, 1], "#fff"]]', /entry 1: 5 is not below 1/);
  refused('[[1, "#fff"]]', /entry 1 is not \[\[from, to\], colour\]/);
});
