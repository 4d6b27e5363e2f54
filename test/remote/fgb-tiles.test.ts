/** Vector tiles of FlatGeobuf files on another server: the same bytes as of the same files in a folder, within their price. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import type { App } from '../../src/app.ts';
import { costBytes } from '../../src/plan.ts';
import { compare, DEMO_PAIRS, many, type Pair, pairApp, SHARED_PAIRS, tilesOf } from './fgb-rig.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const COUNT = 100_000;
const AGGREGATES = { total: { op: 'sum', property: 'size' } };

let server: RangeServer;
let folder: string;
let app: App;
let pairs: readonly Pair[];
/** Kinds of work that told what they held, and who held more than was priced. */
const learned = new Set<string>();
const above: string[] = [];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-tiles-'));
  const points = join(folder, 'points.fgb');
  const squares = join(folder, 'squares.fgb');
  writeFileSync(points, many(COUNT, 'Point'));
  writeFileSync(squares, many(COUNT / 8, 'Polygon'));
  pairs = [
    ...DEMO_PAIRS,
    ...SHARED_PAIRS,
    { name: 'many', path: points, options: { pointCount: true } },
    { name: 'dusty', path: squares, options: { drop: 'dust', maxFeatures: 2000 } },
    { name: 'clustered', path: points, options: { cluster: { maxZoom: 9 } } },
    { name: 'summed', path: points, options: { cluster: { maxZoom: 9, aggregates: AGGREGATES } } },
  ];
  server = await rangeServer();
  app = await pairApp(folder, server, pairs, { memory: '1GiB', set: { 'cache.enabled': 'false' } });
  const { admission } = app.rooms;
  const learn = admission.learn.bind(admission);
  admission.learn = (operation, layer, cost, held) => {
    learned.add(operation);
    if (layer.startsWith('far-') && held > costBytes(cost))
      above.push(`${operation} of ${layer}: ${held} of ${costBytes(cost)}`);
    learn(operation, layer, cost, held);
  };
});
after(async () => {
  app.memory.ledger.audit();
  await app.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const ZOOMS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const SOME_ZOOMS = [0, 2, 5, 8, 11, 14];

test('tiles of every zoom are the same, thinned, as dust, clustered or whole', async () => {
  for (const { name } of pairs) {
    const zooms = name === 'many' ? ZOOMS : SOME_ZOOMS;
    const { bytes, compared } = await compare(app, name, await tilesOf(app, name, zooms));
    assert.ok(bytes > 0 && compared > zooms.length, name);
  }
});

test('what a tile held was in its price, and its requests were told', async () => {
  for (const { name } of pairs) {
    for (const place of await tilesOf(app, name, [0, 4, 7, 10, 13])) {
      const url = `/tiles/far-${name}/${place}.mvt`;
      const { plan, cost } = (await app.server.inject(`${url}?explain=1`)).json();
      server.requests.length = 0;
      const { statusCode } = await app.server.inject(`${url}?strict=1`);
      assert.ok(statusCode === 200 || statusCode === 204, url);
      const [{ requests }] = plan.layers;
      // Those of the index come before, where it is not in the cache.
      assert.ok(server.requests.length >= requests, `${url}: ${server.requests.length} of ${requests}`);
      assert.ok(requests === 0 || cost.heldInputBytes > 0, url);
    }
    await app.server.inject(`/collections/far-${name}/items?limit=1000`);
  }
  assert.ok(learned.has('cells') && learned.has('vector-tile') && learned.has('items'));
  assert.deepEqual(above, []);
});

test('filters, attributes and other grids', async () => {
  const filter = (text: string) => `?filter=${encodeURIComponent(text)}`;
  for (const [name, text] of [
    ['many', "size < 300 AND kind = 'a'"],
    ['dusty', 'size < 300'],
    ['clustered', 'size < 300'],
    ['summed', "kind <> 'b'"],
    ['places', "name LIKE 'A%'"],
  ])
    await compare(app, name, await tilesOf(app, name, [0, 3, 5, 8, 11]), filter(text));
  await compare(app, 'many', await tilesOf(app, 'many', [2, 6]), '?properties=kind');
});

test('what clusters are made of, and tiles of near and far layers together', async () => {
  const tile = async (id: string) => {
    const place = (await tilesOf(app, 'summed', [3]))[0];
    const body = (
      await app.server.inject({ url: `/tiles/${id}/${place}.mvt`, headers: { 'accept-encoding': 'identity' } })
    ).rawPayload;
    const [layer] = Object.values(new VectorTile(new PbfReader(body)).layers);
    return Array.from({ length: Math.min(2, layer.length) }, (_, i) => layer.feature(i).properties['cluster_id']);
  };
  for (const name of ['clustered', 'summed']) {
    const ids = await tile(name);
    assert.deepEqual(await tile(`far-${name}`), ids);
    for (const id of ids)
      for (const part of [
        'children',
        'leaves?limit=20',
        'expansion-zoom',
        'children?filter=size%20%3C%20500',
        'leaves?filter=size%20%3C%20500',
      ]) {
        const [near, far] = await Promise.all(
          [name, `far-${name}`].map(layer => app.server.inject(`/tiles/${layer}/clusters/${id}/${part}`)),
        );
        assert.equal(far.statusCode, near.statusCode, `${name} ${id} ${part}: ${far.body.slice(0, 200)}`);
        if (near.statusCode === 200) assert.equal(far.body, near.body, `${name} ${id} ${part}`);
      }
  }
  const place = (await tilesOf(app, 'places', [3]))[0];
  const read = async (ids: string) =>
    (await app.server.inject({ url: `/tiles/${ids}/${place}.mvt`, headers: { 'accept-encoding': 'identity' } }))
      .rawPayload;
  const [places, far, both] = await Promise.all(['places', 'far-countries', 'places,far-countries'].map(read));
  assert.ok(both.equals(Buffer.concat([places, far])));
  assert.deepEqual(above, [], 'filters and clusters too');
});
