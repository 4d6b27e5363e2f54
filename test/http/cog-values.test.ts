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

const get = (url: string) => app.server.inject({ method: 'GET', url });
const post = (url: string, payload: object) => app.server.inject({ method: 'POST', url, payload });

/** Values and mask of a window at the raster's own resolution, as .npy. */
async function pixels(
  url: string,
): Promise<{ values: Float64Array; valid: Uint8Array; width: number; height: number }> {
  const answer = await get(url);
  assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
  const raw = answer.rawPayload;
  const length = 10 + raw.readUInt16LE(8);
  const header = raw.subarray(10, length).toString('latin1');
  const [, bands, height, width] = /\((\d+), (\d+), (\d+)\)/.exec(header)!.map(Number);
  const type = /'descr': '([^']+)'/.exec(header)![1];
  const read = { '<i2': (at: number) => raw.readInt16LE(at), '<f4': (at: number) => raw.readFloatLE(at) }[type]!;
  const bytes = type.endsWith('2') ? 2 : 4;
  const n = width * height;
  const at = (band: number, i: number) => read(length + (band * n + i) * bytes);
  return {
    values: Float64Array.from({ length: n }, (_, i) => at(0, i)),
    valid: Uint8Array.from({ length: n }, (_, i) => (at(bands - 1, i) ? 1 : 0)),
    width,
    height,
  };
}

const square = (w: number, s: number, e: number, n: number) => ({
  type: 'Feature',
  properties: { name: 'square' },
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [w, s],
        [e, s],
        [e, n],
        [w, n],
        [w, s],
      ],
    ],
  },
});

describe('statistics', () => {
  test('of all pixels, unless a size is given', async () => {
    const all = (await get('/cog/statistics?url=elevation')).json().b1;
    assert.deepEqual([all.exact, all.level], [true, 0]);
    const info = (await get('/cog/info?url=elevation')).json();
    assert.equal(all.valid_pixels + all.masked_pixels, info.width * info.height);
    const small = (await get('/cog/statistics?url=elevation&max_size=256')).json().b1;
    assert.deepEqual([small.exact, small.level > 0], [false, true]);
    assert.ok(Math.abs(small.mean - all.mean) < 50);
  });

  test('percentiles, bins, ranges and categories as asked for', async () => {
    const { b1 } = (
      await get('/cog/statistics?url=elevation&max_size=256&p=5&p=50&histogram_bins=4&histogram_range=0,4000')
    ).json();
    assert.equal(b1.percentile_50, b1.median);
    assert.equal('percentile_2' in b1, false);
    assert.deepEqual(b1.histogram[1], [0, 1000, 2000, 3000, 4000]);
    const counted = (await get('/cog/statistics?url=elevation&max_size=256&categorical=true&c=0&c=100')).json().b1;
    assert.deepEqual(counted.histogram[1], [0, 100]);
    for (const bad of ['p=101', 'histogram_bins=0', 'histogram_bins=1,1', 'histogram_range=2,1', 'p=x'])
      assert.ok((await get(`/cog/statistics?url=elevation&${bad}`)).statusCode >= 400, bad);
  });

  test('of expressions and algorithms, named as titiler does', async () => {
    const twice = (await get('/cog/statistics?url=elevation&max_size=256&expression=b1*2;b1%2B1')).json();
    const once = (await get('/cog/statistics?url=elevation&max_size=256')).json();
    assert.deepEqual(Object.keys(twice), ['b1', 'b2']);
    assert.equal(twice.b1.description, 'elevation*2');
    assert.equal(twice.b1.max, once.b1.max * 2);
    assert.equal(twice.b2.min, once.b1.min + 1);
    const shade = (await get('/cog/statistics?url=elevation&max_size=256&algorithm=hillshade')).json().b1;
    assert.ok(shade.min >= 0 && shade.max <= 255);
  });

  test('of a large file beside tiles: the only thread answers them meanwhile', async () => {
    const order: string[] = [];
    const done = async (name: string, url: string) => {
      const answer = await get(url);
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      order.push(name);
      return answer;
    };
    const long = done('statistics', '/cog/statistics?url=world&p=3');
    const tiles = [0, 1, 2].map(x => done(`tile ${x}`, `/cog/tiles/WebMercatorQuad/4/${x}/5.png?url=world`));
    await Promise.all([long, ...tiles]);
    assert.equal(order.length, 4);
    assert.equal(order[3], 'statistics');
    const { b1, b2, b3 } = (await long).json();
    for (const band of [b1, b2, b3]) assert.equal(band.valid_pixels, 5400 * 2700);
  });

  test('a client that leaves ends it, and gives its memory back', async () => {
    const address = await app.server.listen({ port: 0, host: '127.0.0.1' });
    const running = () => app.rooms.pool.stats().running;
    const leaving = new AbortController();
    const asked = fetch(`${address}/cog/statistics?url=world&p=4`, { signal: leaving.signal });
    while (running() === 0) await new Promise(resolve => setImmediate(resolve));
    leaving.abort();
    await assert.rejects(asked);
    while (running() > 0) await new Promise(resolve => setImmediate(resolve));
    assert.equal((await get('/cog/tiles/WebMercatorQuad/4/3/5.png?url=world')).statusCode, 200);
  });

  test('explain prices it without reading', async () => {
    const { plan, priceBytes } = (await get('/cog/statistics?url=elevation&explain=true')).json();
    assert.deepEqual([plan.exact, plan.level], [true, 0]);
    assert.ok(priceBytes > 0 && priceBytes < 16 << 20, `${priceBytes}`);
  });

  test('within features: pixels count by the share that lies inside', async () => {
    const { bounds, width, height } = (await get('/cog/info?url=elevation')).json();
    const [dx, dy] = [(bounds[2] - bounds[0]) / width, (bounds[3] - bounds[1]) / height];
    const x = (column: number) => bounds[0] + column * dx;
    const y = (row: number) => bounds[3] - row * dy;
    // Half a pixel of the first column and row, none of the last ones.
    const zone = square(x(1000.5), y(520), x(1010), y(500.5));
    const answer = await post('/cog/statistics?url=elevation', zone);
    assert.equal(answer.statusCode, 200, answer.body);
    assert.match(String(answer.headers['content-type']), /^application\/geo\+json/);
    const named = { 'content-type': 'application/geo+json' };
    const again = await app.server.inject({
      method: 'POST',
      url: '/cog/statistics?url=elevation',
      payload: JSON.stringify(zone),
      headers: named,
    });
    assert.deepEqual(again.json(), answer.json());
    const feature = answer.json();
    assert.equal(feature.properties.name, 'square');
    const found = feature.properties.statistics.b1;
    const grid = await pixels(`/cog/bbox/${x(1000)},${y(520)},${x(1010)},${y(500)}.npy?url=elevation`);
    assert.deepEqual([grid.width, grid.height], [10, 20]);
    let [sum, count] = [0, 0];
    grid.values.forEach((value, i) => {
      const share = grid.valid[i] * (i % 10 === 0 ? 0.5 : 1) * (i < 10 ? 0.5 : 1);
      sum += value * share;
      count += share;
    });
    assert.ok(Math.abs(found.count - count) < 1e-3, `${found.count} for ${count}`);
    assert.ok(Math.abs(found.sum - sum) < 1e-6 * Math.abs(sum) + 1e-3);
    assert.equal(found.exact, true);
  });

  test('a collection stays one; what does not touch the raster has none', async () => {
    const features = [square(6, 45, 7, 46), square(6, 45, 6.5, 46)];
    const answer = (
      await post('/cog/statistics?url=elevation', { type: 'FeatureCollection', name: 'two', features })
    ).json();
    assert.deepEqual([answer.type, answer.name, answer.features.length], ['FeatureCollection', 'two', 2]);
    for (const { properties } of answer.features) assert.ok(properties.statistics.b1.count > 0);
  });
});

describe('images of features', () => {
  test('what the polygon does not touch is transparent', async () => {
    const triangle = {
      ...square(0, 0, 1, 1),
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [5, 44],
            [11, 44],
            [5, 48],
            [5, 44],
          ],
        ],
      },
    };
    const answer = await post('/cog/feature/60x40.png?url=world', triangle);
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
    const { data, info } = await sharp(answer.rawPayload).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [60, 40]);
    const alpha = (x: number, y: number) => data[(y * 60 + x) * 4 + 3];
    assert.deepEqual([alpha(1, 38), alpha(58, 1), alpha(30, 10), alpha(10, 30)], [255, 0, 0, 255]);
    const plan = (await post('/cog/feature?url=world&explain=true', triangle)).json();
    assert.ok(plan.priceBytes > 0);
    const sized = await sharp((await post('/cog/feature.webp?url=world&max_size=30', triangle)).rawPayload).metadata();
    assert.equal(Math.max(sized.width, sized.height), 30);
  });

  test('GeoJSON that is none is refused with its place', async () => {
    const bad: [object, string][] = [
      [{ type: 'Point' }, '/type'],
      [{ type: 'Feature', geometry: { type: 'Point', coordinates: [0, 0] } }, '/geometry/type'],
      [
        {
          type: 'Feature',
          geometry: {
            type: 'Polygon',
            coordinates: [
              [
                [0, 0],
                [1, 1],
                [0, 0],
              ],
            ],
          },
        },
        '/geometry/coordinates/0',
      ],
      [{ type: 'Feature', geometry: { type: 'Polygon', coordinates: [[[0, 'a']]] } }, '/geometry/coordinates/0/0'],
    ];
    for (const [body, pointer] of bad) {
      const answer = await post('/cog/feature?url=world', body);
      assert.deepEqual([answer.statusCode, answer.json().code, answer.json().pointer], [400, 'bad-body', pointer]);
    }
    assert.equal((await post('/cog/feature?url=world', square(0, 95, 1, 96))).json().code, 'outside-bounds');
  });
});

describe('values at places', () => {
  test('points have the values that each has alone; null outside', async () => {
    const coordinates = [
      [86.925, 27.988],
      [8, 46],
      [86.925, 27.988],
      [0, 95],
    ];
    const many = (await post('/cog/points?url=elevation', { coordinates })).json();
    const alone = (await get('/cog/point/86.925,27.988?url=elevation')).json();
    assert.deepEqual(many.values[0], alone.values);
    assert.deepEqual(many.values[2], alone.values);
    assert.deepEqual(many.values[3], [null]);
    assert.deepEqual(many.coordinates, coordinates);
    const formula = (await get('/cog/point/86.925,27.988?url=elevation&expression=b1*2;b1-1')).json();
    assert.deepEqual(formula.values, [alone.values[0] * 2, alone.values[0] - 1]);
    assert.deepEqual(formula.band_names, ['b1', 'b2']);
    assert.equal((await post('/cog/points?url=elevation', { coordinates: [] })).json().pointer, '/coordinates');
    assert.equal((await get('/cog/point/86,27?url=elevation&algorithm=floor')).json().code, 'unknown-parameter');
  });

  test('a profile lies on the shortest way, its distances are those on the ground', async () => {
    const line = {
      type: 'LineString',
      coordinates: [
        [6, 45],
        [11, 48],
      ],
    };
    const found = (await post('/cog/profile?url=elevation&samples=5', line)).json();
    assert.equal(found.values.length, 5);
    assert.deepEqual([found.coordinates[0], found.coordinates[4]], line.coordinates);
    // By GeographicLib: GeodSolve -i of 45 6 48 11.
    assert.ok(Math.abs(found.distances[4] - 510_000) < 15_000, `${found.distances[4]}`);
    assert.ok(Math.abs(found.distances[2] * 2 - found.distances[4]) < 1e-6);
    assert.ok(found.values.every(([v]: [number]) => v > -100 && v < 4900));
    const alone = (await get(`/cog/point/${found.coordinates[2].join(',')}?url=elevation`)).json();
    assert.deepEqual(found.values[2], alone.values);
    assert.equal((await post('/cog/profile?url=elevation&samples=1', line)).statusCode, 422);
    assert.equal(
      (await post('/cog/profile?url=elevation', { type: 'Point', coordinates: [] })).json().pointer,
      '/type',
    );
  });
});
