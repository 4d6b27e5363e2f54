/** Which plan a request gets: the full one, or the lesser one where its turn to walk the index came late. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createTurns } from '../../src/admission/turns.ts';
import { createLadder } from '../../src/ladder.ts';
import type { Level } from '../../src/memory/types.ts';
import type { Plan } from '../../src/plan.ts';
import type { Ask } from '../../src/serve.ts';
import { type Planned, planOf, type Which } from '../../src/serve-plan.ts';
import type { Rooms } from '../../src/serve-rooms.ts';

const none = new AbortController().signal;

function planned(what: string, more: Partial<Plan> = {}): Plan {
  const cost = { inputBytes: 1, decodedBytes: 1, outputBytes: 1 };
  return { cost, job: { task: what }, explain: {}, headers: {}, ...more };
}

/** Requests of one layer whose turns and clock are in the test's hands. */
class House {
  nowMs = 0;
  level: Level = 'normal';
  made: string[] = [];
  far = true;
  lesser = planned('lesser');
  #turns = createTurns({ ofOneLayer: 1, now: () => this.nowMs, schedule: () => () => {} });
  #rooms = {
    turns: this.#turns,
    ladder: createLadder({ level: () => this.level, patienceMs: 600 }),
  } as unknown as Rooms;

  /** Holds the layer's only turn until it is told to end. */
  hold(): () => void {
    let end = (): void => {};
    void this.#turns.run('a', none, () => new Promise<void>(resolve => (end = resolve)));
    return () => end();
  }

  ask(which: Which, spentMs = 0): Promise<Planned> {
    const make = (name: string, plan: Plan) => () => {
      this.made.push(name);
      return plan;
    };
    const operation = {
      walks: () => this.far,
      plan: make('full', planned('full')),
      degrade: make('lesser', this.lesser),
    };
    return planOf(which, { operation, layers: ['a'] } as unknown as Ask, [], this.#rooms, none, spentMs);
  }

  async askAndWait(which: Which, ms: number): Promise<Planned> {
    const end = this.hold();
    const asked = this.ask(which);
    await new Promise(done => setImmediate(done));
    this.nowMs += ms;
    end();
    return asked;
  }
}

test('in time it is full, late it is the lesser one', async () => {
  const house = new House();
  assert.deepEqual(await house.askAndWait('in-time', 600), { plan: planned('full'), lesser: false, waitedMs: 600 });
  assert.deepEqual(await house.askAndWait('in-time', 601), { plan: planned('lesser'), lesser: true, waitedMs: 601 });
  assert.deepEqual(house.made, ['full', 'lesser'], 'one walk each');
});

test('who wants full quality waits for it', async () => {
  const house = new House();
  assert.equal((await house.askAndWait('full', 1000)).plan.job?.task, 'full');
});

test('a lesser plan that leaves nothing out is the full one', async () => {
  const house = new House();
  house.lesser = planned('lesser', { whole: true });
  const { lesser, plan } = await house.askAndWait('in-time', 900);
  assert.deepEqual([lesser, plan.job?.task], [false, 'lesser']);
});

test('a lesser plan that has nothing left to draw is no answer', async () => {
  const house = new House();
  house.lesser = planned('lesser', { job: null });
  assert.equal((await house.askAndWait('in-time', 900)).plan.job?.task, 'full');
  assert.deepEqual(house.made, ['lesser', 'full']);
});

test('a short walk waits for nobody and is never late; under critical memory all are', async () => {
  const house = new House();
  house.far = false;
  const end = house.hold();
  assert.deepEqual(await house.ask('in-time'), { plan: planned('full'), lesser: false, waitedMs: 0 });
  house.level = 'critical';
  assert.equal((await house.ask('in-time')).lesser, true);
  end();
});

test('what was waited before is taken off the time for the turn, and keeps its place', async () => {
  const house = new House();
  const end = house.hold();
  house.nowMs = 700;
  const order: string[] = [];
  const asks = [
    house.ask('full').then(() => order.push('new')),
    house.ask('lesser', 650).then(() => order.push('old')),
  ];
  await new Promise(done => setImmediate(done));
  end();
  await Promise.all(asks);
  assert.deepEqual(order, ['old', 'new']);
});
