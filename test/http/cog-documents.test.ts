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

async function pixelsOf(url: string): Promise<{ data: Buffer; width: number; height: number; channels: number }> {
  const answer = await get(url);
  assert.equal(answer.statusCode, 200, `${url}: ${answer.body.slice(0, 200)}`);
  const { data, info } = await sharp(answer.rawPayload).raw().toBuffer({ resolveWithObject: true });
  return { data, ...info };
}

describe('tiles of another size', () => {
  const tile = '/cog/tiles/WebMercatorQuad/3/4/2';

  test('tilesize, twice it with @2x, and a buffer on every side', async () => {
    assert.equal((await pixelsOf(`${tile}.png?url=world&tilesize=100`)).width, 100);
    assert.equal((await pixelsOf(`${tile}@2x.png?url=world&tilesize=100`)).width, 200);
    assert.equal((await pixelsOf(`${tile}.png?url=world&buffer=0.5`)).width, 257);
    assert.equal((await pixelsOf(`/tiles/world/3/4/2.png?buffer=4&tilesize=64`)).width, 72);
    assert.equal((await pixelsOf(`${tile}.png?url=world&padding=4`)).width, 256);
  });

  test('what a buffer adds is what the neighbours show', async () => {
    const query = 'url=elevation&rescale=0,4000&return_mask=false';
    const [wide, own, east] = await Promise.all([
      pixelsOf(`${tile}.png?${query}&buffer=8`),
      pixelsOf(`${tile}.png?${query}`),
      pixelsOf(`/cog/tiles/WebMercatorQuad/3/5/2.png?${query}`),
    ]);
    assert.deepEqual([wide.width, wide.height], [272, 272]);
    for (const y of [0, 100, 255]) {
      for (const x of [0, 77, 255]) {
        assert.equal(wide.data[((y + 8) * 272 + x + 8) * wide.channels], own.data[(y * 256 + x) * own.channels]);
      }
      for (const x of [0, 7]) {
        const there = wide.data[((y + 8) * 272 + 264 + x) * wide.channels];
        assert.equal(there, east.data[(y * 256 + x) * east.channels]);
      }
    }
  });

  test("an algorithm's margin is cut off the buffer, and needs none", async () => {
    const shaded = `${tile}.png?url=elevation&algorithm=hillshade`;
    assert.equal((await pixelsOf(shaded)).width, 256);
    assert.equal((await pixelsOf(`${shaded}&buffer=3`)).width, 256);
    assert.equal((await pixelsOf(`${shaded}&buffer=5`)).width, 260);
  });

  test('values as tiles, inside the raster and beside it', async () => {
    const shape = async (url: string) => {
      const answer = await get(url);
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      return /'descr': '([^']+)'.*'shape': \(([^)]+)\)/
        .exec(answer.rawPayload.subarray(10, 128).toString('latin1'))!
        .slice(1);
    };
    for (const place of ['3/4/2', '3/0/7']) {
      const at = `/cog/tiles/WebMercatorQuad/${place}`;
      assert.deepEqual(await shape(`${at}.npy?url=elevation`), ['<i2', '2, 256, 256']);
      assert.deepEqual((await shape(`${at}.npy?url=elevation&expression=b1/2;b1&buffer=1`))[1], '3, 258, 258');
      assert.equal((await get(`${at}.tif?url=elevation`)).rawPayload.readUInt16LE(2), 42);
    }
  });

  test('an empty tile has the size asked for, and sizes without sense are refused', async () => {
    assert.equal((await pixelsOf('/cog/tiles/WebMercatorQuad/3/0/7.png?url=elevation&tilesize=32&buffer=1')).width, 34);
    for (const bad of ['tilesize=0', 'tilesize=4096', 'buffer=0.3', 'buffer=-1', 'padding=0'])
      assert.equal((await get(`${tile}.png?url=world&${bad}`)).statusCode, 422, bad);
    assert.equal((await get('/tiles/countries/0/0/0.mvt?tilesize=32')).json().code, 'unknown-parameter');
  });
});

describe('what is told beside pixels', () => {
  test('/cog/info.geojson is the box with the facts', async () => {
    const answer = await get('/cog/info.geojson?url=elevation');
    assert.match(String(answer.headers['content-type']), /^application\/geo\+json/);
    const { type, bbox, geometry, properties } = answer.json();
    assert.deepEqual([type, geometry.type], ['Feature', 'Polygon']);
    assert.deepEqual(geometry.coordinates[0][0], bbox.slice(0, 2));
    assert.deepEqual(geometry.coordinates[0][2], bbox.slice(2));
    assert.deepEqual(properties, (await get('/cog/info?url=elevation')).json());
    const metres = (await get('/cog/info.geojson?url=elevation&crs=EPSG:3857')).json();
    assert.ok(Math.abs(metres.bbox[2]) > 1e6);
  });

  test('a colour map as colours and as a legend', async () => {
    const { colorMaps, colormaps } = (await get('/cog/colorMaps')).json();
    assert.equal(colormaps.length, colorMaps.length);
    const colours = (await get('/cog/colorMaps/viridis')).json();
    assert.equal(Object.keys(colours).length, 256);
    assert.deepEqual(colours['0'], [68, 1, 84, 255]);
    assert.deepEqual(colours['255'], [253, 231, 36, 255]);
    const across = await pixelsOf('/cog/colorMaps/viridis?f=png');
    assert.deepEqual([across.width, across.height], [256, 20]);
    assert.deepEqual([...across.data.subarray(0, 3)], [68, 1, 84]);
    assert.deepEqual([...across.data.subarray(255 * across.channels).subarray(0, 3)], [253, 231, 36]);
    const down = await pixelsOf('/cog/colorMaps/viridis_r?f=png&orientation=vertical&width=8&height=256');
    assert.deepEqual([down.width, down.height], [8, 256]);
    assert.deepEqual([...down.data.subarray(0, 3)], [253, 231, 36]);
    assert.equal((await get('/cog/colorMaps/nope')).json().code, 'not-found');
  });

  test('algorithms with their parameters', async () => {
    const { algorithms } = (await get('/algorithms')).json();
    assert.ok(algorithms.some(({ id }: { id: string }) => id === 'hillshade'));
    const shade = (await get('/algorithms/hillshade')).json();
    assert.deepEqual(shade.inputs, { nbands: 1 });
    assert.equal(shade.parameters.azimuth.default, 45);
    assert.equal((await get('/algorithms/none')).statusCode, 404);
  });

  test('a URL of another place is refused, never fetched', async () => {
    for (const url of [
      'http://127.0.0.1:1/x.tif',
      'https://example.org/x.tif',
      's3://bucket/x.tif',
      'file:///etc/x.tif',
    ]) {
      const answer = await get(`/cog/info?url=${encodeURIComponent(url)}`);
      assert.deepEqual([answer.statusCode, answer.json().code], [403, 'remote-forbidden'], url);
    }
  });
});
