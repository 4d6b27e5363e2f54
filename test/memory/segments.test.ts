import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { deriveBudget } from '../../src/memory/budget.ts';
import { launchSettings } from '../../src/memory/launch.ts';
import {
  SEGMENT_BYTES_MAX,
  SEGMENT_BYTES_MIN,
  segmentBytesFor,
  segmentReturns,
  segmentsStay,
} from '../../src/memory/segments.ts';

const MIB = 2 ** 20;

test('a segment is a power of two, an eighth of the cache where that is neither too small nor too large', () => {
  assert.equal(segmentBytesFor(6 * MIB), 512 * 1024);
  assert.equal(segmentBytesFor(0), SEGMENT_BYTES_MIN);
  assert.equal(segmentBytesFor(23 * MIB), 2 * MIB);
  assert.equal(segmentBytesFor(1024 * MIB), SEGMENT_BYTES_MAX);
});

test('the check tells an allocator that gives back from one that keeps', async () => {
  const settle = async (): Promise<void> => {};
  const falls = [100 * MIB, 92 * MIB];
  assert.equal(await segmentReturns({ settle, rss: () => falls.shift()! }), true);
  const stays = [100 * MIB, 99 * MIB];
  assert.equal(await segmentReturns({ settle, rss: () => stays.shift()! }), false);
});

test('where segments stay the warning says which, why it matters, and the settings that mend it', () => {
  assert.match(segmentsStay(4 * MIB), /4194304 bytes.*MALLOC_MMAP_THRESHOLD_=1048576 .*jemalloc/);
  assert.match(segmentsStay(MIB / 2), /MALLOC_MMAP_THRESHOLD_=524288 /);
});

const glibc =
  process.platform === 'linux' && 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

test('with the settings of the launcher segments go back, in a process of its own', {
  skip: glibc ? false : 'no glibc',
}, () => {
  const module = join(import.meta.dirname, '../../src/memory/segments.ts');
  for (const mib of [128, 1024]) {
    const budget = deriveBudget(mib * MIB);
    const segmentBytes = segmentBytesFor(budget.cacheBytes);
    const { env, execArgv } = launchSettings(budget, segmentBytes);
    const script = `const { segmentReturns } = await import(${JSON.stringify(module)});
      console.log(await segmentReturns({ segmentBytes: ${segmentBytes} }));`;
    const child = spawnSync(process.execPath, [...execArgv, '--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    assert.equal(child.stdout.trim(), 'true', `${mib} MiB: ${child.stderr}`);
  }
});
