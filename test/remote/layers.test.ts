/** Files of another server as layers of the configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { type ConfigError, loadConfig } from '../../src/config/load.ts';
import { DEMO, type TestAppOptions, testApp } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

let server: RangeServer;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-'));
  server = await rangeServer();
  for (const name of ['elevation', 'world']) server.put(`/${name}.tif`, join(DEMO, `${name}.tif`));
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
const apps: App[] = [];
afterEach(async () => {
  server.fault = null;
  for (const app of apps.splice(0)) {
    app.memory.ledger.audit();
    await app.close();
  }
});

async function appOf(layers: Record<string, object>, options: TestAppOptions = {}): Promise<App> {
  const file = join(folder, 'plimsoll.json');
  writeFileSync(file, JSON.stringify({ layers }));
  const set = { 'remote.addresses': '127.0.0.0/8', 'remote.retries': '0', 'remote.timeout': '2s', ...options.set };
  const app = await testApp({ ...options, file, set });
  apps.push(app);
  return app;
}

const get = (app: App, url: string) => app.server.inject(url);

test('a layer by URL answers as the file does, under its id everywhere', async () => {
  const app = await appOf({ far: { path: `${server.url}/elevation.tif`, title: 'Far', rescale: [[0, 4000]] } });
  for (const path of [
    '/tiles/{id}/3/4/2.png?rescale=0,4000',
    '/tiles/WorldCRS84Quad/{id}/2/4/1.png?rescale=0,4000',
    '/cog/bbox/5,44,12,50.npy?url={id}',
    '/cog/statistics?url={id}&max_size=512',
    '/zonal?zones=countries&raster={id}&limit=3',
  ]) {
    const [far, near] = await Promise.all([
      get(app, path.replace('{id}', 'far')),
      get(app, path.replace('{id}', 'elevation')),
    ]);
    assert.equal(far.statusCode, 200, `${path}: ${far.body.slice(0, 200)}`);
    assert.ok(far.rawPayload.equals(near.rawPayload), path);
  }
  const { layers } = (await get(app, '/layers')).json();
  assert.ok(
    layers.some(({ id, servable, title }: Record<string, unknown>) => id === 'far' && servable && title === 'Far'),
  );
  assert.ok((await get(app, '/tiles/far')).json().tiles[0].includes('/tiles/far/'));
  const asked = (await get(app, `/cog/info?url=${encodeURIComponent(`${server.url}/elevation.tif`)}`)).json();
  assert.deepEqual(
    [asked.code, asked.reason],
    ['remote-forbidden', 'off'],
    'what the operator names opens nothing to clients',
  );
});

test('URLs among the paths, with ids from their names and no query in them', async () => {
  const paths = [`${server.url}/world.tif?signature=s3cr3t`, join(DEMO, 'places.fgb')];
  const app = await appOf({}, { paths });
  const listed = await get(app, '/layers');
  assert.deepEqual(
    listed.json().layers.map(({ id }: { id: string }) => id),
    ['places', 'world'],
  );
  assert.ok(!listed.body.includes('s3cr3t'));
  assert.equal((await get(app, '/tiles/world/2/1/1.webp')).statusCode, 200);
});

test('mosaics of near and far files', async () => {
  const near = join(DEMO, 'world.tif');
  const app = await appOf({
    mixed: { mosaic: { paths: [`${server.url}/world.tif`, near] } },
    alone: { mosaic: { paths: [near] } },
  });
  for (const path of ['/tiles/{id}/3/4/3.png', '/cog/preview.npy?url={id}&max_size=300', '/cog/point/8,46?url={id}']) {
    const [mixed, alone] = await Promise.all(['mixed', 'alone'].map(id => get(app, path.replace('{id}', id))));
    assert.equal(mixed.statusCode, 200, mixed.body.slice(0, 200));
    assert.ok(mixed.rawPayload.equals(alone.rawPayload), path);
  }
});

test('a file that changes is another version after a look; one that is away is served as it was', async () => {
  server.put('/changing.tif', join(DEMO, 'elevation.tif'), { etag: '"1"' });
  const app = await appOf({ far: { path: `${server.url}/changing.tif` } }, { set: { 'remote.ttl': '1ms' } });
  const version = () => app.catalogue.get('far')?.version;
  const first = version();
  await app.catalogue.refresh();
  assert.equal(version(), first);
  server.fault = (_, response) => {
    response.writeHead(503).end();
    return true;
  };
  await new Promise(resolve => setTimeout(resolve, 5));
  await app.catalogue.refresh();
  assert.deepEqual([version(), app.catalogue.get('far')?.kind], [first, 'raster']);
  const tile = await get(app, '/tiles/far/4/8/5.png?rescale=0,10');
  assert.deepEqual([tile.statusCode, tile.json().code], [502, 'remote-failed']);
  server.fault = null;
  server.put('/changing.tif', join(DEMO, 'world.tif'), { etag: '"2"' });
  await new Promise(resolve => setTimeout(resolve, 5));
  await app.catalogue.refresh();
  assert.notEqual(version(), first);
  assert.equal((await get(app, '/cog/info?url=far')).json().count, 3);
});

test('what cannot be served says why, without a signature, and the rest is served', async () => {
  server.put('/bare.fgb', writeFgb([{ geometry: { type: 'Point', coordinates: [0, 0] } }], { nodeSize: 0 }));
  server.put('/text.tif', new TextEncoder().encode('no TIFF'));
  const app = await appOf({
    none: { path: `${server.url}/none.tif?signature=s3cr3t` },
    text: { path: `${server.url}/text.tif` },
    bare: { path: `${server.url}/bare.fgb` },
    good: { path: `${server.url}/world.tif` },
  });
  const listed = await get(app, '/layers');
  assert.ok(!listed.body.includes('s3cr3t'));
  const reasons = new Map<string, string[]>(
    listed
      .json()
      .layers.map(({ id, reasons: all }: { id: string; reasons: { code: string }[] }) => [
        id,
        all.map(({ code }) => code),
      ]),
  );
  assert.deepEqual(reasons.get('none'), ['read-failed']);
  assert.deepEqual(reasons.get('text'), ['tiff-not-a-tiff']);
  assert.deepEqual(reasons.get('bare'), ['fgb-no-index']);
  assert.deepEqual(reasons.get('good'), []);
});

test('an address that is not public is refused to the operator too, until it is named', async () => {
  const app = await appOf({ far: { path: `${server.url}/world.tif` } }, { set: { 'remote.addresses': '10.0.0.0/8' } });
  const [{ servable, reasons }] = (await get(app, '/layers'))
    .json()
    .layers.filter(({ id }: { id: string }) => id === 'far');
  assert.equal(servable, false);
  assert.match(reasons[0].detail, /127\.0\.0\.1 is not a public address/);
});

test('URLs of other kinds, and with passwords, are refused with the configuration', () => {
  for (const path of ['s3://bucket/a.tif', 'ftp://example.org/a.tif', 'https://u:p@example.org/a.tif']) {
    const file = join(folder, 'bad.json');
    writeFileSync(file, JSON.stringify({ layers: { far: { path } } }));
    assert.throws(
      () => loadConfig({ env: {}, file }),
      (error: ConfigError) => error.issues[0].key === 'layers.far.path',
    );
  }
  assert.throws(
    () => loadConfig({ env: { PLIMSOLL_REMOTE_ALLOW: 'example.org', PLIMSOLL_REMOTE_ADDRESSES: '10.0.0.0/99' } }),
    (error: ConfigError) => error.issues.length === 2,
  );
});
