/** Mosaics against rio-tiler's mosaic_reader and against a VRT of GDAL: values, masks and points. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { readNpy } from '../raster/npy-reader.ts';
import { type Case, configOf, makeMosaics, NO_ORACLE, type Oracle } from './fixtures.ts';

let app: App;
let folder: string;
let oracle: Oracle;

before(async () => {
  if (NO_ORACLE) return;
  ({ folder, oracle } = makeMosaics());
  app = await testApp({ paths: [], file: configOf(folder) });
});
after(async () => {
  await app?.close();
  if (folder) rmSync(folder, { recursive: true });
});

function urlOf({ kind, layer, way, tile, expression, box, size }: Case): string {
  const url = `${layer}-${way}`;
  const more = expression ? `&expression=${encodeURIComponent(expression)}` : '';
  if (kind === 'tile') return `/cog/tiles/WebMercatorQuad/${tile}.npy?url=${url}${more}`;
  return `/cog/bbox/${box.join(',')}/${size.join('x')}.npy?url=${url}&coord_crs=EPSG:3857`;
}

/** Shares: of valid pixels with values within two of 255 parts of the range, of all pixels alike in mask and value, of valid ones. */
async function agreement(each: Case): Promise<{ values: number; alike: number; valid: number }> {
  const answer = await app.server.inject({ url: urlOf(each) });
  assert.equal(answer.statusCode, 200, `${each.name}: ${answer.body.slice(0, 300)}`);
  const ours = readNpy(answer.rawPayload);
  const theirs = readNpy(readFileSync(join(folder, `${each.name}.npy`)));
  assert.deepEqual(ours.shape, theirs.shape, each.name);
  const [planes, height, width] = ours.shape as [number, number, number];
  const pixels = width * height;
  const tolerance = each.layer === 'dem' ? (3050 * 2 * (each.expression ? 2 : 1)) / 255 : 2;
  let [alike, values, valid] = [0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    const mask = (planes - 1) * pixels + p;
    let same = (ours.values[mask] !== 0) === (theirs.values[mask] !== 0);
    if (theirs.values[mask] === 0) {
      if (same) alike++;
      continue;
    }
    valid++;
    for (let b = 0; b < planes - 1; b++) {
      const at = b * pixels + p;
      if (!(Math.abs((ours.values[at] as number) - (theirs.values[at] as number)) <= tolerance)) same = false;
    }
    if (!same) continue;
    values++;
    alike++;
  }
  return { values: values / Math.max(1, valid), alike: alike / pixels, valid: valid / pixels };
}

test('nearest tiles are those of rio-tiler, whatever is chosen and computed', { skip: NO_ORACLE }, async () => {
  const bad: string[] = [];
  let seen = 0;
  for (const each of oracle.cases.filter(({ kind }) => kind === 'tile')) {
    const { values, alike, valid } = await agreement(each);
    seen += valid;
    // Far out the whole mosaic is a few pixels, and its edges and holes are much of it.
    const least = each.tile.startsWith('13/') ? 0.99 : 0.93;
    if (!(values >= least && alike >= 0.99))
      bad.push(`${each.name}: values ${values.toFixed(4)}, alike ${alike.toFixed(4)}`);
  }
  assert.ok(seen > 20, `${seen} tiles of pixels are not much`);
  assert.deepEqual(bad, []);
});

test('the first of several is what gdalbuildvrt puts on top', { skip: NO_ORACLE }, async () => {
  const each = oracle.cases.find(({ kind }) => kind === 'window') as Case;
  const { values, alike, valid } = await agreement(each);
  assert.ok(valid > 0.4 && valid < 0.99, String(valid));
  assert.ok(values >= 0.99 && alike >= 0.99, `values ${values}, alike ${alike}`);
});

test('points are those of rio-tiler', { skip: NO_ORACLE }, async () => {
  for (const { way, lon, lat, values } of oracle.points) {
    const answer = await app.server.inject({ url: `/cog/point/${lon},${lat}?url=dem-${way}` });
    assert.equal(answer.statusCode, 200, answer.body);
    assert.deepEqual(answer.json().values, values, `${way} at ${lon},${lat}`);
  }
});

test('many points and a profile have the values of single ones', { skip: NO_ORACLE }, async () => {
  const places = oracle.points.filter(({ way }) => way === 'mean');
  const coordinates = [...places.map(({ lon, lat }) => [lon, lat]), [20, 20]];
  const points = await app.server.inject({
    method: 'POST',
    url: '/cog/points?url=dem-mean',
    payload: { type: 'MultiPoint', coordinates },
  });
  assert.equal(points.statusCode, 200, points.body);
  assert.deepEqual(points.json().values, [...places.map(({ values }) => values), [null]]);
  const profile = await app.server.inject({
    method: 'POST',
    url: '/cog/profile?url=dem-mean&samples=2',
    payload: { type: 'LineString', coordinates: coordinates.slice(0, 2) },
  });
  assert.equal(profile.statusCode, 200, profile.body);
  assert.deepEqual(
    profile.json().values,
    places.slice(0, 2).map(({ values }) => values),
  );
});

test('info is about all members: the box around them', { skip: NO_ORACLE }, async () => {
  const feature = (await app.server.inject({ url: '/cog/info.geojson?url=dem-first' })).json();
  for (const [i, edge] of oracle.union.entries())
    assert.ok(Math.abs(feature.bbox[i] - edge) < 1e-6, String(feature.bbox));
  const info = (await app.server.inject({ url: '/cog/info?url=dem-first' })).json();
  assert.equal(info.dtype, 'int16');
  assert.equal(info.count, 1);
});
