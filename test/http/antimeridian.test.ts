/** A raster across the antimeridian: its zooms are those of its pixels, and a map that opens it opens where it is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { encodeGeotiff } from '../../src/kernels/geotiff-writer.ts';
import { testApp } from '../lib/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'antimeridian-'));
let app: App;
before(async () => {
  const [width, height] = [700, 600];
  const image = { type: 'uint8', width, height, bands: 1, mask: null, nodata: null } as const;
  const samples = new Uint8Array(width * height).map((_, i) => i % 251);
  const utm = [700_000, 1000, 0, 1_000_000, 0, -1000] as const;
  const degrees = [176, 0.01, 0, 5, 0, -0.01] as const;
  const systems = {
    utm: { transform: utm, epsg: { code: 32660, geographic: false }, keys: null },
    degrees: { transform: degrees, epsg: { code: 4326, geographic: true }, keys: null },
  };
  for (const [name, georef] of Object.entries(systems)) {
    writeFileSync(join(folder, `${name}.tif`), encodeGeotiff({ ...image, samples, georef }));
  }
  app = await testApp({ paths: [folder] });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

for (const name of ['utm', 'degrees']) {
  test(`${name}: zooms by its pixels, centre within it, tiles on both sides`, async () => {
    const tilejson = (await app.server.inject(`/tiles/${name}`)).json();
    assert.ok(tilejson.minzoom >= 4 && tilejson.maxzoom >= 7 && tilejson.maxzoom <= 8, JSON.stringify(tilejson));
    const [lon, lat] = tilejson.center;
    assert.ok(Math.abs(lon) > 175 && Math.abs(lon) <= 180 && Math.abs(lat) < 10, `${lon} ${lat}`);
    for (const x of [0, 127]) {
      const answer = await app.server.inject(`/tiles/${name}/7/${x}/62.png`);
      assert.equal(answer.statusCode, 200);
      const { data, info } = await sharp(answer.rawPayload).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      const opaque = data.filter((_, i) => i % 4 === 3).filter(a => a === 255).length;
      assert.ok(opaque > info.width * 16, `x ${x}: ${opaque} opaque pixels`);
    }
  });
}
