/** What settings do, through the whole server: of rasters all, of the others those that no other test sets. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { budgetFor, memory } from '../../src/commands/memory.ts';
import { loadConfig } from '../../src/config/load.ts';
import { budgetSum } from '../../src/memory/budget.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { type RangeServer, rangeServer } from '../remote/range-server.ts';

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-effects-'));
const file = join(folder, 'plimsoll.yaml');
const layers = {
  sheets: { mosaic: { paths: [join(DEMO, 'world.tif')] } },
  lasting: { path: join(DEMO, 'places.fgb'), maxAge: '2h' },
  passing: { path: join(DEMO, 'places.fgb'), maxAge: 5 },
};
let server: RangeServer;
let usual: App;
let other: App;

const OTHER = {
  'raster.jpegQuality': '30',
  'raster.webpQuality': '10',
  'raster.maxSize': '500',
  'raster.tileCacheBytes': '40MiB',
  'cache.maxAge': '60',
  'cache.swr': '0',
  'cache.defaultEncodings': 'br',
  'features.limitDefault': '3',
  'sessions.quotaBytes': '1MiB',
  'server.trustProxy': 'true',
  'server.bodyLimit': '1KiB',
  'server.keepAliveTimeout': '7s',
  'server.requestTimeout': '9s',
  'server.cors.origins': 'https://a.example',
  'vector.buffer': '0',
  'discovery.extensions': '.FGB,.TIF',
};

before(async () => {
  server = await rangeServer();
  server.put('/cogs/world.tif', join(DEMO, 'world.tif'));
  copyFileSync(join(DEMO, 'places.fgb'), join(folder, 'upper.FGB'));
  writeFileSync(file, JSON.stringify({ layers }));
  const far = { 'remote.allow': `${server.url}/cogs/`, 'remote.addresses': '127.0.0.0/8' };
  usual = await testApp({ paths: [DEMO, folder], file, set: far });
  other = await testApp({ paths: [DEMO, folder], file, set: { ...far, ...OTHER } });
});
after(async () => {
  await usual.close();
  await other.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const get = (app: App, url: string, headers: Record<string, string> = {}) => app.server.inject({ url, headers });

/** Step of the mean of a block: libjpeg scales the 16 of its table by the quality. */
function jpegStep(jpeg: Buffer): number {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xdb]));
  return jpeg[at + 5];
}

/** Mean distance of the pixels to those of the same picture without loss. */
async function loss(app: App, path: string): Promise<number> {
  const pixels = async (format: string) =>
    sharp((await get(app, path.replace('.FORMAT', `.${format}`))).rawPayload)
      .removeAlpha()
      .raw()
      .toBuffer();
  const [lossy, exact] = [await pixels('webp'), await pixels('png')];
  return exact.reduce((sum, value, i) => sum + Math.abs(value - lossy[i]), 0) / exact.length;
}

describe('quality', () => {
  const far = () => encodeURIComponent(`${server.url}/cogs/world.tif`);
  const places = () => [
    '/tiles/world/1/1/0.FORMAT',
    '/tiles/sheets/1/1/0.FORMAT',
    '/cog/bbox/5,44,35,60.FORMAT?url=world&max_size=200',
    '/cog/preview.FORMAT?url=world&max_size=200',
    `/cog/preview.FORMAT?url=${far()}&max_size=200`,
  ];

  test('of JPEG: 80, or what raster.jpegQuality says, wherever one is made', async () => {
    for (const path of places()) {
      const url = path.replace('.FORMAT', '.jpg');
      const [before80, at30] = [await get(usual, url), await get(other, url)];
      assert.deepEqual([before80.statusCode, at30.statusCode], [200, 200], url);
      assert.deepEqual([jpegStep(before80.rawPayload), jpegStep(at30.rawPayload)], [6, 27], url);
      assert.notEqual(before80.headers.etag, at30.headers.etag, url);
    }
  });

  test('of WebP: 75, or what raster.webpQuality says', async () => {
    for (const path of places()) {
      const url = path.replace('.FORMAT', '.webp');
      const [at75, at10] = [await get(usual, url), await get(other, url)];
      assert.deepEqual([at75.statusCode, at10.statusCode], [200, 200], url);
      assert.ok(at10.rawPayload.length < at75.rawPayload.length * 0.7, url);
      assert.ok((await loss(other, path)) > (await loss(usual, path)) * 1.3, url);
    }
  });

  test('another one by a reload is another picture of another ETag', async () => {
    const config = (quality: string) =>
      loadConfig({
        env: {},
        paths: [DEMO],
        flags: [{ flag: '--set', key: 'raster.jpegQuality', text: quality }],
      });
    const app = await testApp();
    try {
      const first = await get(app, '/tiles/world/1/1/0.jpg');
      await app.reload(config('30'));
      const second = await get(app, '/tiles/world/1/1/0.jpg', { 'if-none-match': String(first.headers.etag) });
      assert.deepEqual([second.statusCode, jpegStep(second.rawPayload)], [200, 27]);
      await app.reload(config('80'));
      assert.equal((await get(app, '/tiles/world/1/1/0.jpg')).headers.etag, first.headers.etag);
    } finally {
      await app.close();
    }
  });

  test('the best of noise is within what was booked for its body', async () => {
    const side = 256;
    const pixels = Buffer.from(
      Uint32Array.from({ length: side * side }, (_, i) => Math.imul(i + 1, 2654435761)).buffer,
    );
    for (const channels of [3, 4] as const) {
      const raw = { width: side, height: side, channels };
      const image = sharp(pixels.subarray(0, side * side * channels), { raw });
      const made = [
        image.clone().webp({ quality: 100, effort: 0 }),
        image.clone().removeAlpha().jpeg({ quality: 100 }),
      ];
      for (const each of made) assert.ok((await each.toBuffer()).length <= side * side * 4 + 4096);
    }
  });
});

describe('raster.maxSize', () => {
  test('bounds what is asked for and what follows from it, and is told', async () => {
    const asked: readonly [string, number, RegExp][] = [
      [
        '/cog/bbox/5,44,11,48.png?url=elevation&width=501',
        422,
        /width: 501 is not between 1 and 500 \(raster\.maxSize\)/,
      ],
      ['/cog/bbox/5,44,11,48/20x600.png?url=elevation', 422, /height: 600 is not between 1 and 500/],
      ['/cog/preview.png?url=world&max_size=501', 422, /max_size: 501 is not between 1 and 500/],
      ['/cog/preview/501x9.png?url=world', 422, /width: 501/],
      ['/cog/bbox/5,44,5.1,48.png?url=elevation&width=100', 413, /100 × 2000 pixels: at most 500 a side/],
      ['/cog/bbox/-180,-90,180,90.png?url=elevation', 413, /1800 × 900 pixels: at most 500 a side/],
    ];
    for (const [url, status, detail] of asked) {
      const refused = await get(other, url);
      assert.equal(refused.statusCode, status, `${url} ${refused.body.slice(0, 200)}`);
      assert.match(refused.json().detail, detail);
      assert.equal((await get(usual, url)).statusCode, 200, url);
      if (status === 413) assert.equal(refused.json().fits.max_size, 500);
    }
    const whole = await get(other, '/cog/bbox/-180,-90,180,90.png?url=elevation&max_size=500');
    assert.equal(whole.statusCode, 200);
  });

  test('a preview of which nothing is said keeps to it', async () => {
    const { width } = await sharp((await get(other, '/cog/preview.png?url=world')).rawPayload).metadata();
    assert.equal(width, 500);
  });

  test('of a feature too', async () => {
    const ring = [[-170, -80], [170, -80], [170, 80], [-170, 80], [-170, -80]]; // biome-ignore format: one ring
    const payload = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } };
    const post = (url: string) => other.server.inject({ method: 'POST', url, payload });
    assert.equal((await post('/cog/feature.png?url=elevation')).statusCode, 413);
    assert.equal((await post('/cog/feature.png?url=elevation&width=501')).statusCode, 422);
    assert.equal((await post('/cog/feature.png?url=elevation&max_size=400')).statusCode, 200);
  });

  test('is the bound in the description', async () => {
    const bound = async (app: App, path: string, name: string) => {
      const { parameters } = (await get(app, '/api')).json().paths[path].get;
      return parameters.find((one: { name: string }) => one.name === name).schema;
    };
    assert.equal((await bound(other, '/cog/preview', 'width')).maximum, 500);
    assert.deepEqual(
      [await bound(other, '/cog/preview', 'max_size'), await bound(usual, '/cog/preview', 'max_size')].map(
        ({ maximum, default: fallback }) => [maximum, fallback],
      ),
      [
        [500, 500],
        [16384, 1024],
      ],
    );
  });

  test('a side that a format cannot say is refused before it is painted', async () => {
    const refused = await get(usual, '/cog/bbox/5,44,11,48/16384x2.webp?url=elevation');
    assert.deepEqual([refused.statusCode, refused.json().fits], [413, { max_size: 16383 }]);
    assert.equal((await get(usual, '/cog/bbox/5,44,11,48/16383x2.webp?url=elevation')).statusCode, 200);
  });
});

describe('parts of the budget that are given', () => {
  const budgetOf = (set: Record<string, string>, limit = 512) => {
    const flags = Object.entries(set).map(([key, text]) => ({ flag: '--set', key, text }));
    return budgetFor(limit * MIB, loadConfig({ env: {}, flags, paths: [] }));
  };

  test('are taken as said, the others share what is left', () => {
    const derived = budgetOf({});
    const given = budgetOf({
      'raster.tileCacheBytes': '60MiB',
      'vector.indexCacheBytes': '20MiB',
      'remote.indexBytes': '12MiB',
    });
    assert.equal(given.blocksBytes, 60 * MIB);
    assert.deepEqual([given.indexCacheBytes, given.remoteIndexBytes], [20 * MIB, 12 * MIB]);
    assert.ok(given.indexBytes > 32 * MIB);
    assert.ok(given.inflightBytes < derived.inflightBytes);
    assert.ok(budgetSum(given) <= given.line);
    assert.equal(budgetOf({ 'raster.tileCacheBytes': '0' }).blocksBytes, 0);
  });

  test('that leave no room are refused by name', () => {
    for (const key of ['raster.tileCacheBytes', 'vector.indexCacheBytes', 'remote.indexBytes'])
      assert.throws(() => budgetOf({ [key]: '400MiB' }), new RegExp(`or lower .*${key.replace('.', '\\.')}`));
    assert.throws(
      () => budgetOf({}, 80),
      (error: Error) => !error.message.includes('tileCacheBytes'),
    );
  });

  test('are shown by `plimsoll memory`, and booked', () => {
    const lines: string[] = [];
    const flags = [
      { flag: '--limit', key: 'memory.limit', text: '512MiB' },
      { flag: '--set', key: 'raster.tileCacheBytes', text: '40MiB' },
    ];
    const output = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
    assert.equal(memory({ config: null, flags, json: false }, {}, output), 0);
    assert.match(lines.join('\n'), /blocks +40\.0 MiB/);
    assert.equal(other.memory.ledger.inUse.blocks, 40 * MIB);
  });
});

describe('others', () => {
  test('life of answers: cache.maxAge, cache.swr, and longer or shorter of a layer', async () => {
    const life = async (app: App, id: string) => (await get(app, `/tiles/${id}/0/0/0.mvt`)).headers['cache-control'];
    const swr = 'stale-while-revalidate=86400';
    assert.equal(await life(usual, 'upper'), `public, max-age=3600, ${swr}`);
    assert.equal(await life(usual, 'lasting'), `public, max-age=7200, ${swr}`);
    assert.equal(await life(usual, 'passing'), `public, max-age=5, ${swr}`);
    assert.equal(await life(usual, 'lasting,passing'), `public, max-age=5, ${swr}`);
    assert.equal(await life(other, 'upper'), 'public, max-age=60');
    assert.equal(await life(other, 'lasting'), 'public, max-age=7200');
  });

  test('encodings of tiles, buffer, features a page', async () => {
    const all = { 'accept-encoding': 'gzip, br, zstd' };
    const tiles = [await get(usual, '/tiles/upper/1/1/0.mvt', all), await get(other, '/tiles/upper/1/1/0.mvt', all)];
    assert.deepEqual(
      tiles.map(({ headers }) => headers['content-encoding']),
      ['gzip', 'br'],
    );
    const plain = { 'accept-encoding': 'identity' };
    const [wide, narrow] = await Promise.all(
      [usual, other].map(async app => (await get(app, '/tiles/upper/1/1/0.mvt', plain)).rawPayload.length),
    );
    assert.ok(narrow < wide, 'what lies in the buffer is not there');
    for (const [app, count] of [
      [usual, 10],
      [other, 3],
    ] as const)
      assert.equal((await get(app, '/collections/upper/items')).json().numberReturned, count);
  });

  test('server.*: who is believed, how long, how much', async () => {
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'maps.example' };
    const link = async (app: App) => (await get(app, '/layers/upper', forwarded)).json().tilejson;
    assert.equal(await link(usual), 'http://localhost:80/tiles/upper');
    assert.equal(await link(other), 'https://maps.example/tiles/upper');
    const { keepAliveTimeout, requestTimeout } = other.server.server;
    assert.deepEqual([keepAliveTimeout, requestTimeout], [7000, 9000]);
    const payload = { coordinates: Array.from({ length: 100 }, () => [10.25, 50.25]) };
    const post = (app: App) => app.server.inject({ method: 'POST', url: '/cog/points?url=world', payload });
    assert.deepEqual([(await post(usual)).statusCode, (await post(other)).statusCode], [200, 413]);
  });

  test('a shared cache keeps answers for one origin apart from those for another', async () => {
    for (const origin of ['https://a.example', 'https://b.example', null]) {
      for (const [url, varies] of [
        ['/tiles/upper/0/0/0.mvt', 'accept-encoding, origin'],
        ['/tiles/nope/0/0/0.mvt', 'origin'],
        ['/layers', /\borigin$/],
      ] as const) {
        const { headers } = await get(other, url, origin === null ? {} : { origin });
        assert.equal(headers['access-control-allow-origin'], origin === 'https://a.example' ? origin : undefined, url);
        assert.match(String(headers.vary), new RegExp(varies));
      }
    }
    assert.equal((await get(usual, '/tiles/upper/0/0/0.mvt')).headers.vary, 'accept-encoding');
  });

  test('endings of files in whatever case', async () => {
    for (const app of [usual, other]) assert.equal((await get(app, '/layers/upper')).statusCode, 200);
  });

  test('the quota of a session', async () => {
    const { id } = (await other.server.inject({ method: 'POST', url: '/sessions' })).json();
    assert.equal((await get(other, `/sessions/${id}`)).json().quotaBytes, MIB);
  });

  test('raster.maxReadAmplification holds for rasters by `url=`', async () => {
    const url = encodeURIComponent(`${server.url}/cogs/world.tif`);
    const set = { 'remote.allow': `${server.url}/cogs/`, 'remote.addresses': '127.0.0.0/8' };
    const app = await testApp({ set: { ...set, 'raster.maxReadAmplification': '1' } });
    try {
      const refused = await get(app, `/cog/preview.png?url=${url}&max_size=64`);
      assert.deepEqual([refused.statusCode, refused.json().code], [413, 'read-amplification']);
    } finally {
      await app.close();
    }
  });
});
