import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';

let app: App;
before(async () => {
  app = await testApp();
});
after(() => app.close());

const get = (url: string, headers: Record<string, string> = {}) => app.server.inject({ method: 'GET', url, headers });

describe("titiler's routes over the demo elevation", () => {
  test('/cog/info tells bands, type, bounds and overviews', async () => {
    const info = (await get('/cog/info?url=elevation')).json();
    assert.equal(info.driver, 'GTiff');
    assert.equal(info.count, 1);
    assert.equal(info.bounds.length, 4);
    assert.ok(info.overviews.length > 0);
    assert.equal(info.servable, true);
  });

  test('a file name of the catalogue names its layer; a path outside it is not opened', async () => {
    assert.equal((await get('/cog/info?url=elevation.tif')).statusCode, 200);
    assert.equal((await get('/cog/info?url=/etc/passwd')).statusCode, 404);
    assert.equal((await get('/cog/info')).json().code, 'bad-parameter');
  });

  test('/cog/bbox gives an image of the size asked for in each format', async () => {
    for (const extension of ['png', 'jpg', 'webp']) {
      const answer = await get(`/cog/bbox/5,44,11,48/300x200.${extension}?url=world`);
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      const { width, height } = await sharp(answer.rawPayload).metadata();
      assert.deepEqual([width, height], [300, 200]);
    }
  });

  test('/cog/bbox as npy is the raw values with their mask', async () => {
    const answer = await get('/cog/bbox/5,44,11,48/64x32.npy?url=elevation');
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
    assert.equal(answer.rawPayload.subarray(1, 6).toString('latin1'), 'NUMPY');
    assert.match(answer.rawPayload.subarray(10, 128).toString('latin1'), /'shape': \(2, 32, 64\)/);
  });

  test('/cog/bbox as tif is a GeoTIFF', async () => {
    const answer = await get('/cog/bbox/5,44,11,48.tif?url=elevation&max_size=128');
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
    assert.match(answer.headers['content-type'] as string, /^image\/tiff/);
    assert.equal(answer.rawPayload.readUInt16LE(2), 42);
  });

  test('/cog/point reads one value, and the same one again from the cache', async () => {
    const first = await get('/cog/point/86.925,27.988?url=elevation');
    assert.equal(first.statusCode, 200, first.body);
    const { coordinates, values, band_names } = first.json();
    assert.deepEqual(coordinates, [86.925, 27.988]);
    assert.equal(values.length, 1);
    assert.deepEqual(band_names, ['b1']);
    assert.ok(values[0] > 3000, `${values[0]} m on Everest`);
    assert.equal((await get('/cog/point/86.925,27.988?url=elevation')).headers['x-plimsoll'], 'hit');
  });

  test('/cog/statistics and /cog/preview', async () => {
    const statistics = (await get('/cog/statistics?url=elevation')).json();
    const { min, max, mean } = statistics.b1;
    assert.ok(min < mean && mean < max);
    const preview = await sharp(
      (await get('/cog/preview.png?url=elevation&max_size=200&colormap_name=viridis')).rawPayload,
    ).metadata();
    assert.equal(Math.max(preview.width, preview.height), 200);
    assert.equal((await get('/cog/preview?url=world&max_size=64')).statusCode, 200);
    const sized = await sharp((await get('/cog/preview/50x40.png?url=world')).rawPayload).metadata();
    assert.deepEqual([sized.width, sized.height], [50, 40]);
  });

  test('tiles by the titiler path are those of the short path', async () => {
    const long = await get('/cog/tiles/WebMercatorQuad/2/2/1.png?url=world');
    const short = await get('/tiles/world/2/2/1.png');
    assert.deepEqual(long.rawPayload, short.rawPayload);
    assert.equal(long.headers.etag, short.headers.etag);
    const json = (await get('/cog/WebMercatorQuad/tilejson.json?url=world')).json();
    assert.equal(json.tilejson, '3.0.0');
  });

  test('?explain=1 of a window prices it; above the ceiling it is 413 that says what would fit', async () => {
    const explained = (await get('/cog/bbox/-180,-60,180,60.tif?url=world&explain=1')).json();
    assert.ok(explained.priceBytes > 0);
    const small = await testApp({ set: { 'memory.requestCeilingBytes': '4MiB' } });
    try {
      const answer = await small.server.inject('/cog/bbox/-180,-60,180,60/4000x2000.tif?url=world');
      assert.equal(answer.statusCode, 413);
      assert.equal(answer.json().code, 'too-large');
      const { ceiling, required, fits } = answer.json();
      assert.ok(ceiling > 0 && required > ceiling);
      const { width, height } = fits;
      assert.ok(width > 300 && Math.abs(width / height - 2) < 0.02, `${width}x${height}`);
      const follow = await small.server.inject(`/cog/bbox/-180,-60,180,60/${width}x${height}.tif?url=world`);
      assert.equal(follow.statusCode, 200, follow.body.slice(0, 200));
      const cost = Number(follow.headers['x-plimsoll-cost']);
      assert.ok(cost > ceiling / 4 && cost <= ceiling, `${cost} of ${ceiling}`);
      assert.match(String(follow.headers['server-timing']), /^wait;dur=[\d.]+, render;dur=[\d.]+$/);
      const tile = () => small.server.inject('/tiles/world/1/0/0.png');
      assert.ok(Number((await tile()).headers['x-plimsoll-cost']) > 0);
      assert.equal((await tile()).headers['x-plimsoll-cost'], undefined, 'a hit costs nothing');
    } finally {
      await small.close();
    }
  });

  const refused: [string, number, string][] = [
    ['/cog/bbox/1,2,3.png?url=world', 400, 'bad-parameter'],
    ['/cog/bbox/1,2,3,x.png?url=world', 400, 'bad-parameter'],
    ['/cog/bbox/1,3,2,1.png?url=world', 422, 'unprocessable'],
    ['/cog/bbox/1,2,3,4.bmp?url=world', 400, 'bad-parameter'],
    ['/cog/bbox/1,2,3,4/99999x10.png?url=world', 422, 'unprocessable'],
    ['/cog/point/abc,1?url=world', 400, 'bad-parameter'],
    ['/cog/point/1,2?url=countries', 422, 'wrong-kind'],
    ['/cog/info?url=nothing', 404, 'layer-not-found'],
    ['/cog/tiles/Nope/0/0/0.png?url=world', 404, 'not-found'],
  ];
  for (const [url, status, code] of refused) {
    test(`${url} → ${status} ${code}`, async () => {
      const answer = await get(url);
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body);
    });
  }
});
