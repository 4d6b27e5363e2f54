/** Servers of FlatGeobuf that fail, lie, or change the file meanwhile: each has its code, nothing is mixed, and the books stay even. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import type { VectorLayer } from '../../src/layers/types.ts';
import { DEMO, type TestAppOptions } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';
import { compare, many, pairApp, tilesOf } from './fgb-rig.ts';
import { type Fault, type RangeServer, rangeServer } from './range-server.ts';

const COUNTRIES = { name: 'countries', path: join(DEMO, 'countries.fgb') };
const OFF = { 'cache.enabled': 'false' };
let server: RangeServer;
let folder: string;
let app: App;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-faults-'));
  server = await rangeServer();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  server.fault = null;
  app.memory.ledger.audit();
  assert.equal(app.rooms.admission.stats().heldBytes.window, 0);
  await app.close();
});

const start = async (options: TestAppOptions = {}) => {
  app = await pairApp(folder, server, [COUNTRIES], { ...options, set: { ...OFF, ...options.set } });
};
const get = (url: string) => app.server.inject(url);

const ROUTES = [
  '/tiles/far-countries/3/4/2.mvt',
  '/tiles/far-countries/3/4/2.mvt?filter=name%20LIKE%20%27F%25%27',
  '/collections/far-countries/items/3',
];

const TOLD: readonly (readonly [string, string, Fault])[] = [
  ['it fails', 'remote-failed', (_, response) => !!response.writeHead(503).end()],
  ['it denies', 'remote-denied', (_, response) => !!response.writeHead(403).end()],
  ['it forgets', 'remote-not-found', (_, response) => !!response.writeHead(404).end()],
  ['it sends all of the file', 'remote-bad-answer', (_, response) => !!response.writeHead(200).end('all')],
  [
    'it sends another range',
    'remote-bad-answer',
    (_, response, { from, to }) => {
      const length = to - from + 1;
      response.writeHead(206, {
        etag: '"x"',
        'content-range': `bytes ${from + 1}-${to + 1}/9999999`,
        'content-length': length,
      });
      return !!response.end(Buffer.alloc(length));
    },
  ],
  [
    'it cuts the body short',
    'remote-failed',
    (request, response, { from, to }) => {
      const etag = request.headers['if-match'] ?? '""';
      const size = 1_923_224;
      response.writeHead(206, {
        etag,
        'content-range': `bytes ${from}-${to}/${size}`,
        'content-length': to - from + 1,
      });
      response.write(Buffer.alloc((to - from) >> 1));
      setTimeout(() => response.destroy(), 10);
      return true;
    },
  ],
  ['it has another file', 'source-changed', (_, response) => !!response.writeHead(412).end()],
];

test('what a server does wrong while features are read has its code, and the next answer is right', async () => {
  await start();
  const right = await Promise.all(ROUTES.map(async url => (await get(url)).rawPayload));
  for (const [what, code, fault] of TOLD) {
    for (const [i, url] of ROUTES.entries()) {
      server.fault = fault;
      const answer = await get(url);
      assert.equal(answer.json().code, code, `${what}, ${url}: ${answer.body.slice(0, 300)}`);
      server.fault = null;
      assert.ok((await get(url)).rawPayload.equals(right[i]), `after ${what}, ${url}`);
    }
  }
});

test('a server that says nothing is waited for no longer than remote.timeout', async () => {
  await start({ set: { 'remote.timeout': '1500ms' } });
  const [url] = ROUTES;
  assert.equal((await get(url)).statusCode, 200);
  server.fault = () => true;
  assert.equal((await get(url)).json().code, 'remote-timeout');
  server.fault = null;
  assert.equal((await get(url)).statusCode, 200);
});

test('bytes that are no features are told as such, and not drawn', async () => {
  await start();
  server.fault = (request, response, { from, to }) => {
    if (from === 0) return false;
    const length = to - from + 1;
    const etag = request.headers['if-match'];
    response.writeHead(206, { etag, 'content-range': `bytes ${from}-${to}/1923224`, 'content-length': length });
    return !!response.end(Buffer.alloc(length, 0xff));
  };
  for (const url of ROUTES)
    assert.ok(['corrupt-data', 'layer-not-servable'].includes((await get(url)).json().code), url);
});

test('a file that changes is the other one after a look, whoever found out', async () => {
  for (const url of ['/tiles/far-moving/2/2/1.mvt', '/collections/far-moving/items?limit=3']) {
    const moving = { name: 'moving', path: join(DEMO, 'countries.fgb') };
    app = await pairApp(folder, server, [moving], { set: { ...OFF, 'remote.ttl': '1h' } });
    const first = app.catalogue.get('far-moving')?.version;
    assert.equal((await get(url)).statusCode, 200);
    server.put('/moving.fgb', join(DEMO, 'places.fgb'), { etag: '"new"' });
    const answer = await get(url);
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'source-changed'], url);
    await app.catalogue.refresh();
    assert.notEqual(app.catalogue.get('far-moving')?.version, first, url);
    assert.equal((await get(url)).statusCode, 200);
    if (url.startsWith('/tiles')) await app.close();
  }
});

test('a client that leaves ends what its tile asked for', async () => {
  await start();
  const url = '/tiles/far-countries/0/0/0.mvt';
  // Its cells are chosen, which is of use to others too.
  assert.equal((await get(url)).statusCode, 200);
  let [asked, open] = [0, 0];
  server.fault = (_, response) => {
    asked++;
    open++;
    response.on('close', () => open--);
    return true;
  };
  const gone = new AbortController();
  const answer = app.server.inject({ url, signal: gone.signal }).catch(() => null);
  while (asked === 0) await new Promise(resolve => setTimeout(resolve, 5));
  gone.abort();
  await answer;
  const until = performance.now() + 3000;
  while (open > 0 && performance.now() < until) await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(open, 0);
});

test('more requests or bytes than a tile may take: 413 with what prepares the file; near tiles are there', async () => {
  const path = join(folder, 'spread.fgb');
  writeFileSync(path, many(20_000, 'Polygon'));
  const options = { maxFeatures: 2000 };
  const limits = { 'remote.tileBytes': '512KiB', 'remote.gapBytes': '0B' };
  app = await pairApp(folder, server, [{ name: 'spread', path, options }], { set: { ...OFF, ...limits } });
  const far = '/tiles/far-spread/0/0/0.mvt';
  const strict = (await get(`${far}?strict=1`)).json();
  assert.deepEqual([strict.status, strict.code], [413, 'too-large']);
  assert.match(strict.remedy, /^plimsoll overview spread\.fgb, /);
  await compare(app, 'spread', await tilesOf(app, 'spread', [12, 13]));
});

test('a tile that takes too many requests is thinned, and says so', async () => {
  const path = join(folder, 'spread.fgb');
  writeFileSync(path, many(20_000, 'Polygon'));
  const options = { maxFeatures: 5000, maxTileBytes: 50_000_000, drop: 'none' };
  const limits = { 'remote.tileBytes': '3MiB', 'remote.tileRequests': '2000', 'remote.gapBytes': '0B' };
  app = await pairApp(folder, server, [{ name: 'spread', path, options }], { set: { ...OFF, ...limits } });
  const answer = await get('/tiles/far-spread/0/0/0.mvt');
  assert.deepEqual([answer.statusCode, answer.headers['x-tile-degraded']], [200, 'thin'], answer.body.slice(0, 600));
  assert.equal((await get('/tiles/far-spread/0/0/0.mvt?strict=1')).json().code, 'too-large');
});

test('an index larger than opening may read, or without one, is refused with what mends it', async () => {
  const small = { 'remote.treeBytes': '65536', ...OFF };
  writeFileSync(join(folder, 'long.fgb'), many(40_000, 'Point'));
  writeFileSync(
    join(folder, 'bare.fgb'),
    writeFgb([{ geometry: { type: 'Point', coordinates: [0, 0] } }], { nodeSize: 0 }),
  );
  const pairs = ['long', 'bare'].map(name => ({ name, path: join(folder, `${name}.fgb`) }));
  app = await pairApp(folder, server, pairs, { set: small });
  const [long, bare] = await Promise.all(['far-long', 'far-bare'].map(async id => (await get(`/layers/${id}`)).json()));
  assert.equal(long.reasons[0].code, 'too-large');
  assert.match(long.reasons[0].detail, /remote\.treeBytes/);
  assert.equal(bare.reasons[0].code, 'fgb-no-index');
  assert.match(bare.reasons[0].remedy, /SPATIAL_INDEX=YES/);
});

test('pages of an index stay within their budget, however the index is walked', async () => {
  const path = join(folder, 'walked.fgb');
  writeFileSync(path, many(40_000, 'Point'));
  const options = { maxFeatures: 5000 };
  const small = { ...OFF, 'vector.indexCacheBytes': '512KiB' };
  app = await pairApp(folder, server, [{ name: 'walked', path, options }], { set: small });
  const { source } = app.catalogue.get('far-walked') as VectorLayer;
  assert.ok(source.residentBytes < 1e6);
  await compare(app, 'walked', await tilesOf(app, 'walked', [0, 5]));
});
