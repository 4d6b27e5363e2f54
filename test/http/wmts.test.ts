import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';

let app: App;
before(async () => {
  app = await testApp();
});
after(() => app.close());

const get = (url: string) => app.server.inject({ method: 'GET', url });
const python = findPython('rasterio');

describe('WMTS', () => {
  test('capabilities of one raster carry its query into the tiles', async () => {
    const answer = await get('/cog/WMTSCapabilities.xml?url=elevation&colormap_name=viridis&rescale=0,4000');
    assert.equal(answer.statusCode, 200, answer.body);
    assert.match(String(answer.headers['content-type']), /^application\/xml/);
    assert.match(answer.body, /<TileMatrixSet>WebMercatorQuad<\/TileMatrixSet>/);
    assert.match(answer.body, /urn:ogc:def:crs:EPSG::3857/);
    const template = /format="image\/png" resourceType="tile" template="([^"]+)"/.exec(answer.body)![1];
    const values = { TileMatrixSet: 'WebMercatorQuad', TileMatrix: '1', TileRow: '0', TileCol: '1' };
    const filled = template
      .replaceAll('&amp;', '&')
      .replace(/\{(\w+)\}/g, (_, name: keyof typeof values) => values[name]);
    const tile = await get(new URL(filled).pathname + new URL(filled).search);
    assert.equal(tile.statusCode, 200, tile.body.slice(0, 200));
    const same = await get('/cog/tiles/WebMercatorQuad/1/1/0.png?url=elevation&colormap_name=viridis&rescale=0,4000');
    assert.deepEqual(tile.rawPayload, same.rawPayload);
    const degrees = await get('/cog/WorldCRS84Quad/WMTSCapabilities.xml?url=elevation');
    assert.match(degrees.body, /urn:ogc:def:crs:OGC:1\.3:CRS84/);
    assert.equal((await get('/cog/WMTSCapabilities.xml?url=elevation&bidx=9')).statusCode, 422);
  });

  test('by key-value pairs, in any case', async () => {
    const all = await get('/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&VERSION=1.0.0');
    for (const id of ['elevation', 'world']) assert.match(all.body, new RegExp(`<ows:Identifier>${id}<`));
    assert.doesNotMatch(all.body, />countries</);
    const place = 'TileMatrixSet=WebMercatorQuad&TileMatrix=2&TileRow=1&TileCol=2&Style=default';
    const tile = await get(`/wmts?Service=WMTS&Request=GetTile&Version=1.0.0&Layer=world&Format=image/png&${place}`);
    assert.equal(tile.statusCode, 200, tile.body.slice(0, 200));
    assert.deepEqual(tile.rawPayload, (await get('/cog/tiles/WebMercatorQuad/2/2/1.png?url=world')).rawPayload);
    for (const bad of [
      'request=GetFeature',
      'request=GetTile',
      `request=GetTile&layer=world&format=image/gif&${place}`,
    ])
      assert.equal((await get(`/wmts?${bad}`)).json().code, 'bad-parameter', bad);
    assert.equal(
      (await get(`/wmts?request=GetTile&layer=countries&format=image/png&${place}`)).json().code,
      'wrong-kind',
    );
  });

  test('GDAL opens it, and sees the world', { skip: 'reason' in python ? python.reason : false }, async () => {
    const address = await app.server.listen({ port: 0, host: '127.0.0.1' });
    for (const [grid, crs, tile] of [
      ['WebMercatorQuad', 'EPSG:3857', '/cog/tiles/WebMercatorQuad/0/0/0.png?url=world'],
      ['WorldCRS84Quad', 'OGC:CRS84', '/cog/bbox/-180,-90,180,90/256x128.png?url=world'],
    ] as const) {
      const seen = await readByGdal(`${address}/wmts/1.0.0/WMTSCapabilities.xml`, 'world', grid);
      assert.equal(seen.crs, crs);
      const { data, info } = await sharp((await get(tile)).rawPayload)
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const pixels = Buffer.from(seen.pixels, 'base64');
      const plane = info.width * info.height;
      const differenceAt = (flip: boolean) => {
        let sum = 0;
        for (let y = 0; y < info.height; y++) {
          const other = flip ? info.height - 1 - y : y;
          for (let x = 0; x < info.width; x++)
            for (let c = 0; c < 3; c++)
              sum += Math.abs(pixels[c * plane + y * info.width + x] - data[(other * info.width + x) * 3 + c]);
        }
        return sum / (plane * 3);
      };
      // GDAL picks its pixels out of finer tiles; upside down it would be another world.
      assert.ok(differenceAt(false) < 10, `${grid}: ${differenceAt(false)}`);
      assert.ok(differenceAt(true) > 3 * differenceAt(false), `${grid}: ${differenceAt(true)}`);
    }
  });
});

async function readByGdal(url: string, layer: string, grid: string): Promise<{ crs: string; pixels: string }> {
  const script = join(import.meta.dirname, '../oracle/wmts-read.py');
  const child = spawn((python as { python: string }).python, [script, url, layer, grid]);
  let [out, err] = ['', ''];
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('the tiles that TileJSON of /cog names are there, and those of the query', async () => {
  for (const path of ['/cog/tilejson.json', '/cog/WorldCRS84Quad/tilejson.json']) {
    const [template] = (await get(`${path}?url=elevation&colormap_name=viridis&rescale=0,4000`)).json().tiles;
    const tile = new URL(template.replace(/\{[zxy]\}/g, '0'));
    assert.equal((await get(tile.pathname + tile.search)).statusCode, 200, tile.href);
    assert.match(tile.search, /^\?colormap_name=viridis&rescale=0,4000$/);
  }
});

test('/cog/map.html is a page of this server alone, with the query in its TileJSON', async () => {
  const answer = await get('/cog/map.html?url=elevation&colormap_name=viridis');
  assert.equal(answer.statusCode, 200, answer.body);
  assert.match(String(answer.headers['content-security-policy']), /default-src 'self'/);
  const urls = [...answer.body.matchAll(/(?:href|src|data-tilejson)="([^"]+)"/g)].map(([, url]) => url);
  assert.equal(urls.length, 5);
  for (const url of urls.map(one => new URL(one.replaceAll('&amp;', '&')))) {
    assert.equal(url.hostname, 'localhost');
    assert.equal((await get(url.pathname + url.search)).statusCode, 200, url.href);
  }
  const tileJson = urls.find(url => url.includes('tilejson'))!;
  assert.match(tileJson, /colormap_name=viridis/);
  assert.equal((await get('/cog/WorldCRS84Quad/map.html?url=elevation')).statusCode, 422);
  assert.equal((await get('/cog/map.html?url=elevation&rescael=1')).json().code, 'unknown-parameter');
});
