/** What average, rms and mode count under an output pixel, and which pixels they leave empty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WindowPixels } from '../../src/kernels/resample.ts';
import { areaRows } from '../../src/kernels/resample-area.ts';
import type { AreaKind } from '../../src/kernels/resampling.ts';

const KINDS = ['average', 'rms', 'mode'] as const;

function plane(rows: readonly (readonly number[])[], valid: (value: number) => boolean = () => true): WindowPixels {
  const samples = Float64Array.from(rows.flat());
  const weights = Uint8Array.from(samples, value => (valid(value) ? 255 : 0));
  return { samples, bands: 1, width: rows[0].length, height: rows.length, weights };
}

type Corner = readonly [x: number, y: number];

/** Of the one output pixel whose corners lie there; null: nothing. */
function under(from: WindowPixels, topLeft: Corner, bottomRight: Corner, kind: AreaKind) {
  const corners = {
    xs: Float64Array.of(topLeft[0], Number.NaN, Number.NaN, bottomRight[0]),
    ys: Float64Array.of(topLeft[1], Number.NaN, Number.NaN, bottomRight[1]),
  };
  const out = new Float64Array(1);
  const outMask = new Uint8Array(1);
  areaRows(from, corners, 1, { out, outMask, at: 0, count: 1 }, kind, false);
  return outMask[0] === 0 ? null : { value: out[0], mask: outMask[0] };
}

const along = fc.double({ min: -2, max: 9, noNaN: true });
const size = fc.double({ min: 0.01, max: 9, noNaN: true });

test('average and rms weigh each valid pixel by how much of it lies there', () => {
  const rows = Array.from({ length: 6 }, (_, y) => Array.from({ length: 8 }, (__, x) => (x * 31 + y * 17) % 23));
  const from = plane(rows, value => value % 5 !== 0);
  fc.assert(
    fc.property(along, along, size, size, (x, y, width, height) => {
      let [total, sum, squares] = [0, 0, 0];
      for (const [j, row] of rows.entries()) {
        for (const [i, value] of row.entries()) {
          const wide = Math.max(0, Math.min(i + 1, x + width) - Math.max(i, x));
          const high = Math.max(0, Math.min(j + 1, y + height) - Math.max(j, y));
          const weight = value % 5 === 0 ? 0 : wide * high;
          total += weight;
          sum += weight * value;
          squares += weight * value ** 2;
        }
      }
      fc.pre(total === 0 || total > 1e-3);
      for (const [kind, wanted] of [
        ['average', sum / total],
        ['rms', Math.sqrt(squares / total)],
      ] as const) {
        const found = under(from, [x, y], [x + width, y + height], kind);
        if (total === 0) assert.equal(found, null);
        else assert.ok(Math.abs(found!.value - wanted) < 1e-3, `${kind} ${found?.value} is not ${wanted}`);
      }
    }),
  );
});

test('a sliver of a valid pixel makes the pixel valid where nothing else is, as in GDAL; one of a rounding error does not', () => {
  const from = plane([[0, 0, 7, 9]], value => value > 0);
  for (const kind of KINDS) {
    assert.equal(under(from, [0.5, 0], [2 + 4e-9, 1], kind)?.value, 7, kind);
    assert.equal(under(from, [0.5, 0], [2 + 4e-11, 1], kind), null, kind);
  }
});

test('a sliver does not count where something else is valid', () => {
  const from = plane([
    [3, 5, 5],
    [5, 5, 5],
  ]);
  for (const kind of KINDS) assert.equal(under(from, [0, 0], [1 + 4e-9, 1 + 4e-9], kind)?.value, 3, kind);
});

test('what only touches the raster is empty, on all sides', () => {
  const from = plane([
    [1, 2],
    [3, 4],
  ]);
  const beside: readonly (readonly [Corner, Corner])[] = [
    [
      [-1, 0],
      [0, 1],
    ],
    [
      [-1, 0],
      [4e-9, 1],
    ],
    [
      [0, -1],
      [1, 0],
    ],
    [
      [2, 0],
      [3, 1],
    ],
    [
      [2 - 4e-9, 0],
      [3, 1],
    ],
    [
      [0, 2],
      [1, 3],
    ],
  ];
  for (const kind of KINDS) {
    for (const [topLeft, bottomRight] of beside) assert.equal(under(from, topLeft, bottomRight, kind), null, kind);
  }
});

test('a box that turning has made as thin as a line is in the pixels that the line is in', () => {
  const from = plane([
    [1, 2],
    [3, 4],
  ]);
  for (const kind of KINDS) {
    assert.equal(under(from, [1.5, 0.25], [1.5, 0.75], kind)?.value, 2, kind);
    assert.equal(under(from, [1.25, 1.5], [0.75, 1.5], kind === 'mode' ? 'average' : kind)!.value > 3, true, kind);
    assert.equal(under(from, [Number.NaN, 0], [1, 1], kind), null, kind);
  }
});
