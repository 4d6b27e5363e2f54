/** Rasters without overviews end to end: what is refused, what waits, what is said, and what is given back. */
import assert from 'node:assert/strict';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { type BareFiles, bareFiles, noPython } from './files.ts';

/** Shadows of these files have pixels of 8 × 8: z0 has 44 a pixel, z4 2.7. */
const FAR = '/tiles/tiled/0/0/0.png';
const NEAR = '/tiles/tiled/4/8/7.png';
const CAP = {
  'raster.maxReadAmplification': '20',
  'raster.shadow.waitMs': '20000',
  'memory.queue.deadlineMs': '30000',
};

describe('rasters without overviews', { skip: noPython }, () => {
  let files: BareFiles;
  before(() => {
    files = bareFiles('tiled', 'stripped');
  });
  after(() => files?.remove());

  const served = async (set: Record<string, string>, work: (app: App) => Promise<void>, paths?: string[]) => {
    const app = await testApp({ paths: paths ?? [files.path('tiled')], set: { ...CAP, ...set } });
    try {
      await work(app);
    } finally {
      await app.close();
    }
    app.memory.ledger.audit();
    const { cache, inflight, replies } = app.memory.ledger.inUse;
    assert.deepEqual({ cache, inflight, replies }, { cache: 0, inflight: 0, replies: 0 }, 'all is given back');
  };
  const explained = async (app: App, url: string) => (await app.server.inject(`${url}?explain=1`)).json().plan;
  const shadowOf = async (app: App) => (await app.server.inject('/cog/info?url=tiled')).json().shadow;

  test('beyond the cap without a shadow: a code, the factor, the cap and the line that mends it', async () => {
    await served({ 'raster.shadow.maxBytes': '0' }, async app => {
      const far = await app.server.inject(FAR);
      assert.equal(far.statusCode, 413);
      const { code, amplification, maxReadAmplification, remedy, detail } = far.json();
      assert.equal(code, 'read-amplification');
      assert.equal(maxReadAmplification, 20);
      assert.ok(amplification > 20, detail);
      assert.equal(remedy, "gdaladdo -r average 'tiled.tif' 2 4 8");
      const plan = await explained(app, FAR);
      assert.deepEqual([plan.level, plan.amplification, plan.maxReadAmplification], [0, amplification, 20]);
      const near = await app.server.inject(NEAR);
      assert.equal(near.statusCode, 200);
      assert.ok((await explained(app, NEAR)).amplification <= 20);
      assert.equal((await app.server.inject('/cog/preview?url=tiled&max_size=128')).json().code, 'read-amplification');
      assert.equal((await app.server.inject('/cog/preview?url=tiled&max_size=1024')).statusCode, 200);
      assert.equal(await shadowOf(app), undefined);
    });
  });

  test('made once for all who wait, booked, told of', async () => {
    await served({}, async app => {
      assert.deepEqual(await shadowOf(app), { state: 'absent', factors: [8, 16], bytes: 3 * 256 * 256 * 3 });
      const before = await explained(app, FAR);
      assert.equal(before.level, 'shadow');
      assert.equal(before.shadow.state, 'absent');
      assert.equal(before.shadow.factor, 16);
      const urls = [FAR, '/tiles/tiled/1/0/0.png', '/tiles/tiled/2/1/1.png', '/tiles/tiled/2/1/1.webp'];
      const answers = await Promise.all(urls.map(url => app.server.inject(url)));
      for (const { statusCode, headers } of answers) {
        assert.equal(statusCode, 200);
        assert.equal(headers['x-raster-level'], 'shadow');
        assert.equal(headers['x-tile-degraded'], undefined);
      }
      const { state, bytes } = await shadowOf(app);
      assert.equal(state, 'ready');
      const metrics = (await app.server.inject('/metrics')).body;
      assert.match(metrics, /plimsoll_shadow_builds_total\{outcome="built"\} 1\n/);
      assert.match(metrics, new RegExp(`plimsoll_shadow_bytes ${bytes}\n`));
      assert.match(metrics, /plimsoll_layers_without_overviews 1\n/);
      const owner = app.memory.ledger.owners().find(({ owner }) => owner === 'shadow overview of tiled');
      assert.equal(owner?.bytes, bytes);
      assert.ok((await explained(app, FAR)).amplification < 20);
    });
  });

  test('the price holds the blocks that go along', async () => {
    await served({}, async app => {
      const { priceBytes, cost } = (await app.server.inject(`${FAR}?explain=1`)).json();
      assert.ok(cost.heldInputBytes >= 256 * 256 * 3);
      assert.ok(priceBytes >= cost.heldInputBytes + cost.decodedBytes + cost.outputBytes);
    });
  });

  test('before it is made: 503 with the time it takes, and nothing is cached; then the tile', async () => {
    await served({ 'raster.shadow.waitMs': '0' }, async app => {
      const early = await app.server.inject(FAR);
      assert.equal(early.statusCode, 503);
      assert.equal(early.json().code, 'overview-building');
      assert.ok(Number(early.headers['retry-after']) >= 1);
      assert.equal(early.headers['cache-control'], 'no-store');
      assert.equal((await app.server.inject(NEAR)).statusCode, 200, 'what does not need it does not wait');
      while ((await shadowOf(app)).state !== 'ready') await new Promise(resolve => setImmediate(resolve));
      const late = await app.server.inject(FAR);
      assert.equal(late.statusCode, 200);
      assert.match(String(late.headers['cache-control']), /max-age=3600/);
    });
  });

  test('given up under pressure, made again when it is asked for, and the same', async () => {
    await served({ 'cache.enabled': 'false' }, async app => {
      const first = await app.server.inject(FAR);
      assert.equal(first.statusCode, 200);
      const { shadows } = app.rooms as unknown as { shadows: { sheddable: { shed(bytes: number): number } } };
      const held = app.memory.ledger.inUse.cache;
      const given = shadows.sheddable.shed(1);
      assert.equal(given, (await shadowOf(app)).bytes);
      assert.equal(app.memory.ledger.inUse.cache, held - given);
      assert.equal((await shadowOf(app)).state, 'absent');
      const again = await app.server.inject(FAR);
      assert.equal(again.statusCode, 200);
      assert.equal(again.headers.etag, first.headers.etag);
      assert.deepEqual(again.rawPayload, first.rawPayload);
    });
  });

  test('made when the file is opened, where that is wanted', async () => {
    await served({ 'raster.shadow.warmUp': 'true', 'raster.shadow.waitMs': '0' }, async app => {
      while ((await shadowOf(app)).state !== 'ready') await new Promise(resolve => setImmediate(resolve));
      assert.equal((await app.server.inject(FAR)).statusCode, 200);
    });
  });

  test('a server that closes while one is made ends it', async () => {
    await served({ 'raster.shadow.warmUp': 'true' }, async app => {
      assert.notEqual((await shadowOf(app)).state, 'ready');
    });
  });

  test('another level selection is another ETag', async () => {
    const etagOf = async (set: Record<string, string>) => {
      let etag: unknown;
      await served(set, async app => {
        etag = (await app.server.inject(NEAR)).headers.etag;
      });
      return etag;
    };
    const eighth = await etagOf({});
    assert.equal(await etagOf({}), eighth);
    assert.notEqual(await etagOf({ 'raster.shadow.maxBytes': '0' }), eighth);
    assert.notEqual(await etagOf({ 'raster.maxReadAmplification': '40' }), eighth);
  });

  test('where only a coarser one fits, the gap is a degraded tile of its own, or refused where that will not do', async () => {
    await served({ 'raster.maxReadAmplification': '4', 'raster.shadow.maxBytes': '200KB' }, async app => {
      assert.deepEqual((await shadowOf(app)).factors, [16]);
      const gap = await app.server.inject(NEAR);
      assert.equal(gap.statusCode, 200);
      assert.equal(gap.headers['x-tile-degraded'], 'overview');
      assert.equal(gap.headers['x-raster-level'], 'shadow');
      assert.match(String(gap.headers['cache-control']), /max-age=(1\d|2\d)$/);
      const strict = await app.server.inject(`${NEAR}?strict=1`);
      assert.equal(strict.json().code, 'read-amplification');
      const far = await app.server.inject('/tiles/tiled/1/0/0.png');
      assert.equal(far.headers['x-tile-degraded'], undefined);
      assert.equal(far.statusCode, 200);
    });
  });

  test('a file that is replaced takes its shadow along', async () => {
    const file = join(files.folder, 'swapped.tif');
    copyFileSync(files.path('tiled'), file);
    await served(
      {},
      async app => {
        const url = '/tiles/swapped/2/1/1.png';
        const first = await app.server.inject(url);
        assert.equal(first.statusCode, 200);
        assert.ok(app.memory.ledger.owners().some(({ owner }) => owner === 'shadow overview of swapped'));
        copyFileSync(files.path('stripped'), `${file}.new`);
        renameSync(`${file}.new`, file);
        await app.catalogue.refresh();
        assert.ok(!app.memory.ledger.owners().some(({ owner }) => owner === 'shadow overview of swapped'));
        const second = await app.server.inject(url);
        assert.equal(second.statusCode, 200);
        assert.notEqual(second.headers.etag, first.headers.etag);
      },
      [file],
    );
  });
});
