/** The room of shadow overviews: one at a time, within its bytes, given up in order, made again; clocks and pressure by hand. */
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Admission } from '../../src/admission/controller.ts';
import { type ErrorCode, Problem, problem } from '../../src/errors.ts';
import { createLedger } from '../../src/memory/ledger.ts';
import type { Level } from '../../src/memory/types.ts';
import { costBytes, type Job } from '../../src/plan.ts';
import { createShadows } from '../../src/serve-shadows.ts';
import type { RasterSource } from '../../src/source/types.ts';
import type { Pool } from '../../src/workers/pool.ts';
import { createTasks } from '../../src/workers/tasks.ts';
import { never, openLayer } from '../raster/layers.ts';
import { type BareFiles, bareFiles, noPython } from './files.ts';

/** Blocks of 256² × 3 bytes, three of them: two levels. */
const ONE = 3 * 3 * 65536;

function rig(change: { maxBytes?: number; roomBytes?: number; waitMs?: number; warmUp?: boolean } = {}) {
  const tasks = createTasks({ blockCacheBytes: 0 });
  const ledger = createLedger({ strict: true });
  const world = {
    level: 'normal' as Level,
    nowMs: 0,
    jobs: 0,
    held: 0,
    running: 0,
    refuse: null as ErrorCode | null,
    failed: [] as string[],
    gate: Promise.resolve(),
  };
  const admission = {
    price: costBytes,
    acquire: async ({ bytes }: { bytes: number }) => {
      if (world.refuse) throw problem(world.refuse, 'no');
      world.held += bytes;
      return { release: () => (world.held -= bytes) };
    },
    learn: (_op: string, _layer: string, cost: Parameters<typeof costBytes>[0], peak: number) =>
      assert.ok(peak <= costBytes(cost)),
  } as unknown as Admission;
  const pool = {
    run: async (job: Job) => {
      assert.ok(world.held > 0, 'a permit is held');
      assert.equal(world.running++, 0, 'one at a time');
      world.jobs++;
      await world.gate;
      try {
        return await tasks[job.task](structuredClone(job), { cancelled: () => false, check: () => {} });
      } finally {
        world.running--;
      }
    },
  } as unknown as Pool;
  const room = { bytes: change.roomBytes ?? 1 << 30 };
  const shadows = createShadows({
    maxBytes: 1 << 30,
    ceilingBytes: 1 << 30,
    warmUp: false,
    waitMs: 20_000,
    ...change,
    admission,
    pool,
    ledger,
    level: () => world.level,
    roomBytes: () => room.bytes,
    failed: id => world.failed.push(id),
    now: () => world.nowMs,
  });
  return { shadows, world, ledger, room };
}

describe('the room of shadow overviews', { skip: noPython }, () => {
  let files: BareFiles;
  let source: RasterSource;
  before(async () => {
    files = bareFiles('tiled');
    source = (await openLayer(files.path('tiled'))).source;
  });
  after(async () => {
    await source?.close();
    files?.remove();
  });

  test('no shadow where none is needed or none fits', () => {
    const { shadows } = rig();
    assert.equal(shadows.of('a', source, undefined), null, 'no cap');
    assert.equal(shadows.of('a', source, 43), null, 'read whole it is within the cap');
    assert.equal(rig({ maxBytes: 0 }).shadows.of('a', source, 20), null);
    assert.equal(rig({ maxBytes: 65536 * 3 - 1 }).shadows.of('a', source, 20), null);
    assert.deepEqual(rig({ maxBytes: 65536 * 3 }).shadows.of('a', source, 20)?.factors, [16]);
    assert.deepEqual(shadows.of('a', source, 20)?.factors, [8, 16]);
  });

  test('many ask, one is made; a client that leaves ends nothing', async () => {
    const { shadows, world, ledger } = rig();
    const shadow = shadows.of('a', source, 20);
    assert.ok(shadow);
    const leaving = new AbortController();
    const left = shadow.wanted(leaving.signal);
    const others = Array.from({ length: 8 }, () => shadow.wanted(never));
    leaving.abort(problem('client-closed', 'gone'));
    await assert.rejects(left, { code: 'client-closed' });
    await Promise.all(others);
    assert.equal(world.jobs, 1);
    assert.equal(shadow.state, 'ready');
    assert.equal(ledger.inUse.cache, ONE);
    assert.equal(shadows.heldBytes, ONE);
    assert.equal(world.held, 0, 'its permit is back');
    assert.equal(shadow.copy(65536 * 3, 65536 * 3).byteLength, 65536 * 3);
    shadow.close();
    assert.equal(ledger.total, 0);
    assert.throws(() => shadow.copy(0, 1), { code: 'overview-building' });
    await shadows.close();
  });

  test('near the limit it is given up and not made; when it is calm it comes again', async () => {
    const { shadows, world, ledger } = rig();
    const shadow = shadows.of('a', source, 20);
    assert.ok(shadow);
    await shadow.wanted(never);
    assert.equal(shadows.sheddable.shed(1), ONE);
    assert.deepEqual([shadow.state, ledger.inUse.cache, shadows.sheddable.shed(1)], ['absent', 0, 0]);
    world.level = 'warning';
    await assert.rejects(shadow.wanted(never), { code: 'overloaded' });
    world.level = 'normal';
    shadows.calm();
    while ((shadow.state as string) !== 'ready') await new Promise(resolve => setImmediate(resolve));
    assert.equal(world.jobs, 2);
    await shadows.close();
    assert.equal(ledger.total, 0);
  });

  test('one that is used does not make way for another; later it does', async () => {
    const { shadows, world, ledger } = rig({ maxBytes: ONE });
    const [a, b] = ['a', 'b'].map(id => shadows.of(id, source, 20));
    assert.ok(a && b);
    await a.wanted(never);
    world.nowMs = 59_000;
    await assert.rejects(b.wanted(never), (error: Problem) => {
      assert.match(error.message, /no room for the overview that b lacks/);
      return error.code === 'overloaded';
    });
    assert.equal(a.state, 'ready');
    world.nowMs = 61_000;
    await b.wanted(never);
    assert.deepEqual([a.state, b.state, ledger.inUse.cache], ['absent', 'ready', ONE]);
    await shadows.close();
  });

  test('it keeps to its share of what the cache may hold', async () => {
    const { shadows, room } = rig({ roomBytes: 2 * ONE });
    const shadow = shadows.of('a', source, 20);
    assert.ok(shadow);
    await shadow.wanted(never);
    shadows.trim();
    assert.equal(shadow.state, 'ready');
    room.bytes = ONE;
    shadows.trim();
    assert.equal(shadow.state, 'absent');
    await shadows.close();
  });

  test('no permit passes; a block that cannot be read does not', async () => {
    const file = join(files.folder, 'damaged.tif');
    copyFileSync(files.path('tiled'), file);
    const whole = await openLayer(file);
    const place = await whole.source.levels[0].blockRange(3);
    await whole.source.close();
    const handle = openSync(file, 'r+');
    writeSync(handle, Buffer.alloc(place.length, 0x55), 0, place.length, place.offset);
    closeSync(handle);
    const damaged = await openLayer(file);
    const { shadows, world, ledger } = rig();
    const shadow = shadows.of('damaged', damaged.source, 20);
    assert.ok(shadow);
    world.refuse = 'overloaded';
    await assert.rejects(shadow.wanted(never), { code: 'overloaded' });
    world.refuse = 'client-over-share';
    await assert.rejects(shadow.wanted(never), { code: 'overview-building' }, 'not the share of whoever asks');
    assert.deepEqual(world.failed, []);
    world.refuse = null;
    await assert.rejects(shadow.wanted(never), (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.match(error.message, /damaged\.tif, block 3\/0/);
      return error.code === 'corrupt-data';
    });
    await assert.rejects(shadow.wanted(never), { code: 'corrupt-data' });
    assert.deepEqual([world.jobs, world.failed, shadow.state], [1, ['damaged'], 'failed']);
    assert.deepEqual([world.held, ledger.total], [0, 0]);
    await shadows.close();
    await damaged.source.close();
  });

  test('whoever does not wait long is told how long it takes', async () => {
    const { shadows, world } = rig({ waitMs: 0 });
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    const shadow = shadows.of('a', source, 20);
    assert.ok(shadow);
    await assert.rejects(shadow.wanted(never), (error: Problem) => {
      assert.equal(error.extra['retryAfterSeconds'], 1);
      return error.code === 'overview-building';
    });
    const closing = shadows.close();
    gate.resolve();
    await closing;
    assert.equal(shadows.heldBytes, 0, 'what comes too late is not kept');
  });
});
