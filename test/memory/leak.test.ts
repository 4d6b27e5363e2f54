import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Allocations } from '../../src/memory/leak/allocations.ts';
import { Trend, theilSen } from '../../src/memory/leak/trend.ts';

const MINUTE = 60_000;
const MIB = 2 ** 20;

/** A day in minutes: warm-up, noise, load peaks, and a leak of so much an hour. */
function day(leakPerHour: number, hours: number, seed: number): Trend {
  const trend = new Trend();
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  for (let s = 0; s < hours * 3600; s += 10) {
    const warm = 30 * MIB * (1 - Math.exp(-s / 120));
    const peak = random() < 0.3 ? 20 * MIB * random() : 0;
    trend.add(s * 1000, warm + peak + random() * MIB + (leakPerHour * s) / 3600);
  }
  return trend;
}

test('Theil and Sen: the slope of a line, whatever a quarter of the points say', () => {
  const times = Array.from({ length: 40 }, (_, i) => i * MINUTE);
  const values = times.map((t, i) => (i % 4 === 3 ? 1e9 * (i % 8) : 5 + (t / MINUTE) * 2));
  const { perHour } = theilSen(times, values);
  assert.ok(Math.abs(perHour - 120) < 1e-6, String(perHour));
});

test('the slope of any noiseless line, and its interval holds it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 10, max: 60 }), (perMinute, n) => {
      const times = Array.from({ length: n }, (_, i) => i * MINUTE);
      const { perHour, low, high } = theilSen(
        times,
        times.map(t => (t / MINUTE) * perMinute),
      );
      assert.ok(Math.abs(perHour - 60 * perMinute) < 1e-6);
      assert.ok(low <= perHour + 1e-6 && high >= perHour - 1e-6);
    }),
  );
});

test('a leak of 4 MiB an hour is surely one after two hours; a healthy run, with warm-up and peaks, is none', () => {
  let alarms = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const leaking = day(4 * MIB, 2, seed).slope();
    assert.ok(leaking !== null && leaking.low > 2 * MIB && Math.abs(leaking.perHour - 4 * MIB) < MIB, String(seed));
    const healthy = day(0, 2, seed).slope();
    if ((healthy as { low: number }).low > MIB / 2) alarms++;
  }
  assert.equal(alarms, 0);
});

test('too little says nothing, and old minutes are forgotten', () => {
  assert.equal(day(MIB, 0.2, 1).slope(), null);
  const trend = new Trend({ warmUpMs: 0, buckets: 12, readingsMax: 60 });
  for (let minute = 0; minute < 100; minute++) trend.add(minute * MINUTE, minute < 50 ? minute * 100 : 5000);
  assert.deepEqual([trend.slope()?.perHour, trend.slope()?.buckets], [0, 12]);
});

test('allocation sites name who holds what was allocated', async () => {
  const allocations = new Allocations(() => 64 * MIB, { samplingIntervalBytes: 16 * 1024 });
  const kept: unknown[] = [];
  function hoardOfObjects(): void {
    for (let i = 0; i < 60_000; i++) kept.push({ i, text: `object ${i}` });
  }
  const sites = allocations.sites(0.3);
  await new Promise(done => setTimeout(done, 100));
  hoardOfObjects();
  const found = (await sites).find(site => site.function === 'hoardOfObjects');
  assert.ok(found && found.bytes > MIB && /leak\.test\.ts$/.test(found.file), JSON.stringify(found));
  assert.equal(kept.length, 60_000);
});

test('objects are counted by constructor, and only those that are few', () => {
  const allocations = new Allocations(() => 64 * MIB);
  const kept = Array.from({ length: 777 }, () => new SharedArrayBuffer(8));
  const [count] = allocations.count(['SharedArrayBuffer']);
  assert.ok(count && count.objects >= 777 && count.objects < 2000, JSON.stringify(count));
  assert.equal(kept.length, 777);
  assert.ok(allocations.count([]).length > 5);
  assert.throws(() => allocations.count(['Object']), /Object is none of/);
});

test('near the limit nothing is looked at', async () => {
  const allocations = new Allocations(() => 15 * MIB);
  assert.throws(() => allocations.count([]), /bytes are free/);
  await assert.rejects(allocations.sites(1), /bytes are free/);
});
