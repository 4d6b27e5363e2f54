/**
 * Blocks that are handed on without a plan of their own: what is remembered of one tile says of all others of its zoom what
 * planning them says, or nothing; and what is slow to read is left to threads.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openBytes } from '../../src/io/bytes.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import type { Plan } from '../../src/plan.ts';
import { createHandOn } from '../../src/render/raster/hand-on.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { createPassPlaces } from '../../src/render/raster/pass-places.ts';
import { planRasterTile, type RasterFormat, type RasterTileAsk } from '../../src/render/raster/plan.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { testApp } from '../lib/app.ts';
import { never, openLayer, paintPlan } from './layers.ts';
import { webCogs } from './web-cogs.ts';

const cogs = webCogs();
const { skip } = cogs;
const painter = createRasterPainter();
after(() => painter.close());

function askOf(layer: RasterLayer, [z, x, y]: readonly number[], format: RasterFormat, scale: 1 | 2): RasterTileAsk {
  const params = { resampling: 'nearest', returnMask: true, unscale: false } as const;
  return { layer, grid: WEB_MERCATOR_QUAD, tile: { z, x, y }, scale, format, params };
}

/** The tiles that the rasters of 4 × 4 tiles of zoom 11 lie in, and those around. */
function asksOf(layer: RasterLayer, z: number, format: RasterFormat, scale: 1 | 2): RasterTileAsk[] {
  const half = 2 ** (z - 1);
  const places = Array.from({ length: 49 }, (_, i) => [z, half - 1 + (i % 7), half - 5 + Math.floor(i / 7)]);
  return places.map(place => askOf(layer, place, format, scale));
}

const isPassed = (plan: Plan) => (plan.job as { kind?: string } | null)?.kind === 'pass';

/** How many tiles of a zoom are known once one of them was planned, whichever; what is known is what planning says. */
async function knownOf(name: string, z: number, format: RasterFormat, scale: 1 | 2 = 1): Promise<number> {
  const layer = await openLayer(cogs.path(`${name}.tif`));
  const asks = asksOf(layer, z, format, scale);
  const plans = await Promise.all(asks.map(ask => planRasterTile(ask, never)));
  const counts = new Set<number>();
  for (const [i, plan] of plans.entries()) {
    const places = createPassPlaces();
    assert.equal(places.find(asks[i]), null);
    places.learn(asks[i], plan);
    const known = asks.map(ask => places.find(ask));
    if (!isPassed(plan)) assert.ok(known.every(each => each === null));
    else counts.add(known.filter(each => each !== null).length);
    for (const [j, each] of known.entries()) {
      if (each === null) continue;
      const { job, cost, headers } = plans[j];
      assert.deepEqual(each, { job, cost, headers }, `${name} ${JSON.stringify(asks[j].tile)}`);
    }
  }
  assert.ok(counts.size <= 1, `${name}: it depends on which tile was planned: ${[...counts]}`);
  return [...counts][0] ?? 0;
}

test('a tile that was planned tells the block of every other of its zoom, as planning them does', {
  skip,
}, async () => {
  assert.equal(await knownOf('jpeg', 11, 'jpg'), 16);
  assert.equal(await knownOf('jpeg', 10, 'jpg'), 4);
  assert.equal(await knownOf('jpeg-gray', 11, 'jpg'), 16);
  assert.equal(await knownOf('webp-alpha', 11, 'webp'), 16);
  assert.equal(await knownOf('webp-512', 10, 'webp', 2), 4);
  // 900 × 700 pixels have 3 × 2 whole blocks.
  assert.equal(await knownOf('jpeg-edge', 11, 'jpg'), 6);
});

test('nothing is known where blocks are not tiles all over the level, or are no answers', { skip }, async () => {
  assert.equal(await knownOf('jpeg-drift', 11, 'jpg'), 0);
  const drift = await openLayer(cogs.path('jpeg-drift.tif'));
  const first = await planRasterTile(askOf(drift, [11, 1024, 1020], 'jpg', 1), never);
  assert.ok(isPassed(first), 'the first block must pass, or this looks at nothing');
  assert.equal(await knownOf('jpeg-mask', 11, 'jpg'), 0);
  assert.equal(await knownOf('webp-nodata', 11, 'webp'), 0);
  assert.equal(await knownOf('jpeg', 11, 'png'), 0);
  assert.equal(await knownOf('jpeg', 12, 'jpg'), 0);
});

test('what is asked for in another way is another question; ways that are remembered are bounded', {
  skip,
}, async () => {
  const layer = await openLayer(cogs.path('jpeg.tif'));
  const ask = askOf(layer, [11, 1024, 1020], 'jpg', 1);
  const places = createPassPlaces();
  places.learn(ask, await planRasterTile(ask, never));
  assert.ok(places.find(ask));
  const others: Partial<RasterTileAsk>[] = [
    { format: 'webp' },
    { scale: 2 },
    { tilesize: 128 },
    { buffer: 1 },
    { params: { ...ask.params, bidx: [3, 2, 1] } },
    { params: { ...ask.params, rescale: [[0, 9]] } },
    { params: { ...ask.params, nodata: 7 } },
    { grid: { ...WEB_MERCATOR_QUAD, key: 'another' } },
    { layer: { ...layer } },
  ];
  for (const other of others) assert.equal(places.find({ ...ask, ...other }), null, JSON.stringify(Object.keys(other)));
  const plan = await planRasterTile(ask, never);
  for (let i = 0; i < 100; i++) places.learn({ ...ask, grid: { ...WEB_MERCATOR_QUAD, key: `g${i}` } }, plan);
  assert.equal(places.find(ask), null);
});

test('blocks of a disk that is slow are left to threads for a while; one hiccup changes nothing', {
  skip,
}, async () => {
  let nowMs = 0;
  let readMs = 0;
  const handOn = createHandOn({
    now: () => nowMs,
    open: ref => {
      const bytes = openBytes(ref);
      const readInto = (offset: number, into: Uint8Array) => {
        nowMs += readMs;
        bytes.readInto(offset, into);
      };
      return { ref, read: bytes.read.bind(bytes), readInto, close: () => bytes.close() };
    },
  });
  const layer = await openLayer(cogs.path('jpeg.tif'));
  const ask = askOf(layer, [11, 1024, 1020], 'jpg', 1);
  const plan = await planRasterTile(ask, never);
  handOn.learn(ask, plan);
  const read = (ms: number) => {
    readMs = ms;
    return handOn.atOnce(ask)?.make();
  };
  for (let i = 0; i < 40; i++) assert.ok(read(i % 20 === 0 ? 30 : 1), 'now and then one is slow');
  for (let i = 0; i < 3; i++) read(30);
  assert.equal(handOn.atOnce(ask), null);
  assert.equal(handOn.run(plan.job!), undefined);
  nowMs += 1001;
  assert.ok(read(1));
  read(30);
  read(30);
  assert.equal(handOn.atOnce(ask), null, 'it is known for slow');
  handOn.close();
});

test('over HTTP: with neither flight nor thread, under a permit, and as any other answer', { skip }, async t => {
  const app = await testApp({ paths: [cogs.folder], set: { 'memory.queue.deadlineMs': '50ms' } });
  t.after(() => app.close());
  const { admission, flight, pool, ladder } = app.rooms;
  const get = (place: string, headers = {}) => app.server.inject({ url: `/tiles/${place}`, headers });
  assert.equal((await get('jpeg/11/1024/1020.jpg')).statusCode, 200);
  const before = { started: flight.stats().started, done: pool.stats().done };
  const fulls = ladder.stats().full;
  const admitted = admission.stats().admitted.tile;
  const first = await get('jpeg/11/1025/1021.jpg');
  assert.equal(first.headers['x-plimsoll'], 'miss');
  assert.equal(first.headers['x-raster-level'], '0');
  assert.match(first.headers['server-timing'] as string, /^wait;dur=0\.0, render;dur=\d/);
  const explained = (await get('jpeg/11/1025/1021.jpg?explain=1')).json();
  assert.equal(explained.plan.passed, true);
  assert.equal(first.headers['x-plimsoll-cost'], String(explained.priceBytes));
  const again = await get('jpeg/11/1025/1021.jpg');
  assert.equal(again.headers['x-plimsoll'], 'hit');
  assert.deepEqual(again.rawPayload, first.rawPayload);
  assert.equal(again.headers.etag, first.headers.etag);
  assert.equal((await get('jpeg/11/1025/1021.jpg', { 'if-none-match': first.headers.etag as string })).statusCode, 304);
  const head = await app.server.inject({ method: 'HEAD', url: '/tiles/jpeg/11/1026/1021.jpg' });
  assert.equal(head.statusCode, 200);
  assert.equal(head.rawPayload.length, 0);
  assert.equal(Number(head.headers['content-length']), (await get('jpeg/11/1026/1021.jpg')).rawPayload.length);
  assert.deepEqual({ started: flight.stats().started, done: pool.stats().done }, before);
  assert.equal(admission.stats().admitted.tile, admitted + 2);
  assert.equal(ladder.stats().full, fulls + 2);
  assert.equal(app.memory.ledger.inUse.inflight, 0);
});

test('where the budget is taken it waits like others, and is refused like others', { skip }, async t => {
  const app = await testApp({ paths: [cogs.folder], set: { 'memory.queue.deadlineMs': '50ms' } });
  t.after(() => app.close());
  const { admission } = app.rooms;
  const url = (x: number) => `/tiles/jpeg/11/${x}/1020.jpg?strict=1`;
  assert.equal((await app.server.inject(url(1024))).statusCode, 200);
  const held = [];
  for (const client of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']) {
    for (let bytes = 64 << 20; bytes > 16; bytes = Math.floor(bytes / 2)) {
      const permit = admission.acquireNow({ bytes, class: 'tile', client });
      if (permit) held.push(permit);
    }
  }
  const refused = await app.server.inject(url(1025));
  assert.equal(refused.statusCode, 503, refused.body);
  assert.equal(refused.json().code, 'overloaded');
  for (const permit of held) permit.release();
  assert.equal((await app.server.inject(url(1025))).statusCode, 200);
  assert.equal(app.memory.ledger.inUse.inflight, 0);
});

test('a rehearsal that hands blocks on leaves the loop to others, and nothing behind', { skip }, async t => {
  const only = mkdtempSync(join(tmpdir(), 'raster-rehearsal-'));
  copyFileSync(cogs.path('webp.tif'), join(only, 'webp.tif'));
  t.after(() => rmSync(only, { recursive: true }));
  const app = await testApp({ paths: [only], set: { 'server.rehearsal': '60s' } });
  assert.equal((await app.server.inject('/readyz')).statusCode, 503);
  assert.equal((await app.server.inject('/livez')).statusCode, 200);
  while (app.rooms.admission.stats().admitted.tile < 200) await new Promise(resolve => setTimeout(resolve, 5));
  assert.ok(app.rooms.pool.stats().done < app.rooms.admission.stats().admitted.tile, 'some were handed on');
  await app.close();
  assert.equal(app.rooms.ladder.stats().full, 0);
  assert.equal(app.rooms.cache.stats().entries, 0);
  assert.equal(app.memory.ledger.inUse.inflight + app.memory.ledger.inUse.replies, 0);
});

test('what is lent to one answer is not in another: without a cache, and with one that keeps nothing', {
  skip,
}, async t => {
  for (const set of [{ 'cache.enabled': 'false' }, { 'cache.maxEntryBytes': '1KiB' }, {}] as Record<string, string>[]) {
    const app = await testApp({ paths: [cogs.folder], set });
    t.after(() => app.close());
    for (const [name, format] of [
      ['jpeg', 'jpg'],
      ['webp', 'webp'],
    ] as const) {
      const layer = await openLayer(cogs.path(`${name}.tif`));
      const places = Array.from({ length: 16 }, (_, i) => [11, 1024 + (i % 4), 1020 + Math.floor(i / 4)] as const);
      const get = ([z, x, y]: readonly number[]) => app.server.inject(`/tiles/${name}/${z}/${x}/${y}.${format}`);
      await get(places[0]);
      const replies = await Promise.all(places.map(get));
      for (const [i, { rawPayload }] of replies.entries()) {
        const plan = await planRasterTile(askOf(layer, places[i], format, 1), never);
        const { body } = await paintPlan(painter, plan);
        assert.deepEqual(rawPayload, Buffer.from(body!), `${name} ${places[i]} ${JSON.stringify(set)}`);
      }
    }
    assert.equal(app.memory.ledger.inUse.replies + app.memory.ledger.inUse.inflight, 0);
  }
});
