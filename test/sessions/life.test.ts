import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { testApp } from '../lib/app.ts';
import { assertNothingHeld, decode, get, grid, open, point, put, remove, text } from './dashboard.ts';

const lines: string[] = [];
const log = pino(
  { level: 'trace' },
  new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  }),
);
const app = await testApp({ log, set: { 'server.accessLog': 'true' } });
after(() => app.close());

test('fifty dashboards at once: each sees its own data, and nothing is left of any', async () => {
  const sessions = await Promise.all(Array.from({ length: 50 }, () => open(app)));
  const used = sessions.map(async (session, i) => {
    const response = await put(app, session, 'mine', text(grid(50 + i, n => ({ owner: i, n }))));
    assert.equal(response.statusCode, 201, response.body);
    const { id } = response.json();
    const tile = await get(app, `/tiles/${id}/4/8/7.mvt`);
    assert.equal(tile.statusCode, 200, tile.body);
    const layer = decode(tile.rawPayload).layers[id];
    assert.equal(layer.length, 50 + i);
    assert.equal(layer.feature(3).properties['owner'], i);
  });
  await Promise.all(used);
  assert.match((await get(app, '/metrics')).body, /plimsoll_layers\{kind="session"\} 50\n/);
  assert.match((await get(app, '/metrics')).body, /plimsoll_sessions 50\n/);
  assert.ok(app.memory.ledger.inUse.sessions > 50 * 1024);
  const ended = await Promise.all(sessions.map(session => remove(app, session)));
  assert.ok(ended.every(response => response.statusCode === 204));
  assertNothingHeld(app, 0);
  for (const { secret } of sessions) assert.ok(!lines.some(line => line.includes(secret)), 'a secret was logged');
  assert.ok(
    lines.some(line => line.includes(`/sessions/${sessions[0].id}`)),
    'requests are logged at all',
  );
});

test('what is wrong with a secret is not logged with it', async () => {
  const session = await open(app);
  await put(app, session, 'a', 'x', { secret: `${session.secret}x` });
  await put(app, session, 'a', '{', {});
  await get(app, `/sessions/${session.id}`, { authorization: `Bearer ${session.secret}` });
  await remove(app, session);
  assert.ok(!lines.some(line => line.includes(session.secret)));
});

test('the replacement of a layer is one step: every tile is wholly the old or wholly the new', async () => {
  const session = await open(app);
  const upload = (version: number) => put(app, session, 'a', text(grid(400, () => ({ version }))));
  const { id } = (await upload(0)).json();
  let running = true;
  const seen = new Set<string>();
  const look = async () => {
    while (running) {
      const tile = await get(app, `/tiles/${id}/4/8/7.mvt`);
      assert.equal(tile.statusCode, 200, tile.body);
      const layer = decode(tile.rawPayload).layers[id];
      const versions = new Set(Array.from({ length: layer.length }, (_, i) => layer.feature(i).properties['version']));
      assert.equal(versions.size, 1);
      assert.equal(layer.length, 400);
      seen.add([...versions].join());
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  const lookers = [look(), look()];
  for (let version = 1; version <= 10; version++) assert.equal((await upload(version)).statusCode, 200);
  running = false;
  await Promise.all(lookers);
  assert.ok(seen.size > 2, [...seen].join());
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('a tile that is being cut when its layer is deleted is answered or 410, and is not kept', async () => {
  for (let i = 0; i < 10; i++) {
    const session = await open(app);
    const { id } = (await put(app, session, 'a', text(grid(500)))).json();
    const tiles = Array.from({ length: 8 }, (_, n) => get(app, `/tiles/${id}/6/${32 + n}/31.mvt`));
    const removed = remove(app, session);
    for (const response of await Promise.all(tiles))
      assert.ok([200, 204, 410].includes(response.statusCode), response.body);
    assert.equal((await removed).statusCode, 204);
    assert.equal((await get(app, `/tiles/${id}/6/32/31.mvt`)).statusCode, 410);
    assertNothingHeld(app, 0);
  }
});

test('a layer that is deleted while its next version is uploaded is there again afterwards, or is not, but never half', async () => {
  const session = await open(app);
  await put(app, session, 'a', text(grid(100)));
  const [again, removed] = await Promise.all([put(app, session, 'a', text(grid(200))), remove(app, session, 'a')]);
  assert.ok([200, 201].includes(again.statusCode), again.body);
  assert.ok([204, 410].includes(removed.statusCode));
  const { id } = again.json();
  const listed = (await get(app, `/sessions/${session.id}`)).json().layers.length;
  assert.equal((await get(app, `/tiles/${id}/4/8/7.mvt`)).statusCode, listed === 1 ? 200 : 410);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('a session that ends while its upload is indexed takes the upload along', async () => {
  const session = await open(app);
  const [uploaded, removed] = await Promise.all([put(app, session, 'a', text(grid(3000))), remove(app, session)]);
  assert.equal(removed.statusCode, 204);
  assert.equal(uploaded.statusCode, 410, uploaded.body);
  assertNothingHeld(app, 0);
});

test('under pressure sessions end, and say so with 410; their tiles leave the cache with them', async () => {
  let limit = 2 ** 40;
  const pressed = await testApp({ limitNow: () => limit });
  const session = await open(pressed);
  const { id } = (await put(pressed, session, 'a', text(grid(100)))).json();
  await get(pressed, `/tiles/${id}/4/8/7.mvt`);
  assert.equal(pressed.rooms.cache.stats().entries, 1);
  assert.equal((await get(pressed, `/sessions/${session.id}`)).statusCode, 200);
  limit = 2 ** 20;
  for (let i = 0; i < 100 && pressed.rooms.catalogue.get(id); i++)
    await new Promise(resolve => setTimeout(resolve, 50));
  for (const url of [`/tiles/${id}/4/8/7.mvt`, `/layers/${id}`, `/sessions/${session.id}`]) {
    const response = await get(pressed, url);
    assert.equal(response.statusCode, 410, url);
    assert.equal(response.json().code, 'session-gone');
    assert.match(response.json().detail, /ended to free memory/);
  }
  assert.equal((await put(pressed, session, 'b', text(point(1, 2)))).statusCode, 410);
  assert.match((await get(pressed, '/metrics')).body, /plimsoll_sessions_evicted_total\{cause="pressure"\} 1/);
  assertNothingHeld(pressed, 0);
  await pressed.close();
});

test('sessions in use fill the last place: 503 and when to come again', async () => {
  const small = await testApp({ set: { 'sessions.maxSessions': '2', 'sessions.ttl': '1h' } });
  const first = await open(small);
  await open(small);
  const third = await small.server.inject({ method: 'POST', url: '/sessions' });
  assert.equal(third.statusCode, 503);
  assert.equal(third.json().code, 'overloaded');
  assert.ok(Number(third.headers['retry-after']) >= 1);
  assert.equal(third.headers['access-control-allow-origin'], '*');
  await remove(small, first);
  assert.equal((await open(small)).ttl, 3600);
  await small.close();
  assert.equal(small.memory.ledger.inUse.sessions, 0);
});

test('looking at tiles out of the cache keeps a session from idling out', async () => {
  const short = await testApp({ set: { 'sessions.idle': '1s' } });
  const session = await open(short);
  const { id } = (await put(short, session, 'a', text(point(1, 2)))).json();
  const state = async () => Date.parse((await get(short, `/sessions/${session.id}`)).json().idleExpires);
  const tile = await get(short, `/tiles/${id}/0/0/0.mvt`);
  const before = await state();
  await new Promise(resolve => setTimeout(resolve, 5));
  assert.equal((await get(short, `/tiles/${id}/0/0/0.mvt`)).headers['x-plimsoll'], 'hit');
  const afterHit = await state();
  await new Promise(resolve => setTimeout(resolve, 5));
  await get(short, `/tiles/${id}/0/0/0.mvt`, { 'if-none-match': tile.headers.etag as string });
  const afterRevalidation = await state();
  assert.ok(before < afterHit && afterHit < afterRevalidation, `${before} ${afterHit} ${afterRevalidation}`);
  await short.close();
});
