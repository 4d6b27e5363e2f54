import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { cellGrid } from '../../src/render/vector/cells.ts';
import { selectAll, selectCells } from '../../src/source/fgb/lod.ts';
import { queryFeatures } from '../../src/source/fgb/query.ts';
import { groupsMeeting, moreGroupsMeet } from '../../src/source/fgb/rtree.ts';
import type { BBox } from '../../src/tile.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { type Box, boxOf, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, seeded } from './rig.ts';

const files = new Files();
after(() => files.remove());

/** Boxes as two-point lines: crowded ones, large ones, points, some at the antimeridian and the poles. */
async function layerOf(count: number, nodeSize: number, seed: number): Promise<{ layer: FgbLayer; boxes: Box[] }> {
  const rnd = seeded(seed);
  const features = Array.from({ length: count }, () => {
    const kind = rnd();
    const far = kind < 0.4;
    const x = far ? rnd() * 360 - 180 : 10 + rnd() * 2;
    const y = far ? rnd() * 178 - 89 : 50 + rnd() * 2;
    const size = kind < 0.1 ? 20 * rnd() : kind < 0.2 ? 0 : 0.05 * rnd();
    const coordinates = [
      [x, y],
      [Math.min(180, x + size), Math.min(90, y + size)],
    ];
    return { geometry: { type: 'LineString' as const, coordinates } };
  });
  const layer = await openLayer(files.path(writeFgb(features, { nodeSize })));
  return { layer, boxes: features.map(({ geometry }) => boxOf(geometry)) };
}

const meets = (b: Box, q: readonly number[]) => b[0] <= q[2] && b[2] >= q[0] && b[1] <= q[3] && b[3] >= q[1];

const anyBox = fc
  .oneof(
    fc.tuple(fc.double({ min: -200, max: 200 }), fc.double({ min: -95, max: 95 }), fc.double({ min: 0, max: 40 })),
    fc.tuple(fc.double({ min: 9, max: 13 }), fc.double({ min: 49, max: 53 }), fc.double({ min: 0, max: 0.5 })),
    fc.constant([-180, -90, 360]),
    fc.constant([170, -90, 20]),
    fc.constant([0, 0, 0]),
  )
  .filter(values => values.every(Number.isFinite))
  .map(([x, y, size]): BBox => [x, y, x + size, y + size]);

describe('the index walk against a look at every feature', async () => {
  const layers = await Promise.all([
    layerOf(1, 16, 1),
    layerOf(17, 16, 2),
    layerOf(700, 2, 3),
    layerOf(5000, 16, 4),
    layerOf(3000, 5, 5),
  ]);

  test('how far a walk goes is known without it', () => {
    fc.assert(
      fc.property(fc.nat(layers.length - 1), anyBox, fc.integer({ min: -2, max: 2 }), (which, box, off) => {
        const { tree } = layers[which].layer.source;
        const boxes = Float64Array.from(box);
        const { length } = groupsMeeting(tree!, boxes);
        assert.equal(moreGroupsMeet(tree!, boxes, Math.max(0, length + off)), length > Math.max(0, length + off));
      }),
    );
  });

  test('pages: the same features, in file order, with exact counts, wherever they begin', async () => {
    const asks = fc.tuple(
      fc.nat(layers.length - 1),
      fc.option(anyBox),
      fc.nat(5500),
      fc.integer({ min: 0, max: 6000 }),
    );
    await fc.assert(
      fc.asyncProperty(asks, async ([which, box, start, limit]) => {
        const { layer, boxes } = layers[which];
        const all = boxes.flatMap((b, i) => (box === null || meets(b, box) ? [i] : []));
        const wanted = all.filter(i => i >= start);
        const page = await queryFeatures(layer.source, box, start, limit);
        assert.deepEqual([...page.ordinals], wanted.slice(0, limit));
        assert.equal(page.matched, all.length);
        assert.equal(page.nextOrdinal, wanted[limit] ?? null);
      }),
      { numRuns: 400, seed: 42 },
    );
  });

  test('tiles: one box or two across the antimeridian', async () => {
    const asks = fc.tuple(fc.nat(layers.length - 1), fc.array(anyBox, { minLength: 0, maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(asks, async ([which, query]) => {
        const { layer, boxes } = layers[which];
        const wanted = boxes.flatMap((b, i) => (query.some(q => meets(b, q)) ? [i] : []));
        const taken = await selectAll(layer.source, Float64Array.from(query.flat()));
        assert.deepEqual([...taken.ordinals], wanted);
        assert.equal(taken.dropped, 0);
      }),
      { numRuns: 400, seed: 43 },
    );
  });

  test('cells: the first of each cell in file order, all that are a cell or larger, and the rest counted', async () => {
    const asks = fc.tuple(
      fc.nat(layers.length - 1),
      anyBox,
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 3, max: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(asks, async ([which, box, z, power]) => {
        const { layer, boxes } = layers[which];
        const grid = cellGrid(layer.source, 'mercator', WEB_MERCATOR_QUAD, z + power);
        const first = new Map<string, number[]>();
        const wanted: number[] = [];
        boxes.forEach((b, i) => {
          const [l, r, bottom, top] = [grid.col(b[0]), grid.col(b[2]), grid.row(b[1]), grid.row(b[3])];
          if (r - l >= 1 || bottom - top >= 1) {
            if (meets(b, box)) wanted.push(i);
            return;
          }
          const key = `${Math.floor((l + r) / 2)} ${Math.floor((bottom + top) / 2)}`;
          const cell = first.get(key);
          if (cell) cell.push(i);
          else {
            first.set(key, [i]);
            if (meets(b, box)) wanted.push(i);
          }
        });
        const sizes = new Map([...first.values()].map(cell => [cell[0], cell.length]));
        const taken = await selectCells(layer.source, Float64Array.from(box), grid);
        assert.deepEqual([...taken.ordinals], wanted);
        assert.equal(taken.dropped + wanted.length, boxes.filter(b => meets(b, box)).length);
        assert.deepEqual(
          [...(taken.counts ?? [])],
          wanted.map(i => sizes.get(i) ?? 1),
        );
      }),
      { numRuns: 300, seed: 44 },
    );
  });
});
