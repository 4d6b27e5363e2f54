/** Parts of answers, as RFC 9110 has them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';

const URL = '/cog/bbox/4,40,24,52.tif?url=elevation';
let app: App;
let whole: Buffer;
let etag: string;
before(async () => {
  app = await testApp();
  const answer = await app.server.inject(URL);
  assert.equal(answer.statusCode, 200);
  whole = answer.rawPayload;
  etag = String(answer.headers['etag']);
});
after(() => app.close());

const asked = (range: string, more: Record<string, string> = {}) =>
  app.server.inject({ url: URL, headers: { range, ...more } });

test('a part is those bytes, with its place in all of them', async () => {
  const n = whole.length;
  for (const [range, from, to] of [
    ['bytes=0-15', 0, 16],
    ['bytes=100-199', 100, 200],
    [`bytes=${n - 10}-`, n - 10, n],
    ['bytes=-7', n - 7, n],
    [`bytes=5-${n + 1000}`, 5, n],
    [`bytes=-${n + 5}`, 0, n],
  ] as const) {
    const answer = await asked(range);
    assert.equal(answer.statusCode, 206, range);
    assert.equal(answer.headers['content-range'], `bytes ${from}-${to - 1}/${n}`);
    assert.equal(answer.headers['content-length'], String(to - from));
    assert.equal(answer.headers['etag'], etag);
    assert.deepEqual(answer.rawPayload, whole.subarray(from, to));
  }
});

test('whatever is no one part of this answer is answered whole', async () => {
  const n = whole.length;
  for (const range of ['bytes=0-1,4-5', 'lines=0-1', 'bytes=-', 'bytes=9-3', `bytes=${n}-`, 'bytes=-0', 'bytes=x-2']) {
    const answer = await asked(range);
    assert.equal(answer.statusCode, 200, range);
    assert.equal(answer.headers['content-range'], undefined);
    assert.deepEqual(answer.rawPayload, whole);
  }
  assert.equal((await asked('bytes=0-9', { 'if-range': '"another"' })).statusCode, 200);
  assert.equal((await asked('bytes=0-9', { 'if-range': etag })).statusCode, 206);
  const head = await app.server.inject({ method: 'HEAD', url: URL, headers: { range: 'bytes=0-9' } });
  assert.deepEqual([head.statusCode, head.headers['content-length']], [200, String(n)]);
});

test('parts of tiles, and nothing stays held', async () => {
  const url = '/tiles/countries/2/2/1.mvt';
  const headers = { 'accept-encoding': 'gzip' };
  const tile = (await app.server.inject({ url, headers })).rawPayload;
  const part = await app.server.inject({ url, headers: { ...headers, range: 'bytes=10-29' } });
  assert.deepEqual([part.statusCode, part.headers['content-encoding']], [206, 'gzip']);
  assert.deepEqual(part.rawPayload, tile.subarray(10, 30));
  const refused = await app.server.inject({ url: '/tiles/nothing/0/0/0', headers: { range: 'bytes=0-9' } });
  assert.equal(refused.statusCode, 404);
  await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(app.memory.ledger.inUse.replies, 0);
});
