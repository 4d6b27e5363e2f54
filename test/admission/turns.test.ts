/** Turns of plans: few walk at once, fewer of one layer, nobody waits for ever, and nothing is left when all is over. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createTurns, type Turns } from '../../src/admission/turns.ts';
import type { Problem } from '../../src/errors.ts';

const AT_ONCE = 3;
const OF_ONE_LAYER = 2;
const WAITING_MAX = 5;
const DEADLINE_MS = 1000;
const LAST_MS = DEADLINE_MS * 0.7;

interface Asked {
  readonly layer: string;
  readonly atMs: number;
  readonly abort: AbortController;
  begun: boolean;
  /** What the walk was told. */
  waitedMs: number | null;
  /** Ends the walk; null while it has not begun. */
  end: ((error?: Error) => void) | null;
  answer: string | null;
  answeredAtMs: number;
}

class World {
  nowMs = 0;
  asked: Asked[] = [];
  #tick: { atMs: number; run: () => void } | null = null;
  turns: Turns = createTurns({
    atOnce: AT_ONCE,
    ofOneLayer: OF_ONE_LAYER,
    waitingMax: WAITING_MAX,
    deadlineMs: DEADLINE_MS,
    now: () => this.nowMs,
    random: () => 0.5,
    schedule: (ms, run) => {
      assert.equal(this.#tick, null, 'one timer at a time');
      this.#tick = { atMs: this.nowMs + ms, run };
      return () => {
        this.#tick = null;
      };
    },
  });

  async ask(layer: string): Promise<void> {
    const abort = new AbortController();
    const one: Asked = {
      layer,
      atMs: this.nowMs,
      abort,
      begun: false,
      waitedMs: null,
      end: null,
      answer: null,
      answeredAtMs: 0,
    };
    this.asked.push(one);
    const settle = (answer: string): void => {
      one.answer = answer;
      one.answeredAtMs = this.nowMs;
    };
    const walk = (waitedMs: number) =>
      new Promise<void>((resolve, reject) => {
        one.begun = true;
        one.waitedMs = waitedMs;
        one.end = error => (error ? reject(error) : resolve());
      });
    this.turns.run(layer, abort.signal, walk).then(
      () => settle('done'),
      (error: Problem) => settle(error.code ?? error.message),
    );
    await settled();
  }

  get walking(): Asked[] {
    return this.asked.filter(one => one.begun && one.answer === null);
  }

  get waiting(): Asked[] {
    return this.asked.filter(one => !one.begun && one.answer === null);
  }

  async finish(one: Asked | undefined, error?: Error): Promise<void> {
    one?.end?.(error);
    await settled();
  }

  async pass(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    for (let tick = this.#tick; tick !== null && tick.atMs <= until; tick = this.#tick) {
      this.nowMs = tick.atMs;
      this.#tick = null;
      tick.run();
      await settled();
    }
    this.nowMs = until;
  }

  check(): void {
    const { walking, waiting } = this;
    const of = (layer: string): number => walking.filter(one => one.layer === layer).length;
    assert.ok(walking.length <= AT_ONCE, `${walking.length} walk`);
    for (const { layer } of walking) assert.ok(of(layer) <= OF_ONE_LAYER, `${of(layer)} of ${layer}`);
    assert.ok(waiting.length <= WAITING_MAX, `${waiting.length} wait`);
    const stats = this.turns.stats();
    assert.deepEqual([stats.walking, stats.waiting], [walking.length, waiting.length]);
    for (const one of waiting) {
      assert.ok(walking.length === AT_ONCE || of(one.layer) === OF_ONE_LAYER, `${one.layer} waits for nothing`);
      assert.ok(this.nowMs - one.atMs <= LAST_MS + 25, 'waits beyond its deadline');
    }
  }
}

/** All promises that can settle by now have. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

type Step =
  | { act: 'ask'; layer: string }
  | { act: 'finish' | 'fail' | 'leave'; which: number }
  | { act: 'pass'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant('ask' as const), layer: fc.constantFrom('a', 'b', 'c') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom('finish' as const, 'fail' as const, 'leave' as const),
      which: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.nat(600) }) },
);

async function take(world: World, one: Step): Promise<void> {
  if (one.act === 'ask') return world.ask(one.layer);
  if (one.act === 'pass') return world.pass(one.ms);
  const { walking, waiting } = world;
  if (one.act === 'leave') {
    waiting[one.which % Math.max(1, waiting.length)]?.abort.abort();
    return settled();
  }
  return world.finish(
    walking[one.which % Math.max(1, walking.length)],
    one.act === 'fail' ? new Error('failed') : undefined,
  );
}

test('any sequence of asking, ending, failing and leaving keeps the limits, and ends with nobody', async () => {
  const runs = process.env['PLIMSOLL_TEST_FULL'] === '1' ? 2000 : 200;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const world = new World();
      for (const one of steps) {
        await take(world, one);
        world.check();
      }
      while (world.walking.length > 0) await world.finish(world.walking[0]);
      await world.pass(DEADLINE_MS);
      assert.equal(world.asked.filter(one => one.answer === null).length, 0, 'somebody has no answer');
      assert.deepEqual(
        { ...world.turns.stats(), done: 0, refused: 0, abandoned: 0 },
        {
          walking: 0,
          waiting: 0,
          done: 0,
          refused: 0,
          abandoned: 0,
        },
      );
    }),
    { numRuns: runs },
  );
});

test('first come first served, also where somebody came too late: who has waited is told how long', async () => {
  const world = new World();
  for (const layer of ['a', 'a', 'a', 'a']) await world.ask(layer);
  const [first, second, third, fourth] = world.asked as [Asked, Asked, Asked, Asked];
  await world.finish(first);
  assert.deepEqual([third.begun, fourth.begun], [true, false]);
  await world.pass(600);
  await world.ask('a');
  await world.pass(50);
  await world.ask('a');
  // The fourth is refused by its deadline; the queue has not been empty since it came.
  await world.pass(400);
  assert.equal(fourth.answer, 'overloaded');
  await world.finish(second);
  const [older, newer] = world.asked.slice(-2) as [Asked, Asked];
  assert.deepEqual([older.begun, newer.begun], [true, false]);
  assert.equal(older.waitedMs, 450);
  world.turns.close();
  await settled();
  assert.equal(newer.answer, 'draining');
});

test('a layer whose walks are slow keeps no other one waiting', async () => {
  const world = new World();
  for (const layer of ['a', 'a', 'a', 'b']) await world.ask(layer);
  assert.deepEqual(
    world.asked.map(one => one.begun),
    [true, true, false, true],
  );
});
