/** Cells of large layers: measured once, in a worker, under a permit that covers it; ahead of the first who asks. */
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission } from '../../src/admission/controller.ts';
import { problem } from '../../src/errors.ts';
import type { VectorLayer } from '../../src/layers/types.ts';
import { costBytes, type Job } from '../../src/plan.ts';
import { cellsCost } from '../../src/render/vector/measure.ts';
import { capsOf, cellsHere } from '../../src/render/vector/zoom-cells.ts';
import { createCells } from '../../src/serve-cells.ts';
import type { FgbSource } from '../../src/source/fgb/open.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import type { Pool } from '../../src/workers/pool.ts';
import { createTasks } from '../../src/workers/tasks.ts';
import { testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';
import { Files, openLayer, seeded, VECTOR } from '../vector/rig.ts';

const CITIES = join(VECTOR, 'cities_pop5000.fgb');
/** Time enough, however busy the machine is. */
const CAPS = { 'vector.maxFeatures': '900', 'memory.queue.deadlineMs': '60s' };
const files = new Files();
after(() => files.remove());

const lodOf = (layer: unknown) => ((layer as VectorLayer).source as FgbSource).lod;

/** What a measurement in this thread comes to. */
async function cellsOf(path: string, maxFeatures: number) {
  const layer = await openLayer(path, { maxFeatures });
  const steps = await cellsHere(layer, WEB_MERCATOR_QUAD, capsOf(layer.options));
  await layer.source.close();
  return steps;
}

/** Does the jobs of a pool in this thread; tells of what was priced, admitted and held. */
function rig(ceiling: number) {
  const tasks = createTasks({ blockCacheBytes: 0 });
  const seen = { acquired: [] as number[], held: 0, learned: [] as number[], booked: [] as number[], jobs: 0 };
  const admission = {
    price: costBytes,
    acquire: async ({ bytes }: { bytes: number }) => {
      if (bytes > ceiling) throw problem('too-large', `${bytes}`);
      seen.acquired.push(bytes);
      seen.held += bytes;
      return { release: () => (seen.held -= bytes) };
    },
    learn: (_op: string, _layer: string, cost: Parameters<typeof costBytes>[0], peak: number) =>
      seen.learned.push(peak / costBytes(cost)),
  } as unknown as Admission;
  const pool = {
    run: async (job: Job) => {
      assert.ok(seen.held > 0, 'a permit is held');
      seen.jobs++;
      return tasks[job.task](structuredClone(job), { cancelled: () => false, check: () => {} });
    },
  } as unknown as Pool;
  const ledger = {
    book: (_account: string, bytes: number) => {
      seen.booked.push(bytes);
      return { bytes, release: () => seen.booked.push(-bytes) };
    },
  };
  const rooms = { admission, pool, ledger: ledger as never, level: () => 'normal' as const, ahead: null };
  return { cells: createCells(rooms), seen };
}

describe('cells', { skip: WITHOUT_SHARED }, () => {
  test('are measured once for all who ask at once, as in this thread, and stay while the file does', async () => {
    const app = await testApp({ paths: [CITIES], set: CAPS });
    try {
      const [layer] = app.catalogue.list();
      assert.equal(lodOf(layer).size, 0);
      // More than have turns at once: who waits for the cells has none.
      const urls = [0, 1, 2, 3].flatMap(z => [0, 1, 2].map(x => `/tiles/cities_pop5000/${z + 2}/${x}/1`));
      const asked = urls.map(url => app.server.inject(url));
      while (lodOf(layer).size === 0) await sleep(1);
      assert.equal(app.rooms.turns.stats().walking, 0);
      const answers = await Promise.all(asked);
      assert.ok(answers.every(({ statusCode }) => statusCode < 300));
      const [steps] = await Promise.all(lodOf(layer).values());
      assert.deepEqual(steps, await cellsOf(CITIES, 900));
      assert.ok(steps.steps.filter(step => step !== null).length > 4);
      const { samples, factor } = app.rooms.admission.corrections().find(({ op }) => op === 'cells') ?? {};
      assert.deepEqual([samples, factor], [1, 1]);
      assert.equal(app.memory.ledger.inUse.inflight, 0);
    } finally {
      await app.close();
    }
  });

  test('are chosen when the file is opened, without a request', async () => {
    const app = await testApp({ paths: [CITIES], set: { ...CAPS, 'vector.warmUp': 'true' } });
    try {
      const [layer] = app.catalogue.list();
      for (let i = 0; i < 500 && lodOf(layer).size === 0; i++) await sleep(10);
      const [steps] = await Promise.all(lodOf(layer).values());
      assert.deepEqual(steps, await cellsOf(CITIES, 900));
    } finally {
      await app.close();
    }
  });

  test('are forgotten when the file is replaced', async () => {
    const path = join(files.dir, 'replaced.fgb');
    copyFileSync(CITIES, path);
    const app = await testApp({ paths: [path], set: CAPS });
    try {
      const stepsNow = async () => {
        assert.equal((await app.server.inject('/tiles/replaced/0/0/0')).statusCode, 200);
        const [cells] = await Promise.all(lodOf(app.catalogue.get('replaced')).values());
        return cells.steps;
      };
      const before = await stepsNow();
      const rnd = seeded(8);
      const points = Array.from({ length: 3000 }, () => ({
        geometry: { type: 'Point' as const, coordinates: [rnd() * 10, rnd() * 10] },
      }));
      writeFileSync(path, writeFgb(points));
      await app.catalogue.refresh();
      assert.equal(lodOf(app.catalogue.get('replaced')).size, 0);
      const after = await stepsNow();
      assert.notDeepEqual(after, before);
      assert.deepEqual(after, (await cellsOf(path, 900)).steps);
    } finally {
      await app.close();
    }
  });

  test('what is too large for any permit is measured in this thread, and booked', async () => {
    const layer = await openLayer(CITIES, { maxFeatures: 900 });
    const { cells, seen } = rig(1000);
    const steps = await cells.measure(layer, WEB_MERCATOR_QUAD, capsOf(layer.options));
    assert.deepEqual(steps, await cellsOf(CITIES, 900));
    assert.equal(seen.jobs, 0);
    assert.ok(seen.booked.length === 2 && seen.booked[0] > 500_000 && seen.booked[0] === -seen.booked[1]);
    await layer.source.close();
  });
});

test('a feature longer than was thought has the job priced for it; what it held keeps within', async () => {
  const rnd = seeded(3);
  const spiral = Array.from({ length: 20_000 }, (_, i) => [10 + i * 0.001, 20 + Math.sin(i) * 5]);
  const long = { geometry: { type: 'LineString' as const, coordinates: spiral } };
  const short = () => {
    const [x, y] = [rnd() * 90, rnd() * 60];
    return {
      geometry: {
        type: 'LineString' as const,
        coordinates: [
          [x, y],
          [x + 0.01, y + 0.01],
        ],
      },
    };
  };
  const layer = await openLayer(files.path(writeFgb([long, ...Array.from({ length: 4000 }, short)])), {
    maxFeatures: 500,
  });
  const caps = capsOf(layer.options);
  const { cells, seen } = rig(2 ** 30);
  const steps = await cells.measure(layer, WEB_MERCATOR_QUAD, caps);
  assert.deepEqual(steps, await cellsHere(layer, WEB_MERCATOR_QUAD, caps));
  assert.ok(steps.steps.some(step => step !== null));
  assert.equal(seen.acquired.length, 2);
  assert.equal(seen.held, 0);
  assert.equal(seen.acquired[0], costBytes(cellsCost(layer, caps, 128 * 1024)));
  assert.ok(seen.acquired[1] > seen.acquired[0] + 1_000_000, seen.acquired.join());
  assert.ok(seen.learned.length === 1 && seen.learned[0] > 0.05 && seen.learned[0] <= 1, seen.learned.join());
  await layer.source.close();
});
