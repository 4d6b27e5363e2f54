/** What /metrics tells of other servers: the sum of all threads, in as many series whatever is asked for. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { createRemoteTally, OUTCOMES, REMOTE_SECONDS, readTally, tallyBuffer } from '../../src/io/http/tally.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

let server: RangeServer;
let app: App;
before(async () => {
  server = await rangeServer();
  for (const name of ['elevation', 'world']) server.put(`/${name}.tif`, join(DEMO, `${name}.tif`));
  const set = { 'remote.allow': `${server.url}/`, 'remote.addresses': '127.0.0.0/8', 'remote.retries': '1' };
  app = await testApp({ set: { ...set, 'memory.workers': '2', 'remote.timeout': '5s' } });
});
after(async () => {
  await app.close();
  await server.close();
});

const url = (name: string) => encodeURIComponent(`${server.url}/${name}.tif`);
const get = (path: string) => app.server.inject({ url: path });

async function series(): Promise<Map<string, number>> {
  const { body } = await get('/metrics');
  const lines = body.split('\n').filter(line => line.startsWith('plimsoll_remote_'));
  return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

test('requests, bytes and durations of the threads that paint are in it, and agree with the other server', async () => {
  const before = await series();
  assert.equal(
    before.get('plimsoll_remote_requests_total{outcome="ok"}'),
    0,
    'they are there before anything is asked',
  );
  for (const path of [`/cog/info?url=${url('world')}`, `/cog/preview.png?url=${url('world')}&max_size=512`])
    assert.equal((await get(path)).statusCode, 200);
  const seen = await series();
  assert.equal(seen.get('plimsoll_remote_requests_total{outcome="ok"}'), server.requests.length);
  assert.ok(server.requests.length >= 2);
  const bytes = server.requests.reduce((sum, { range }) => {
    const [from, to] = range.slice(6).split('-').map(Number) as [number, number];
    return sum + to - from + 1;
  }, 0);
  assert.equal(seen.get('plimsoll_remote_bytes_total{direction="in"}'), bytes);
  const name = 'plimsoll_remote_request_duration_seconds';
  assert.equal(seen.get(`${name}_count`), server.requests.length);
  assert.equal(seen.get(`${name}_bucket{le="+Inf"}`), server.requests.length);
  assert.ok((seen.get(`${name}_sum`) ?? 0) > 0);
  assert.equal(seen.get('plimsoll_remote_files'), 1);
  assert.equal(seen.get('plimsoll_remote_requests_running'), 0);
  const text = (await get('/metrics')).body;
  assert.match(text, new RegExp(`# TYPE ${name} histogram`));
});

test('errors count by their code, tries one by one, and no number of URLs makes more series', async () => {
  const before = await series();
  for (let i = 0; i < 5; i++) await get(`/cog/info?url=${url(`none${i}`)}`);
  server.fault = (_, response) => {
    response.writeHead(503).end();
    return true;
  };
  await get(`/cog/info?url=${url('elevation')}`);
  server.fault = null;
  const after = await series();
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  assert.equal(grown('plimsoll_remote_requests_total{outcome="remote-not-found"}'), 5);
  assert.equal(grown('plimsoll_remote_requests_total{outcome="remote-failed"}'), 2);
  assert.equal(grown('plimsoll_remote_retries_total{cause="failed"}'), 1);
  assert.deepEqual([...after.keys()], [...before.keys()]);
  assert.ok(after.size <= OUTCOMES.length + REMOTE_SECONDS.length + 8, `${after.size} series`);
  assert.ok(![...after.keys()].some(key => key.includes('127.0.0.1') || key.includes('none')));
});

test('buckets and outcomes of the table', () => {
  const buffer = tallyBuffer();
  const tally = createRemoteTally(buffer);
  for (const [code, seconds] of [
    [null, 0.005],
    ['remote-timeout', 31],
    ['of nobody', 0.3],
  ] as const) {
    tally.began();
    tally.ended(code, code === null ? 5_000_000_000 : 0, seconds);
  }
  tally.began();
  const { outcomes, buckets, bytes, running, seconds } = readTally(buffer);
  assert.deepEqual([outcomes['ok'], outcomes['remote-timeout'], outcomes['other']], [1, 1, 1]);
  assert.deepEqual([buckets[0], buckets.at(-1), buckets[REMOTE_SECONDS.indexOf(0.5)]], [1, 1, 1]);
  assert.deepEqual([bytes, running], [5_000_000_000, 1]);
  assert.ok(Math.abs(seconds - 31.305) < 1e-6);
});
