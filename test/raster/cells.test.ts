/** Cells of a warp in WebAssembly against the positions of their pixels one by one: the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeRgb, rgbCells, rgbRows } from '../../src/kernels/resample-rgb.ts';
import { CELL, fillMap, MAX_ERROR, type PixelMap } from '../../src/kernels/warp.ts';

const shape = fc.record({
  width: fc.integer({ min: 1, max: 150 }),
  height: fc.integer({ min: 1, max: 150 }),
  columns: fc.integer({ min: 1, max: 100 }),
  rows: fc.integer({ min: 1, max: 100 }),
  scale: fc.double({ min: 0.2, max: 2, noNaN: true }),
  turn: fc.double({ min: -0.6, max: 0.6, noNaN: true }),
  bend: fc.double({ min: 0, max: 0.004, noNaN: true }),
  dx: fc.double({ min: -40, max: 60, noNaN: true }),
  dy: fc.double({ min: -40, max: 60, noNaN: true }),
  /** Nothing has an image to the right of it. */
  edge: fc.option(fc.integer({ min: 0, max: 100 }), { nil: Infinity }),
  maxError: fc.constantFrom(MAX_ERROR, 0.0005, Infinity),
});

test('cells are painted as their positions are, inside the window, across its edges, and where a map ends', () => {
  fc.assert(
    fc.property(shape, ({ width, height, columns, rows, scale, turn, bend, dx, dy, edge, maxError }) => {
      const samples = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 97 + (i >> 3) * 31) & 255);
      const map: PixelMap = (x, y, out, at) => {
        if (x > edge) return false;
        out[at] = x * scale + y * turn + x * y * bend;
        out[at + 1] = y * scale - x * turn + x * x * bend;
        return true;
      };
      const [expected, found] = [0, 1].map(() => ({
        out: new Uint8Array(columns * rows * 3).fill(9),
        outMask: new Uint8Array(columns * rows).fill(3),
      }));
      const place = () => placeRgb({ samples, bands: 3, width, height, weights: null }, found.out);
      for (let y0 = 0; y0 < rows; y0 += CELL) {
        const y1 = Math.min(rows, y0 + CELL);
        const count = columns * (y1 - y0);
        const [xs, ys] = [new Float64Array(count), new Float64Array(count)];
        fillMap(map, { width: columns, y0, y1 }, xs, ys, maxError);
        for (let i = 0; i < count; i++) {
          xs[i] += dx;
          ys[i] += dy;
        }
        const window = place();
        assert.ok(window);
        rgbRows(window, xs, ys, { ...expected, at: y0 * columns, count });
        assert.ok(rgbCells(window, map, { width: columns, y0, y1 }, { dx, dy }, found, maxError));
      }
      assert.deepEqual(found, expected);
    }),
    { numRuns: 400 },
  );
});

test('a strip that has no room is not begun', () => {
  const [width, rows] = [9000, CELL];
  const to = { out: new Uint8Array(width * rows * 3), outMask: new Uint8Array(width * rows) };
  const window = placeRgb({ samples: new Uint8Array(12), bands: 3, width: 2, height: 2, weights: null }, to.out);
  assert.ok(window);
  const map: PixelMap = () => assert.fail('nothing is to be looked at');
  assert.equal(rgbCells(window, map, { width, y0: 0, y1: rows }, { dx: 0, dy: 0 }, to, Infinity), false);
});
