/** The point of a polygon's label: inside whatever the rings, as far from the boundary as polylabel finds, within its budget. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import polylabel from 'polylabel';
import type { RingSet } from '../../src/kernels/interior-point.ts';
import { distance, newPoleScratch, poleBytes, poleOf } from '../../src/kernels/pole.ts';

type Ring = readonly (readonly [number, number])[];

function ringSet(rings: readonly Ring[]): RingSet {
  let end = 0;
  const ends = Int32Array.from(rings, ring => (end += ring.length));
  return { xy: Float64Array.from(rings.flat(2)), ends, count: rings.length };
}

/** Around a middle, by rising angles: simple, with bays as deep as the radii say. */
function star(radii: readonly number[], [x, y]: readonly [number, number], stretch = 1): [number, number][] {
  return radii.map((r, i) => {
    const angle = (i / radii.length) * 2 * Math.PI;
    return [x + r * Math.cos(angle) * stretch, y + r * Math.sin(angle)];
  });
}

/** Even-odd, by another sum than the kernel's: the turns of the angle to each edge. */
function encloses(ring: Ring, [x, y]: Float64Array): boolean {
  let turn = 0;
  ring.forEach(([ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length];
    turn += Math.atan2((ax - x) * (by - y) - (ay - y) * (bx - x), (ax - x) * (bx - x) + (ay - y) * (by - y));
  });
  return Math.round(Math.abs(turn) / (2 * Math.PI)) % 2 === 1;
}

const radius = fc.double({ min: 0.05, max: 1, noNaN: true });
const shape = fc.record({
  radii: fc.array(radius, { minLength: 3, maxLength: 60 }),
  hole: fc.option(fc.array(radius, { minLength: 3, maxLength: 20 })),
  stretch: fc.constantFrom(1, 8, 200),
  at: fc.tuple(fc.constantFrom(0, -1e7, 2e7), fc.constantFrom(0, 1.5e7)),
});

function ringsOf({ radii, hole, stretch, at: [x, y] }: typeof shape extends fc.Arbitrary<infer S> ? S : never): Ring[] {
  const outer = star(radii, [x, y], stretch);
  // Within the inner circle of the outer ring: no radius of a triangle comes nearer to its middle.
  return hole
    ? [
        outer,
        star(
          hole.map(r => r * 0.04 * Math.cos(Math.PI / Math.max(3, radii.length))),
          [x, y],
          stretch,
        ),
      ]
    : [outer];
}

test('inside, and never nearer to the boundary than polylabel by more than both allow', () => {
  const scratch = newPoleScratch();
  const out = new Float64Array(2);
  fc.assert(
    fc.property(shape, given => {
      const rings = ringsOf(given);
      const set = ringSet(rings);
      assert.ok(poleOf(set, 0, scratch, out));
      assert.ok(encloses(rings[0], out) && !(rings[1] && encloses(rings[1], out)), `${out} is outside`);
      const own = distance(set, out[0], out[1]);
      if (given.stretch > 8) return assert.ok(own > 0);
      const closed = rings.map(ring => [...ring, ring[0]].map(([x, y]): [number, number] => [x, y]));
      const { distance: best } = polylabel(closed, 0.002);
      assert.ok(own * 1.05 + 0.002 >= best, `${own} where ${best} is there`);
    }),
    { numRuns: process.env.PLIMSOLL_TEST_FULL ? 5000 : 300 },
  );
});

test('any rings at all: a point that an odd number of them encloses, or the answer that there is none', () => {
  const scratch = newPoleScratch();
  const out = new Float64Array(2);
  const point = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }));
  const ring = fc.array(point, { minLength: 3, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(ring, { minLength: 1, maxLength: 3 }), rings => {
      const set = ringSet(rings);
      if (!poleOf(set, 0, scratch, out)) return;
      const odd = rings.filter(one => encloses(one, out)).length;
      assert.equal(distance(set, out[0], out[1]) > 0, odd % 2 === 1);
      assert.ok(odd % 2 === 1, `${out} of ${JSON.stringify(rings)}`);
    }),
    // There and back along the same way: no area.
    {
      numRuns: 1000,
      examples: [
        [
          [
            [
              [0, 9],
              [2, 4],
              [0, 6],
              [2, 4],
            ],
          ],
        ],
      ],
    },
  );
});

test('a million points take their share of the budget, and the label lies inside the comb that they are', () => {
  const teeth = 250_000;
  const ring: [number, number][] = [];
  for (let i = 0; i < teeth; i++) ring.push([i, 0], [i, 1000], [i + 0.5, 1000], [i + 0.5, 0]);
  ring.push([teeth, -1], [0, -1]);
  const set = ringSet([ring]);
  const scratch = newPoleScratch();
  const out = new Float64Array(2);
  const looked = countingReads(set);
  assert.ok(poleOf(looked.set, 0, scratch, out));
  assert.ok(encloses(ring, out), `${out}`);
  // Bounds, centroid, row, budget and check: some passes over the points, not a search that grows with them.
  assert.ok(looked.reads() < 40 * set.xy.length, `${looked.reads() / set.xy.length} passes`);
  const held = scratch.heap.byteLength + scratch.crossings.byteLength + scratch.xy.byteLength + scratch.ends.byteLength;
  assert.ok(held <= poleBytes(ring.length), `${held} bytes`);
});

/** How often coordinates of the rings are looked at, in whole passes: a pass reads each once. */
function countingReads(set: RingSet): { set: RingSet; reads: () => number } {
  let reads = 0;
  const counted: RingSet = {
    get xy() {
      reads += set.xy.length;
      return set.xy;
    },
    ends: set.ends,
    count: set.count,
  };
  return { set: counted, reads: () => reads };
}

test('rings without area, or with coordinates that no sum can hold, have no such point', () => {
  const scratch = newPoleScratch();
  const out = new Float64Array(2);
  for (const ring of [
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    [
      [0, 0],
      [5, 5],
      [0, 0],
    ],
    [
      [0, 0],
      [1e308, 1e308],
      [-1e308, 1e308],
    ],
  ] as const)
    assert.equal(poleOf(ringSet([ring]), 0, scratch, out), false, JSON.stringify(ring));
});
