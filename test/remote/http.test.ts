import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const SHARED_RASTERS = [
  'bluemarble_3857_webp.tif',
  'dsm_nrw_25832_f32_lerc_zstd.tif',
  'rt_cog_rgb_mask.tif',
  'rt_nocog.tif',
  'rs_RGB.byte.tif',
];

let server: RangeServer;
let app: App;
before(async () => {
  server = await rangeServer();
  for (const name of ['elevation', 'world']) server.put(`/cogs/${name}.tif`, join(DEMO, `${name}.tif`));
  app = await remoteApp();
});
after(async () => {
  await app.close();
  await server.close();
});
afterEach(() => {
  server.fault = null;
  app.memory.ledger.audit();
  assert.equal(app.memory.ledger.inUse.inflight, 0);
});

const remoteApp = (set: Record<string, string> = {}, paths?: string[]) =>
  testApp({
    set: {
      'remote.allow': `${server.url}/cogs/`,
      'remote.addresses': '127.0.0.0/8',
      'remote.retries': '0',
      'remote.timeout': '2s',
      ...set,
    },
    ...(paths ? { paths } : {}),
  });

const get = (url: string, headers: Record<string, string> = {}, of: App = app) =>
  of.server.inject({ method: 'GET', url, headers });
const at = (path: string) => encodeURIComponent(`${server.url}/cogs/${path}`);

/** The same of the remote file and of the layer: the local one was painted from the file itself. */
async function same(of: App, path: string, remote: string, local: string, payload?: object): Promise<void> {
  const ask = (url: string) =>
    of.server.inject(
      payload ? { method: 'POST', url: path.replace('{url}', url), payload } : path.replace('{url}', url),
    );
  // One after the other: two large windows of one client are more than its share.
  const far = await ask(remote);
  const near = await ask(local);
  assert.equal(far.statusCode, 200, `${path}: ${far.body.slice(0, 300)}`);
  assert.equal(far.headers['content-type'], near.headers['content-type']);
  assert.ok(far.rawPayload.equals(near.rawPayload), `${path} is another answer`);
}

const square = {
  type: 'Feature',
  properties: {},
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [5, 45],
        [12, 45],
        [12, 50],
        [5, 45],
      ],
    ],
  },
};

describe('the same answers as of the file itself', () => {
  for (const path of [
    '/cog/tiles/WebMercatorQuad/2/2/1.png?url={url}',
    '/cog/tiles/WebMercatorQuad/4/8/5@2x.png?url={url}&resampling=bilinear',
    '/cog/tiles/WorldCRS84Quad/3/8/2.webp?url={url}',
    '/cog/tiles/WebMercatorQuad/3/4/2.npy?url={url}',
    '/cog/tiles/WebMercatorQuad/0/0/0.jpg?url={url}',
    '/cog/bbox/5,44,12,50.tif?url={url}',
    '/cog/bbox/-20,30,40,70/700x900.npy?url={url}',
    '/cog/bbox/170,-20,-170,20.png?url={url}&max_size=300',
    '/cog/preview.png?url={url}&max_size=300',
    '/cog/preview.npy?url={url}&max_size=2000',
    '/cog/point/8.5,46.5?url={url}',
    '/cog/statistics?url={url}&max_size=1024',
  ]) {
    test(path, async () => {
      for (const name of ['elevation', 'world']) await same(app, path, at(`${name}.tif`), name);
    });
  }

  test('statistics of every pixel', () => same(app, '/cog/statistics?url={url}', at('elevation.tif'), 'elevation'));

  test('requests with a body', async () => {
    const url = at('elevation.tif');
    await same(app, '/cog/feature/200x200.png?url={url}', url, 'elevation', square);
    await same(app, '/cog/statistics?url={url}', url, 'elevation', square);
    await same(app, '/cog/points?url={url}', url, 'elevation', {
      coordinates: [
        [8, 46],
        [9, 47],
        [-3, 40],
        [0, 89],
      ],
    });
    await same(app, '/cog/profile?url={url}&samples=100', url, 'elevation', {
      coordinates: [
        [0, 40],
        [20, 60],
      ],
    });
  });

  test('documents', async () => {
    const info = (await get(`/cog/info?url=${at('elevation.tif')}`)).json();
    const own = (await get('/cog/info?url=elevation')).json();
    assert.deepEqual({ ...info, name: null }, { ...own, name: null });
    const feature = (await get(`/cog/info.geojson?url=${at('elevation.tif')}`)).json();
    assert.equal(feature.type, 'Feature');
    const tileJson = (await get(`/cog/tilejson.json?url=${at('elevation.tif')}&rescale=0,4000`)).json();
    assert.deepEqual(tileJson.bounds, (await get('/cog/tilejson.json?url=elevation')).json().bounds);
    const tile = new URL(tileJson.tiles[0].replace('{z}', '2').replace('{x}', '2').replace('{y}', '1'));
    await same(app, '/cog/tiles/WebMercatorQuad/2/2/1.png?url={url}&rescale=0,4000', at('elevation.tif'), 'elevation');
    const tiled = await get(tile.pathname + tile.search);
    assert.ok(tiled.rawPayload.equals((await get('/tiles/elevation/2/2/1.png?rescale=0,4000')).rawPayload));
    const wmts = (await get(`/cog/WorldCRS84Quad/WMTSCapabilities.xml?url=${at('elevation.tif')}`)).body;
    const template = /template="([^"]+\.png[^"]+)"/.exec(wmts)![1].replaceAll('&amp;', '&');
    const asked = new URL(
      template
        .replace('{TileMatrixSet}', 'WorldCRS84Quad')
        .replace('{TileMatrix}', '1')
        .replace('{TileCol}', '2')
        .replace('{TileRow}', '0'),
    );
    assert.equal((await get(asked.pathname + asked.search)).statusCode, 200);
    assert.equal((await get(`/cog/map.html?url=${at('elevation.tif')}`)).statusCode, 200);
  });

  test('of every codec, of masks, of files that are no COG', { skip: WITHOUT_SHARED }, async () => {
    const paths = SHARED_RASTERS.map(name => join(SHARED, 'raster', name));
    const own = await remoteApp({}, paths);
    try {
      for (const name of SHARED_RASTERS) {
        server.put(`/cogs/${name}`, join(SHARED, 'raster', name));
        for (const path of [
          '/cog/preview.png?url={url}&max_size=200',
          '/cog/preview.npy?url={url}&max_size=512',
          '/cog/statistics?url={url}&max_size=512',
        ])
          await same(own, path, at(name), name);
        const { tiles, center } = (await get(`/cog/tilejson.json?url=${at(name)}`, {}, own)).json();
        assert.ok(tiles[0].includes('/cog/tiles/'), `${center}`);
      }
    } finally {
      await own.close();
    }
  });

  test('ETag and 304, and a second answer without a request', async () => {
    const url = `/cog/tiles/WebMercatorQuad/3/4/3.png?url=${at('world.tif')}`;
    const first = await get(url);
    const seen = server.requests.length;
    assert.equal((await get(url, { 'if-none-match': String(first.headers['etag']) })).statusCode, 304);
    assert.equal((await get(url)).headers['x-plimsoll'], 'hit');
    assert.equal(server.requests.length, seen);
  });
});

describe('what is read', () => {
  test('ranges that are neighbours are asked for together, and no more than the plan said', async () => {
    const path = `/cog/bbox/-60,-30,60,60/1200x900.png?url=${at('world.tif')}`;
    const { cost, plan } = (await get(`${path}&explain=1`)).json();
    const before = server.requests.length;
    assert.equal((await get(path)).statusCode, 200);
    const asked = server.requests
      .slice(before)
      .map(({ range }) => /bytes=(\d+)-(\d+)/.exec(range)!.slice(1).map(Number));
    const bytes = asked.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    assert.ok(asked.length < plan.blocks, `${asked.length} requests for ${plan.blocks} blocks`);
    assert.ok(asked.length <= plan.requests, `${asked.length} of ${plan.requests} requests`);
    assert.ok(bytes <= cost.inputBytes, `${bytes} of ${cost.inputBytes}`);
  });

  test('tiles that want the same blocks at the same time have them from one request', async () => {
    const own = await remoteApp();
    try {
      await get(`/cog/info?url=${at('world.tif')}`, {}, own);
      const before = server.requests.length;
      const tiles = Array.from(
        { length: 16 },
        (_, i) => `/cog/tiles/WebMercatorQuad/5/${14 + (i % 4)}/${10 + (i >> 2)}.png?url=${at('world.tif')}`,
      );
      for (const { statusCode } of await Promise.all(tiles.map(url => get(url, {}, own))))
        assert.equal(statusCode, 200);
      const asked = server.requests
        .slice(before)
        .map(({ range }) => /bytes=(\d+)-(\d+)/.exec(range)!.slice(1).map(Number))
        .sort(([a], [b]) => a - b);
      assert.ok(asked.length > 0);
      for (const [i, [from]] of asked.entries()) assert.ok(i === 0 || from > asked[i - 1][1], 'no byte is read twice');
    } finally {
      await own.close();
    }
  });

  test('nothing of the client goes to the other server', async () => {
    const before = server.requests.length;
    await get(`/cog/preview.png?url=${at('world.tif')}%3Ftoken%3D1&max_size=64`, {
      authorization: 'Bearer x',
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
    });
    const sent = server.requests.slice(before);
    assert.ok(sent.length > 0 && sent.every(({ path }) => path === '/cogs/world.tif?token=1'));
    for (const { headers } of sent)
      assert.deepEqual(
        ['authorization', 'cookie', 'x-forwarded-for'].filter(name => headers[name]),
        [],
      );
  });
});

describe('what is refused', () => {
  const codeOf = async (url: string, of: App = app) => {
    const answer = await get(url, {}, of);
    assert.equal(answer.headers['content-type'], 'application/problem+json', url);
    return [answer.statusCode, answer.json().code, answer.json().reason].filter(Boolean);
  };

  test('every URL, where none is named', async () => {
    const off = await testApp();
    try {
      assert.deepEqual(await codeOf(`/cog/info?url=${at('world.tif')}`, off), [403, 'remote-forbidden', 'off']);
    } finally {
      await off.close();
    }
  });

  test('loopback, where its address is not named', async () => {
    const own = await remoteApp({ 'remote.addresses': '' });
    try {
      assert.deepEqual(await codeOf(`/cog/info?url=${at('world.tif')}`, own), [403, 'remote-forbidden', 'address']);
    } finally {
      await own.close();
    }
  });

  test('what the list does not have, with the URL and without its query', async () => {
    for (const [url, reason] of [
      ['https://example.org/x.tif', 'host'],
      [`${server.url}/other/x.tif`, 'path'],
      [`${server.url.replace('//', '//user:secret@')}/cogs/x.tif`, 'credentials'],
      ['file:///etc/passwd', 'scheme'],
      ['s3://bucket/x.tif', 'scheme'],
    ])
      assert.deepEqual(await codeOf(`/cog/preview.png?url=${encodeURIComponent(url)}`), [
        403,
        'remote-forbidden',
        reason,
      ]);
    const body = (
      await get(`/cog/info?url=${encodeURIComponent('https://example.org/x.tif?signature=s3cr3t')}`)
    ).json();
    assert.ok(body.detail.includes('https://example.org/x.tif') && !body.detail.includes('s3cr3t'));
  });

  test('each fault of the other server by its own code, and nothing stays behind', async () => {
    const faults: [number, string, (response: import('node:http').ServerResponse) => void][] = [
      [404, 'remote-not-found', r => r.writeHead(404).end()],
      [403, 'remote-denied', r => r.writeHead(401).end()],
      [502, 'remote-failed', r => r.writeHead(500).end()],
      [502, 'remote-redirected', r => r.writeHead(301, { location: 'https://example.org/' }).end()],
      [502, 'remote-bad-answer', r => r.writeHead(200).end('x'.repeat(1000))],
      [502, 'remote-failed', r => void r.socket?.resetAndDestroy()],
    ];
    for (const [i, [status, code, fault]] of faults.entries()) {
      server.fault = (_, response) => {
        fault(response);
        return true;
      };
      const answer = await codeOf(`/cog/info?url=${at(`fault${i}.tif`)}`);
      assert.deepEqual(answer.slice(0, 2), [status, code]);
      server.fault = null;
    }
    const slow = await remoteApp({ 'remote.timeout': '150ms' });
    try {
      server.fault = () => true;
      assert.deepEqual(await codeOf(`/cog/info?url=${at('world.tif')}`, slow), [504, 'remote-timeout']);
    } finally {
      await slow.close();
    }
  });

  test('a file that is no TIFF, and what is no raster at all', async () => {
    server.put('/cogs/text.tif', new TextEncoder().encode('no TIFF'));
    assert.deepEqual((await codeOf(`/cog/info?url=${at('text.tif')}`)).slice(0, 2), [422, 'layer-not-servable']);
    server.put('/cogs/empty.tif', new Uint8Array(0));
    assert.deepEqual((await codeOf(`/cog/info?url=${at('empty.tif')}`)).slice(0, 2), [502, 'remote-bad-answer']);
  });

  test('faults while pixels are read', async () => {
    const url = `/cog/preview.png?url=${at('elevation.tif')}&max_size=`;
    await get(`${url}10`);
    const faults: [number, string, (response: import('node:http').ServerResponse) => void][] = [
      [502, 'remote-failed', r => r.writeHead(503).end()],
      [502, 'remote-failed', r => void r.socket?.resetAndDestroy()],
      [502, 'remote-bad-answer', r => r.writeHead(200).end('x')],
      [404, 'remote-not-found', r => r.writeHead(404).end()],
    ];
    for (const [i, [status, code, fault]] of faults.entries()) {
      server.fault = (_, response) => {
        fault(response);
        return true;
      };
      assert.deepEqual((await codeOf(`${url}${1500 + i}`)).slice(0, 2), [status, code]);
    }
  });

  test('a client that leaves ends what is under way for it', async () => {
    const port = await app.server.listen({ port: 0, host: '127.0.0.1' });
    await get(`/cog/info?url=${at('world.tif')}`);
    let begun = 0;
    server.fault = () => {
      begun++;
      return true;
    };
    const leaving = new AbortController();
    const work = fetch(`${port}/cog/bbox/-100,-50,20,50/1000x1000.png?url=${at('world.tif')}`, {
      signal: leaving.signal,
    });
    for (let turns = 0; begun === 0 && turns < 2_000; turns++) await new Promise(resolve => setTimeout(resolve, 2));
    leaving.abort();
    await assert.rejects(work);
    for (let turns = 0; app.memory.ledger.inUse.inflight > 0 && turns < 500; turns++)
      await new Promise(resolve => setTimeout(resolve, 10));
  });
});

describe('files that change', () => {
  test('while they are read: said so, and served anew by the next request', async () => {
    const [elevation, world] = ['elevation', 'world'].map(name => readFileSync(join(DEMO, `${name}.tif`)));
    server.put('/cogs/changing.tif', elevation, { etag: '"1"' });
    const url = (size: number) => `/cog/preview.npy?url=${at('changing.tif')}&max_size=${size}`;
    assert.equal((await get(url(50))).statusCode, 200);
    server.put('/cogs/changing.tif', world, { etag: '"2"' });
    const answer = await get(url(900));
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'source-changed']);
    const [far, near] = await Promise.all([get(url(901)), get('/cog/preview.npy?url=world&max_size=901')]);
    assert.ok(far.rawPayload.equals(near.rawPayload));
  });

  test('between requests: found out after a while, by one byte', async () => {
    const own = await remoteApp({ 'remote.ttl': '1ms' });
    try {
      server.put('/cogs/later.tif', join(DEMO, 'elevation.tif'), { etag: '"1"' });
      assert.equal((await get(`/cog/info?url=${at('later.tif')}`, {}, own)).json().count, 1);
      const before = server.requests.length;
      await new Promise(resolve => setTimeout(resolve, 5));
      assert.equal((await get(`/cog/info?url=${at('later.tif')}`, {}, own)).json().count, 1);
      assert.deepEqual(
        server.requests.slice(before).map(({ range }) => range),
        ['bytes=0-0'],
      );
      server.put('/cogs/later.tif', join(DEMO, 'world.tif'), { etag: '"2"' });
      await new Promise(resolve => setTimeout(resolve, 5));
      assert.equal((await get(`/cog/info?url=${at('later.tif')}`, {}, own)).json().count, 3);
    } finally {
      await own.close();
    }
  });
});

describe('many URLs', () => {
  test('are open at most so many at once, whatever is asked for; the books are even afterwards', async () => {
    const own = await remoteApp({ 'remote.maxFiles': '8', 'memory.queue.max': '1000' });
    const before = own.memory.ledger.inUse.index;
    try {
      const ask = (i: number) => get(`/cog/info?url=${at('elevation.tif')}%3Fn%3D${i}`, {}, own);
      for (let i = 0; i < 200; i += 8) await Promise.all(Array.from({ length: 8 }, (_, n) => ask(i + n)));
      const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(1000 + n)));
      for (const { statusCode } of answers) assert.ok([200, 503].includes(statusCode), String(statusCode));
      const most = 8 * (2048 + 64 * 1024);
      assert.ok(
        own.memory.ledger.inUse.index - before <= most,
        `${own.memory.ledger.inUse.index - before} bytes of 8 files`,
      );
      own.memory.ledger.audit();
    } finally {
      await own.close();
    }
    assert.equal(own.memory.ledger.inUse.index <= before, true);
  });

  test('failures are told again, not asked for again by every tile', async () => {
    const before = server.requests.length;
    for (let i = 0; i < 20; i++)
      assert.equal((await get(`/cog/tiles/WebMercatorQuad/5/${i}/3.png?url=${at('none.tif')}`)).statusCode, 404);
    assert.equal(server.requests.length - before, 1);
  });
});
