/** Labels over HTTP: documents name them, every kind of tile has them once, clashes of their name are refused. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import type { App } from '../../src/app.ts';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { checkTile } from '../lib/mvt-check.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-labels-'));
const found = join(folder, 'found');
let app: App;

before(async () => {
  mkdirSync(found);
  copyFileSync(`${DEMO}/places.fgb`, join(found, 'areas_labels.fgb'));
  const layer = (id: string, more: string) => `  ${id}: {path: ${DEMO}/countries.fgb${more}}\n`;
  const shown = ', properties: [name, iso_a3], rename: {name: title}';
  const layers = `${layer('areas', ', labels: true')}${layer('over', ', labels: true, maxzoom: 2, overzoom: 3')}${layer('plain', '')}`;
  const renamed = layer('short', `, labels: true${shown.replace('name, iso_a3', 'title, iso_a3')}`);
  writeFileSync(join(folder, 'plimsoll.yaml'), `layers:\n${layers}${renamed}`);
  app = await testApp({ file: join(folder, 'plimsoll.yaml'), paths: [found] });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const json = async (url: string) => (await app.server.inject(url)).json();

/** Attributes of each feature by layer and id; empty where the tile is. */
async function tileOf(url: string): Promise<Map<string, Map<number, Record<string, unknown>>>> {
  const answer = await app.server.inject(url);
  if (answer.statusCode === 204) return new Map();
  assert.equal(answer.statusCode, 200, `${url}: ${answer.body.slice(0, 200)}`);
  assert.deepEqual(checkTile(answer.rawPayload).faults, [], url);
  const { layers } = new VectorTile(new PbfReader(answer.rawPayload));
  return new Map(
    Object.entries(layers).map(({ 0: name, 1: layer }) => {
      const features = Array.from({ length: layer.length }, (_, i) => layer.feature(i));
      return [name, new Map(features.map(({ id = -1, properties }) => [id, { ...properties }]))];
    }),
  );
}

test('TileJSON, the tileset and the catalogue name the layer of labels, with the fields that it has', async () => {
  const { vector_layers } = await json('/tiles/areas');
  const [own, labels, ...more] = vector_layers;
  assert.deepEqual(more, []);
  assert.equal(labels.id, 'areas_labels');
  assert.deepEqual(labels.fields, own.fields);
  assert.deepEqual([labels.minzoom, labels.maxzoom], [own.minzoom, own.maxzoom]);
  const composite = (await json('/tiles/areas,plain,over')).vector_layers;
  assert.deepEqual(
    composite.map(({ id }: { id: string }) => id),
    ['areas', 'areas_labels', 'plain', 'over', 'over_labels'],
  );
  const [polygons, points] = (await json('/collections/areas/tiles/WebMercatorQuad')).layers;
  assert.deepEqual([polygons.geometryDimension, points.geometryDimension, points.id], [2, 0, 'areas_labels']);
  assert.deepEqual(points.propertiesSchema, polygons.propertiesSchema);
  assert.equal((await json('/layers/areas')).labels, 'areas_labels');
  assert.equal('labels' in (await json('/layers/plain')), false);
});

test('composite tiles carry them; a request’s properties and filter, and an operator’s names, hold for them', async () => {
  const composite = await tileOf('/tiles/areas,plain/1/1/0.mvt?properties=name');
  assert.deepEqual([...composite.keys()], ['areas', 'areas_labels', 'plain']);
  const labels = composite.get('areas_labels') as Map<number, Record<string, unknown>>;
  assert.ok(labels.size > 50);
  for (const [id, properties] of labels) assert.deepEqual(properties, composite.get('areas')?.get(id));
  const filtered = await tileOf(`/tiles/areas/1/1/0.mvt?filter=${encodeURIComponent("name = 'Chad'")}`);
  assert.deepEqual(
    [...filtered].map(([name, features]) => [name, features.size]),
    [
      ['areas', 1],
      ['areas_labels', 1],
    ],
  );
  const [short] = (await tileOf('/tiles/short/0/0/0.mvt')).get('short_labels')?.values() ?? [];
  assert.deepEqual(Object.keys(short).sort(), ['iso_a3', 'title']);
});

test('beyond the last zoom each label of the parents is in one part', async () => {
  const parents = new Map<number, number>();
  const parts = new Map<number, number>();
  const count = async (into: Map<number, number>, url: string) => {
    for (const id of (await tileOf(url)).get('over_labels')?.keys() ?? []) into.set(id, (into.get(id) ?? 0) + 1);
  };
  for (const [x, y] of [
    [2, 1],
    [2, 2],
  ]) {
    await count(parents, `/tiles/over/2/${x}/${y}.mvt`);
    for (let i = 0; i < 16; i++) await count(parts, `/tiles/over/4/${x * 4 + (i % 4)}/${y * 4 + (i >> 2)}.mvt`);
  }
  assert.ok(parents.size > 100, `${parents.size} labels`);
  assert.deepEqual([...parts].sort(), [...parents].sort());
});

test('explain shows the labels and what they cost', async () => {
  const labelled = await json('/tiles/areas/1/1/0.mvt?explain=1');
  const plain = await json('/tiles/plain/1/1/0.mvt?explain=1');
  assert.equal(labelled.plan.layers[0].labels, 'areas_labels');
  assert.ok(labelled.priceBytes > plain.priceBytes, `${labelled.priceBytes} > ${plain.priceBytes}`);
});

test('another layer of that name is refused in the configuration; a file that was found gets another id', async () => {
  const file = join(folder, 'wrong.yaml');
  const path = `${DEMO}/countries.fgb`;
  writeFileSync(file, `layers:\n  a: {path: ${path}, labels: true}\n  a_labels: {path: ${path}}\n`);
  assert.throws(
    () => loadConfig({ env: {}, file }),
    (error: unknown) =>
      error instanceof ConfigError && /a_labels/.test(error.message) && /layers\.a\.labels/.test(error.message),
  );
  const ids = app.catalogue.list().map(({ id }) => id);
  assert.ok(!ids.includes('areas_labels') && ids.includes('found-areas_labels'), ids.join());
});
