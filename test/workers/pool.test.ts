/** Many jobs in the hands of few threads, each with an answer of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/errors.ts';
import type { Job } from '../../src/plan.ts';
import { createPool } from '../../src/workers/pool.ts';

test('jobs of no task are refused by a thread that lives, however many it has', async () => {
  const pool = createPool({ threads: 2, workerHeapMb: 64, blockCacheBytes: 0 });
  try {
    const ended = await Promise.allSettled(Array.from({ length: 20 }, () => pool.run({ task: 'none' } as Job)));
    const codes = ended.map(end => (end.status === 'rejected' && end.reason instanceof Problem ? end.reason.code : ''));
    assert.deepEqual(new Set(codes), new Set(['internal']));
    assert.equal(pool.stats().failed, 20);
  } finally {
    await pool.close();
  }
});
