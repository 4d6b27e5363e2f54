/** float32 in WebAssembly against the same sums in JavaScript: not a bit may differ. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rescaleToBytes } from '../../src/kernels/colour.ts';
import { floatAxes, lacksFloats, placeFloats } from '../../src/kernels/floats.ts';
import { bilinearAxes, bilinearTaps, markAxes } from '../../src/kernels/resample-axes.ts';

const value = fc.oneof(
  { weight: 8, arbitrary: fc.float({ noNaN: true, min: -5000, max: 9000 }) },
  { weight: 1, arbitrary: fc.float() },
  { weight: 1, arbitrary: fc.constantFrom(-9999, 0, -0, 1000, Number.POSITIVE_INFINITY) },
);
const floats = (max: number) => fc.array(value, { minLength: 1, maxLength: max }).map(each => Float32Array.from(each));

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

test('bilinear of float32 has the bits of the same in JavaScript, where rows go beyond the window too', () => {
  const shape = fc.record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    values: floats(60),
    dx: fc.double({ min: -6, max: 6, noNaN: true }),
    dy: fc.double({ min: -6, max: 6, noNaN: true }),
    scale: fc.double({ min: 0.05, max: 3, noNaN: true }),
    side: fc.integer({ min: 1, max: 70 }),
  });
  fc.assert(
    fc.property(shape, ({ width, height, values, dx, dy, scale, side }) => {
      const samples = Float32Array.from({ length: width * height }, (_, i) => values[(i * 7) % values.length]);
      const window = { samples, bands: 1, width, height, weights: null };
      const positions = Float64Array.from({ length: side }, (_, i) => (i + 0.5) * scale);
      const [across, down] = [bilinearTaps(positions, dx, width), bilinearTaps(positions, dy, height)];
      const [expected, found] = [0, 1].map(() => ({
        out: new Float32Array(side * side).fill(7),
        outMask: new Uint8Array(side * side),
        y0: 0,
        y1: side,
      }));
      bilinearAxes(window, across, down, expected, false);
      const placed = placeFloats(window, found.out);
      assert.ok(placed);
      assert.ok(floatAxes(placed, across, down, found));
      markAxes(across, down, found);
      assert.deepEqual(found.outMask, expected.outMask);
      for (let i = 0; i < side * side; i++) {
        // A NaN is a NaN: which of them is the processor's affair.
        if (!Number.isNaN(expected.out[i])) assert.equal(bits(found.out)[i], bits(expected.out)[i], `pixel ${i}`);
        else assert.ok(Number.isNaN(found.out[i]));
      }
    }),
    { numRuns: 150 },
  );
});

test('other pictures, and windows that are too large, are not placed', () => {
  const usual = { samples: new Float32Array(4), bands: 1, width: 2, height: 2, weights: null };
  assert.ok(placeFloats(usual, new Float32Array(1)));
  assert.equal(placeFloats({ ...usual, weights: new Uint8Array(4) }, new Float32Array(1)), null);
  assert.equal(placeFloats({ ...usual, samples: new Float64Array(4) }, new Float64Array(1)), null);
  assert.equal(placeFloats({ ...usual, bands: 2, width: 1 }, new Float32Array(1)), null);
  assert.equal(placeFloats({ ...usual, samples: new Float32Array(2 ** 19) }, new Float32Array(1)), null);
});

test('float32 in a range becomes the bytes that doubles become', () => {
  const range = fc
    .tuple(fc.double({ min: -2000, max: 2000, noNaN: true }), fc.double({ min: 1e-9, max: 9000, noNaN: true }))
    .map(([low, span]) => [low, low + span] as const)
    .filter(([low, high]) => high > low);
  fc.assert(
    fc.property(floats(200), range, fc.constantFrom(1, 3), fc.constantFrom(1, 400), (values, one, bands, times) => {
      const count = Math.floor((values.length * times) / bands);
      const all = Float32Array.from({ length: count * bands }, (_, i) => values[i % values.length]);
      const expected = rescaleToBytes(Float64Array.from(all), bands, count, [one]);
      assert.deepEqual(rescaleToBytes(all, bands, count, [one]), expected);
    }),
    { numRuns: 300 },
  );
});

test('a window lacks something where a value is NaN or nodata, wherever it is', () => {
  const lacks = (values: Float32Array, nodata: number | null) =>
    values.some(each => Number.isNaN(each) || (nodata !== null && each === nodata));
  const nodata = fc.constantFrom(null, -9999, 0, 0.1, 1000, 1e300);
  fc.assert(
    fc.property(floats(40), nodata, fc.nat(40_000), fc.constantFrom(1, -9999, Number.NaN), (values, none, at, odd) => {
      assert.equal(lacksFloats(values, none), lacks(values, none));
      const large = new Float32Array(at + 7).fill(1);
      large[at] = odd;
      assert.equal(lacksFloats(large, none), lacks(large, none));
    }),
    { numRuns: 300 },
  );
});
