/** At most so many are within, in the order in which they came, whether they end well or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createGate } from '../../src/workers/gate.ts';

test('so many at a time, first come first through', async () => {
  const works = fc.array(fc.record({ turns: fc.integer({ min: 0, max: 5 }), fails: fc.boolean() }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), works, async (most, list) => {
      const gate = createGate(most);
      const begun: number[] = [];
      let within = 0;
      const ended = await Promise.allSettled(
        list.map(({ turns, fails }, i) =>
          gate.through(async () => {
            begun.push(i);
            assert.ok(++within <= most);
            for (let turn = 0; turn < turns; turn++) await null;
            within--;
            if (fails) throw new Error(`${i}`);
            return i;
          }),
        ),
      );
      assert.deepEqual(begun, [...list.keys()]);
      assert.deepEqual(
        ended.map(end => (end.status === 'fulfilled' ? end.value : -1)),
        list.map(({ fails }, i) => (fails ? -1 : i)),
      );
      assert.equal(within, 0);
    }),
  );
});
