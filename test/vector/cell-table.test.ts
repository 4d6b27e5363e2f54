/** The table of cells is a Map from key to number with a count each, walk after walk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CellTable, NONE } from '../../src/source/fgb/cell-table.ts';

/** Keys as walks make them: rows far apart, columns side by side, either sign. */
const key = fc.oneof(
  fc.integer({ min: -50, max: 5000 }),
  fc
    .tuple(fc.integer({ min: -(2 ** 21), max: 2 ** 21 }), fc.integer({ min: -20, max: 2000 }))
    .map(([row, col]) => row * 2 ** 31 + col),
);
const walk = fc.array(fc.record({ key, more: fc.integer({ min: 0, max: 9 }) }), { maxLength: 3000, size: 'max' });

test('finds what it was given, in the walk that gave it, and counts', () => {
  fc.assert(
    fc.property(fc.array(walk, { minLength: 1, maxLength: 4 }), walks => {
      const table = new CellTable();
      for (const steps of walks) {
        table.reset();
        const cells = new Map<number, number>();
        const counts: number[] = [];
        for (const { key, more } of steps) {
          const known = cells.get(key) ?? NONE;
          assert.equal(table.find(key), known);
          if (known === NONE) {
            assert.equal(table.add(key), counts.length);
            cells.set(key, counts.length);
            counts.push(1);
          } else {
            table.count(known, more);
            counts[known] += more;
          }
        }
        assert.equal(table.size, counts.length);
        assert.deepEqual(
          counts.map((_, cell) => table.countOf(cell)),
          counts,
        );
        for (const [key, cell] of cells) assert.equal(table.find(key), cell);
      }
    }),
    { numRuns: 60 },
  );
});

test('what a walk of many cells needed is not kept, and nothing of it is found', () => {
  const table = new CellTable();
  for (let key = 0; key < 100_000; key++) {
    assert.equal(table.find(key), NONE);
    table.add(key);
  }
  assert.equal(table.find(99_999), 99_999);
  table.reset();
  assert.equal(table.find(99_999), NONE);
  assert.equal(table.size, 0);
});
