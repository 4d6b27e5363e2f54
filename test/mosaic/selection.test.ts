/** How a value is chosen, against the plain rule pixel by pixel; and the box around members. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addTo, createSums, fill, meanOf, type Picture, takeExtreme } from '../../src/kernels/pixel-selection.ts';
import { lonLatUnion, zoomOfFew } from '../../src/layers/mosaic-source.ts';

const BANDS = 2;
const PIXELS = 6;
const pictures = fc.array(
  fc.record({
    values: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: BANDS * PIXELS, maxLength: BANDS * PIXELS }),
    mask: fc.array(fc.constantFrom(0, 128, 255), { minLength: PIXELS, maxLength: PIXELS }),
  }),
  { minLength: 1, maxLength: 5 },
);
type Drawn = { values: number[]; mask: number[] };

function pictureOf({ values, mask }: Drawn): Picture {
  return { samples: Uint8Array.from(values), bands: BANDS, type: 'uint8', mask: Uint8Array.from(mask) };
}

/** Pixel by pixel from the values that are there. */
function byRule(all: readonly Drawn[], rule: (values: number[]) => number): (number | null)[] {
  return Array.from({ length: BANDS * PIXELS }, (_, i) => {
    const there = all.filter(({ mask }) => mask[Math.floor(i / BANDS)] !== 0).map(({ values }) => values[i] as number);
    return there.length === 0 ? null : rule(there);
  });
}

function seen({ samples, mask }: Picture): (number | null)[] {
  return Array.from(samples, (value, i) => (mask[Math.floor(i / BANDS)] === 0 ? null : value));
}

test('first, highest, lowest and mean are what the rule says of the values that are there', () => {
  fc.assert(
    fc.property(pictures, all => {
      const [head, ...rest] = all as [Drawn, ...Drawn[]];
      const first = pictureOf(head);
      const open = () => first.mask.filter(mask => mask !== 255).length;
      let lacking = open();
      for (const each of rest) lacking = fill(first, pictureOf(each));
      assert.deepEqual(
        seen(first),
        byRule(all, ([value]) => value as number),
      );
      assert.equal(lacking, open());
      const most = (p: number) => Math.max(...all.map(({ mask }) => mask[p] as number));
      assert.deepEqual(
        [...first.mask],
        Array.from({ length: PIXELS }, (_, p) => most(p)),
        'no seam at soft edges',
      );
      for (const [sign, rule] of [[1, Math.max] as const, [-1, Math.min] as const]) {
        const extreme = pictureOf(head);
        for (const each of rest) takeExtreme(extreme, pictureOf(each), sign);
        assert.deepEqual(
          seen(extreme),
          byRule(all, values => rule(...values)),
        );
      }
      const sums = createSums(PIXELS, BANDS, 'uint8');
      for (const each of all) addTo(sums, pictureOf(each));
      const mean = (values: number[]) => Math.trunc(values.reduce((sum, value) => sum + value, 0) / values.length);
      assert.deepEqual(seen(meanOf(sums)), byRule(all, mean));
    }),
  );
});

test('the box around boxes goes the short way round', () => {
  assert.deepEqual(lonLatUnion([5, 40, 10, 50, 8, 45, 20, 47]), [5, 40, 20, 50]);
  assert.deepEqual(lonLatUnion([170, -20, 180, -10, -180, -20, -170, -10]), [170, -20, -170, -10]);
  assert.deepEqual(lonLatUnion([175, 0, -175, 1, -175, 0, -160, 1]), [175, 0, -160, 1]);
  assert.deepEqual(lonLatUnion([-180, -90, 180, 90, 3, 4, 5, 6]), [-180, -90, 180, 90]);
});

test('the zoom of few is the first with no more boxes in any tile', () => {
  const grid = Array.from({ length: 64 }, (_, i) => {
    const [x, y] = [(i % 8) * 45 - 180 + 1, Math.floor(i / 8) * 20 - 80];
    return [x, y, x + 40, y + 18] as const;
  });
  assert.equal(zoomOfFew(grid, 64), 0);
  assert.equal(zoomOfFew(grid, 63), 1);
  const few = zoomOfFew(grid, 4) as number;
  assert.ok(few >= 2 && few <= 4, String(few));
  assert.equal(zoomOfFew(new Array(10).fill([1, 1, 2, 2]), 9), null);
});
