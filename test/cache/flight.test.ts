import assert from 'node:assert/strict';
import test from 'node:test';
import { createFlight } from '../../src/cache/flight.ts';

/** Work that ends when the test says so. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const seen: AbortSignal[] = [];
  const run = (signal: AbortSignal): Promise<string> => {
    seen.push(signal);
    return promise;
  };
  return { run, resolve, reject, seen };
}

const never = (): AbortSignal => new AbortController().signal;
const settled = (): Promise<void> => new Promise(done => setImmediate(done));

test('one making for all who ask while it lasts, and a new one afterwards', async () => {
  const flight = createFlight();
  const job = work();
  const all = [1, 2, 3].map(() => flight.run('k', never(), job.run));
  await settled();
  assert.equal(job.seen.length, 1);
  job.resolve('tile');
  assert.deepEqual(await Promise.all(all), ['tile', 'tile', 'tile']);
  assert.deepEqual(flight.stats(), { flying: 0, started: 1, joined: 2, aborted: 0 });
  assert.equal(await flight.run('k', never(), async () => 'anew'), 'anew');
});

test('keys do not share', async () => {
  const flight = createFlight();
  const answers = await Promise.all(['a', 'b'].map(key => flight.run(key, never(), async () => key)));
  assert.deepEqual(answers, ['a', 'b']);
});

test('one who leaves is answered at once; the work goes on for the others', async () => {
  const flight = createFlight();
  const job = work();
  const leaver = new AbortController();
  const left = flight.run('k', leaver.signal, job.run);
  const stays = flight.run('k', never(), job.run);
  leaver.abort();
  await assert.rejects(left, { code: 'client-closed' });
  assert.equal(job.seen[0].aborted, false);
  job.resolve('tile');
  assert.equal(await stays, 'tile');
});

test('the last to leave aborts the work, and who comes then starts anew', async () => {
  const flight = createFlight();
  const first = work();
  const leavers = [new AbortController(), new AbortController()];
  const left = leavers.map(one => flight.run('k', one.signal, first.run));
  leavers[0].abort();
  assert.equal(first.seen[0].aborted, false);
  leavers[1].abort();
  assert.equal(first.seen[0].aborted, true);
  for (const one of left) await assert.rejects(one, { code: 'client-closed' });
  const second = work();
  const comes = flight.run('k', never(), second.run);
  first.reject(new Error('aborted work fails late'));
  await settled();
  assert.equal(flight.stats().flying, 1, 'the late failure does not take the new flight along');
  second.resolve('tile');
  assert.equal(await comes, 'tile');
});

test('a failure reaches all who wait and is not kept', async () => {
  const flight = createFlight();
  const job = work();
  const all = [flight.run('k', never(), job.run), flight.run('k', never(), job.run)];
  job.reject(new Error('read failed'));
  for (const one of all) await assert.rejects(one, /read failed/);
  assert.equal(flight.stats().flying, 0);
  assert.equal(await flight.run('k', never(), async () => 'now'), 'now');
  await assert.rejects(
    flight.run('k', never(), () => {
      throw new Error('before its first await');
    }),
    /before its first await/,
  );
  assert.equal(flight.stats().flying, 0);
});

test('who has left already starts nothing', async () => {
  const flight = createFlight();
  await assert.rejects(
    flight.run('k', AbortSignal.abort(), () => assert.fail('started')),
    { code: 'client-closed' },
  );
  assert.equal(flight.stats().started, 0);
});
