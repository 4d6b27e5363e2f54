/** FILE.plo beside a FlatGeobuf on another server: the same tiles from few requests; never used where it is not of that file. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { buildOverview } from '../../src/commands/overview-build.ts';
import type { TestAppOptions } from '../lib/app.ts';
import { compare, many, pairApp, tilesOf } from './fgb-rig.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const FAR_ZOOMS = [0, 1, 2, 3, 4];
const OPTIONS = { pointCount: true };
let server: RangeServer;
let folder: string;
let path: string;
let plo: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-overview-'));
  path = join(folder, 'many.fgb');
  writeFileSync(path, many(60_000, 'Point'));
  await buildOverview(path, { crs: null, memoryBytes: 64 * 2 ** 20, share: 0.25, progress: () => {} });
  // The near one walks its index.
  plo = join(folder, 'prepared.plo');
  writeFileSync(plo, readFileSync(`${path}.plo`));
  rmSync(`${path}.plo`);
  server = await rangeServer();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
let app: App;
afterEach(async () => {
  app.memory.ledger.audit();
  await app.close();
});

async function appWith(overview: { path: string; modified?: string } | undefined, options: TestAppOptions = {}) {
  const rig = { name: 'many', path, options: OPTIONS, ...(overview ? { overview } : {}) };
  return pairApp(folder, server, [rig], { ...options, set: { 'cache.enabled': 'false', ...options.set } });
}

const notes = async () => ((await app.server.inject('/layers/far-many')).json().notes ?? []) as { code: string }[];

test('the same tiles, from a fraction of the requests and of the bytes', async () => {
  app = await appWith({ path: plo });
  assert.deepEqual(await notes(), []);
  await compare(app, 'many', await tilesOf(app, 'many', [...FAR_ZOOMS, 6, 8, 12]));
  const explained = async () =>
    (await app.server.inject('/tiles/far-many/0/0/0.mvt?explain=1')).json() as {
      cost: { inputBytes: number };
      plan: { layers: { requests: number }[] };
    };
  const prepared = await explained();
  server.requests.length = 0;
  assert.equal((await app.server.inject('/tiles/far-many/0/0/0.mvt')).statusCode, 200);
  assert.ok(server.requests.every(({ path: asked }) => asked.endsWith('.plo')));
  await app.close();
  server.remove('/many.fgb.plo');
  app = await appWith(undefined);
  const bare = await explained();
  assert.ok(prepared.plan.layers[0].requests * 4 < bare.plan.layers[0].requests);
  assert.ok(prepared.cost.inputBytes * 4 < bare.cost.inputBytes);
});

test('it has the cells of a layer of which nothing was chosen: no index is read for its far zooms', async () => {
  server.put('/plain.fgb', path);
  server.put('/plain.fgb.plo', plo);
  app = await pairApp(folder, server, [{ name: 'plain', path, overview: { path: plo } }], {
    set: { 'cache.enabled': 'false' },
  });
  server.requests.length = 0;
  assert.equal((await app.server.inject('/tiles/far-plain/0/0/0.mvt')).statusCode, 200);
  assert.ok(server.requests.length < 8, `${server.requests.length} requests`);
  await compare(app, 'plain', await tilesOf(app, 'plain', [0, 1, 2, 3, 4, 5, 6, 7, 9, 14]));
});

test('one that appears is used after a look, and one that goes is not', async () => {
  server.remove('/many.fgb.plo');
  app = await appWith(undefined, { set: { 'remote.ttl': '1ms' } });
  const version = () => app.catalogue.get('far-many')?.version;
  const look = async () => {
    await new Promise(resolve => setTimeout(resolve, 5));
    await app.catalogue.refresh();
    return version();
  };
  const first = version();
  assert.equal(await look(), first);
  server.put('/many.fgb.plo', plo);
  const second = await look();
  assert.notEqual(second, first);
  server.requests.length = 0;
  assert.equal((await app.server.inject('/tiles/far-many/0/0/0.mvt')).statusCode, 200);
  assert.ok(server.requests.some(({ path: asked }) => asked.endsWith('.plo')));
  server.remove('/many.fgb.plo');
  assert.equal(await look(), first);
});

test('one that is older than the file, of another file or damaged is not used, and the layer says so', async () => {
  app = await appWith({ path: plo, modified: 'Tue, 20 Oct 2015 07:28:00 GMT' });
  assert.deepEqual(
    (await notes()).map(({ code }) => code),
    ['fgb-overview-stale'],
  );
  await compare(app, 'many', await tilesOf(app, 'many', [0, 3]));
  await app.close();
  const bytes = readFileSync(plo);
  bytes[40] ^= 1;
  writeFileSync(join(folder, 'damaged.plo'), bytes);
  app = await appWith({ path: join(folder, 'damaged.plo') });
  assert.deepEqual(
    (await notes()).map(({ code }) => code),
    ['fgb-overview-corrupt'],
  );
  await compare(app, 'many', await tilesOf(app, 'many', [0, 3]));
});

test('a server that fails for a moment does not end its use', async () => {
  app = await appWith({ path: plo });
  server.fault = (request, response) => {
    if (!request.url?.endsWith('.plo')) return false;
    response.writeHead(503).end();
    return true;
  };
  const failed = await app.server.inject('/tiles/far-many/0/0/0.mvt');
  assert.deepEqual([failed.statusCode, failed.json().code], [502, 'remote-failed']);
  server.fault = null;
  server.requests.length = 0;
  assert.equal((await app.server.inject('/tiles/far-many/0/0/0.mvt')).statusCode, 200);
  assert.ok(server.requests.some(({ path: asked }) => asked.endsWith('.plo')));
  assert.deepEqual(await notes(), []);
});
