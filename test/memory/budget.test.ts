import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BUDGET_DEFAULTS, budgetSum, deriveBudget, describeBudget, levelMarks } from '../../src/memory/budget.ts';
import { launchSettings, missingLaunch } from '../../src/memory/launch.ts';

const MIB = 2 ** 20;
const USUAL = { warning: 0.7, critical: 0.85 };

test('every limit from 128 MiB to 64 GiB gives a budget whose parts stay below the line', () => {
  fc.assert(
    fc.property(fc.integer({ min: 128, max: 65536 }), fc.integer({ min: 1, max: 128 }), (mib, cpus) => {
      const b = deriveBudget(mib * MIB, { cpus });
      assert.ok(budgetSum(b) <= b.line);
      assert.ok(b.line < b.limit);
      assert.ok(b.requestCeilingBytes <= b.inflightBytes);
      assert.ok(b.requestCeilingBytes >= BUDGET_DEFAULTS.requestCeilingBytesMin);
      assert.ok(b.cacheBytes >= BUDGET_DEFAULTS.cacheBytesMin);
      for (const value of Object.values(b)) assert.ok(value >= 0 && Number.isFinite(value));
    }),
  );
});

test('more memory never means less for requests', () => {
  let before = 0;
  for (const mib of [128, 160, 256, 384, 512, 1024, 2048, 4096, 16384, 65536]) {
    const { inflightBytes } = deriveBudget(mib * MIB, { workers: 2 - Number(mib < 192) });
    assert.ok(inflightBytes > before, `${mib} MiB gives ${inflightBytes}`);
    before = inflightBytes;
  }
});

test('small limits get few threads and a heap that the container can hold', () => {
  assert.deepEqual(
    [128, 256, 512].map(mib => deriveBudget(mib * MIB, { cpus: 16 }).workers),
    [1, 2, 2],
  );
  assert.equal(deriveBudget(256 * MIB).maxOldSpaceMb, 64);
  assert.ok(deriveBudget(256 * MIB).inflightBytes > 32 * MIB);
});

test('the cache gives way before the ceiling does', () => {
  const free = deriveBudget(256 * MIB);
  const squeezed = deriveBudget(256 * MIB, { requestCeilingBytes: 40 * MIB });
  assert.equal(squeezed.requestCeilingBytes, 40 * MIB);
  assert.ok(squeezed.cacheBytes < free.cacheBytes);
  assert.ok(budgetSum(squeezed) <= squeezed.line);
});

test('a budget that cannot work is refused with the figures and the remedy', () => {
  assert.throws(
    () => deriveBudget(80 * MIB),
    /a limit of 80\.0 MiB leaves .* for one request, 4\.0 MiB are needed: raise/,
  );
  assert.throws(() => deriveBudget(256 * MIB, { requestCeilingBytes: 200 * MIB }), /200\.0 MiB are needed/);
  assert.throws(() => deriveBudget(256 * MIB, { cacheBytes: 300 * MIB }), /300\.0 MiB does not fit a limit of 256/);
  assert.throws(() => deriveBudget(Number.NaN), /no limit/);
});

test('what the operator sets is taken as said', () => {
  const b = deriveBudget(1024 * MIB, { cacheBytes: 300 * MIB, workers: 3, maxOldSpaceMb: 100 });
  assert.equal(b.cacheBytes, 300 * MIB);
  assert.equal(b.workers, 3);
  assert.equal(b.maxOldSpaceMb, 100);
});

test('the table names every part', () => {
  const table = describeBudget(deriveBudget(256 * MIB));
  for (const name of ['limit', 'line', 'baseline', 'workers', 'heap', 'safety', 'cache', 'inflight', 'ceiling']) {
    assert.match(table, new RegExp(`^ *${name} +\\d+\\.\\d MiB`, 'm'));
  }
});

test('where memory is short all but small buffers are mapped', () => {
  const threshold = (limit: number) => launchSettings(deriveBudget(limit), 2 * MIB).env['MALLOC_MMAP_THRESHOLD_'];
  assert.deepEqual(
    [128, 255, 256].map(mib => threshold(mib * MIB)),
    ['65536', '65536', '1048576'],
  );
});

test('the launcher knows what is missing, and leaves what an operator chose', () => {
  const wanted = launchSettings(deriveBudget(256 * MIB), 2 * MIB, 24);
  assert.ok(wanted.execArgv.includes('--max-old-space-size=64'));
  const bare = missingLaunch(wanted, { execArgv: [], nodeOptions: '', env: {} });
  assert.equal(bare.length, wanted.execArgv.length + Object.keys(wanted.env).length);
  const set = { execArgv: wanted.execArgv, nodeOptions: '', env: wanted.env };
  assert.deepEqual(missingLaunch(wanted, set), []);
  const own = {
    execArgv: [],
    nodeOptions: '--max-old-space-size=99 --expose-gc',
    env: { LD_PRELOAD: '/lib/libjemalloc.so' },
  };
  assert.deepEqual(missingLaunch(wanted, own), ['--max-semi-space-size=1']);
});

test('memory is short above what is always held, whatever the limit, and no later than is wanted where there is room', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 112, max: 65536 }),
      fc.double({ min: 0.3, max: 0.84, noNaN: true }),
      (mib, wanted) => {
        const b = deriveBudget(mib * MIB, { cpus: 2 });
        const rest = budgetSum(b) - b.cacheBytes - b.sessionsBytes - b.inflightBytes;
        const { warningAt, calmAt } = levelMarks(b, { warning: wanted, critical: 0.85 });
        assert.ok(warningAt >= wanted && calmAt < warningAt);
        if (rest / b.limit < 0.85) assert.ok(calmAt > rest / b.limit && warningAt < 0.85);
        if (rest / b.limit <= wanted - 0.08) assert.equal(warningAt, wanted);
      },
    ),
  );
  assert.deepEqual(levelMarks(deriveBudget(256 * MIB, { cpus: 2 }), USUAL), {
    warningAt: 0.7,
    calmAt: 0.7 - 0.08,
    criticalAt: 0.85,
  });
  assert.equal(levelMarks(deriveBudget(128 * MIB, { cpus: 2 }), USUAL).warningAt.toFixed(3), '0.738');
});
