/** Rows of cells without logarithms: never farther off than they say, and the features chosen are those of the logarithms. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { cellGrid } from '../../src/render/vector/cells.ts';
import { selectCells } from '../../src/source/fgb/lod.ts';
import { nearly } from '../../src/source/fgb/nearly.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { type WriteFeature, writeFgb } from './fgb-writer.ts';
import { Files, openLayer, seeded } from './rig.ts';

const files = new Files();
after(() => files.remove());

const WORLD = { crs: 'EPSG:4326', bounds: null };
const TOLERANCE = 0.01;

test('a row is never farther from the logarithm than was said', () => {
  let told = 0;
  const latitude = fc.double({ min: -85, max: 85, noNaN: true });
  const span = fc.double({ min: 0.001, max: 3, noNaN: true });
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(latitude, span, fc.integer({ min: 4, max: 24 }), places, (south, height, step, shares) => {
      const { row } = cellGrid(WORLD, 'mercator', WEB_MERCATOR_QUAD, step);
      const near = nearly(row, south, south + height, TOLERANCE);
      if (near === null) return;
      told++;
      for (const share of shares) {
        const y = south + share * height;
        const off = Math.abs(near.at(y) - row(y));
        assert.ok(off <= near.error, `${y}° at step ${step}: ${off} off, ${near.error} was said`);
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(told > 100, `${told} of 400 had a polynomial`);
});

test('a range without an end, or of none, has no polynomial', () => {
  const { row } = cellGrid(WORLD, 'mercator', WEB_MERCATOR_QUAD, 8);
  assert.equal(nearly(row, 10, Number.POSITIVE_INFINITY, TOLERANCE), null);
  assert.equal(nearly(row, 10, 10, TOLERANCE), null);
  assert.equal(nearly(row, -80, 80, TOLERANCE), null);
});

test('the features of a box are the same as by logarithms, on the edges of cells too', async () => {
  const random = seeded(7);
  const steps = [9, 12, 14];
  const features: WriteFeature[] = Array.from({ length: 4000 }, (_, i) => {
    const grid = cellGrid(WORLD, 'mercator', WEB_MERCATOR_QUAD, steps[i % steps.length]!);
    // A third lie exactly where two rows meet, as well as that can be written down.
    const lat = 50 + 2 * random();
    const y = i % 3 === 0 ? grid.y(Math.floor(grid.row(lat))) : lat;
    return { geometry: { type: 'Point', coordinates: [4 + 2 * random(), y] } };
  });
  const layer = await openLayer(files.path(writeFgb(features)));
  let chosen = 0;
  for (const step of steps) {
    const grid = cellGrid(layer.source, 'mercator', WEB_MERCATOR_QUAD, step);
    for (let i = 0; i < 30; i++) {
      const [west, south] = [4 + 1.5 * random(), 50 + 1.5 * random()];
      const box = Float64Array.of(west, south, west + random(), south + random());
      const fast = await selectCells(layer.source, box, grid);
      const exact = await selectCells(layer.source, box, { ...grid, curved: false });
      assert.deepEqual(fast, exact, `step ${step}, box ${box.join()}`);
      chosen += fast.ordinals.length;
    }
  }
  assert.ok(chosen > 1000, `${chosen} features`);
});
