import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createLedger } from '../../src/memory/ledger.ts';
import { ACCOUNTS, type Account, type Booking } from '../../src/memory/types.ts';

test('sums follow bookings, by account and in all', () => {
  const ledger = createLedger({ strict: true });
  const a = ledger.book('cache', 1000, 'cache segments');
  const b = ledger.book('inflight', 24.2, 'tile permit');
  assert.equal(ledger.inUse.cache, 1000);
  assert.equal(ledger.inUse.inflight, 25);
  assert.equal(ledger.total, 1025);
  a.resize(400);
  assert.equal(ledger.total, 425);
  assert.deepEqual(ledger.owners(1), [{ account: 'cache', owner: 'cache segments', bytes: 400, bookings: 1 }]);
  a.release();
  b.release();
  assert.equal(ledger.total, 0);
  assert.equal(ledger.stats().peakTotal, 1025);
  ledger.audit();
});

test('a second release throws when strict and is counted in production; sums stay right either way', () => {
  const strict = createLedger({ strict: true }).book('cache', 10, 'x');
  strict.release();
  assert.throws(() => strict.release(), /x released its cache booking twice/);
  const ledger = createLedger();
  const booking = ledger.book('cache', 10, 'x');
  booking.release();
  booking.release();
  assert.equal(ledger.stats().doubleReleases, 1);
  assert.equal(ledger.total, 0);
  assert.throws(() => booking.resize(5), /has released/);
  ledger.audit();
});

test('sizes that are none are refused and change nothing', () => {
  const ledger = createLedger();
  const booking = ledger.book('index', 7, 'rtree');
  for (const bytes of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => booking.resize(bytes), RangeError);
  }
  assert.equal(ledger.total, 7);
  ledger.audit();
});

test('a sum that was tampered with does not pass the audit', () => {
  const ledger = createLedger();
  ledger.book('replies', 5, 'reply');
  (ledger.inUse as Record<Account, number>).replies = 6;
  assert.throws(() => ledger.audit(), /replies says 6 bytes, its bookings sum to 5/);
});

test('any sequence of book, resize and release keeps the books and ends at nothing', () => {
  const step = fc.record({
    act: fc.constantFrom('book', 'resize', 'release'),
    account: fc.constantFrom(...ACCOUNTS),
    bytes: fc.integer({ min: 0, max: 1e9 }),
    which: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
      const ledger = createLedger({ strict: true });
      const live: Booking[] = [];
      for (const { act, account, bytes, which } of steps) {
        const at = which % Math.max(1, live.length);
        if (act === 'book') live.push(ledger.book(account, bytes, 'p'));
        else if (act === 'resize') live[at]?.resize(bytes);
        else live.splice(at, 1)[0]?.release();
        ledger.audit();
        assert.equal(
          ledger.total,
          live.reduce((sum, booking) => sum + booking.bytes, 0),
        );
      }
      for (const booking of live) booking.release();
      assert.equal(ledger.total, 0);
      ledger.audit();
    }),
    { numRuns: 200 },
  );
});
