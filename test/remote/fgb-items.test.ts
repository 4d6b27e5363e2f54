/** Features of FlatGeobuf files on another server: the same text as of the same files in a folder. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { DEMO } from '../lib/app.ts';
import { DEMO_PAIRS, pairApp, SHARED_PAIRS } from './fgb-rig.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const PAIRS = [...DEMO_PAIRS, ...SHARED_PAIRS];
let server: RangeServer;
let folder: string;
let app: App;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-items-'));
  server = await rangeServer();
  app = await pairApp(folder, server, PAIRS, { paths: [join(DEMO, 'elevation.tif')] });
});
after(async () => {
  app.memory.ledger.audit();
  await app.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const get = (url: string) => app.server.inject(url);
/** But for the layer's own name and the time. */
const bare = (body: string) => body.replaceAll('far-', '').replace(/"timeStamp":"[^"]*"/, '');

test('what is known of a layer is the same', async () => {
  for (const { name } of PAIRS) {
    for (const path of ['/layers/{id}', '/collections/{id}', '/collections/{id}/queryables', '/tiles/{id}']) {
      const [far, near] = await Promise.all([`far-${name}`, name].map(id => get(path.replace('{id}', id))));
      assert.equal(far.statusCode, 200, `${path} of ${name}: ${far.body.slice(0, 200)}`);
      const facts = (body: string) => bare(body).replace(/"(version|href|title|name)":"[^"]*",?/g, '');
      assert.equal(facts(far.body), facts(near.body), `${path} of ${name}`);
    }
  }
});

test('pages, boxes, filters, systems and single features say the same', async () => {
  for (const { name } of PAIRS) {
    const [west, south, east, north] = (await get(`/layers/${name}`)).json().bounds as number[];
    const [x, y] = [(west + east) / 2, (south + north) / 2];
    const paths = [
      '?limit=50',
      '?limit=2000',
      `?limit=100&bbox=${west},${south},${x},${y}`,
      `?limit=20&bbox=${x},${y},${east},${north}&crs=http://www.opengis.net/def/crs/EPSG/0/3857`,
      `?limit=10&filter=${encodeURIComponent(`S_INTERSECTS(geometry, BBOX(${west},${south},${x},${y}))`)}`,
      '/1',
      '/7',
    ];
    for (const path of paths) {
      const [far, near] = await Promise.all([`far-${name}`, name].map(id => get(`/collections/${id}/items${path}`)));
      assert.equal(near.statusCode, 200, `${name}${path}: ${near.body.slice(0, 200)}`);
      assert.equal(far.statusCode, 200, `${name}${path}: ${far.body.slice(0, 200)}`);
      assert.equal(bare(far.body), bare(near.body), `${name}${path}`);
    }
  }
});

test('zones of another server have the statistics of zones here, of a raster here', async () => {
  for (const query of ['&limit=12', '&bbox=5,44,12,50&f=csv', '&properties=name&categorical=true&limit=3'])
    for (const zones of ['countries', 'places']) {
      const [far, near] = await Promise.all(
        [`far-${zones}`, zones].map(id => get(`/zonal?zones=${id}&raster=elevation${query}`)),
      );
      assert.equal(far.statusCode, 200, far.body.slice(0, 200));
      assert.ok(near.body.length > 0 && far.body === near.body, `${zones}${query}`);
    }
});

test('?explain=1 tells the requests, which are what is asked for then', async () => {
  const url = '/collections/far-countries/items?limit=100';
  const { plan, cost } = (await get(`${url}&explain=1`)).json();
  assert.ok(plan.requests > 0 && cost.heldInputBytes > 0);
  server.requests.length = 0;
  assert.equal((await get(url)).statusCode, 200);
  assert.equal(server.requests.length, plan.requests);
  const asked = server.requests.reduce((sum, { range }) => {
    const [from, to] = range.slice(6).split('-').map(Number);
    return sum + to - from + 1;
  }, 0);
  assert.equal(asked, cost.inputBytes);
});
