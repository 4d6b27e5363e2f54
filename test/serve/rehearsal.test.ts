/** The rehearsal before readiness: tiles are painted and nothing of them stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testApp } from '../lib/app.ts';

async function untilReady(inject: () => Promise<{ statusCode: number }>): Promise<void> {
  while ((await inject()).statusCode !== 200) await sleep(20);
}

test('tiles are painted before the server is ready, and neither kept nor counted', async t => {
  const { gc } = globalThis;
  let collected = 0;
  globalThis.gc = (() => {
    collected++;
  }) as unknown as typeof gc;
  t.after(() => {
    globalThis.gc = gc;
  });
  const app = await testApp({ set: { 'server.rehearsal': '800ms' } });
  t.after(() => app.close());
  const first = await app.server.inject('/readyz');
  assert.equal(first.statusCode, 503);
  assert.match(first.json().reason, /painting/);
  assert.equal((await app.server.inject('/livez')).statusCode, 200);
  await untilReady(() => app.server.inject('/readyz'));
  assert.equal(collected, 1);
  const painted = app.rooms.pool.stats().done;
  assert.ok(painted > 0, `${painted} tiles`);
  assert.deepEqual(app.rooms.pool.stats().failed, 0);
  assert.equal(app.rooms.cache.stats().entries, 0);
  assert.equal(app.rooms.ladder.stats().full, 0);
  assert.equal(app.memory.ledger.inUse.inflight, 0);
  await sleep(10);
  assert.equal(app.memory.ledger.inUse.replies, 0);
  const { body } = await app.server.inject('/metrics');
  assert.doesNotMatch(body, /render_seconds_count\{[^}]*\} [1-9]/);
});

test('a server that is told not to is ready at once', async t => {
  const app = await testApp();
  t.after(() => app.close());
  assert.equal((await app.server.inject('/readyz')).statusCode, 200);
  assert.equal(app.rooms.pool.stats().done, 0);
});

test('a server that is ended meanwhile ends', async () => {
  const app = await testApp({ set: { 'server.rehearsal': '60s' } });
  await sleep(50);
  const before = performance.now();
  await app.close();
  assert.ok(performance.now() - before < 30_000);
  assert.equal(app.memory.ledger.inUse.inflight, 0);
});
