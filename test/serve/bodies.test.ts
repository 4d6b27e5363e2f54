import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { createLedger } from '../../src/memory/ledger.ts';
import type { Painted } from '../../src/plan.ts';
import { createBodies } from '../../src/reply-bodies.ts';

const painted = (bytes: number): Painted & { body: Uint8Array } => ({
  body: new Uint8Array(bytes).fill(7),
  contentType: 'image/png',
  encoding: 'identity',
  headers: {},
  peakBytes: 0,
  ms: 0,
});

test('a body is booked once for all who wait for it, and its pages go when the last has it', async () => {
  const ledger = createLedger({ strict: true });
  const bodies = createBodies(ledger);
  const one = painted(200_000);
  bodies.adopt(one, 'window');
  assert.equal(ledger.inUse.replies, 200_000);
  const [first, second] = [bodies.hold(one.body, 'a'), bodies.hold(one.body, 'b')];
  await turn();
  assert.equal(ledger.inUse.replies, 200_000);
  first();
  first();
  assert.equal(one.body[199_999], 7, 'the second client still reads it');
  second();
  assert.equal(ledger.inUse.replies, 0);
  assert.equal(one.body.length, 0, 'its pages are gone');
});

test('a body that nobody wants any more is given up at the next turn', async () => {
  const ledger = createLedger({ strict: true });
  const bodies = createBodies(ledger);
  const one = painted(100_000);
  bodies.adopt(one, 'window');
  await turn();
  assert.equal(ledger.inUse.replies, 0);
  assert.equal(one.body.length, 0);
});

test('small bodies, which may be shared constants, keep their bytes', () => {
  const ledger = createLedger({ strict: true });
  const one = painted(500);
  createBodies(ledger).hold(one.body, 'reply')();
  assert.equal(ledger.total, 0);
  assert.equal(one.body.length, 500);
});

test('any order of holding and letting go ends at zero and never frees what is held', () => {
  const step = fc.record({ body: fc.nat(3), let: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const ledger = createLedger({ strict: true });
      const bodies = createBodies(ledger);
      const all = Array.from({ length: 4 }, () => painted(70_000));
      const held: (() => void)[][] = all.map(() => []);
      for (const { body, let: lets } of steps) {
        const { body: bytes } = all[body] as { body: Uint8Array };
        if (lets) held[body]?.pop()?.();
        else if (bytes.length > 0) held[body]?.push(bodies.hold(bytes, 'reply'));
        all.forEach((each, i) => {
          if ((held[i] as unknown[]).length > 0) assert.equal(each.body[69_999], 7);
        });
        const booked = held.filter(holders => holders.length > 0).length * 70_000;
        assert.equal(ledger.inUse.replies, booked);
      }
      for (const letGo of held.flat()) letGo();
      ledger.audit();
      assert.equal(ledger.total, 0);
    }),
  );
});
