/** The ladder over the whole server: with the memory taken by others, what is answered, how it is marked, how it recovers. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { createLadder } from '../../src/ladder.ts';
import type { Level } from '../../src/memory/types.ts';
import { DEMO, testApp } from '../lib/app.ts';

test('a tile that can never fit is thinned; ?strict=1 is told what would fit, and that does', async () => {
  const tight = await testApp({ set: { 'memory.requestCeilingBytes': '5800000' } });
  try {
    for (const [path, how] of [
      ['/tiles/world/1/0/0@2x.png', 'overview'],
      ['/tiles/countries/0/0/0.mvt', 'thin'],
    ]) {
      const lesser = await tight.server.inject(path as string);
      assert.equal(lesser.statusCode, 200, lesser.body.slice(0, 300));
      assert.equal(lesser.headers['x-tile-degraded'], how);
      assert.match(String(lesser.headers['cache-control']), /max-age=1\d|max-age=20/);
    }
    const doubled = await tight.server.inject('/tiles/world/1/0/0@2x.png?strict=1');
    assert.deepEqual([doubled.statusCode, doubled.json().fits], [413, { scale: 1 }]);
    assert.equal((await tight.server.inject('/tiles/world/1/0/0.png?strict=1')).statusCode, 200);
    const refused = await tight.server.inject('/tiles/countries/0/0/0.mvt?strict=1');
    assert.equal(refused.statusCode, 413);
    const { zoom } = refused.json().fits;
    assert.ok(zoom >= 1 && zoom <= 3, `zoom ${zoom}`);
    for (const [x, y] of [0, 1, 2, 3].map(i => [i % 2, i >> 1] as const)) {
      const deeper = await tight.server.inject(`/tiles/countries/${zoom}/${x}/${y}.mvt?strict=1`);
      assert.ok(deeper.statusCode < 300, `${zoom}/${x}/${y}: ${deeper.statusCode}`);
    }
    const { refused: counted } = tight.rooms.admission.stats();
    assert.equal(counted['too-large'], 2);
  } finally {
    await tight.close();
  }
});

/** Takes the work budget but for `left` bytes, as other clients' requests would. */
async function fill(app: App, left: number): Promise<() => void> {
  const releases: (() => void)[] = [];
  for (let taken = 0, i = 0; ; i++) {
    const { budgetBytes, heldBytes } = app.rooms.admission.stats();
    const held = heldBytes.tile + heldBytes.window + heldBytes.bulk;
    const bytes = Math.min(budgetBytes / 16, budgetBytes - held - left);
    if (bytes < 1024 || taken > 64) break;
    taken++;
    const permit = await app.rooms.admission.acquire({
      bytes,
      class: i % 4 === 0 ? 'window' : 'tile',
      client: `other-${i}`,
      signal: new AbortController().signal,
      patienceMs: 0,
    });
    releases.push(() => permit.release());
  }
  return () => {
    for (const release of releases) release();
  };
}

describe('the ladder', () => {
  let app: App;
  let folder: string;
  const window = '/cog/bbox/-180,-90,180,90/1420x710.jpg?url=world';
  const get = (url: string, headers = {}) => app.server.inject({ url, headers });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-ladder-'));
    cpSync(DEMO, folder, { recursive: true });
    cpSync(join(folder, 'world.tif'), join(folder, 'careful.tif'));
    const file = join(folder, 'plimsoll.yaml');
    writeFileSync(file, 'layers: {careful: {degrade: false}}');
    app = await testApp({ paths: [folder], file, set: { 'memory.queue.deadlineMs': '300ms' } });
  });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  async function pricesOf(url: string): Promise<{ priceBytes: number; degradedPriceBytes: number }> {
    const answer = await get(`${url}${url.includes('?') ? '&' : '?'}explain=1`);
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json();
  }

  test('a window that does not fit is degraded, marked and short-lived; ?strict=1 is 503; calm again, it is full', async () => {
    const { priceBytes, degradedPriceBytes } = await pricesOf(window);
    assert.ok(degradedPriceBytes < priceBytes * 0.9, `${degradedPriceBytes} of ${priceBytes}`);
    const free = await fill(app, Math.floor((priceBytes + degradedPriceBytes) / 2));
    const lesser = await get(window);
    assert.equal(lesser.statusCode, 200, lesser.body.slice(0, 300));
    assert.equal(lesser.headers['x-tile-degraded'], 'overview');
    assert.equal(lesser.headers['x-plimsoll'], 'degraded');
    const life = Number(/max-age=(\d+)/.exec(String(lesser.headers['cache-control']))?.[1]);
    assert.ok(life >= 10 && life <= 20, `${life} s`);
    assert.equal((await get(`${window}&strict=1`)).statusCode, 503);
    assert.equal(
      (await get(window.replace('url=world', 'url=careful'))).statusCode,
      503,
      'degrade: false of its layer',
    );
    free();
    const full = await get(window);
    assert.equal(full.statusCode, 200);
    assert.equal(full.headers['x-tile-degraded'], undefined);
    assert.notEqual(full.headers.etag, lesser.headers.etag);
    assert.equal((await get(window)).headers['x-plimsoll'], 'hit');
  });

  test('under strain a tile that nothing lesser stands for waits its time, and is served when there is room', async () => {
    const patient = await testApp({ set: { 'memory.queue.deadlineMs': '20s' } });
    try {
      for (let i = 0; i < 3; i++) patient.rooms.ladder.fell('tile');
      assert.equal(patient.rooms.ladder.patience('tile'), 0);
      const url = '/tiles/countries/6/33/21.mvt';
      const plan = (await patient.server.inject(`${url}?explain=1`)).json();
      assert.ok(plan.degradedPriceBytes >= plan.priceBytes, JSON.stringify(plan));
      const free = await fill(patient, 0);
      let answered = false;
      const waiting = patient.server.inject(url).finally(() => (answered = true));
      // The first try has no patience: only what queues after it was refused shows that the tile waits.
      const stats = () => patient.rooms.admission.stats();
      while (!answered && (stats().steppedDown === 0 || stats().queued.tile === 0))
        await new Promise(resolve => setTimeout(resolve, 5));
      free();
      const answer = await waiting;
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
      assert.equal(answer.headers['x-tile-degraded'], undefined);
    } finally {
      await patient.close();
    }
  });

  test('a hit and a 304 are never refused', async () => {
    const first = await get('/tiles/countries/1/0/0.mvt');
    const free = await fill(app, 0);
    assert.equal((await get('/tiles/countries/1/0/0.mvt')).headers['x-plimsoll'], 'hit');
    const same = await get('/tiles/countries/1/0/0.mvt', { 'if-none-match': String(first.headers.etag) });
    assert.equal(same.statusCode, 304);
    free();
  });

  test('after a file was replaced: calm, the new tile; strained, the old one until the new can be made', async () => {
    const url = '/tiles/places/0/0/0.mvt';
    const old = await get(url);
    const path = join(folder, 'places.fgb');
    copyFileSync(path, `${path}.new`);
    utimesSync(`${path}.new`, new Date(), new Date(Date.now() + 5000));
    renameSync(`${path}.new`, path);
    await app.catalogue.refresh();
    const free = await fill(app, 0);
    for (let i = 0; i < 3; i++) app.rooms.ladder.fell('tile');
    const stale = await get(url);
    assert.equal(stale.headers['x-plimsoll'], 'stale');
    assert.equal(stale.headers.etag, old.headers.etag);
    assert.deepEqual(stale.rawPayload, old.rawPayload);
    free();
    const ready = await get(`${url}?strict=1`);
    assert.equal(ready.statusCode, 200);
    assert.notEqual(ready.headers.etag, old.headers.etag);
  });

  test('all books are even afterwards', () => {
    app.memory.ledger.audit();
    const { inflight, replies } = app.memory.ledger.inUse;
    assert.deepEqual({ inflight, replies }, { inflight: 0, replies: 0 });
  });
});

test('strain is entered after three falls and left after three stands and a pause', () => {
  let now = 10_000;
  let level: Level = 'normal';
  const ladder = createLadder({ level: () => level, patienceMs: 600, pauseMs: 2000, now: () => now });
  assert.equal(ladder.patience('tile'), 600);
  ladder.fell('tile');
  ladder.fell('tile');
  ladder.stood('tile');
  ladder.fell('tile');
  ladder.fell('tile');
  assert.equal(ladder.strained('tile'), false);
  ladder.fell('tile');
  assert.equal(ladder.strained('tile'), true);
  assert.equal(ladder.patience('tile'), 0);
  assert.equal(ladder.patience('window'), 600);
  for (let i = 0; i < 5; i++) ladder.stood('tile');
  assert.equal(ladder.strained('tile'), true, 'the pause is not over');
  now += 2000;
  ladder.stood('tile');
  assert.equal(ladder.strained('tile'), false);
  level = 'warning';
  assert.deepEqual([ladder.patience('tile'), ladder.patience('window')], [0, null]);
  level = 'critical';
  assert.deepEqual([ladder.patience('tile'), ladder.strained('bulk')], [null, true]);
});
