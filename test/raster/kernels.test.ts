import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COLORMAP_NAMES, colormap } from '../../src/kernels/colormaps.ts';
import { dropAlpha, maskKind, paletteToRgba, rescaleToBytes, spareIndex, withAlpha } from '../../src/kernels/colour.ts';
import { bilinearRow, nearestRow, type WindowPixels } from '../../src/kernels/resample.ts';
import { wideRow } from '../../src/kernels/resample-wide.ts';
import { kernelOf } from '../../src/kernels/resampling.ts';
import { axesOf, fillMap, MAX_ERROR, type PixelMap, walkCells } from '../../src/kernels/warp.ts';

const TRIANGLE = kernelOf('bilinear')!;

function plane(
  width: number,
  height: number,
  value: (x: number, y: number) => number,
  weights: Uint8Array | null = null,
): WindowPixels {
  const samples = Float32Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  return { samples, bands: 1, width, height, weights };
}

type Kernel = (from: WindowPixels, xs: Float64Array, ys: Float64Array, to: Parameters<typeof nearestRow>[3]) => void;
const KERNELS: Record<string, Kernel> = {
  nearest: nearestRow,
  bilinear: (from, xs, ys, to) => bilinearRow(from, xs, ys, to, false),
  wide: (from, xs, ys, to) => wideRow(from, xs, ys, to, false, { x: 1.7, y: 2.4 }, TRIANGLE),
};

function sample(
  kernel: Kernel,
  from: WindowPixels,
  points: readonly (readonly [number, number])[],
): { out: Float32Array; mask: Uint8Array } {
  const out = new Float32Array(points.length * from.bands);
  const mask = new Uint8Array(points.length);
  const xs = Float64Array.from(points, p => p[0]);
  const ys = Float64Array.from(points, p => p[1]);
  kernel(from, xs, ys, { out, outMask: mask, at: 0, count: points.length });
  return { out, mask };
}

const inside = fc.tuple(fc.double({ min: 0, max: 7.999, noNaN: true }), fc.double({ min: 0, max: 5.999, noNaN: true }));

test('a constant stays constant, and no kernel leaves the range of its input', () => {
  for (const kernel of Object.values(KERNELS)) {
    fc.assert(
      fc.property(inside, point => {
        assert.ok(
          Math.abs(
            sample(
              kernel,
              plane(8, 6, () => 42),
              [point],
            ).out[0] - 42,
          ) < 1e-4,
        );
        const { out, mask } = sample(
          kernel,
          plane(8, 6, (x, y) => (x * 31 + y * 17) % 50),
          [point],
        );
        assert.ok(out[0] >= 0 && out[0] <= 49.0001 && mask[0] === 255);
      }),
    );
  }
});

test('bilinear is exact on a plane, away from the edges, and gives the pixel at its centre', () => {
  const from = plane(8, 6, (x, y) => 3 * (x + 0.5) + 5 * (y + 0.5));
  const { out } = sample(KERNELS.bilinear, from, [
    [2.25, 3.75],
    [4.5, 1.5],
  ]);
  assert.ok(Math.abs(out[0] - (3 * 2.25 + 5 * 3.75)) < 1e-4);
  assert.ok(Math.abs(out[1] - (3 * 4.5 + 5 * 1.5)) < 1e-4);
});

test('a triangle of radius 1 is bilinear', () => {
  const from = plane(8, 6, (x, y) => (x * 131 + y * 57) % 97);
  fc.assert(
    fc.property(inside, point => {
      const one: Kernel = (f, xs, ys, to) => wideRow(f, xs, ys, to, false, { x: 1, y: 1 }, TRIANGLE);
      assert.ok(Math.abs(sample(one, from, [point]).out[0] - sample(KERNELS.bilinear, from, [point]).out[0]) < 1e-3);
    }),
  );
});

test('nodata does not bleed, NaN does not spread, and an invalid pixel stays so', () => {
  const weights = new Uint8Array(48).fill(255);
  for (let y = 0; y < 6; y++) for (let x = 4; x < 8; x++) weights[y * 8 + x] = 0;
  const from = plane(8, 6, x => (x < 4 ? 10 : Number.NaN), weights);
  for (const kernel of Object.values(KERNELS)) {
    const { out, mask } = sample(kernel, from, [
      [3.9, 3.3],
      [4.1, 3.3],
      [0.1, 0.1],
    ]);
    assert.ok(Math.abs(out[0] - 10) < 1e-5);
    assert.ok(mask[0] > 0);
    assert.equal(mask[1], 0);
    assert.ok(Math.abs(out[2] - 10) < 1e-5);
  }
});

test('what lies outside the window, or nowhere, is left alone', () => {
  for (const kernel of Object.values(KERNELS)) {
    const { out, mask } = sample(
      kernel,
      plane(8, 6, () => 1),
      [
        [-0.1, 3],
        [8.1, 3],
        [3, -2],
        [3, 6.2],
        [Number.NaN, 1],
      ],
    );
    assert.deepEqual([...mask], [0, 0, 0, 0, 0]);
    assert.deepEqual([...out], [0, 0, 0, 0, 0]);
  }
});

/** Bends more than any projection would. */
const bent: PixelMap = (x, y, out, at) => {
  out[at] = x + 40 * Math.sin(y / 60) + 0.002 * x * x;
  out[at + 1] = y + 25 * Math.cos(x / 45);
  return true;
};

test('an interpolated map is never farther from the truth than its bound allows', () => {
  const xs = new Float64Array(200 * 150);
  const ys = new Float64Array(200 * 150);
  fillMap(bent, { width: 200, y0: 0, y1: 150 }, xs, ys);
  const at = new Float64Array(2);
  let worst = 0;
  for (let i = 0; i < xs.length; i++) {
    bent((i % 200) + 0.5, Math.floor(i / 200) + 0.5, at, 0);
    worst = Math.max(worst, Math.abs(xs[i] - at[0]), Math.abs(ys[i] - at[1]));
  }
  // Cells are probed at two points, so the bound holds up to a little curvature between them.
  assert.ok(worst <= MAX_ERROR * 1.5, `${worst}`);
});

test('across a discontinuity and beyond a limb every pixel is exact or nowhere', () => {
  const torn: PixelMap = (x, y, out, at) => {
    if (Math.hypot(x - 100, y - 80) > 70) return false;
    out[at] = x < 101.3 ? x : x + 1000;
    out[at + 1] = y;
    return true;
  };
  const xs = new Float64Array(200 * 160);
  const ys = new Float64Array(xs.length);
  fillMap(torn, { width: 200, y0: 0, y1: 160 }, xs, ys);
  const at = new Float64Array(2);
  for (let i = 0; i < xs.length; i++) {
    const there = torn((i % 200) + 0.5, Math.floor(i / 200) + 0.5, at, 0);
    assert.equal(Number.isNaN(xs[i]), !there, `pixel ${i % 200}, ${Math.floor(i / 200)}`);
    if (there) assert.ok(Math.abs(xs[i] - at[0]) < 1e-9);
  }
});

test('strips see the cells that the whole sees, and every pixel is in one cell', () => {
  const cells = (y0: number, y1: number) => {
    const seen: string[] = [];
    walkCells(
      bent,
      { width: 100, y0, y1 },
      { pixel: (x, y) => seen.push(`${x},${y}`), cell: (...box) => seen.push(box.slice(0, 4).join()) },
    );
    return seen;
  };
  assert.deepEqual([...cells(0, 32), ...cells(32, 64), ...cells(64, 90)].sort(), cells(0, 90).sort());
  const covered = new Uint8Array(100 * 90);
  for (const cell of cells(0, 90)) {
    const [x0, y0, x1 = x0 + 1, y1 = y0 + 1] = cell.split(',').map(Number);
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) covered[y * 100 + x]++;
  }
  assert.ok(covered.every(n => n === 1));
});

test('axes are the map itself', () => {
  const map: PixelMap = (x, y, out, at) => {
    out[at] = x * 2;
    out[at + 1] = Math.exp(y / 9);
    return true;
  };
  const { xs, ys } = axesOf(map, 5, 4);
  assert.deepEqual([...xs], [1, 3, 5, 7, 9]);
  assert.deepEqual(
    [...ys],
    [0.5, 1.5, 2.5, 3.5].map(y => Math.exp(y / 9)),
  );
});

test('rescaling clamps and cuts off, for bytes by table as for numbers', () => {
  assert.deepEqual(
    [...rescaleToBytes(Float32Array.of(-5, 0, 50, 99.9, 100, 500, Number.NaN), 1, 7, [[0, 100]])],
    [0, 0, 127, 254, 255, 255, 0],
  );
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(
    rescaleToBytes(bytes, 1, 256, [[20, 220]]),
    rescaleToBytes(Float64Array.from(bytes), 1, 256, [[20, 220]]),
  );
  assert.deepEqual(
    [
      ...rescaleToBytes(Float32Array.of(1, 1), 2, 1, [
        [0, 1],
        [0, 2],
      ]),
    ],
    [255, 127],
  );
});

test('alpha: added, combined, dropped', () => {
  assert.deepEqual([...withAlpha(Uint8Array.of(7, 8), 1, Uint8Array.of(255, 0))], [7, 255, 8, 0]);
  assert.deepEqual([...withAlpha(Uint8Array.of(1, 2, 3, 100), 4, Uint8Array.of(255))], [1, 2, 3, 100]);
  assert.deepEqual([...withAlpha(Uint8Array.of(1, 90), 2, Uint8Array.of(50))], [1, 50]);
  assert.deepEqual([...dropAlpha(Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 9), 4)], [0, 0, 0, 4, 5, 6]);
  assert.deepEqual(
    [...paletteToRgba(Uint8Array.of(1, 0, 9), Uint8Array.of(0, 0, 0, 255, 1, 2, 3, 77), Uint8Array.of(255, 0, 255))],
    [1, 2, 3, 77, 0, 0, 0, 0, 0, 0, 0, 0],
  );
});

test('masks are told apart, and a spare index is one that no valid pixel has', () => {
  assert.equal(maskKind(Uint8Array.of(255, 255)), 'opaque');
  assert.equal(maskKind(Uint8Array.of(0, 0)), 'empty');
  assert.equal(maskKind(Uint8Array.of(0, 255)), 'binary');
  assert.equal(maskKind(Uint8Array.of(0, 7)), 'soft');
  assert.equal(spareIndex(Uint8Array.of(0, 1, 2), Uint8Array.of(255, 0, 255)), 1);
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(spareIndex(all, new Uint8Array(256).fill(255)), -1);
});

test('colour maps: known ends, reversed forms, and no unknown name', () => {
  assert.equal(COLORMAP_NAMES.length, 180);
  assert.deepEqual([...colormap('viridis')!.subarray(0, 4)], [68, 1, 84, 255]);
  assert.deepEqual([...colormap('viridis')!.subarray(1020)], [253, 231, 36, 255]);
  assert.deepEqual([...colormap('gray')!.subarray(512, 516)], [128, 128, 128, 255]);
  for (const name of COLORMAP_NAMES.filter(n => n.endsWith('_r'))) {
    assert.deepEqual(colormap(name)!.subarray(0, 4), colormap(name.slice(0, -2))!.subarray(1020), name);
  }
  assert.equal(colormap('constructor'), null);
});
