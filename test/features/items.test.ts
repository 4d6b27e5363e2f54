import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { latToMercator, lonToMercator } from '../../src/tile.ts';
import { type Collection, DATA, items, NO_DATA, type Rig, rig } from './rig.ts';
import { collectionSchema, featureCollectionSchema, featureSchema } from './schemas.ts';

describe('items of real files', { skip: NO_DATA }, () => {
  let r: Rig;
  before(async () => {
    r = await rig({
      countries: { path: `${DATA}/ne_110m_admin_0_countries.fgb` },
      metres: { path: `${DATA}/countries_110m_3857.fgb` },
      addresses: { path: `${DATA}/dutch_addresses_28992.fgb` },
      counties: { path: `${DATA}/UScounties.fgb` },
      airports: {
        path: `${DATA}/ne_10m_airports.fgb`,
        options: { properties: ['name', 'scalerank'], idColumn: 'scalerank' },
      },
      types: { path: `${DATA}/fgb_alldatatypes.fgb`, options: { crs: 'EPSG:4326' } },
      nocrs: { path: `${DATA}/fgb_no_properties.fgb` },
    });
  });
  after(() => r.close());

  test('answers validate against the GeoJSON and OGC schemas', async () => {
    const ajv = new Ajv({ strict: false });
    const collection = ajv.compile(featureCollectionSchema);
    for (const id of ['countries', 'metres', 'addresses', 'counties', 'types']) {
      const page = await items(r.app, `/collections/${id}/items?limit=50`);
      assert.ok(collection(page), `${id}: ${JSON.stringify(collection.errors)}`);
    }
    const feature = ajv.compile(featureSchema);
    const one = JSON.parse((await r.app.inject('/collections/countries/items/3')).body);
    assert.ok(feature(one), JSON.stringify(feature.errors));
    const described = ajv.compile(collectionSchema);
    const listed = JSON.parse((await r.app.inject('/collections')).body);
    assert.deepEqual(
      listed.collections.map((c: { id: string }) => c.id),
      ['countries', 'metres', 'addresses', 'counties', 'airports', 'types'],
    );
    for (const c of listed.collections) assert.ok(described(c), JSON.stringify(described.errors));
  });

  test('headers say GeoJSON and CRS84, and the same page again is 304 without a permit', async () => {
    const first = await r.app.inject('/collections/countries/items?limit=3');
    assert.match(String(first.headers['content-type']), /^application\/geo\+json/);
    assert.equal(first.headers['content-crs'], '<http://www.opengis.net/def/crs/OGC/1.3/CRS84>');
    const admitted = r.costs.length;
    const again = await r.app.inject({
      url: '/collections/countries/items?limit=3',
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    assert.equal(again.statusCode, 304);
    assert.equal(again.body, '');
    assert.equal(r.costs.length, admitted);
  });

  test('the pages of any box, whatever their size, are its features once each, in order', async () => {
    const lon = fc.double({ min: -180, max: 180, noNaN: true });
    const lat = fc.double({ min: -90, max: 90, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        lon,
        lon,
        lat,
        lat,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('countries', 'metres'),
        async (w, e, a, b, limit, id) => {
          const bbox = [w, Math.min(a, b), e, Math.max(a, b)].join(',');
          const whole = await items(r.app, `/collections/${id}/items?bbox=${bbox}&limit=10000`);
          assert.equal(whole.numberReturned, whole.features.length);
          assert.equal(whole.numberMatched, whole.features.length);
          const paged = await allPages(r, `/collections/${id}/items?bbox=${bbox}&limit=${limit}`, whole.numberMatched);
          assert.deepEqual(
            paged,
            whole.features.map(f => f.id),
          );
          assert.deepEqual(
            paged,
            [...new Set(paged)].sort((x, y) => x - y),
          );
        },
      ),
      { numRuns: 25, seed: 7 },
    );
    assert.equal(r.ledger.total, 0);
    assert.equal(r.leases.open, 0);
  });

  test('without a box the pages are the file', async () => {
    const ids = await allPages(r, '/collections/addresses/items?limit=700', 2481);
    assert.deepEqual(
      ids,
      Array.from({ length: 2481 }, (_, i) => i + 1),
    );
  });

  test('a box that crosses the antimeridian is its two halves, each feature once', async () => {
    const ids = async (bbox: string) =>
      (await items(r.app, `/collections/counties/items?limit=10000&properties=&bbox=${bbox}`)).features.map(f => f.id);
    const [west, east, both] = [await ids('170,50,180,55'), await ids('-180,50,-165,55'), await ids('170,50,-165,55')];
    assert.ok(west.length > 0 && east.length > 0);
    assert.deepEqual(
      both,
      [...new Set([...west, ...east])].sort((a, b) => a - b),
    );
  });

  test('a box in another CRS finds what the same box in degrees finds', async () => {
    const count = async (query: string) =>
      (await items(r.app, `/collections/addresses/items?limit=1&${query}`)).numberMatched as number;
    const uri = 'http://www.opengis.net/def/crs/';
    const degrees = await count('bbox=5.70,52.05,5.80,52.10');
    assert.ok(degrees > 100 && degrees < 2481);
    assert.equal(await count(`bbox=52.05,5.70,52.10,5.80&bbox-crs=${uri}EPSG/0/4326`), degrees);
    assert.equal(await count(`bbox=5.70,52.05,5.80,52.10&bbox-crs=${uri}OGC/1.3/CRS84`), degrees);
    assert.equal(await count(`bbox=0,0,300000,700000&bbox-crs=${uri}EPSG/0/28992`), 2481);
    assert.equal(await count('bbox=-180,-90,180,90'), 2481);
    assert.equal(await count('bbox=100,10,110,20'), 0);
  });

  test('crs= writes the coordinates of the same features in that CRS, in the order of its axes', async () => {
    const uri = 'http://www.opengis.net/def/crs/';
    const first = async (id: string, crs: string) => {
      const answer = await r.app.inject(`/collections/${id}/items?limit=1&crs=${uri}${crs}`);
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.headers['content-crs'], `<${uri}${crs}>`);
      return (answer.json() as Collection).features[0].geometry?.coordinates as [number, number];
    };
    const [lon, lat] = await first('addresses', 'OGC/1.3/CRS84');
    assert.deepEqual(await first('addresses', 'EPSG/0/4326'), [lat, lon]);
    const [x, y] = await first('addresses', 'EPSG/0/28992');
    assert.ok(x > 150_000 && x < 250_000 && y > 400_000 && y < 500_000, `${x}, ${y} is not in Rijksdriehoek`);
    const [mx, my] = await first('addresses', 'EPSG/0/3857');
    assert.ok(Math.abs(mx - lonToMercator(lon)) < 0.1 && Math.abs(my - latToMercator(lat)) < 0.1);
    const one = await r.app.inject(`/collections/addresses/items/1?crs=${uri}EPSG/0/4326`);
    assert.equal(one.headers['content-crs'], `<${uri}EPSG/0/4326>`);
    assert.deepEqual(one.json().geometry.coordinates, [lat, lon]);
  });

  test('rings turn the same way whatever the order of the axes', async () => {
    const uri = 'http://www.opengis.net/def/crs/';
    const rings = async (crs: string) => {
      const page = await items(r.app, `/collections/countries/items?limit=1&crs=${uri}${crs}`);
      return page.features[0].geometry?.coordinates as [number, number][][];
    };
    const swapped = (await rings('EPSG/0/4326')).map(ring => ring.map(([a, b]) => [b, a]));
    assert.deepEqual(swapped, await rings('OGC/1.3/CRS84'));
  });

  test('storageCrs is one of crs, which is what crs= and bbox-crs= take', async () => {
    for (const id of ['countries', 'metres', 'addresses', 'counties']) {
      const { crs, storageCrs, bboxCrs } = (await r.app.inject(`/collections/${id}`)).json();
      assert.ok(crs.includes(storageCrs), `${storageCrs} of ${id}`);
      assert.deepEqual(bboxCrs, crs);
      for (const uri of crs)
        assert.equal((await items(r.app, `/collections/${id}/items?crs=${uri}`)).numberReturned, 10);
    }
  });

  test('an attribute filter keeps equal features only and counts them', async () => {
    const all = await items(r.app, '/collections/countries/items?limit=1000&properties=CONTINENT');
    const expected = all.features.filter(f => f.properties['CONTINENT'] === 'Africa').map(f => f.id);
    const first = await items(r.app, '/collections/countries/items?CONTINENT=Africa&limit=20');
    assert.equal(first.numberMatched, expected.length);
    assert.equal(first.numberReturned, 20);
    assert.deepEqual(
      await allPages(r, '/collections/countries/items?CONTINENT=Africa&limit=7', expected.length),
      expected,
    );
    const numbers = await items(r.app, '/collections/countries/items?LABELRANK=2&limit=1000');
    assert.ok(numbers.features.length > 0 && numbers.features.every(f => f.properties['LABELRANK'] === 2));
  });

  test('properties= prunes, and what an operator keeps back is never written nor asked for', async () => {
    const page = await items(r.app, '/collections/countries/items?limit=1&properties=NAME,CONTINENT');
    assert.deepEqual(Object.keys(page.features[0].properties).sort(), ['CONTINENT', 'NAME']);
    const airports = await items(r.app, '/collections/airports/items?limit=5');
    for (const f of airports.features) {
      assert.deepEqual(Object.keys(f.properties).sort(), ['name', 'scalerank']);
      assert.equal(f.id, f.properties['scalerank']);
    }
    assert.equal((await r.app.inject('/collections/airports/items?iata_code=AMS')).statusCode, 400);
  });

  test('a feature by the id of a column is the first with it; one that is not there is 404', async () => {
    const [expected] = (await items(r.app, '/collections/airports/items?scalerank=4&limit=1')).features;
    const found = JSON.parse((await r.app.inject('/collections/airports/items/4')).body);
    assert.deepEqual(found.geometry, expected.geometry);
    const missing = await r.app.inject('/collections/airports/items/4711');
    assert.equal(missing.statusCode, 404);
    assert.equal(missing.json().code, 'feature-not-found');
  });

  test('every column type comes through, 64-bit integers without losing a digit', async () => {
    const [feature] = (await items(r.app, '/collections/types/items')).features;
    const { long, ulong, bool, datetime } = feature.properties;
    assert.deepEqual(
      { long, ulong, bool, datetime },
      { long: -1, ulong: '18446744073709551615', bool: true, datetime: '2020-02-29T12:34:56Z' },
    );
    assert.equal(Object.keys(feature.properties).length, 15);
  });

  test('datetime: an instant, a day and intervals against the datetime column; where there is none all match', async () => {
    const count = async (datetime: string) =>
      (await items(r.app, `/collections/types/items?datetime=${datetime}`)).numberMatched;
    assert.equal(await count('2020-02-29T12:34:56Z'), 1);
    assert.equal(await count('2020-02-29'), 1);
    assert.equal(await count('2020-03-01/..'), 0);
    assert.equal(await count('../2020-03-01'), 1);
    assert.equal((await items(r.app, '/collections/countries/items?datetime=2001-01-01')).numberMatched, 177);
    for (const bad of ['yesterday', '../..', '2020-13-01', '2021-01-01/2020-01-01']) {
      assert.equal((await r.app.inject(`/collections/types/items?datetime=${bad}`)).statusCode, 400, bad);
    }
  });

  test('explain tells the exact bytes and reads none', async () => {
    const before = r.jobs.length;
    const answer = (await r.app.inject('/collections/countries/items?limit=1000&explain=1')).json();
    assert.equal(answer.plan.features, 177);
    assert.equal(r.jobs.length, before);
    await items(r.app, '/collections/countries/items?limit=1000');
    const read = r.jobs.slice(before).reduce((sum, job) => sum + job.lengths.reduce((a, b) => a + b, 0), 0);
    assert.equal(read, answer.plan.inputBytes);
  });

  test('one batch holds at most a megabyte of features, or one feature', async () => {
    const before = r.jobs.length;
    await items(r.app, '/collections/counties/items?limit=3300&properties=');
    const batches = r.jobs.slice(before);
    assert.ok(batches.length > 5);
    for (const { lengths } of batches) assert.ok(lengths.length === 1 || lengths.reduce((a, b) => a + b, 0) <= 1 << 20);
  });

  for (const [url, status, code] of [
    ['/collections/countries/items?limit=0', 400, 'bad-parameter'],
    ['/collections/countries/items?limit=ten', 400, 'bad-parameter'],
    ['/collections/countries/items?bbox=1,2,3', 400, 'bad-parameter'],
    ['/collections/countries/items?bbox=1,2,3,x', 400, 'bad-parameter'],
    ['/collections/countries/items?bbox=0,50,10,40', 400, 'bad-parameter'],
    ['/collections/countries/items?bbox=0,0,1,1&bbox-crs=EPSG:9', 400, 'bad-parameter'],
    ['/collections/countries/items?crs=http://www.opengis.net/def/crs/EPSG/0/28992', 400, 'bad-parameter'],
    ['/collections/countries/items/1?crs=EPSG:4326', 400, 'bad-parameter'],
    ['/collections/countries/items/1?limit=1', 400, 'unknown-parameter'],
    ['/collections/countries/items?nmae=x', 400, 'unknown-parameter'],
    ['/collections/countries/items?LABELRANK=two', 400, 'bad-parameter'],
    ['/collections/countries/items?properties=NOPE', 400, 'bad-parameter'],
    ['/collections/countries/items?f=html', 400, 'bad-parameter'],
    ['/collections/countries/items/0', 404, 'feature-not-found'],
    ['/collections/countries/items/178', 404, 'feature-not-found'],
    ['/collections/countries/items/x', 404, 'feature-not-found'],
    ['/collections/nope', 404, 'layer-not-found'],
    ['/collections/nocrs/items', 422, 'layer-not-servable'],
  ] as const) {
    test(`refused: ${url}`, async () => {
      const { statusCode, body } = await r.app.inject(url);
      assert.deepEqual([statusCode, JSON.parse(body).code], [status, code]);
      assert.equal(r.leases.open, 0);
      assert.equal(r.ledger.total, 0);
    });
  }

  test('a limit above the most is served with the most', async () => {
    assert.equal((await items(r.app, '/collections/countries/items?limit=99999999')).numberReturned, 177);
  });
});

async function allPages(r: Rig, url: string, matched: number | undefined): Promise<number[]> {
  const ids: number[] = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const page: Collection = await items(r.app, next);
    assert.equal(page.numberMatched, matched);
    ids.push(...page.features.map(f => f.id));
    next = page.links.find(({ rel }) => rel === 'next')?.href.replace('http://maps.test', '');
  }
  return ids;
}
