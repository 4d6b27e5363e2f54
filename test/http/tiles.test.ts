import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';

let app: App;
before(async () => {
  app = await testApp();
});
after(async () => {
  await app.close();
  assert.equal(app.memory.ledger.inUse.inflight, 0, 'work in flight is back at zero');
  assert.equal(app.memory.ledger.inUse.replies, 0, 'reply bytes are back at zero');
});

const get = (url: string, headers: Record<string, string> = {}) => app.server.inject({ method: 'GET', url, headers });

describe('vector tiles', () => {
  test('a tile of real countries decodes, with all its properties', async () => {
    const answer = await get('/tiles/countries/0/0/0.mvt');
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], 'application/vnd.mapbox-vector-tile');
    const layer = new VectorTile(new PbfReader(answer.rawPayload)).layers['countries'];
    assert.ok(layer.length > 150, `${layer.length} countries`);
    assert.equal(layer.extent, 4096);
    assert.ok(Object.keys(layer.feature(0).properties).length > 0);
  });

  test('each encoding is its own representation of the same tile', async () => {
    const plain = await get('/tiles/countries/3/4/2.mvt');
    const gzip = await get('/tiles/countries/3/4/2.mvt', { 'accept-encoding': 'gzip' });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.rawPayload), plain.rawPayload);
    assert.notEqual(gzip.headers.etag, plain.headers.etag);
    assert.equal(gzip.headers.vary, 'accept-encoding');
    for (const [encoding, inflate] of [
      ['br', brotliDecompressSync],
      ['zstd', zstdDecompressSync],
    ] as const) {
      const answer = await get('/tiles/countries/3/4/2.mvt', { 'accept-encoding': encoding });
      assert.equal(answer.headers['content-encoding'], encoding);
      assert.deepEqual(inflate(answer.rawPayload), plain.rawPayload);
      const again = await get('/tiles/countries/3/4/2.mvt', { 'accept-encoding': encoding });
      assert.equal(again.headers['x-plimsoll'], 'hit', 'compressed once');
    }
    // What browsers send is one representation for all of them.
    const all = await get('/tiles/countries/3/4/2.mvt', { 'accept-encoding': 'gzip, deflate, br, zstd' });
    assert.equal(all.headers.etag, gzip.headers.etag);
  });

  test('the second request is a hit, and If-None-Match is 304 without a body', async () => {
    const first = await get('/tiles/countries/4/8/5.mvt');
    const second = await get('/tiles/countries/4/8/5.mvt');
    assert.equal(second.headers['x-plimsoll'], 'hit');
    assert.deepEqual(second.rawPayload, first.rawPayload);
    const third = await get('/tiles/countries/4/8/5.mvt', { 'if-none-match': `W/"other", ${first.headers.etag}` });
    assert.equal(third.statusCode, 304);
    assert.equal(third.rawPayload.length, 0);
    assert.equal(third.headers.etag, first.headers.etag);
  });

  test('properties= prunes attributes, in any order the same tile', async () => {
    const names = Object.keys((await get('/layers/countries')).json().fields).slice(0, 2);
    const one = await get(`/tiles/countries/2/2/1.mvt?properties=${names.join(',')}`);
    const two = await get(`/tiles/countries/2/2/1.mvt?properties=${[...names].reverse().join(',')}`);
    assert.equal(one.headers.etag, two.headers.etag);
    const layer = new VectorTile(new PbfReader(one.rawPayload)).layers['countries'];
    for (let i = 0; i < layer.length; i++) {
      for (const key of Object.keys(layer.feature(i).properties)) assert.ok(names.includes(key), key);
    }
  });

  test('a composite holds each layer under its own name', async () => {
    const answer = await get('/tiles/countries,places/1/1/0.mvt');
    const { layers } = new VectorTile(new PbfReader(answer.rawPayload));
    assert.deepEqual(Object.keys(layers).sort(), ['countries', 'places']);
  });

  test('an empty tile is 204 and is cached', async () => {
    const first = await get('/tiles/countries/9/0/256.mvt');
    assert.equal(first.statusCode, 204);
    const second = await get('/tiles/countries/9/0/256.mvt');
    assert.equal(second.headers['x-plimsoll'], 'hit');
    assert.equal(second.statusCode, 204);
  });

  test('?explain=1 tells the plan and its price and renders nothing', async () => {
    const before = app.rooms.pool.stats().done;
    const answer = await get('/tiles/countries/1/0/0.mvt?explain=1');
    assert.equal(answer.statusCode, 200);
    const { cost, priceBytes, plan } = answer.json();
    assert.ok(cost.inputBytes > 0 && priceBytes >= cost.inputBytes);
    assert.equal(typeof plan, 'object');
    assert.equal(app.rooms.pool.stats().done, before);
  });
});

describe('raster tiles', () => {
  test('PNG, WebP and JPEG of the same place, at 256 and at 512', async () => {
    for (const [extension, type] of [
      ['png', 'image/png'],
      ['webp', 'image/webp'],
      ['jpg', 'image/jpeg'],
    ]) {
      const answer = await get(`/tiles/world/2/2/1.${extension}`);
      assert.equal(answer.statusCode, 200, extension);
      assert.equal(answer.headers['content-type'], type);
      const image = await sharp(answer.rawPayload).metadata();
      assert.deepEqual([image.width, image.height], [256, 256]);
    }
    const retina = await sharp((await get('/tiles/world/2/2/1@2x.png')).rawPayload).metadata();
    assert.deepEqual([retina.width, retina.height], [512, 512]);
  });

  test('Accept decides where there is no extension', async () => {
    assert.equal((await get('/tiles/world/1/0/0', { accept: 'image/webp' })).headers['content-type'], 'image/webp');
    assert.equal((await get('/tiles/world/1/0/0', { accept: 'text/csv' })).statusCode, 406);
  });
});

describe('what is refused says why, with CORS', () => {
  const cases: [string, number, string, RegExp][] = [
    ['/tiles/contries/0/0/0.mvt', 404, 'layer-not-found', /countries/],
    ['/tiles/countries/0/1/0.mvt', 404, 'tile-outside-grid', /0\/1\/0/],
    ['/tiles/countries/99/0/0.mvt', 404, 'tile-outside-grid', /99/],
    ['/tiles/countries/a/0/0.mvt', 400, 'bad-parameter', /"a"/],
    ['/tiles/countries/0/0/-1.mvt', 400, 'bad-parameter', /-1/],
    ['/tiles/countries/0/0/0.png', 422, 'wrong-kind', /vector/],
    ['/tiles/world/0/0/0.mvt', 422, 'wrong-kind', /raster/],
    ['/tiles/countries,world/0/0/0', 422, 'unprocessable', /one kind/],
    ['/tiles/countries/0/0/0.mvt?properties=nope', 400, 'bad-parameter', /nope/],
    ['/tiles/elevation/0/0/0.png?rescale=5,1', 422, 'unprocessable', /5/],
    ['/tiles/elevation/0/0/0.png?colormap_name=nope', 400, 'bad-parameter', /nope/],
    ['/tiles/elevation/0/0/0.png?bidx=7', 422, 'unprocessable', /7/],
    ['/nowhere', 404, 'not-found', /nowhere/],
  ];
  for (const [url, status, code, detail] of cases) {
    test(`${url} → ${status} ${code}`, async () => {
      const answer = await get(url, { origin: 'https://map.example' });
      assert.equal(answer.statusCode, status, answer.body);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.equal(answer.json().code, code);
      assert.match(answer.json().detail, detail);
    });
  }
});
