/** Filtered tiles: against brute force over every feature, thinned and not; price, cache, refusals. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import type { App } from '../../src/app.ts';
import { SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';

const CITIES = `${SHARED}/vector/cities_pop5000.fgb`;
const LAND = `${SHARED}/vector/ne_110m_admin_0_countries.fgb`;
const skip = WITHOUT_SHARED || (existsSync(CITIES) ? false : `${CITIES} is not there`);

describe('filtered tiles', { skip }, () => {
  let app: App;
  before(async () => {
    app = await testApp({ paths: [CITIES, LAND], set: { 'vector.maxFeatures': '1500' } });
  });
  after(() => app.close());

  const get = (path: string, params: Record<string, string> = {}) =>
    app.server.inject(`/tiles/${path}?${new URLSearchParams(params)}`);

  const idsOf = (body: Buffer, layer: string) => {
    const found = new VectorTile(new PbfReader(body)).layers[layer];
    return Array.from({ length: found?.length ?? 0 }, (_, i) => found.feature(i).id as number);
  };

  /** Places and ids of all cities that match, from items, which the oracle has judged. */
  const matching = async (filter: string) => {
    const found: { id: number; x: number; y: number }[] = [];
    let next: string | null =
      `/collections/cities_pop5000/items?${new URLSearchParams({ filter, limit: '10000', properties: '' })}`;
    while (next !== null) {
      const page: {
        features: { id: number; geometry: { coordinates: number[] } }[];
        links: { rel: string; href: string }[];
      } = (await app.server.inject(next)).json();
      for (const { id, geometry } of page.features) {
        const [lon, lat] = geometry.coordinates;
        const sin = Math.sin((lat * Math.PI) / 180);
        found.push({ id, x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) });
      }
      const link = page.links.find(({ rel }) => rel === 'next');
      next = link ? link.href.slice(link.href.indexOf('/collections')) : null;
    }
    return found;
  };

  test('where nothing is thinned a tile has exactly the features that match', async () => {
    const filter = "country IN ('FR', 'DE') AND population > 20000";
    const all = await matching(filter);
    for (const [z, x, y] of [
      [9, 259, 176],
      [8, 132, 86],
      [9, 268, 168],
    ]) {
      const reply = await get(`cities_pop5000/${z}/${x}/${y}.mvt`, { filter });
      const room = 64 / 4096;
      const inside = all.filter(
        one => Math.abs(one.x * 2 ** z - x - 0.5) <= 0.5 + room && Math.abs(one.y * 2 ** z - y - 0.5) <= 0.5 + room,
      );
      const ids = reply.statusCode === 204 ? [] : idsOf(reply.rawPayload, 'cities_pop5000');
      assert.deepEqual(new Set(ids), new Set(inside.map(({ id }) => id)), `${z}/${x}/${y}`);
      assert.ok(inside.length > 0);
    }
  });

  test('a thinned tile shows the first match of every cell that has one, and counts the rest', async () => {
    const filter = "country = 'IT' OR population BETWEEN 30000 AND 40000";
    const all = await matching(filter);
    for (const [z, x, y] of [
      [0, 0, 0],
      [2, 2, 1],
      [4, 8, 5],
      [5, 16, 11],
    ]) {
      const { plan } = (await get(`cities_pop5000/${z}/${x}/${y}.mvt`, { filter, explain: 'true' })).json();
      const [{ cells }] = plan.layers;
      assert.ok(cells > 0, 'the tile is thinned');
      const near = (one: { x: number; y: number }, room: number) =>
        Math.abs(one.x * 2 ** z - x - 0.5) <= 0.5 + room && Math.abs(one.y * 2 ** z - y - 0.5) <= 0.5 + room;
      // A tile is asked for with half a pixel more than its buffer, and draws what lies in its buffer.
      const asked = 68 / 4096;
      const drawn = 64 / 4096;
      const cellOf = (one: { x: number; y: number }) =>
        `${Math.floor(one.x * 2 ** z * cells)}/${Math.floor(one.y * 2 ** z * cells)}`;
      const first = new Map<string, number>();
      for (const one of all) if (!first.has(cellOf(one))) first.set(cellOf(one), one.id);
      const shown = all.filter(one => near(one, asked) && first.get(cellOf(one)) === one.id);
      const reply = await get(`cities_pop5000/${z}/${x}/${y}.mvt`, { filter });
      const ids = idsOf(reply.rawPayload, 'cities_pop5000');
      assert.deepEqual(
        new Set(ids),
        new Set(shown.filter(one => near(one, drawn)).map(({ id }) => id)),
        `${z}/${x}/${y}`,
      );
      const dropped = Number(reply.headers['x-tile-dropped'] ?? 0);
      assert.equal(dropped + shown.length, all.filter(one => near(one, asked)).length, `${z}/${x}/${y}: dropped`);
    }
  });

  test('text and JSON of one filter are one entry of the cache', async () => {
    const text = await get('cities_pop5000/5/16/11.mvt', { filter: "country='FR'" });
    const json = await get('cities_pop5000/5/16/11.mvt', {
      filter: '{"op":"=","args":[{"property":"country"},"FR"]}',
      'filter-lang': 'cql2-json',
    });
    assert.equal(json.headers.etag, text.headers.etag);
    assert.match(String(json.headers['x-plimsoll']), /hit/);
    assert.notEqual((await get('cities_pop5000/5/16/11.mvt')).headers.etag, text.headers.etag);
  });

  test('a spatial predicate narrows what the tile reads', async () => {
    const bytes = async (filter: string) =>
      (await get('cities_pop5000/0/0/0.mvt', { filter, explain: 'true' })).json().cost.inputBytes;
    const part = await bytes('S_WITHIN(geometry, BBOX(4, 50, 8, 53)) AND population > 10000');
    assert.ok(part > 0 && part < (await bytes('population > 10000')) / 20);
  });

  test('exclude-properties leaves out what it names, in tiles and items; not beside properties', async () => {
    const reply = await get('cities_pop5000/9/259/176.mvt', { 'exclude-properties': 'name,population' });
    const layer = new VectorTile(new PbfReader(reply.rawPayload)).layers['cities_pop5000'];
    const names = Object.keys(layer.feature(0).properties);
    assert.ok(names.includes('country') && !names.includes('name') && !names.includes('population'));
    const items = await app.server.inject('/collections/cities_pop5000/items?limit=1&exclude-properties=name');
    assert.ok(!('name' in items.json().features[0].properties) && 'country' in items.json().features[0].properties);
    const both = await get('cities_pop5000/9/259/176.mvt', { 'exclude-properties': 'name', properties: 'country' });
    assert.equal(both.statusCode, 400);
    const wrong = await get('cities_pop5000/9/259/176.mvt', { 'exclude-properties': 'nome' });
    assert.match(wrong.json().detail, /exclude-properties: "nome"/);
  });

  test('nothing matches: 204', async () => {
    assert.equal((await get('cities_pop5000/3/4/2.mvt', { filter: "country = 'XX'" })).statusCode, 204);
  });

  test('a composite wants every property in every layer; the geometry is in all', async () => {
    const both = 'cities_pop5000,ne_110m_admin_0_countries/4/8/5.mvt';
    const wrong = (await get(both, { filter: 'population > 1' })).json();
    assert.equal(wrong.code, 'bad-filter');
    assert.match(wrong.detail, /ne_110m_admin_0_countries/);
    const reply = await get(both, { filter: 'S_WITHIN(geometry, BBOX(0, 40, 20, 56))' });
    assert.ok(idsOf(reply.rawPayload, 'cities_pop5000').length > 0);
    assert.ok(idsOf(reply.rawPayload, 'ne_110m_admin_0_countries').length > 0);
  });

  test('TileJSON carries the filter, and refuses one that its tiles would refuse', async () => {
    const document = (await get('cities_pop5000', { filter: 'population > 5' })).json();
    assert.match(document.tiles[0], /filter=population/);
    const refused = await get('cities_pop5000', { filter: 'populaton > 5' });
    assert.equal(refused.statusCode, 400);
    assert.match(refused.json().detail, /did you mean "population"/);
  });
});

test('too much to read for a filter: 413 and the zoom that fits, which does', { skip }, async () => {
  const app = await testApp({ paths: [CITIES], set: { 'filter.maxReadBytes': '300KB' } });
  try {
    const filter = encodeURIComponent("country = 'FR'");
    const reply = await app.server.inject(`/tiles/cities_pop5000/0/0/0.mvt?filter=${filter}`);
    assert.equal(reply.statusCode, 413);
    const { code, fits, limitBytes } = reply.json();
    assert.equal(code, 'too-large');
    assert.equal(limitBytes, 300_000);
    assert.ok(fits.z > 0 && fits.z < 14);
    const fine = await app.server.inject(`/tiles/cities_pop5000/14/8299/5636.mvt?filter=${filter}`);
    assert.ok(fine.statusCode === 200 || fine.statusCode === 204);
    assert.equal((await app.server.inject('/tiles/cities_pop5000/0/0/0.mvt')).statusCode, 200);
  } finally {
    await app.close();
  }
});
