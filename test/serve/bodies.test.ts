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
  const [first, second] = [bodies.hold(one.body, 'a').release, bodies.hold(one.body, 'b').release];
  assert.equal(bodies.bytesOf('a'), 200_000);
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
  createBodies(ledger).hold(one.body, 'a').release();
  assert.equal(ledger.total, 0);
  assert.equal(one.body.length, 500);
});

test('any order of holding and letting go ends at zero and never frees what is held', () => {
  const step = fc.record({ body: fc.nat(3), let: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
      const ledger = createLedger({ strict: true });
      const bodies = createBodies(ledger);
      const all = Array.from({ length: 4 }, () => painted(70_000));
      const held: (() => void)[][] = all.map(() => []);
      for (const { body, let: lets } of steps) {
        const { body: bytes } = all[body] as { body: Uint8Array };
        if (lets) held[body]?.pop()?.();
        else if (bytes.length > 0) held[body]?.push(bodies.hold(bytes, String(body)).release);
        all.forEach((each, i) => {
          if ((held[i] as unknown[]).length > 0) assert.equal(each.body[69_999], 7);
        });
        const booked = held.filter(holders => holders.length > 0).length * 70_000;
        assert.equal(ledger.inUse.replies, booked);
        held.forEach((holders, i) => {
          assert.equal(bodies.bytesOf(String(i)), holders.length * 70_000);
        });
      }
      for (const letGo of held.flat()) letGo();
      ledger.audit();
      assert.equal(ledger.total, 0);
    }),
  );
});

test('who takes too long loses its connection, and sooner while replies crowd the budget', () => {
  let nowMs = 0;
  const ledger = createLedger({ strict: true });
  const settings = { graceMs: 1000, drainRate: 10_000, crowdedDrainRate: 100_000, now: () => nowMs };
  const bodies = createBodies(ledger, settings);
  const cut: string[] = [];
  for (const [name, bytes] of [
    ['small', 10_000],
    ['large', 100_000],
  ] as const) {
    bodies.hold(painted(bytes).body, name).onLate(() => cut.push(name));
  }
  nowMs = 1999;
  bodies.sweep(1_000_000);
  assert.deepEqual(cut, []);
  nowMs = 2001;
  bodies.sweep(1_000_000);
  bodies.sweep(1_000_000);
  assert.deepEqual(cut, ['small'], 'a second of grace and one for its bytes, and only once');
  bodies.sweep(200_000);
  assert.deepEqual(cut, ['small', 'large'], '110,000 of 200,000 bytes: the crowded rate');
  assert.equal(bodies.stats().cut, 2);
});
