/** What must be true of a server that was pressed and is no longer: alive, its books at zero, at work again. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebugMemory, Server } from './server.ts';

const SETTLE_MS = 20_000;

export function assertAlive(server: Server): void {
  const { group } = server;
  assert.equal(group.kills(), 0, `the kernel killed it at ${group.peak()} bytes:\n${server.output()}`);
  assert.equal(server.ended(), null, `it ended:\n${server.output()}`);
}

function rest({ accounts, admission, pool }: DebugMemory): string[] {
  const left: Record<string, number | undefined> = {
    inflight: accounts['inflight'],
    replies: accounts['replies'],
    running: pool.running,
    'jobs queued': pool.queued,
  };
  for (const [kind, n] of Object.entries(admission.held)) left[`${kind} permits`] = n;
  for (const [kind, n] of Object.entries(admission.queued)) left[`${kind} waiting`] = n;
  return Object.entries(left).flatMap(([name, n]) => (n === 0 ? [] : [`${name}: ${n}`]));
}

/** Waits until nothing is in flight, and answers with the books as they then are. */
export async function settled(server: Server): Promise<DebugMemory> {
  for (const until = performance.now() + SETTLE_MS; ; ) {
    assertAlive(server);
    const debug = await server.debug();
    const left = rest(debug);
    if (left.length === 0) {
      assert.equal(debug.memory.ledger.doubleReleases, 0);
      return debug;
    }
    assert.ok(performance.now() < until, `still on the books: ${left.join(', ')}`);
    await sleep(50);
  }
}

/** A path that nobody asked for before, until it is answered in full; answers with how long that took. */
export async function coldService(server: Server, path: (turn: number) => string, withinMs: number): Promise<number> {
  const start = performance.now();
  for (let turn = 0; ; turn++) {
    const { status, text } = await server.get(path(turn));
    const took = performance.now() - start;
    if (status === 200) return took;
    assert.ok(took < withinMs, `cold service was not back after ${withinMs} ms: ${status} ${text.slice(0, 300)}`);
    await sleep(100);
  }
}
