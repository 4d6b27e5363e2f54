/** Tiles beyond maxzoom: the same shapes as a tile of that zoom itself would have, out of the tile of maxzoom. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import vtpbf from 'vt-pbf';
import type { App } from '../../src/app.ts';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { restoreKeys } from '../../src/render/session-tile.ts';
import { runOverzoom } from '../../src/render/vector/overzoom.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { type CheckedFeature, checkTile } from '../lib/mvt-check.ts';

const folder = mkdtempSync(join(tmpdir(), 'overzoom-'));
const file = join(folder, 'plimsoll.yaml');
let app: App;

before(async () => {
  const layer = (id: string, name: string, more: string) => `  ${id}: {path: ${DEMO}/${name}.fgb${more}}\n`;
  const over = ', maxzoom: 3, overzoom: 3';
  const layers = layer('areas', 'countries', over) + layer('spots', 'places', over) + layer('full', 'countries', '');
  writeFileSync(file, `layers:\n${layers}`);
  app = await testApp({ file, paths: [] });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function layersOf(url: string): Promise<Map<string, readonly CheckedFeature[]>> {
  const answer = await app.server.inject(url);
  if (answer.statusCode === 204) return new Map();
  assert.equal(answer.statusCode, 200, `${url}: ${answer.body.slice(0, 200)}`);
  const { faults, layers } = checkTile(answer.rawPayload);
  assert.deepEqual(faults, [], url);
  return new Map(layers.map(({ name, features }) => [name, features]));
}

function areaOf(features: readonly CheckedFeature[]): number {
  let sum = 0;
  for (const { parts } of features)
    for (const part of parts)
      part.forEach(([x, y], i) => {
        const [nx, ny] = part[(i + 1) % part.length];
        sum += (x * ny - nx * y) / 2;
      });
  return sum;
}

const ids = (features: readonly CheckedFeature[] = []) => new Set(features.map(({ id }) => id));

test('parts of the tile of maxzoom hold what tiles of their own zoom hold, valid and where it belongs', async () => {
  let seen = 0;
  for (const [z, x, y] of [
    [4, 8, 5],
    [4, 9, 6],
    [5, 16, 10],
    [6, 33, 21],
    [6, 36, 20],
  ]) {
    const over = await layersOf(`/tiles/areas/${z}/${x}/${y}.mvt`);
    const own = await layersOf(`/tiles/full/${z}/${x}/${y}.mvt`);
    const [a, b] = [over.get('areas') ?? [], own.get('full') ?? []];
    const frame = 4224 ** 2;
    assert.ok(Math.abs(areaOf(a) - areaOf(b)) < frame * 0.02, `${z}/${x}/${y}: ${areaOf(a)} for ${areaOf(b)}`);
    const largest = b.filter(feature => areaOf([feature]) > frame * 0.01);
    for (const { id } of largest) assert.ok(ids(a).has(id), `${z}/${x}/${y}: ${id}`);
    for (const { parts } of a)
      for (const part of parts)
        for (const [px, py] of part) assert.ok(px >= -64 && px <= 4160 && py >= -64 && py <= 4160, `${px},${py}`);
    seen += largest.length;
  }
  assert.ok(seen > 8, `${seen} features`);
});

test('points: the parts of a tile together have its points, each as often as it lies in them', async () => {
  const parent = (await layersOf('/tiles/spots/3/4/2.mvt')).get('spots') ?? [];
  const own = parent.filter(({ parts: [[[x, y]]] }) => x >= 0 && x < 4096 && y >= 0 && y < 4096);
  const found = new Set<unknown>();
  for (let i = 0; i < 16; i++) {
    const part = await layersOf(`/tiles/spots/5/${16 + (i % 4)}/${8 + (i >> 2)}.mvt`);
    for (const { id } of part.get('spots') ?? []) found.add(id);
  }
  for (const { id } of own) assert.ok(found.has(id), `${id}`);
  assert.ok(own.length > 5);
});

test('a composite takes each layer from where it is; cached, priced, told by TileJSON, and no farther than configured', async () => {
  const layers = await layersOf('/tiles/areas,full,spots/4/8/5.mvt');
  assert.deepEqual([...layers.keys()].sort(), ['areas', 'full', 'spots']);
  const again = await app.server.inject('/tiles/areas,full,spots/4/8/5.mvt');
  assert.equal(again.headers['x-plimsoll'], 'hit');
  const fresh = await app.server.inject({
    url: '/tiles/areas/4/8/5.mvt',
    headers: { 'if-none-match': String((await app.server.inject('/tiles/areas/4/8/5.mvt')).headers.etag) },
  });
  assert.equal(fresh.statusCode, 304);
  const explained = (await app.server.inject('/tiles/areas/4/8/5.mvt?explain=1')).json();
  assert.equal(explained.operation, 'vector-tile');
  assert.deepEqual(explained.plan.tile, { z: 3, x: 4, y: 2 });
  assert.ok(explained.priceBytes > 0);
  const { maxzoom, vector_layers } = (await app.server.inject('/tiles/areas')).json();
  assert.deepEqual([maxzoom, vector_layers[0].maxzoom], [6, 6]);
  assert.equal((await app.server.inject('/tiles/areas/7/64/42.mvt')).statusCode, 404);
  const degrees = await layersOf('/tiles/WorldCRS84Quad/areas/4/17/4.mvt');
  assert.ok((degrees.get('areas') ?? []).length > 0);
});

test('attributes keep their names, also those that every object inherits, and their types', () => {
  const properties = { constructor: 'a', n: -3, x: 1.5, yes: true };
  const at = (x: number, y: number) => [[{ x, y }]];
  const body = encodeSessionTileOf(properties, at(1000, 1000));
  const part = { body, factor: 2, col: 0, row: 0, buffer: 64 };
  const job = { task: 'overzoom' as const, encoding: 'identity' as const, parts: [part] };
  const { body: out } = runOverzoom(job, { cancelled: () => false, check: () => {} });
  const layer = new VectorTile(new PbfReader(out as Uint8Array)).layers['l'];
  assert.deepEqual({ ...layer.feature(0).properties }, properties);
  assert.deepEqual(
    layer
      .feature(0)
      .loadGeometry()
      .map(line => line.map(({ x, y }) => [x, y])),
    [[[2000, 2000]]],
  );
  const far = runOverzoom({ ...job, parts: [{ ...part, col: 1 }] }, { cancelled: () => false, check: () => {} });
  assert.equal(far.body, null);
});

/** By vt-pbf, with the inherited name put in afterwards as session tiles have it. */
function encodeSessionTileOf(properties: Record<string, unknown>, geometry: { x: number; y: number }[][]): Uint8Array {
  const { constructor, ...rest } = properties;
  const feature = {
    id: 1,
    type: 1,
    properties: { '\u0001onstructor': constructor, ...rest },
    loadGeometry: () => geometry,
  };
  const layer = { version: 2, name: 'l', extent: 4096, length: 1, feature: () => feature };
  const body = Uint8Array.from(vtpbf.fromVectorTileJs({ layers: { l: layer } }));
  restoreKeys(body, new Map([['\u0001onstructor', 'constructor']]));
  return body;
}

test('overzoom without maxzoom is a wrong configuration', () => {
  writeFileSync(join(folder, 'wrong.yaml'), `layers:\n  a: {path: ${DEMO}/countries.fgb, overzoom: 2}\n`);
  assert.throws(() => loadConfig({ env: {}, file: join(folder, 'wrong.yaml') }), ConfigError);
});
