/** filter over HTTP: what items answer, what is refused and where, what explain says, what is declared. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { DATA, NO_DATA, type Rig, rig } from '../features/rig.ts';
import { testApp } from '../lib/app.ts';

const FILE = `${DATA}/ne_110m_admin_0_countries.fgb`;

describe('filter of items', { skip: NO_DATA }, () => {
  let served: Rig;
  before(async () => {
    served = await rig({
      land: { path: FILE },
      few: { path: FILE, options: { properties: ['NAME', 'POP_EST'] } },
      dutch: { path: `${DATA}/dutch_addresses_28992.fgb` },
      types: { path: `${DATA}/fgb_alldatatypes.fgb`, options: { crs: 'EPSG:4326' } },
    });
  });
  after(() => served.close());

  const get = async (layer: string, params: Record<string, string>) => {
    const reply = await served.app.inject(`/collections/${layer}/items?${new URLSearchParams(params)}`);
    return { status: reply.statusCode, json: reply.json() };
  };

  test('with name=value, bbox and properties together', async () => {
    const { json } = await get('land', {
      filter: "NAME < 'M'",
      CONTINENT: 'Europe',
      bbox: '0,40,20,60',
      properties: 'POP_EST',
      limit: '100',
    });
    assert.equal(json.numberMatched, json.features.length);
    assert.ok(json.numberMatched > 3);
    assert.deepEqual(Object.keys(json.features[0].properties), ['POP_EST']);
    assert.equal(json.links[0].rel, 'self');
  });

  test('pages of a filter add up to all that match', async () => {
    const whole = await get('land', { filter: 'POP_EST > 1e7', limit: '1000', properties: '' });
    const ids: number[] = [];
    let next: string | undefined =
      `/collections/land/items?limit=7&properties=&filter=${encodeURIComponent('POP_EST > 1e7')}`;
    while (next) {
      const page: { features: { id: number }[]; links: { rel: string; href: string }[] } = (
        await served.app.inject(next)
      ).json();
      ids.push(...page.features.map(({ id }) => id));
      next = page.links.find(({ rel }) => rel === 'next')?.href.replace('http://maps.test', '');
    }
    assert.deepEqual(
      ids,
      whole.json.features.map(({ id }: { id: number }) => id),
    );
  });

  test('a spatial predicate that all must fulfil is asked of the index: fewer bytes', async () => {
    const bytes = async (filter: string) => (await get('land', { filter, explain: 'true' })).json.plan.inputBytes;
    const all = await bytes('POP_EST > 0');
    assert.ok((await bytes('POP_EST > 0 AND S_INTERSECTS(geometry, BBOX(4, 50, 8, 53))')) < all / 2);
    assert.ok((await bytes('S_WITHIN(geometry, BBOX(4, 50, 8, 53)) OR S_CONTAINS(geometry, POINT(25 -29))')) < all);
    assert.equal(await bytes('POP_EST > 0 OR S_INTERSECTS(geometry, BBOX(4, 50, 8, 53))'), all);
    assert.equal(await bytes('NOT S_INTERSECTS(geometry, BBOX(4, 50, 8, 53))'), all);
    // A large country meets two boxes that have nothing in common.
    const far = 'S_INTERSECTS(geometry, BBOX(31, 60, 33, 62)) AND S_INTERSECTS(geometry, BBOX(140, 60, 142, 62))';
    assert.ok((await bytes(far)) < all / 2);
    assert.equal((await get('land', { filter: far })).json.features[0].properties.NAME, 'Russia');
    const box = { bbox: '31,60,33,62', filter: 'S_INTERSECTS(geometry, BBOX(140, 60, 142, 62))' };
    assert.equal((await get('land', box)).json.numberMatched, 1);
  });

  test('filter-crs: the same box in degrees, in degrees with latitude first, and in the layer’s metres', async () => {
    const count = async (box: string, crs?: string) => {
      const params = { filter: `S_WITHIN(geometry, BBOX(${box}))`, limit: '1', ...(crs ? { 'filter-crs': crs } : {}) };
      return (await get('dutch', params)).json.numberMatched;
    };
    const uri = 'http://www.opengis.net/def/crs/EPSG/0/';
    const degrees = await count('5.6, 52, 5.75, 52.1');
    assert.ok(degrees > 0);
    assert.equal(await count('52, 5.6, 52.1, 5.75', `${uri}4326`), degrees);
    const all = (await get('dutch', { limit: '1' })).json.numberMatched;
    assert.equal(await count('0, 300000, 300000, 650000', `${uri}28992`), all);
    assert.equal(
      (await get('dutch', { filter: 'id IS NULL', 'filter-crs': `${uri}31370` })).json.code,
      'bad-parameter',
    );
  });

  test('columns of every type', async () => {
    const yes = async (filter: string) => (await get('types', { filter })).json.numberMatched;
    const { properties } = (await get('types', {})).json.features[0];
    for (const name of ['byte', 'ubyte', 'short', 'ushort', 'int', 'uint', 'long', 'ulong', 'float', 'double']) {
      assert.equal(await yes(`"${name}" = ${properties[name]} AND "${name}" < ${properties[name]} + 10`), 1, name);
      assert.equal(await yes(`"${name}" <> ${properties[name]}`), 0, name);
    }
    assert.equal(await yes(`"bool" = ${properties.bool}`), 1);
    assert.equal(await yes(`"string" = '${properties.string}' AND "string" LIKE '${properties.string[0]}%'`), 1);
    assert.equal(await yes(`"datetime" = TIMESTAMP('${properties.datetime.replace(/(\+00:00|Z)?$/, 'Z')}')`), 1);
    assert.equal(await yes(`T_DURING(INTERVAL("datetime", "datetime"), INTERVAL('1900-01-01', '2100-01-01'))`), 1);
    assert.equal(await yes('"json" IS NULL'), 1);
  });

  const REFUSED: readonly (readonly [Record<string, string>, Record<string, unknown>, RegExp])[] = [
    [{ filter: "NAMES = 'x'" }, { offset: 0, line: 1, column: 1, token: 'NAMES' }, /did you mean "NAME"/],
    [{ filter: "NAME = 'x'\nAND POP_EST == 5" }, { line: 2, column: 14 }, /should stand here/],
    [{ filter: "POP_EST = 'many'" }, { column: 9, token: '=' }, /compares a number with a text/],
    [{ filter: 'POP_EST LIKE 5' }, { column: 1 }, /a number stands where a text should/],
    [{ filter: 'area(geometry) > 5' }, { token: 'area' }, /no function area/],
    [{ filter: "T_DURING(DATE('2020-01-01'), INTERVAL('..', '2021-01-01'))" }, { column: 10 }, /takes intervals/],
    [
      { filter: '{"op":"=","args":[{"property":"NAMEX"},1]}', 'filter-lang': 'cql2-json' },
      { pointer: '/args/0/property' },
      /NAME/,
    ],
    [{ filter: '{"op":"=",', 'filter-lang': 'cql2-json' }, { offset: 10 }, /ends before/],
    [{ filter: '{"op":=}', 'filter-lang': 'cql2-json' }, { offset: 6, token: '=' }, /no JSON/],
    [{ filter: 'S_WITHIN(geometry, 5)' }, { column: 20 }, /takes geometries/],
  ];
  for (const [params, extra, detail] of REFUSED) {
    test(`refused with its place: ${params['filter']}`, async () => {
      const { status, json } = await get('land', params);
      assert.equal(status, 400, JSON.stringify(json));
      assert.equal(json.code, 'bad-filter');
      assert.match(json.detail, detail);
      for (const [name, value] of Object.entries(extra)) assert.equal(json[name], value, name);
    });
  }

  test('attributes that are not served cannot be asked for', async () => {
    assert.equal((await get('few', { filter: "CONTINENT = 'Asia'" })).json.code, 'bad-filter');
    assert.equal((await get('few', { filter: "NAME = 'Norway'" })).json.numberMatched, 1);
  });

  test('queryables and conformance say what filters can ask', async () => {
    const queryables = (await served.app.inject('/collections/few/queryables')).json();
    assert.deepEqual(Object.keys(queryables.properties), ['geometry', 'NAME', 'POP_EST']);
    assert.equal(queryables.properties.geometry['x-ogc-role'], 'primary-geometry');
    const { conformsTo } = (await served.app.inject('/conformance')).json();
    for (const name of ['cql2-text', 'spatial-functions', 'temporal-functions', 'array-functions', 'arithmetic'])
      assert.ok(conformsTo.includes(`http://www.opengis.net/spec/cql2/1.0/conf/${name}`));
    assert.ok(!conformsTo.some((uri: string) => uri.endsWith('/functions')));
  });
});

test('limits of filters are settings', { skip: NO_DATA }, async () => {
  const app: App = await testApp({ paths: [FILE], set: { 'filter.maxDepth': '3', 'filter.maxLength': '60' } });
  try {
    const filters = ['NOT NOT NOT NOT POP_EST > 5', `POP_EST IN (${'1,'.repeat(40)}1)`];
    for (const filter of filters) {
      const url = `/collections/ne_110m_admin_0_countries/items?filter=${encodeURIComponent(filter)}`;
      const reply = await app.server.inject(url);
      assert.equal(reply.statusCode, 400);
      assert.match(reply.json().detail, /filter\.max(Depth|Length)/);
    }
  } finally {
    await app.close();
  }
});
