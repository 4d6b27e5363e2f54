import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createReader } from '../../src/memory/gauge.ts';
import { limitReader, readLimit } from '../../src/memory/limit.ts';

const MIB = 2 ** 20;
const root = (name: string): string => join(import.meta.dirname, 'fixtures', name);

const cases: [string, { bytes: number; source: string; version: number | null; dir: string | null }][] = [
  ['v2-namespaced', { bytes: 256 * MIB, source: 'cgroup2', version: 2, dir: '/sys/fs/cgroup' }],
  ['v2-nested', { bytes: 384 * MIB, source: 'cgroup2', version: 2, dir: '/sys/fs/cgroup/kubepods.slice/pod1/c1' }],
  [
    'v2-max',
    { bytes: 8192000 * 1024, source: 'physical', version: 2, dir: '/sys/fs/cgroup/user.slice/session-3.scope' },
  ],
  ['v2-foreign', { bytes: 512 * MIB, source: 'cgroup2', version: 2, dir: '/sys/fs/c group' }],
  ['v1-container', { bytes: 256 * MIB, source: 'cgroup1', version: 1, dir: '/sys/fs/cgroup/memory' }],
  ['v1-unlimited', { bytes: 24684000 * 1024, source: 'physical', version: 1, dir: '/sys/fs/cgroup/memory' }],
  ['hybrid', { bytes: 128 * MIB, source: 'cgroup1', version: 1, dir: '/sys/fs/cgroup/memory/jobs/j1/inner' }],
  ['bare', { bytes: 4096000 * 1024, source: 'physical', version: null, dir: null }],
];

for (const [name, expected] of cases) {
  test(`limit of ${name}`, () => {
    const { bytes, source, version, dir } = readLimit({ root: root(name) });
    assert.deepEqual({ bytes, source, version, dir }, expected);
  });
}

test('the flag caps the limit and never lifts it', () => {
  assert.equal(readLimit({ root: root('v2-namespaced'), flag: 100 * MIB }).bytes, 100 * MIB);
  assert.equal(readLimit({ root: root('v2-namespaced'), flag: 100 * MIB }).source, 'flag');
  assert.equal(readLimit({ root: root('v2-namespaced'), flag: 512 * MIB }).bytes, 256 * MIB);
  assert.equal(readLimit({ root: root('v2-namespaced'), flag: 512 * MIB }).source, 'cgroup2');
  assert.equal(readLimit({ root: root('bare'), flag: 64 * MIB }).source, 'flag');
});

test('a reader sees another limit at once, and another group within a second', () => {
  const copy = mkdtempSync(join(tmpdir(), 'plimsoll-limit-'));
  try {
    cpSync(root('v2-namespaced'), copy, { recursive: true });
    let now = 0;
    const read = limitReader({ root: copy }, () => now);
    assert.equal(read().bytes, 256 * MIB);
    writeFileSync(join(copy, 'sys/fs/cgroup/memory.max'), String(200 * MIB));
    assert.equal(read().bytes, 200 * MIB);
    rmSync(join(copy, 'proc/self/cgroup'));
    now = 999;
    assert.equal(read().source, 'cgroup2');
    now = 1000;
    assert.equal(read().source, 'physical');
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test('figures of v2: page cache and reclaimable slab are no use of memory', () => {
  const from = (name: string) => createReader(readLimit({ root: root(name) }), root(name)).group();
  const unreclaimable = (80 + 4 + 3) * MIB;
  assert.deepEqual(from('v2-namespaced'), {
    unreclaimable: unreclaimable + (12 - 5) * MIB,
    workingSet: 300941312 - 157286400,
    pageCache: 196 * MIB,
    sock: 3 * MIB,
    swap: 0,
  });
  // Kernels before 5.18 list the parts of the kernel's memory and no sum.
  assert.equal(from('v2-nested')!.unreclaimable, unreclaimable + 5 * MIB + 65536);
});

test('figures of v1: at 255.9 MiB of usage only 13 are held', () => {
  const group = createReader(readLimit({ root: root('v1-container') }), root('v1-container')).group()!;
  assert.equal(group.unreclaimable, 13 * MIB);
  assert.equal(group.workingSet, 268320768 - 84000000);
  assert.equal(group.pageCache, 650117120 - 2 * MIB);
});

/** Where a child group of our own may be made: reading a true limit needs root and a v1 memory hierarchy. */
function ownGroup(): string | null {
  const own = readLimit();
  if (own.version !== 1 || own.dir === null) return null;
  try {
    accessSync(own.dir, constants.W_OK);
    return own.dir;
  } catch {
    return null;
  }
}

const parent = ownGroup();
test('a true limit, read inside a real cgroup', {
  skip: parent === null ? 'no writable cgroup v1 memory' : false,
}, () => {
  const dir = join(parent!, `plimsoll-test-${process.pid}`);
  mkdirSync(dir);
  try {
    writeFileSync(join(dir, 'memory.limit_in_bytes'), String(300 * MIB));
    const limit = join(import.meta.dirname, '../../src/memory/limit.ts');
    const gauge = join(import.meta.dirname, '../../src/memory/gauge.ts');
    const script = `
      const { readLimit } = await import(${JSON.stringify(limit)});
      const { createReader } = await import(${JSON.stringify(gauge)});
      const limit = readLimit();
      const reader = createReader(limit);
      const before = reader.group().unreclaimable;
      const held = Buffer.alloc(64 * 2 ** 20, 1);
      console.log(JSON.stringify({ limit, before, after: reader.group().unreclaimable, held: held.length }));`;
    // The shell enters the group before it becomes node, so that no page is charged elsewhere.
    const child = spawnSync(
      'sh',
      ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$1" --input-type=module -e "$2"', dir, process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(child.status, 0, child.stderr);
    const seen = JSON.parse(child.stdout);
    assert.equal(seen.limit.bytes, 300 * MIB);
    assert.equal(seen.limit.source, 'cgroup1');
    const grown = (seen.after - seen.before) / MIB;
    assert.ok(grown > 55 && grown < 80, `64 MiB of buffer showed as ${grown} MiB`);
  } finally {
    rmdirSync(dir);
  }
});
