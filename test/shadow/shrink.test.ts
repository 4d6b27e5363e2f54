/** The kernel of shadow overviews against the plain definition of a mean, whatever the sizes and however it is fed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createShrink, type ShrinkSettings } from '../../src/kernels/shrink.ts';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly factor: number;
  readonly bands: number;
  readonly block: readonly [number, number];
  readonly nodata: number | null;
  readonly seed: number;
}

const cases = fc.record({
  width: fc.integer({ min: 1, max: 70 }),
  height: fc.integer({ min: 1, max: 70 }),
  factor: fc.integer({ min: 2, max: 12 }),
  bands: fc.integer({ min: 1, max: 4 }),
  block: fc.tuple(fc.integer({ min: 1, max: 32 }), fc.integer({ min: 1, max: 32 })),
  nodata: fc.option(fc.integer({ min: 0, max: 3 })),
  seed: fc.nat(),
});

/** Few values, so that nodata is met often. */
function pixels({ width, height, bands, seed }: Case): Float64Array {
  let state = seed + 1;
  return Float64Array.from({ length: width * height * bands }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % 7;
  });
}

type Made = Pick<ShrinkSettings, 'method' | 'integer' | 'alpha' | 'whole'>;

function shrunk(each: Case, data: Float64Array, valid: Uint8Array | null, made: Made) {
  const { width, height, factor, bands, block } = each;
  const [outWidth, outHeight] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const values = new Float64Array(outWidth * outHeight * bands).fill(-1);
  const seen = new Uint8Array(outWidth * outHeight);
  let next = 0;
  const shrink = createShrink({
    ...made,
    width,
    height,
    outWidth,
    outHeight,
    bands,
    pieceRows: block[1],
    max: 255,
    nodata: each.nodata,
    row: (y, samples, counted) => {
      assert.equal(y, next++, 'rows come in order, each once');
      values.set(samples, y * outWidth * bands);
      seen.set(counted, y * outWidth);
    },
  });
  for (let y = 0; y < height; y += block[1]) {
    const rows = Math.min(block[1], height - y);
    for (let x = 0; x < width; x += block[0]) {
      const columns = Math.min(block[0], width - x);
      // As a decoder gives them: rows as wide as the block, whatever of it lies in the raster.
      const piece = new Float64Array(block[0] * block[1] * bands);
      const mask = valid && new Uint8Array(columns * rows);
      for (let r = 0; r < rows; r++) {
        const from = ((y + r) * width + x) * bands;
        piece.set(data.subarray(from, from + columns * bands), r * block[0] * bands);
        if (mask && valid) mask.set(valid.subarray((y + r) * width + x, (y + r) * width + x + columns), r * columns);
      }
      shrink.add({
        data: piece,
        rowPixels: block[0],
        pixelSamples: bands,
        band: 0,
        x,
        y,
        width: columns,
        height: rows,
        valid: mask,
      });
    }
    shrink.done(y + rows);
  }
  assert.equal(next, outHeight, 'every row comes');
  return { values, seen, outWidth, outHeight };
}

/** Share of a pixel that lies in a cell. */
function shareOf(pixel: number, cell: number, size: number, cells: number): number {
  const [from, to] = [(cell * size) / cells, ((cell + 1) * size) / cells];
  return Math.max(0, Math.min(pixel + 1, to) - Math.max(pixel, from));
}

test('each pixel is the mean of what counts under it, by its share', () => {
  fc.assert(
    fc.property(cases, fc.boolean(), fc.boolean(), (each, masked, whole) => {
      const plain = whole && !masked && each.nodata === null;
      const { width, height, bands, nodata } = each;
      const data = pixels(each);
      const valid = masked
        ? Uint8Array.from({ length: width * height }, (_, i) => ((i * 7 + each.seed) % 5 ? 1 : 0))
        : null;
      const alpha = bands > 1 && masked ? bands - 1 : -1;
      const made = { method: 'average', integer: false, alpha, whole: plain } as const;
      const { values, seen, outWidth, outHeight } = shrunk(each, data, valid, made);
      for (let cy = 0; cy < outHeight; cy++) {
        for (let cx = 0; cx < outWidth; cx++) {
          let any = 0;
          for (let b = 0; b < bands; b++) {
            let [sum, count] = [0, 0];
            for (let y = 0; y < height; y++) {
              const down = shareOf(y, cy, height, outHeight);
              for (let x = 0; down > 0 && x < width; x++) {
                const share = down * shareOf(x, cx, width, outWidth);
                const value = data[(y * width + x) * bands + b];
                if (share === 0 || value === nodata || (b !== alpha && valid && !valid[y * width + x])) continue;
                sum += value * share;
                count += share;
              }
            }
            const got = values[(cy * outWidth + cx) * bands + b];
            if (count < 1e-9) {
              if (b === alpha) assert.equal(got, 0);
              else if (nodata === null) assert.ok(Number.isNaN(got));
              else assert.equal(got, nodata);
              continue;
            }
            if (b !== alpha) any = 1;
            assert.ok(Math.abs(got - sum / count) < 1e-5, `${cx},${cy} band ${b}: ${got}, not ${sum / count}`);
            assert.notEqual(got, nodata, 'what counts does not become nodata');
          }
          assert.equal(seen[cy * outWidth + cx], any);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('integers are rounded, and kept off nodata', () => {
  const one = { width: 4, height: 2, factor: 2, bands: 1, block: [4, 2], nodata: 2, seed: 0 } as const;
  const data = Float64Array.from([1, 3, 1, 2, 1, 3, 2, 2]);
  const { values } = shrunk(one, data, null, { method: 'average', integer: true, alpha: -1, whole: false });
  assert.deepEqual([...values], [3, 1], 'a mean of 2 is no nodata; nodata does not count');
});

test('classes are picked where GDAL picks them', () => {
  fc.assert(
    fc.property(cases, each => {
      const { width, height, bands } = each;
      const data = pixels(each);
      const made = { method: 'nearest', integer: true, alpha: -1, whole: false } as const;
      const { values, outWidth, outHeight } = shrunk({ ...each, nodata: null }, data, null, made);
      for (let cy = 0; cy < outHeight; cy++) {
        for (let cx = 0; cx < outWidth; cx++) {
          const x = Math.min(width - 1, Math.floor(0.5 + (cx * width) / outWidth));
          const y = Math.min(height - 1, Math.floor(0.5 + (cy * height) / outHeight));
          for (let b = 0; b < bands; b++)
            assert.equal(values[(cy * outWidth + cx) * bands + b], data[(y * width + x) * bands + b]);
        }
      }
    }),
    { numRuns: 150 },
  );
});
