import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { coverageOf } from '../../src/kernels/coverage.ts';
import type { SampleType } from '../../src/kernels/samples.ts';
import { DISTINCT_MAX } from '../../src/kernels/statistics/distinct.ts';
import { createTally } from '../../src/kernels/statistics/tally.ts';
import type { BandStatistics, StatisticsOptions } from '../../src/kernels/statistics/types.ts';

const OPTIONS: StatisticsOptions = {
  percentiles: [2, 98],
  categorical: false,
  categories: null,
  bins: 10,
  range: null,
};

/** All of it, in parts of `size` values, as often as it is asked for. */
function statistics(type: SampleType, values: readonly number[], options = OPTIONS, size = 1000): BandStatistics {
  const tally = createTally(type, options);
  for (let again = true; again; again = tally.endPass()) {
    for (let i = 0; i < values.length; i += size) {
      const samples = values.slice(i, i + size);
      tally.add({ samples, bands: 1, mask: new Uint8Array(samples.length).fill(255), weights: null }, 0);
    }
  }
  return tally.finish(values.length, values.length) as BandStatistics;
}

/** rio-tiler's percentile: the first value up to which the share lies. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

const near = (a: number | null, b: number, within = 1e-9) =>
  assert.ok(a !== null && Math.abs(a - b) <= within * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

function assertStatistics(found: BandStatistics, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  const sum = values.reduce((a, b) => a + b, 0);
  const mean = sum / values.length;
  assert.deepEqual([found.min, found.max], [sorted[0], sorted[sorted.length - 1]]);
  assert.deepEqual([found.count, found.valid_pixels, found.masked_pixels], [values.length, values.length, 0]);
  near(found.sum, sum);
  near(found.mean, mean);
  near(found.std, Math.sqrt(values.reduce((a, v) => a + (v - mean) ** 2, 0) / values.length), 1e-7);
  assert.equal(found.median, percentile(sorted, 50));
  assert.equal(found['percentile_2'], percentile(sorted, 2));
  assert.equal(found['percentile_98'], percentile(sorted, 98));
  assert.equal(
    found.histogram[0].reduce((a, b) => a + b, 0),
    values.length,
  );
}

describe('statistics of a band in parts', () => {
  test('few values: everything is said, whatever the type', () => {
    for (const [type, low, high] of [
      ['uint8', 0, 255],
      ['int16', -32_768, 32_767],
      ['int32', -2_000_000_000, 2_000_000_000],
    ] as const) {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 200 }), values => {
          const found = statistics(type, values, OPTIONS, 7);
          assertStatistics(found, values);
          assert.equal(found.unique, new Set(values).size);
        }),
        { numRuns: 40 },
      );
    }
  });

  test('more values than are told apart: exact all the same, but for the most frequent', () => {
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const count = DISTINCT_MAX * 2;
    const numbers = Array.from({ length: count }, () => (next() - 0.4) * 10 ** (next() * 8));
    for (const [type, values] of [
      ['float32', numbers.map(Math.fround)],
      ['float64', numbers],
      ['int32', numbers.map(Math.round)],
    ] as const) {
      const found = statistics(type, [...values, -0, 0]);
      assertStatistics(found, [...values, 0, 0]);
      assert.deepEqual([found.majority, found.minority, found.unique], [null, null, null]);
    }
  });

  test('histograms of other bins, edges and ranges; categories', () => {
    const values = [1, 1, 2, 3, 5, 8];
    const bins = (options: Partial<StatisticsOptions>) =>
      statistics('uint8', values, { ...OPTIONS, ...options }).histogram;
    assert.deepEqual(bins({ bins: 7 }), [
      [2, 1, 1, 0, 1, 0, 1],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]);
    assert.deepEqual(bins({ bins: [0, 2, 5] }), [
      [2, 3],
      [0, 2, 5],
    ]);
    assert.deepEqual(bins({ bins: 2, range: [0, 4] }), [
      [2, 2],
      [0, 2, 4],
    ]);
    assert.deepEqual(bins({ categorical: true }), [
      [2, 1, 1, 1, 1],
      [1, 2, 3, 5, 8],
    ]);
    assert.deepEqual(bins({ categorical: true, categories: [8, 4, 1] }), [
      [1, 0, 2],
      [8, 4, 1],
    ]);
  });

  test('weights count in sums and percentiles, not in the most frequent value', () => {
    const tally = createTally('uint8', OPTIONS);
    const weights = Float32Array.of(0.5, 0.25, 1, 0);
    tally.add({ samples: Uint8Array.of(10, 10, 20, 99), bands: 1, mask: new Uint8Array(4).fill(1), weights }, 0);
    assert.equal(tally.endPass(), false);
    const found = tally.finish(4, 3) as BandStatistics;
    assert.deepEqual([found.count, found.sum, found.median, found.majority], [1.75, 27.5, 20, 10]);
    assert.deepEqual([found.valid_pixels, found.masked_pixels, found.valid_percent], [3, 1, 100]);
  });

  test('nothing valid is null, not NaN', () => {
    const tally = createTally('float32', OPTIONS);
    tally.add({ samples: Float32Array.of(1, Number.NaN), bands: 1, mask: Uint8Array.of(0, 255), weights: null }, 0);
    assert.equal(tally.endPass(), false);
    const found = tally.finish(2, 2) as BandStatistics;
    assert.deepEqual([found.mean, found.count, found['percentile_2'], found.valid_percent], [null, 0, null, 0]);
  });
});

describe('the share of pixels that a polygon covers', () => {
  const square = [1.5, 1.25, 3.25, 1.25, 3.25, 3, 1.5, 3];

  test('a square by hand, in any window', () => {
    const whole = coverageOf([Float64Array.from(square)], { x: 0, y: 0, width: 5, height: 4 });
    const rows = [0, 1, 2, 3].map(y => [...whole.subarray(y * 5, y * 5 + 5)]);
    assert.deepEqual(rows[0], [0, 0, 0, 0, 0]);
    assert.deepEqual(rows[1], [0, 0.375, 0.75, 0.1875, 0]);
    assert.deepEqual(rows[2], [0, 0.5, 1, 0.25, 0]);
    assert.deepEqual(rows[3], [0, 0, 0, 0, 0]);
    const part = coverageOf([Float64Array.from(square)], { x: 2, y: 2, width: 2, height: 1 });
    assert.deepEqual([...part], [1, 0.25]);
  });

  test('the shares sum up to the area, holes are left out, windows agree', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ radius: fc.double({ min: 1, max: 9, noNaN: true }) }), { minLength: 3, maxLength: 12 }),
        fc.integer({ min: 0, max: 12 }),
        (spokes, left) => {
          const star = (scale: number) =>
            Float64Array.from(
              spokes.flatMap(({ radius }, i) => {
                const angle = (i * 2 * Math.PI) / spokes.length;
                return [10.3 + scale * radius * Math.cos(angle), 9.7 + scale * radius * Math.sin(angle)];
              }),
            );
          const outer = star(1);
          const inner = star(0.5);
          const hole = inner.map((_, i) => inner[inner.length - 2 - (i - (i % 2)) + (i % 2)]);
          const area = (ring: Float64Array) => {
            let sum = 0;
            for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2)
              sum += ring[j] * ring[i + 1] - ring[i] * ring[j + 1];
            return Math.abs(sum / 2);
          };
          const all = coverageOf([outer, hole], { x: 0, y: 0, width: 21, height: 20 });
          const sum = all.reduce((a, b) => a + b, 0);
          assert.ok(Math.abs(sum - (area(outer) - area(hole))) < 1e-3, `${sum}`);
          const part = coverageOf([outer, hole], { x: left, y: 5, width: 6, height: 3 });
          for (let y = 0; y < 3; y++)
            for (let x = 0; x < 6; x++) assert.ok(Math.abs(part[y * 6 + x] - all[(y + 5) * 21 + x + left]) < 1e-6);
        },
      ),
      { numRuns: 100 },
    );
  });
});
