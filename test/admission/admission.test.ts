import assert from 'node:assert/strict';
import test from 'node:test';
import { createAdmission } from '../../src/admission/controller.ts';
import type { AdmissionSettings } from '../../src/admission/settings.ts';
import type { Permit, PermitClass } from '../../src/admission/types.ts';
import { Problem } from '../../src/errors.ts';
import { createLedger } from '../../src/memory/ledger.ts';
import type { Level } from '../../src/memory/types.ts';

/** A gate whose clock, timer, budget and level are set by hand. */
class Bench {
  nowMs = 0;
  budget = 1000;
  level: Level = 'normal';
  ledger = createLedger({ strict: true });
  #timers: { atMs: number; run: () => void }[] = [];
  gate;

  constructor(more: Partial<AdmissionSettings> = {}) {
    this.gate = createAdmission({
      ledger: this.ledger,
      budgetBytes: () => this.budget,
      ceilingBytes: 700,
      level: () => this.level,
      now: () => this.nowMs,
      random: () => 0.5,
      schedule: (ms, run) => {
        const timer = { atMs: this.nowMs + ms, run };
        this.#timers.push(timer);
        return () => this.#timers.splice(this.#timers.indexOf(timer), 1);
      },
      ...more,
    });
  }

  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(timer => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.splice(this.#timers.indexOf(due), 1);
      this.nowMs = due.atMs;
      due.run();
    }
    this.nowMs = end;
  }

  get timers(): number {
    return this.#timers.length;
  }

  ask(bytes: number, kind: PermitClass = 'tile', client = `c${Math.random()}`, signal = new AbortController().signal) {
    const asked = new Asked();
    this.gate.acquire({ bytes, class: kind, client, signal }).then(
      permit => {
        asked.permit = permit;
      },
      error => {
        asked.error = error;
      },
    );
    return asked;
  }

  async get(bytes: number, kind: PermitClass = 'tile', client?: string): Promise<Permit> {
    const asked = this.ask(bytes, kind, client);
    await settled();
    assert.ok(asked.permit, `${kind} of ${bytes} was not admitted: ${asked.error}`);
    return asked.permit;
  }
}

class Asked {
  permit: Permit | undefined;
  error: unknown;

  get code(): string | undefined {
    return this.error instanceof Problem ? this.error.code : undefined;
  }

  get extra(): Record<string, unknown> {
    return { ...(this.error as Problem).extra };
  }

  get waits(): boolean {
    return this.permit === undefined && this.error === undefined;
  }
}

const settled = (): Promise<void> => new Promise(done => setImmediate(done));

test('bytes are on the ledger from admission to release', async () => {
  const bench = new Bench();
  const permit = await bench.get(300);
  assert.equal(bench.ledger.inUse.inflight, 300);
  permit.shrinkTo(100);
  assert.equal(bench.ledger.inUse.inflight, 100);
  assert.equal(permit.grow(50), true);
  assert.equal(permit.bytes, 150);
  permit.release();
  permit.release();
  assert.equal(permit.grow(1), false);
  assert.equal(bench.ledger.total, 0);
  assert.deepEqual(bench.gate.stats().held, { tile: 0, window: 0, bulk: 0 });
});

test('who waited elsewhere first stands before those that came later, and has that much less time', async () => {
  const bench = new Bench({ clientShare: 1 });
  const first = await bench.get(600);
  const later = bench.ask(600);
  bench.pass(100);
  const order: string[] = [];
  const request = { bytes: 600, class: 'tile' as const, signal: new AbortController().signal };
  const late = (client: string, waitedMs: number) =>
    bench.gate.acquire({ ...request, client, waitedMs }).then(
      permit => {
        order.push(client);
        return permit;
      },
      error => order.push(`${client} ${error.code}`),
    );
  void late('500 before', 500);
  void late('50 after', 50);
  await settled();
  first.release();
  await settled();
  assert.deepEqual([order, later.waits], [['500 before'], true]);
  bench.pass(949);
  await settled();
  // 70 % of 1500 ms since it came, the other has waited 50 ms of them elsewhere.
  assert.deepEqual([order, later.waits], [['500 before'], true]);
  bench.pass(26);
  await settled();
  assert.equal(later.code, 'overloaded');
  bench.pass(50);
  await settled();
  assert.deepEqual(order, ['500 before', '50 after overloaded']);
});

test('a client that may hold all beside others may hold all when it is alone', async () => {
  const bench = new Bench({ clientShare: 1 });
  await bench.get(400, 'tile', 'a');
  await bench.get(450, 'tile', 'a');
  assert.equal(bench.gate.stats().heldBytes.tile, 850);
});

test('above the ceiling it is too large, with what would fit', async () => {
  const bench = new Bench();
  const asked = bench.ask(701, 'window');
  await settled();
  assert.equal(asked.code, 'too-large');
  assert.deepEqual(asked.extra, { required: 701, ceiling: 700 });
  const { signal } = new AbortController();
  const fits = (share: number): { share: number } => ({ share });
  const request = { bytes: 1400, class: 'window' as const, client: 'c', signal, fits };
  await assert.rejects(bench.gate.acquire(request), (error: Problem) => {
    assert.deepEqual(error.extra, { required: 1400, ceiling: 700, fits: { share: 0.5 } });
    return true;
  });
});

test('one is always admitted when nothing is in flight, even with no budget at all', async () => {
  const bench = new Bench();
  bench.budget = 0;
  const first = await bench.get(600, 'window');
  const second = bench.ask(1);
  await settled();
  assert.ok(second.waits);
  first.release();
  await settled();
  assert.ok(second.permit);
  assert.equal(bench.gate.stats().admittedAlone, 2);
});

test('calm: in order of arrival, and small ones do not overtake the large one at the head', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 } });
  const holder = await bench.get(700);
  const large = bench.ask(600);
  const small = bench.ask(10);
  await settled();
  assert.ok(large.waits && small.waits);
  bench.pass(100);
  holder.release();
  await settled();
  assert.ok(large.permit && small.permit);
  assert.equal(large.permit.waitedMs, 100);
});

test('loaded: the newest first', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 } });
  const holder = await bench.get(700);
  const late = bench.ask(600);
  bench.pass(500);
  const old = bench.ask(600);
  bench.pass(600);
  await settled();
  assert.equal(late.code, 'overloaded');
  const fresh = bench.ask(600);
  holder.release();
  await settled();
  assert.ok(fresh.permit && old.waits);
});

test('a queue that never empties stays in order of arrival while everybody is in time', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 }, deadlineMs: 10_000 });
  const holder = await bench.get(700);
  const old = bench.ask(600);
  bench.pass(1100);
  const fresh = bench.ask(600);
  holder.release();
  await settled();
  assert.ok(old.permit && fresh.waits);
});

test('when less than 30 % of the deadline is left it is refused, with the bottleneck and a jittered Retry-After', async () => {
  const bench = new Bench({ random: () => 0.25 });
  await bench.get(690, 'window');
  const asked = bench.ask(600, 'window');
  bench.pass(1025);
  await settled();
  assert.ok(asked.waits);
  bench.pass(25);
  await settled();
  assert.equal(asked.code, 'overloaded');
  assert.deepEqual(asked.extra, { retryAfterSeconds: 1, bottleneck: 'budget', required: 600 });
  assert.match(String(asked.error), /690 of 1000 bytes in flight/);
  assert.equal(bench.timers, 0, 'nothing ticks when nobody waits');
});

test('Retry-After is what is ahead over the rate of drain, times U(0.5, 1.5)', async () => {
  for (const [random, seconds] of [
    [0, 3],
    [1, 9],
  ]) {
    const bench = new Bench({ random: () => random, floors: { tile: 0, window: 0 }, retryAfterMax: 100 });
    for (let i = 0; i < 100; i++) {
      const permit = await bench.get(100);
      bench.pass(1000);
      permit.release();
    }
    const holder = await bench.get(700);
    const asked = bench.ask(600);
    bench.pass(1050);
    await settled();
    const drain = bench.gate.stats().drainBytesPerSecond;
    assert.ok(drain > 50 && drain < 101, `${drain}`);
    assert.ok(Math.abs(Number(asked.extra['retryAfterSeconds']) - (600 / drain) * (0.5 + random)) <= 1, `${seconds}`);
    holder.release();
  }
});

test('windows cannot take the floor of the tiles; tiles come through', async () => {
  const bench = new Bench();
  await bench.get(400, 'window');
  await bench.get(300, 'window');
  const window = bench.ask(100, 'window');
  const tile = bench.ask(200, 'tile');
  await settled();
  assert.ok(window.waits);
  assert.ok(tile.permit, 'the floor is open to tiles although a window waits before them');
  bench.pass(1100);
  await settled();
  assert.equal(window.extra['bottleneck'], 'floor');
});

test('while an older window waits for bytes, tiles beyond their floor do not eat what drains for it', async () => {
  const bench = new Bench({ clientShare: 1, clientBorrowShare: 1 });
  const tile = await bench.get(300);
  const holders = [await bench.get(300, 'window'), await bench.get(300, 'window')];
  const window = bench.ask(450, 'window');
  const late = bench.ask(100, 'tile');
  holders[0].release();
  await settled();
  assert.ok(window.permit === undefined && late.waits, 'the 400 free bytes are not for the tile');
  tile.release();
  await settled();
  assert.ok(late.permit);
  holders[1].release();
  await settled();
  assert.ok(window.permit);
});

test('a client over its share waits while others go ahead, and gets 429', async () => {
  const bench = new Bench();
  await bench.get(200, 'tile', 'greedy');
  await bench.get(100, 'tile', 'greedy');
  await bench.get(100, 'tile', 'greedy');
  const more = bench.ask(150, 'tile', 'greedy');
  const other = bench.ask(200, 'tile', 'modest');
  await settled();
  assert.ok(more.waits, '550 of 1000 is above even what one may borrow');
  assert.ok(other.permit);
  bench.pass(1100);
  await settled();
  assert.equal(more.code, 'client-over-share');
  assert.equal(more.extra['bottleneck'], 'client');
});

test('alone, a client may borrow up to half of the budget; while another waits it gets a quarter', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 } });
  const held = await bench.get(240, 'tile', 'a');
  const borrowed = await bench.get(240, 'tile', 'a');
  const big = await bench.get(500, 'tile', 'b');
  const c = bench.ask(600, 'tile', 'c');
  borrowed.release();
  const again = bench.ask(240, 'tile', 'a');
  await settled();
  assert.ok(c.waits && again.waits);
  big.release();
  await settled();
  assert.ok(c.permit);
  held.release();
  await settled();
  assert.ok(again.permit);
});

test('one request is always within a share, and a burst of one map is queued and not refused', async () => {
  const bench = new Bench();
  await bench.get(400, 'tile', 'map');
  const burst = Array.from({ length: 100 }, () => bench.ask(20, 'tile', 'map'));
  await settled();
  assert.equal(burst.filter(asked => asked.error !== undefined).length, 0);
});

test('one client cannot fill the queue', async () => {
  const bench = new Bench({ clientQueueCountMax: 3 });
  await bench.get(690, 'tile', 'greedy');
  const asked = Array.from({ length: 5 }, () => bench.ask(400, 'tile', 'greedy'));
  await settled();
  assert.deepEqual(
    asked.map(one => one.code),
    [undefined, undefined, undefined, 'client-over-share', 'client-over-share'],
  );
});

test('the queue is bounded in number and bytes; under load the oldest makes way', async () => {
  const calm = new Bench({ queueCountMax: 2 });
  await calm.get(690);
  const asked = [calm.ask(600), calm.ask(600), calm.ask(600)];
  await settled();
  assert.equal(asked[2].extra['bottleneck'], 'queue-count');
  calm.level = 'warning';
  asked.push(calm.ask(600));
  await settled();
  assert.equal(asked[0].code, 'overloaded');
  assert.ok(asked[3].waits);
  const bytes = new Bench({ queueBudgets: 1 });
  await bytes.get(690);
  const heavy = [bytes.ask(600), bytes.ask(600)];
  await settled();
  assert.equal(heavy[1].extra['bottleneck'], 'queue-bytes');
});

/** A queue that one client has filled: 8 requests of 100 bytes, the most that may wait in all. */
async function flooded(more: Partial<AdmissionSettings>, level: Level) {
  const bench = new Bench({ queueBudgets: 0.8, ...more });
  bench.level = level;
  await bench.get(400, 'window', 'flood');
  await bench.get(240, 'window', 'another');
  const flood = Array.from({ length: 8 }, () => bench.ask(100, 'window', 'flood'));
  await settled();
  assert.ok(flood.every(one => one.waits));
  return { bench, flood };
}

for (const level of ['normal', 'warning'] as const) {
  for (const [bound, more] of [
    ['bytes', {}],
    ['number', { queueBudgets: 8, queueCountMax: 8 }],
  ] as const) {
    test(`${level}: in a queue that one client has filled (${bound}) it makes way for the others, and is told that it is over its share`, async () => {
      const { bench, flood } = await flooded(more, level);
      const ones = [bench.ask(100, 'window', 'one'), bench.ask(100, 'window', 'two')];
      await settled();
      assert.ok(ones.every(one => one.waits));
      const refused = flood.filter(one => one.error !== undefined);
      assert.deepEqual(
        refused.map(one => [one.code, one.extra['bottleneck']]),
        [
          ['client-over-share', 'client'],
          ['client-over-share', 'client'],
        ],
      );
      // Under load those go that have waited longest; calm, those that came last.
      const gone = flood.map((one, i) => (one.error === undefined ? -1 : i)).filter(i => i >= 0);
      assert.deepEqual(gone, level === 'normal' ? [6, 7] : [0, 1]);
      const again = bench.ask(100, 'window', 'flood');
      await settled();
      assert.equal((level === 'normal' ? again : flood[2]).code, 'client-over-share');
      assert.ok(ones.every(one => one.waits));
    });
  }
}

test('a client that fills the queue alone is over its share too', async () => {
  const { bench } = await flooded({}, 'normal');
  const more = bench.ask(100, 'window', 'flood');
  await settled();
  assert.deepEqual([more.code, more.extra['bottleneck']], ['client-over-share', 'client']);
});

test('one request of each client is nobody’s flood, however large it is', async () => {
  const bench = new Bench({ queueBudgets: 0.8 });
  await bench.get(690);
  const large = bench.ask(600, 'tile', 'large');
  const small = [bench.ask(100, 'tile', 'a'), bench.ask(100, 'tile', 'b'), bench.ask(100, 'tile', 'c')];
  await settled();
  assert.ok(large.waits && small[0].waits && small[1].waits);
  assert.deepEqual([small[2].code, small[2].extra['bottleneck']], ['overloaded', 'queue-bytes']);
});

test('nobody waits behind a request that waits for its own client', async () => {
  const bench = new Bench();
  await bench.get(300, 'window', 'flood');
  // Over the share of the flood, and over what windows may have beside the floor of the tiles.
  const behind = bench.ask(401, 'window', 'flood');
  const one = bench.ask(300, 'window', 'one');
  await settled();
  assert.ok(one.permit && behind.waits);
});

test('critical: beside others no client takes the whole floor of the tiles', async () => {
  const bench = new Bench({ clientShare: 0.2 });
  bench.level = 'critical';
  await bench.get(150, 'tile', 'flood');
  const more = bench.ask(100, 'tile', 'flood');
  await settled();
  assert.ok(more.permit, 'alone it may');
  more.permit.release();
  const other = bench.ask(160, 'tile', 'other');
  const again = bench.ask(100, 'tile', 'flood');
  const one = bench.ask(100, 'tile', 'one');
  await settled();
  assert.ok(other.waits && again.waits);
  assert.ok(one.permit);
});

test('under load a client that holds nothing goes before one that does, though it came earlier', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 }, clientShare: 0.5 });
  bench.level = 'warning';
  const holder = await bench.get(700, 'tile', 'other');
  await bench.get(100, 'tile', 'flood');
  const one = bench.ask(400, 'tile', 'one');
  bench.pass(10);
  const flood = bench.ask(400, 'tile', 'flood');
  holder.release();
  await settled();
  assert.ok(one.permit);
  assert.ok(flood.permit, 'there is room for both');
  const second = new Bench({ floors: { tile: 0, window: 0 }, clientShare: 0.5 });
  second.level = 'warning';
  const held = await second.get(700, 'tile', 'other');
  await second.get(100, 'tile', 'flood');
  const first = second.ask(600, 'tile', 'one');
  const behind = second.ask(400, 'tile', 'flood');
  held.release();
  await settled();
  assert.ok(first.permit && behind.waits);
});

test('leaving: before, while waiting, and without a trace', async () => {
  const bench = new Bench();
  const before = bench.ask(1, 'tile', 'a', AbortSignal.abort());
  const holder = await bench.get(690);
  const controller = new AbortController();
  const waiting = bench.ask(600, 'tile', 'a', controller.signal);
  await settled();
  assert.equal(before.code, 'client-closed');
  controller.abort();
  await settled();
  assert.equal(waiting.code, 'client-closed');
  assert.equal(bench.gate.stats().abandoned, 1);
  assert.equal(bench.gate.stats().queuedBytes, 0);
  holder.release();
  assert.equal(bench.ledger.total, 0);
});

test('a head that leaves lets those behind it go at once', async () => {
  const bench = new Bench({ floors: { tile: 0, window: 0 } });
  await bench.get(500);
  const controller = new AbortController();
  bench.ask(600, 'tile', 'a', controller.signal);
  const small = bench.ask(100);
  await settled();
  assert.ok(small.waits);
  controller.abort();
  await settled();
  assert.ok(small.permit);
});

test('critical: tiles within their floor, one at least; windows and bulk are refused at once', async () => {
  const bench = new Bench();
  bench.level = 'critical';
  const first = await bench.get(650);
  const window = bench.ask(200, 'window');
  const tile = bench.ask(100);
  await settled();
  assert.equal(window.code, 'overloaded');
  assert.equal(window.extra['bottleneck'], 'level');
  assert.ok(tile.waits);
  first.release();
  await settled();
  assert.ok(tile.permit);
  assert.ok((await bench.get(200)).bytes === 200);
  assert.ok((await bench.get(100, 'window')).bytes === 100);
});

test('warning stops bulk only', async () => {
  const bench = new Bench();
  bench.level = 'warning';
  const bulk = bench.ask(10, 'bulk');
  await settled();
  assert.equal(bulk.extra['bottleneck'], 'level');
  await bench.get(300, 'window');
});

test('a budget that reality has eaten is noticed by those who wait when it comes back', async () => {
  const bench = new Bench();
  bench.budget = 300;
  await bench.get(250);
  const asked = bench.ask(200);
  bench.pass(50);
  await settled();
  assert.ok(asked.waits);
  bench.budget = 1000;
  bench.pass(25);
  await settled();
  assert.ok(asked.permit);
});

test('replies on the wire count against the same budget', async () => {
  const bench = new Bench();
  await bench.get(10);
  const reply = bench.ledger.book('replies', 900, 'slow reader');
  const asked = bench.ask(200);
  await settled();
  assert.ok(asked.waits);
  reply.release();
  bench.pass(25);
  await settled();
  assert.ok(asked.permit);
});

test('growing is refused where it does not fit, and never above the ceiling', async () => {
  const bench = new Bench();
  const alone = await bench.get(100);
  assert.equal(alone.grow(600), true);
  assert.equal(alone.grow(1), false, 'the ceiling');
  alone.shrinkTo(300);
  await bench.get(500, 'window');
  assert.equal(alone.grow(300), false, 'the budget');
  assert.equal(bench.gate.stats().growRefused, 2);
});

test('observe: everything is admitted, and counted as it would have been', async () => {
  const bench = new Bench({ mode: 'observe' });
  await bench.get(690);
  await bench.get(690);
  await bench.get(5000, 'window');
  const stats = bench.gate.stats();
  assert.deepEqual(stats.refused, { overloaded: 1, 'too-large': 1, 'client-over-share': 0 });
  assert.equal(bench.ledger.inUse.inflight, 690 + 690 + 5000);
});

test('closing refuses those who wait; permits stay valid', async () => {
  const bench = new Bench();
  const holder = await bench.get(690);
  const waiting = bench.ask(600);
  bench.gate.close();
  const late = bench.ask(1);
  await settled();
  assert.equal(waiting.code, 'draining');
  assert.equal(late.code, 'draining');
  holder.release();
  assert.equal(bench.ledger.total, 0);
  assert.equal(bench.timers, 0);
});

test('a size that is none is a bug of the caller', async () => {
  const bench = new Bench();
  const asked = bench.ask(Number.NaN);
  await settled();
  assert.ok(asked.error instanceof RangeError);
});

test('alone is one that works beside replies that leave room; replies that nobody reads do not pile up', async () => {
  const bench = new Bench();
  bench.budget = 100;
  const unread = bench.ledger.book('replies', 240, 'reply');
  const alone = await bench.get(600);
  alone.release();
  unread.resize(250);
  const asked = bench.ask(600);
  bench.pass(2000);
  await settled();
  assert.equal((asked.error as Problem).code, 'overloaded');
  unread.release();
  (await bench.get(600)).release();
});

test('replies that a client has yet to take count against its share', async () => {
  const owed = new Map([['slow', 240]]);
  const bench = new Bench({ repliesOf: client => owed.get(client) ?? 0 });
  bench.ledger.book('replies', 240, 'reply');
  const other = await bench.get(100, 'tile', 'other');
  const own = await bench.get(200, 'tile', 'slow');
  own.release();
  const asked = bench.ask(300, 'tile', 'slow');
  await settled();
  assert.equal(bench.gate.stats().queued.tile, 1, 'half of the budget is what one client may borrow');
  owed.set('slow', 0);
  bench.pass(30);
  await settled();
  assert.ok(asked.permit);
  asked.permit.release();
  other.release();
});

test('a permit at once is one like any other, or none: never a refusal, never before who waits', async () => {
  const bench = new Bench();
  const now = (bytes: number, more: { client?: string } = {}) =>
    bench.gate.acquireNow({ bytes, class: 'tile', client: 'x', ...more });
  const one = now(100.5);
  assert.equal(one?.bytes, 101);
  assert.equal(bench.ledger.inUse.inflight, 101);
  assert.equal(bench.gate.stats().admitted.tile, 1);
  assert.equal(now(701), null, 'above the ceiling');
  assert.equal(now(Number.NaN), null);
  assert.equal(now(600), null, 'more than a client may borrow');
  bench.budget = 90;
  assert.equal(now(50, { client: 'y' }), null, 'beyond the budget');
  bench.budget = 1000;
  bench.level = 'critical';
  assert.equal(now(500, { client: 'z' }), null, 'beyond the floor at that level');
  bench.level = 'normal';
  bench.budget = 101;
  const waiting = bench.ask(60);
  bench.budget = 1000;
  assert.equal(now(10, { client: 'w' }), null, 'somebody waits');
  one?.release();
  await settled();
  assert.equal(waiting.permit?.bytes, 60);
  assert.equal(bench.gate.stats().refused.overloaded, 0);
  assert.equal(bench.gate.stats().refused['too-large'], 0);
  assert.equal(new Bench({ mode: 'observe' }).gate.acquireNow({ bytes: 1, class: 'tile', client: 'x' }), null);
  bench.gate.close();
  assert.equal(now(1), null);
});
