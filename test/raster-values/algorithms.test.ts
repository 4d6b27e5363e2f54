import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/errors.ts';
import { ALGORITHMS, type Algorithm, algorithmParams, type Field } from '../../src/kernels/algorithms/index.ts';
import { workingArray } from '../../src/kernels/samples.ts';
import { askRio, interleave, NO_TITILER, seeded } from './rio.ts';

const WIDTH = 24;
const HEIGHT = 17;

/** Hills, or noise in bytes. */
function bandsOf(count: number, bytes: boolean): number[][] {
  const random = seeded(11);
  const hill = (i: number) =>
    800 + 300 * Math.sin((i % WIDTH) / 5) * Math.cos(Math.floor(i / WIDTH) / 4) + 20 * random();
  const value = (i: number) => (bytes ? Math.floor(random() * 255) + 1 : hill(i));
  return Array.from({ length: count }, () => Array.from({ length: WIDTH * HEIGHT }, (_, i) => value(i)));
}

function fieldOf(bands: readonly number[][], bytes: boolean, res: number): Field {
  const samples = interleave(bands, new Float64Array(bands.length * WIDTH * HEIGHT));
  const mask = new Uint8Array(WIDTH * HEIGHT).fill(255);
  const type = bytes ? 'uint8' : 'float64';
  return { samples, bands: bands.length, type, mask, width: WIDTH, height: HEIGHT, resX: res, resY: res };
}

function run(name: string, params: object, field: Field): { values: number[]; bands: number } {
  const algorithm = ALGORITHMS[name] as Algorithm;
  const bands = algorithm.outputBands(field.bands);
  const out = workingArray(algorithm.outputType(field.type), WIDTH * HEIGHT * bands);
  algorithm.apply(field, algorithmParams(name, JSON.stringify(params)), out, field.mask.slice());
  return { values: [...out], bands };
}

/** Name, parameters, bands, whether of bytes, and what a value may be off. */
const CASES: readonly (readonly [string, object, number, boolean, number])[] = [
  ['hillshade', {}, 1, false, 1],
  ['hillshade', { azimuth: 315, angle_altitude: 30, z_exaggeration: 2.5, buffer: 0 }, 1, false, 1],
  ['slope', {}, 1, false, 1e-4],
  ['slope', { z_exaggeration: 3, buffer: 2 }, 1, false, 1e-4],
  ['contours', {}, 1, false, 1],
  ['contours', { increment: 100, thickness: 5, minz: 0, maxz: 1500 }, 1, false, 1],
  ['terrarium', {}, 1, false, 0],
  ['terrainrgb', {}, 1, false, 0],
  ['terrainrgb', { interval: 0.5, baseval: -500 }, 1, false, 0],
  ['normalizedIndex', {}, 2, true, 1e-6],
  ['cast', {}, 1, true, 0],
  ['ceil', {}, 3, true, 0],
  ['floor', {}, 3, true, 0],
  ['min', {}, 4, false, 0],
  ['max', {}, 4, false, 0],
  ['median', {}, 4, false, 1e-9],
  ['median', {}, 3, false, 1e-9],
  ['mean', {}, 4, false, 1e-9],
  ['std', {}, 4, false, 1e-9],
  ['var', {}, 4, false, 1e-6],
  ['sum', {}, 4, false, 1e-9],
  ['grayscale', {}, 3, true, 1],
  ['bitonal', {}, 3, true, 0],
  ['bitonal', {}, 1, true, 0],
];

test('algorithms make what titiler makes', { skip: NO_TITILER }, () => {
  const res = 30;
  const told = askRio(
    CASES.map(([name, params, count, bytes]) => {
      const bands = bandsOf(count, bytes);
      return {
        kind: 'algorithm',
        name,
        params,
        bands,
        dtype: bytes ? 'uint8' : 'float64',
        width: WIDTH,
        height: HEIGHT,
        res,
      };
    }),
  );
  for (const [c, [name, params, count, bytes, tolerance]] of CASES.entries()) {
    const { values, bands } = run(name, params, fieldOf(bandsOf(count, bytes), bytes, res));
    const cut = (ALGORITHMS[name] as Algorithm).margin(algorithmParams(name, JSON.stringify(params)));
    const [w, h] = [WIDTH - 2 * cut, HEIGHT - 2 * cut];
    assert.equal(told[c]?.length, w * h * bands, name);
    let at = 0;
    for (let b = 0; b < bands; b++) {
      for (let y = cut; y < cut + h; y++) {
        for (let x = cut; x < cut + w; x++) {
          const value = values[(y * WIDTH + x) * bands + b] as number;
          const expected = told[c]?.[at++] as number;
          assert.ok(
            Math.abs(value - expected) <= tolerance,
            `${name} ${JSON.stringify(params)} at ${x},${y}: ${value} is not ${expected}`,
          );
        }
      }
    }
  }
});

test('a neighbour without a value is level ground, and an index of nothing is invalid', () => {
  const field = fieldOf([Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i === 5 ? -9999 : 100))], false, 1);
  field.mask[5] = 0;
  assert.ok(run('slope', { buffer: 0 }, field).values.every(v => v === 0));
  const zeros = fieldOf([new Array(WIDTH * HEIGHT).fill(0), new Array(WIDTH * HEIGHT).fill(0)], false, 1);
  const mask = new Uint8Array(WIDTH * HEIGHT).fill(255);
  (ALGORITHMS.normalizedIndex as Algorithm).apply(zeros, {}, new Float32Array(WIDTH * HEIGHT), mask);
  assert.ok(mask.every(v => v === 0));
});

test('heights of nothing are opaque where they are given', () => {
  const field = fieldOf([new Array(WIDTH * HEIGHT).fill(10)], false, 1);
  field.mask.fill(0);
  const out = new Uint8Array(WIDTH * HEIGHT * 3);
  const mask = new Uint8Array(WIDTH * HEIGHT);
  (ALGORITHMS.terrarium as Algorithm).apply(field, algorithmParams('terrarium', '{"nodata_height": 0}'), out, mask);
  assert.deepEqual([out[0], out[1], out[2], mask[0]], [128, 0, 0, 255]);
});

test('parameters are checked by name and range', () => {
  const refused = (name: string, text: string, message: RegExp) =>
    assert.throws(
      () => algorithmParams(name, text),
      (error: Problem) => error instanceof Problem && message.test(error.message),
    );
  refused('hillshade', '{"azimut": 3}', /has no azimut; azimuth is meant/);
  refused('hillshade', '{"azimuth": 361}', /azimuth is an integer from 0 to 360, not 361/);
  refused('hillshade', '{"azimuth": "north"}', /not "north"/);
  refused('hillshade', '[]', /no JSON object/);
  refused('hillshade', '{', /no JSON/);
  refused('min', '{"a": 1}', /min has none/);
  refused('contours', '{"minz": 5, "maxz": 5}', /not below/);
});
