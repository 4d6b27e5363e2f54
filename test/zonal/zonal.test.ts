import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { eachSpan, edgesOf } from '../../src/kernels/scanline.ts';
import { CATEGORIES_MAX, OnePass } from '../../src/kernels/statistics/one-pass.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'pyogrio', 'shapely', 'pyproj');
const NO_PYTHON = 'reason' in found ? found.reason : false;

interface Row {
  readonly id: number;
  readonly properties: Record<string, unknown>;
  readonly statistics: Record<
    string,
    {
      min: number | null;
      max: number | null;
      mean: number | null;
      sum: number;
      std: number | null;
      valid_pixels: number;
      masked_pixels: number;
      categories?: Record<string, number>;
    }
  > | null;
  readonly error?: string;
}

let app: App;
before(async () => {
  app = await testApp({ memory: '256MiB' });
});
after(() => app.close());

const get = (query: string, on = app) => on.server.inject({ url: `/zonal?${query}` });
const rows = async (query: string, on = app): Promise<Row[]> => {
  const answer = await get(query, on);
  assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
  return answer.body
    .trim()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row);
};

interface Expected {
  readonly id: number;
  readonly bands:
    | readonly { n: number; masked: number; min?: number; max?: number; mean?: number; sum?: number; std?: number }[]
    | null;
}

function oracle(zones: string, raster: string, limit: number): Expected[] {
  const script = join(import.meta.dirname, '../oracle/zonal.py');
  const run = spawnSync((found as { python: string }).python, [script, zones, raster, String(limit)], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Expected);
}

function compare(ours: readonly Row[], theirs: readonly Expected[], where: string): number {
  assert.equal(ours.length, theirs.length, where);
  let compared = 0;
  for (const [i, { bands }] of theirs.entries()) {
    const { statistics } = ours[i] as Row;
    if (bands === null) continue;
    const own = Object.values(statistics ?? {});
    for (const [b, expected] of bands.entries()) {
      const of = own[b];
      assert.ok(of, `${where}: zone ${i + 1}`);
      // A centre on the very edge may fall on either side of it: PROJ's last digits are not ours.
      const slack = Math.max(2, expected.n * 1e-4);
      assert.ok(
        Math.abs(of.valid_pixels - expected.n) <= slack,
        `${where}: zone ${i + 1}: ${of.valid_pixels} pixels, not ${expected.n}`,
      );
      if (of.valid_pixels !== expected.n || expected.n === 0) continue;
      const close = (a: number | null, b: number | undefined, name: string) =>
        assert.ok(
          a !== null &&
            Math.abs(a - (b as number)) <= 1e-9 * Math.max(1, Math.abs(b as number)) * Math.sqrt(expected.n),
          `${where}: zone ${i + 1}: ${name} ${a} is not ${b}`,
        );
      close(of.min, expected.min, 'min');
      close(of.max, expected.max, 'max');
      close(of.mean, expected.mean, 'mean');
      close(of.sum, expected.sum, 'sum');
      close(of.std, expected.std, 'std');
      compared++;
    }
  }
  return compared;
}

test('countries over elevation: the figures that rasterio and numpy find', { skip: NO_PYTHON }, async () => {
  const ours = await rows('zones=countries&raster=elevation&properties=');
  const theirs = oracle(join(DEMO, 'countries.fgb'), join(DEMO, 'elevation.tif'), 1000);
  assert.ok(compare(ours, theirs, 'countries') > 150);
});

test('zones in other systems than the raster, several bands, strips, masks', {
  skip: WITHOUT_SHARED || NO_PYTHON,
}, async () => {
  const pairs = [
    ['ne_50m_admin_0_countries', 'rt_cog_fullearth'],
    ['ne_110m_admin_0_countries', 'bluemarble_3857_webp'],
    ['countries_110m_3857', 'natearth_relief_4326_jpeg'],
    ['ne_10m_admin_0_countries', 'rs_RGB.byte'],
  ] as const;
  const paths = pairs.flatMap(([zones, raster]) => [
    join(SHARED, 'vector', `${zones}.fgb`),
    join(SHARED, 'raster', `${raster}.tif`),
  ]);
  const shared = await testApp({ paths, memory: '512MiB' });
  try {
    let compared = 0;
    for (const [zones, raster] of pairs) {
      const ours = await rows(`zones=${zones}&raster=${raster}&properties=&limit=60`, shared);
      const theirs = oracle(join(SHARED, 'vector', `${zones}.fgb`), join(SHARED, 'raster', `${raster}.tif`), 60);
      // rs_RGB.byte and pictures differ by codec only where JPEG is: counts and bounds are what is asked there.
      compared += /jpeg/.test(raster) ? 1 : compare(ours, theirs, `${zones} over ${raster}`);
    }
    assert.ok(compared > 100, `${compared} compared`);
  } finally {
    await shared.close();
  }
});

test('points take the pixel that they are in, as /cog/point does', async () => {
  const [first] = await rows('zones=places&raster=elevation&limit=1');
  const feature = (await app.server.inject({ url: `/collections/places/items/${first?.id}` })).json();
  const [lon, lat] = feature.geometry.coordinates;
  const point = (await app.server.inject({ url: `/cog/point/${lon},${lat}?url=elevation` })).json();
  assert.equal(first?.statistics?.['b1']?.mean, point.values[0]);
  assert.equal(first?.statistics?.['b1']?.valid_pixels, 1);
});

test('paging, attributes, bbox', async () => {
  const all = await rows('zones=countries&raster=elevation&properties=');
  const some = await rows('zones=countries&raster=elevation&properties=&cursor=10&limit=5');
  assert.deepEqual(some, all.slice(10, 15));
  const near = await rows('zones=countries&raster=elevation&bbox=5,44,11,48');
  assert.ok(near.length > 2 && near.length < 20);
  assert.ok(Object.keys(near[0]?.properties ?? {}).length > 0);
  assert.deepEqual(some[0]?.properties, {});
});

test('categories are counted by value, and refused in the line where there are too many', async () => {
  const counted = await rows('zones=countries&raster=world&bidx=1&categorical=true&limit=3&properties=');
  for (const { statistics } of counted) {
    const { categories = {}, valid_pixels } = statistics?.['b1'] ?? { valid_pixels: 0 };
    assert.equal(
      Object.values(categories).reduce((a, b) => a + b, 0),
      valid_pixels,
    );
  }
  const many = await rows('zones=countries&raster=elevation&categorical=true&properties=&bbox=86,27,88,29');
  assert.match(many.find(row => row.error)?.error ?? '', new RegExp(`more than ${CATEGORIES_MAX}`));
});

test('CSV has a header and a line a zone, quoted where it must be', async () => {
  const answer = await get('zones=countries&raster=elevation&f=csv&limit=4');
  assert.match(answer.headers['content-type'] as string, /^text\/csv/);
  const lines = answer.body.trim().split('\r\n');
  assert.equal(lines.length, 5);
  assert.match(
    lines[0] as string,
    /^id,.*error,b1_min,b1_max,b1_mean,b1_sum,b1_std,b1_valid_pixels,b1_masked_pixels,b1_valid_percent$/,
  );
});

test('the plan says what the first batch takes and reads nothing; what it costs does not grow with the zones', async () => {
  const plan = (await get('zones=countries&raster=elevation&explain=1')).json();
  assert.ok(plan.priceBytes > 0 && plan.plan.zones > 100, JSON.stringify(plan));
  assert.equal((await get('zones=countries&raster=elevation')).statusCode, 200);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(app.memory.ledger.stats().inUse.inflight, 0);
});

test('what cannot be meant is refused in words', async () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['zones=countries', 400, /raster: names no layer/],
    ['zones=elevation&raster=elevation', 422, /elevation is a raster layer/],
    ['zones=countries&raster=places', 422, /places is a vector layer/],
    ['zones=countrie&raster=elevation', 404, /countries/],
    ['zones=countries&raster=elevation&f=xml', 400, /none of ndjson, csv/],
    ['zones=countries&raster=elevation&properties=nam', 400, /"nam" is no attribute/],
    ['zones=countries&raster=elevation&bidx=7', 422, /bands 1 to 1/],
    ['zones=countries&raster=elevation&limit=0', 422, /limit: 0/],
    ['zones=countries&raster=elevation&bbox=1,2,3', 400, /4 numbers/],
  ];
  for (const [query, status, message] of cases) {
    const answer = await get(query);
    assert.equal(answer.statusCode, status, `${query}: ${answer.body}`);
    assert.match(answer.json().detail, message);
  }
});

test('spans: a pixel is in where its centre is, holes are out, edges that touch belong to one side', () => {
  const ring = (...points: number[]) => Float64Array.from(points);
  const cells = (rings: Float64Array[], size: number): string => {
    const grid = Array.from({ length: size }, () => new Array<string>(size).fill('.'));
    eachSpan(edgesOf(rings), 0, size, (row, from, to) => {
      for (let x = Math.max(0, from); x < Math.min(size, to); x++) (grid[row] as string[])[x] = '#';
    });
    return grid.map(row => row.join('')).join('|');
  };
  assert.equal(cells([ring(0, 0, 4, 0, 4, 4, 0, 4)], 5), '####.|####.|####.|####.|.....');
  assert.equal(cells([ring(0, 0, 5, 0, 5, 5, 0, 5), ring(1, 1, 4, 1, 4, 4, 1, 4)], 5), '#####|#...#|#...#|#...#|#####');
  assert.equal(cells([ring(0, 0, 5, 5, 0, 5)], 5), '#....|##...|###..|####.|#####');
  // A centre on the common edge of two is in one of them.
  const left = cells([ring(0, 0, 2.5, 0, 2.5, 5, 0, 5)], 5);
  const right = cells([ring(2.5, 0, 5, 0, 5, 5, 2.5, 5)], 5);
  for (const [i, cell] of [...left].entries()) if (cell !== '|') assert.notEqual(cell, right[i]);
});

test('a small spread about a large value keeps its digits', () => {
  const tally = new OnePass(false);
  for (let i = 0; i < 1000; i++) tally.add(1e9 + (i % 2));
  assert.deepEqual([tally.result().mean, tally.result().std], [1e9 + 0.5, 0.5]);
});

test('beside tiles: the only thread answers them while a batch of many blocks goes on', async () => {
  const order: string[] = [];
  const done = async (name: string, url: string) => {
    const answer = await app.server.inject({ url });
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
    order.push(name);
  };
  const { plan } = (await get('zones=countries&raster=world&properties=&limit=60&explain=true')).json();
  assert.ok(plan.firstBatch.zones === 60 && plan.firstBatch.windows > 100, JSON.stringify(plan));
  const long = done('zonal', '/zonal?zones=countries&raster=world&limit=60');
  const tiles = [0, 1, 2].map(x => done(`tile ${x}`, `/cog/tiles/WebMercatorQuad/4/${x}/5.png?url=world`));
  await Promise.all([long, ...tiles]);
  assert.equal(order.length, 4);
  assert.equal(order[3], 'zonal');
});
