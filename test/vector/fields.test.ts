/** What TileJSON and the tilesets say of attributes is what tiles have. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import type { App } from '../../src/app.ts';
import { DEMO, testApp } from '../lib/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-fields-'));
let app: App;

before(async () => {
  const file = join(folder, 'plimsoll.yaml');
  const layer = (id: string, more: string) => `  ${id}: {path: ${DEMO}/places.fgb, maxFeatures: 40${more}}\n`;
  writeFileSync(file, `layers:\n${layer('plain', '')}${layer('counted', ', pointCount: true')}`);
  app = await testApp({ file, paths: [] });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

const json = async (url: string) => (await app.server.inject(url)).json();

/** Names of the attributes that features of the tile have. */
async function namesIn(url: string): Promise<Set<string>> {
  const { layers } = new VectorTile(new PbfReader((await app.server.inject(url)).rawPayload));
  const features = Object.values(layers).flatMap(layer =>
    Array.from({ length: layer.length }, (_, i) => layer.feature(i)),
  );
  return new Set(features.flatMap(({ properties }) => Object.keys(properties)));
}

for (const [id, more] of [
  ['plain', {}],
  ['counted', { point_count: 'Number', sqrt_point_count: 'Number' }],
] as const) {
  test(`TileJSON and the tileset of a layer that is ${id} name what its tiles have`, async () => {
    const { fields } = (await json(`/tiles/${id}`)).vector_layers[0];
    const names = await namesIn(`/tiles/${id}/0/0/0.mvt`);
    for (const name of names) assert.ok(name in fields, `${name} is in the tile and not in TileJSON`);
    const columns = (await json(`/layers/${id}`)).fields;
    const own = Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in columns)));
    assert.deepEqual(own, more);
    for (const name of Object.keys(more)) assert.ok(names.has(name), `${name} is in TileJSON and not in the tile`);
    const { propertiesSchema } = (await json(`/collections/${id}/tiles/WebMercatorQuad`)).layers[0];
    const told = Object.entries(propertiesSchema.properties).map(([name, value]) => [
      name,
      (value as { type: string }).type,
    ]);
    assert.deepEqual(
      Object.fromEntries(told),
      Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, (type as string).toLowerCase()])),
    );
  });
}
