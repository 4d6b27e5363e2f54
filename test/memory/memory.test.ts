import assert from 'node:assert/strict';
import test from 'node:test';
import { type Budget, deriveBudget } from '../../src/memory/budget.ts';
import { CODE_RESERVE_BYTES, createGauge, type GaugeReader, type GroupFigures } from '../../src/memory/gauge.ts';
import type { Limit } from '../../src/memory/limit.ts';
import { createMemory, type MemorySettings } from '../../src/memory/memory.ts';
import type { Sheddable } from '../../src/memory/types.ts';

const MIB = 2 ** 20;
const cgroup = (bytes: number): Limit => ({
  bytes,
  source: 'cgroup2',
  version: 2,
  dir: '/sys/fs/cgroup',
  cgroupBytes: bytes,
  physicalBytes: 16384 * MIB,
});

/** A machine whose figures and clock are turned by hand. */
class Bench {
  nowMs = 0;
  group: GroupFigures | null = { unreclaimable: 48 * MIB, workingSet: 60 * MIB, pageCache: 20 * MIB, sock: 0, swap: 0 };
  rss = 60 * MIB;
  file = 30 * MIB;
  heap = { used: 10 * MIB, committed: 20 * MIB, limit: 67 * MIB, external: 0 };
  budget: Budget;
  #tick: () => void = () => {};
  memory;

  constructor(limit: Limit, more: Partial<MemorySettings> = {}) {
    this.budget = deriveBudget(limit.bytes);
    const reader: GaugeReader = {
      group: () => {
        if (this.group === null) throw new Error('ENODEV');
        return this.group;
      },
      process: () => ({ rss: this.rss, file: this.file }),
      heap: () => this.heap,
      close: () => {},
    };
    const now = (): number => this.nowMs;
    const every = (_ms: number, tick: () => void): (() => void) => {
      this.#tick = tick;
      return () => {};
    };
    this.memory = createMemory({
      limit,
      budget: this.budget,
      now,
      gauge: createGauge({ limit, reader, now, every }),
      ...more,
    });
  }

  use(bytes: number): void {
    this.group = { ...this.group!, unreclaimable: bytes - CODE_RESERVE_BYTES };
  }

  run(samples: number, ms = 25): void {
    for (let i = 0; i < samples; i++) {
      this.nowMs += ms;
      this.#tick();
    }
  }
}

function giver(name: string, rank: number, has: number): Sheddable & { has: number; asked: number[] } {
  return {
    name,
    rank,
    has,
    asked: [],
    shed(bytes) {
      this.asked.push(bytes);
      const given = Math.min(bytes, this.has);
      this.has -= given;
      return given;
    },
  };
}

test('page cache at the limit is no pressure; the kubelet figure is told all the same', () => {
  const bench = new Bench(cgroup(256 * MIB));
  bench.group = { unreclaimable: 48 * MIB, workingSet: 184 * MIB, pageCache: 210 * MIB, sock: 0, swap: 0 };
  bench.run(10);
  assert.equal(bench.memory.level(), 'normal');
  assert.equal(bench.memory.gauge.last.pressure, 64 / 256);
  assert.equal(bench.memory.gauge.last.workingSet, 184 * MIB);
});

test('memory of our own that the cgroup does not show still counts', () => {
  const bench = new Bench(cgroup(256 * MIB));
  bench.rss = 250 * MIB;
  bench.run(3);
  assert.equal(bench.memory.gauge.last.pressure, (220 + 16) / 256);
  assert.equal(bench.memory.level(), 'critical');
});

test('without a cgroup limit the neighbours in the group do not count', () => {
  const bench = new Bench({ ...cgroup(1024 * MIB), source: 'flag', cgroupBytes: null });
  bench.group = { unreclaimable: 9000 * MIB, workingSet: 0, pageCache: 0, sock: 0, swap: 500 * MIB };
  bench.run(5);
  assert.equal(bench.memory.level(), 'normal');
});

test('every rung up and down, and shedding by rank in proportion', () => {
  const bench = new Bench(cgroup(256 * MIB));
  const changes: string[] = [];
  bench.memory.onLevel((level, before) => changes.push(`${before}>${level}`));
  const late = giver('sessions', 20, 500 * MIB);
  const early = giver('cache', 10, 5 * MIB);
  bench.memory.register(late);
  bench.memory.register(early);
  bench.use(0.72 * 256 * MIB);
  bench.run(2);
  assert.deepEqual(early.asked, []);
  bench.run(1);
  const over = Math.ceil((bench.memory.gauge.last.pressure - 0.62) * 256 * MIB);
  assert.ok(Math.abs(early.asked[0] - over) <= 1);
  assert.ok(Math.abs(late.asked[0] - (over - 5 * MIB)) <= 1);
  bench.run(1);
  assert.equal(early.asked.length, 1, 'one round in 200 ms');
  bench.use(0.9 * 256 * MIB);
  bench.run(8);
  assert.equal(bench.memory.level(), 'critical');
  assert.equal(early.asked.at(-1), Number.POSITIVE_INFINITY);
  bench.use(0.5 * 256 * MIB);
  bench.run(3);
  assert.deepEqual(changes, ['normal>warning', 'warning>critical', 'critical>normal']);
  assert.equal(bench.memory.stats().shed.byName['cache'], 5 * MIB);
});

test('a sheddable that throws is passed over', () => {
  const bench = new Bench(cgroup(256 * MIB));
  const good = giver('good', 2, MIB);
  bench.memory.register({ ...giver('bad', 1, 0), shed: () => assert.fail('broken') });
  const remove = bench.memory.register(good);
  bench.use(250 * MIB);
  bench.run(3);
  assert.equal(good.has, 0);
  assert.equal(bench.memory.stats().shed.failures, 1);
  remove();
  bench.run(20);
  assert.equal(good.asked.length, 1);
});

test('what is held beyond the books takes safety, then untouched heap, then the cache, then the requests', () => {
  const bench = new Bench(cgroup(512 * MIB));
  const { memory, budget } = bench;
  const full = [budget.inflightBytes, budget.cacheBytes];
  const now = (): number[] => [memory.budgetBytes(), memory.cacheBytes()];
  bench.run(1);
  assert.deepEqual(now(), full);
  const expected = budget.baseline + memory.ledger.total;
  const spare = budget.safety + budget.heapAllowance - memory.ledger.inUse.heap;
  bench.use(expected + spare);
  bench.run(1);
  assert.equal(memory.stats().unaccounted, spare);
  assert.deepEqual(now(), full);
  bench.use(expected + spare + 10 * MIB);
  bench.run(1);
  assert.deepEqual(now(), [budget.inflightBytes, budget.cacheBytes - 10 * MIB]);
  const gives = Math.floor(budget.cacheBytes * 0.75);
  bench.use(expected + spare + gives + 30 * MIB);
  bench.run(1);
  assert.deepEqual(now(), [budget.inflightBytes - 30 * MIB, budget.cacheBytes - gives]);
  bench.use(expected);
  bench.run(1);
  assert.ok(memory.budgetBytes() < budget.inflightBytes - 28 * MIB, 'comes back slowly');
  bench.run(2000);
  assert.ok(memory.budgetBytes() === budget.inflightBytes && memory.cacheBytes() > budget.cacheBytes - MIB);
});

test('a cache that holds more than it may is asked for the difference, and nobody else', () => {
  const bench = new Bench(cgroup(512 * MIB));
  const { memory, budget } = bench;
  const [cache, other] = [giver('cache', 10, 100 * MIB), giver('sessions', 5, 100 * MIB)];
  for (const one of [cache, other]) memory.register(one);
  const booking = memory.ledger.book('cache', budget.cacheBytes, 'segments');
  bench.run(1);
  assert.deepEqual(cache.asked, []);
  bench.use(budget.baseline + memory.ledger.total + budget.safety + budget.heapAllowance + 8 * MIB);
  bench.run(1, 1000);
  assert.deepEqual(cache.asked, [8 * MIB]);
  booking.release();
  bench.run(1, 1000);
  assert.deepEqual([cache.asked.length, other.asked.length], [1, 0]);
});

test('booked bytes are not unaccounted', () => {
  const bench = new Bench(cgroup(512 * MIB));
  bench.memory.ledger.book('inflight', 100 * MIB, 'tile permit');
  bench.use(bench.budget.baseline + bench.memory.ledger.total);
  bench.run(1);
  assert.equal(bench.memory.budgetBytes(), bench.budget.inflightBytes);
  assert.equal(bench.memory.stats().unaccounted, 0);
});

test('a limit that is lowered live presses and shrinks the budget', () => {
  let limit = cgroup(512 * MIB);
  const bench = new Bench(limit, { readLimit: () => limit });
  bench.use(200 * MIB);
  bench.run(3);
  assert.equal(bench.memory.level(), 'normal');
  limit = cgroup(256 * MIB);
  bench.run(2);
  assert.ok(bench.memory.budgetBytes() < bench.budget.inflightBytes, 'with the sample after the one that saw it');
  bench.run(50);
  assert.equal(bench.memory.level(), 'warning');
  assert.ok(bench.memory.budgetBytes() < bench.budget.inflightBytes);
});

test('garbage is collected once a minute at most, when critical and when there is some', () => {
  let collections = 0;
  const bench = new Bench(cgroup(256 * MIB), { collect: () => collections++ });
  bench.use(250 * MIB);
  bench.run(200);
  assert.equal(collections, 1);
  bench.run(1, 60_000);
  assert.equal(collections, 2);
  bench.memory.ledger.book('cache', 160 * MIB, 'all of it is on the books');
  bench.run(1, 60_000);
  assert.equal(collections, 2);
});

test('figures that cannot be read leave the last sample and are counted', () => {
  const bench = new Bench(cgroup(256 * MIB));
  bench.run(1);
  bench.group = null;
  bench.run(2);
  assert.equal(bench.memory.stats().gaugeFailures, 2);
  assert.equal(bench.memory.gauge.last.used, 64 * MIB);
});

test('closing returns what memory itself has booked', () => {
  const bench = new Bench(cgroup(256 * MIB));
  bench.run(1);
  assert.equal(bench.memory.ledger.inUse.workers, bench.budget.workersBytes);
  bench.memory.close();
  bench.memory.ledger.audit();
  assert.equal(bench.memory.ledger.total, 0);
});
