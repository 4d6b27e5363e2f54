/** Other grids over HTTP: documents, tiles by every route, what is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { testApp } from '../lib/app.ts';
import { checkTile } from '../lib/mvt-check.ts';
import { CUSTOM, DUTCH } from './sets.ts';

const folder = mkdtempSync(join(tmpdir(), 'grids-http-'));
const file = join(folder, 'plimsoll.yaml');
let app: App;

before(async () => {
  for (const document of CUSTOM) writeFileSync(join(folder, `${document.id}.json`), JSON.stringify(document));
  writeFileSync(file, `tileMatrixSets:\n${CUSTOM.map(({ id }) => `  ${id}: ${id}.json\n`).join('')}`);
  app = await testApp({ file, set: { 'server.publicUrl': 'http://h' } });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function get(url: string): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }> {
  const answer = await app.server.inject(url);
  return { status: answer.statusCode, body: answer.json() };
}

describe('documents', () => {
  test('/tileMatrixSets lists built-in and configured sets, each with its definition', async () => {
    const { body } = await get('/tileMatrixSets');
    const ids = body['tileMatrixSets'].map(({ id }: { id: string }) => id);
    for (const id of ['WebMercatorQuad', 'WorldCRS84Quad', 'EuropeanETRS89_LAEAQuad', 'WideUTM', 'Dutch'])
      assert.ok(ids.includes(id), id);
    for (const { links } of body['tileMatrixSets']) {
      const { status, body: set } = await get(links[0].href.slice('http://h'.length));
      assert.equal(status, 200);
      assert.ok(set['tileMatrices'].length > 0);
    }
    const { body: dutch } = await get('/tileMatrixSets/Dutch');
    assert.equal(dutch['crs'], DUTCH.crs.uri);
    assert.deepEqual(dutch['tileMatrices'][0].pointOfOrigin, [-50_000, 640_000]);
    assert.equal((await get('/tileMatrixSets/Duch')).status, 404);
  });

  test('tilesets of collections lead to their tiles', async () => {
    for (const [id, path, type] of [
      ['countries', 'tiles', 'application/vnd.mapbox-vector-tile'],
      ['elevation', 'map/tiles', 'image/png'],
    ]) {
      const { links } = (await get(`/collections/${id}`)).body as { links: { rel: string; href: string }[] };
      const list = links.find(({ rel }) => /tilesets-(vector|map)$/.test(rel));
      assert.equal(list?.href, `http://h/collections/${id}/${path}`);
      const { tilesets } = (await get(`/collections/${id}/${path}`)).body;
      assert.ok(tilesets.length >= 12);
      const { body } = await get(`/collections/${id}/${path}/WorldCRS84Quad`);
      assert.equal(body['crs'], 'http://www.opengis.net/def/crs/OGC/1.3/CRS84');
      const item = body['links'].find(
        (link: { rel: string; type: string }) => link.rel === 'item' && link.type === type,
      );
      assert.equal(item.templated, true);
      const url = item.href
        .replace('http://h', '')
        .replace('{tileMatrix}', '1')
        .replace('{tileRow}', '0')
        .replace('{tileCol}', '2');
      const tile = await app.server.inject({ url, headers: { accept: type } });
      assert.equal(tile.statusCode, 200);
      assert.equal(tile.headers['content-type'], type);
      const same = await app.server.inject(`/tiles/WorldCRS84Quad/${id}/1/2/0.${path === 'tiles' ? 'mvt' : 'png'}`);
      assert.deepEqual(same.rawPayload, tile.rawPayload);
    }
    assert.equal((await get('/collections/elevation/tiles')).status, 422);
    assert.equal((await get('/collections/countries/map/tiles')).status, 422);
  });

  test('TileJSON of another set counts its own zooms and leads to its tiles', async () => {
    const { body: plain } = await get('/tiles/elevation');
    const { body } = await get('/cog/WorldCRS84Quad/tilejson.json?url=elevation');
    assert.equal(body['maxzoom'], plain['maxzoom'] - 1);
    assert.equal(
      body['tiles'][0],
      'http://h/tiles/WorldCRS84Quad/elevation/{z}/{x}/{y}.png?url=elevation'.replace(
        '?url=elevation',
        body['tiles'][0].includes('?') ? '?url=elevation' : '',
      ),
    );
    const vector = (await get('/tiles/WorldCRS84Quad/countries/tilejson.json')).body;
    assert.equal(vector['vector_layers'][0].maxzoom, vector['maxzoom']);
    assert.match(vector['tileMatrixSet'], /tileMatrixSets\/WorldCRS84Quad$/);
  });
});

describe('tiles', () => {
  test('an image is as large as its matrix says, twice that with @2x, empty ones too', async () => {
    for (const [url, width, height] of [
      ['/tiles/LatLon/elevation/0/1/1.png', 128, 64],
      ['/tiles/LatLon/elevation/0/1/1@2x.png', 256, 128],
      ['/tiles/WideUTM/elevation/1/1/2.webp', 512, 256],
      ['/cog/tiles/WideUTM/0/0/1.png?url=elevation', 512, 256],
      ['/collections/elevation/map/tiles/Dutch/0/0/0.jpg', 400, 300],
      ['/tiles/UPSAntarcticWGS84Quad/elevation/3/0/0.png', 256, 256],
    ] as const) {
      const tile = await app.server.inject(url);
      assert.equal(tile.statusCode, 200, `${url}: ${tile.body.slice(0, 200)}`);
      const meta = await sharp(tile.rawPayload).metadata();
      assert.deepEqual([meta.width, meta.height], [width, height], url);
    }
  });

  test('vector tiles by every matrix of every set are valid, cached, and priced', async () => {
    const { tileMatrixSets } = (await get('/tileMatrixSets')).body;
    for (const { id } of tileMatrixSets as { id: string }[]) {
      const { tileMatrices } = (await get(`/tileMatrixSets/${id}`)).body;
      for (const { id: z, matrixWidth, matrixHeight } of tileMatrices.slice(0, 4)) {
        const url = `/tiles/${id}/countries,places/${z}/${Math.floor(matrixWidth / 2)}/${Math.floor(matrixHeight / 2)}.mvt`;
        const tile = await app.server.inject(url);
        assert.ok(tile.statusCode === 200 || tile.statusCode === 204, `${url}: ${tile.body.slice(0, 200)}`);
        if (tile.statusCode === 200) assert.deepEqual(checkTile(tile.rawPayload).faults, [], url);
        const explained = await get(`${url}?explain=1`);
        assert.equal(explained.status, 200, url);
        const again = await app.server.inject(url);
        assert.equal(again.headers['x-plimsoll'], 'hit', url);
        assert.equal(again.headers.etag, tile.headers.etag);
      }
    }
  });

  test('what is outside of a grid, or of another kind, is told', async () => {
    const refused: readonly [string, number, RegExp][] = [
      ['/tiles/WorldCRS84Quad/countries/0/2/0.mvt', 404, /0\/2\/0 is not a tile of WorldCRS84Quad/],
      ['/tiles/UTM31WGS84Quad/countries/0/0/0.mvt', 404, /"0" is no tile matrix of UTM31WGS84Quad, which has 1 … 24/],
      ['/tiles/WorldCRS84/countries/0/0/0.mvt', 404, /WorldCRS84Quad/],
      ['/tiles/Dutch/countries/0/0/x.mvt', 400, /y:/],
      ['/collections/countries/tiles/Dutch/0/x/0', 400, /x:/],
      ['/tiles/WorldCRS84Quad/elevation/0/0/0.mvt', 422, /raster/],
    ];
    for (const [url, status, words] of refused) {
      const { status: got, body } = await get(url);
      assert.equal(got, status, `${url}: ${JSON.stringify(body)}`);
      assert.match(body['detail'], words, url);
    }
  });
});

test('a file that is no set to serve is a wrong configuration, with its line and code', () => {
  const wrong = join(folder, 'wrong.yaml');
  const variable = { ...DUTCH.tileMatrices[0], variableMatrixWidths: [{ coalesce: 2, minTileRow: 0, maxTileRow: 0 }] };
  writeFileSync(join(folder, 'variable.json'), JSON.stringify({ ...DUTCH, tileMatrices: [variable] }));
  writeFileSync(join(folder, 'text.json'), 'no json');
  writeFileSync(wrong, 'tileMatrixSets:\n  A: variable.json\n  B: text.json\n  C: missing.json\n');
  assert.throws(
    () => loadConfig({ env: {}, file: wrong }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(
        error.issues.map(({ key, line }) => [key, line]),
        [
          ['tileMatrixSets.A', 2],
          ['tileMatrixSets.B', 3],
          ['tileMatrixSets.C', 4],
        ],
      );
      assert.match(error.issues[0].message, /variableMatrixWidths.*tms-variable-widths/);
      return true;
    },
  );
});
