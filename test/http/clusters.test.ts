/** What clusters are made of, over HTTP: the same sums, zooms and points as a look at every point, and as supercluster has them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FeatureCollection, Point } from 'geojson';
import type { App } from '../../src/app.ts';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { type LonLat, pointsFile, read, superclusterOf, townPoints } from '../vector/cluster-rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'clusters-'));
const file = join(folder, 'plimsoll.yaml');
const points = townPoints(3000, 11);
/** Three at one place and one far from them. */
const few: LonLat[] = [
  [10, 50],
  [10, 50],
  [10, 50],
  [-120, -30],
];
const MAX = 200;
let app: App;

before(async () => {
  writeFileSync(join(folder, 'towns.fgb'), pointsFile(points));
  writeFileSync(join(folder, 'few.fgb'), pointsFile(few));
  writeFileSync(
    file,
    [
      'layers:',
      '  towns: {path: towns.fgb, cluster: true}',
      '  clusters: {path: towns.fgb, cluster: {maxZoom: 4, radius: 80}}',
      '  few: {path: few.fgb, cluster: {radius: 512, minPoints: 3}}',
      '  plain: {path: towns.fgb, cluster: false}',
      '  ended: {path: towns.fgb, cluster: true, maxzoom: 5}',
      `  areas: {path: ${DEMO}/countries.fgb, cluster: true}`,
      `  heights: {path: ${DEMO}/elevation.tif, cluster: true}`,
    ].join('\n'),
  );
  app = await testApp({ file, paths: [], set: { 'features.limitMax': String(MAX) } });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

interface Parts extends FeatureCollection<Point, Record<string, unknown>> {
  readonly numberMatched: number;
  readonly numberReturned: number;
}

async function parts(url: string): Promise<Parts> {
  const answer = await app.server.inject(url);
  assert.equal(answer.statusCode, 200, `${url}: ${answer.body.slice(0, 300)}`);
  assert.match(String(answer.headers['content-type']), /^application\/geo\+json/);
  const found: Parts = answer.json();
  assert.equal(found.numberReturned, found.features.length);
  return found;
}

async function clustersOf(layer: string, z: number, x: number, y: number) {
  const answer = await app.server.inject(`/tiles/${layer}/${z}/${x}/${y}.mvt`);
  assert.ok(answer.statusCode < 300, answer.body);
  const all = answer.rawPayload.length === 0 ? [] : read(answer.rawPayload);
  return all.filter(({ properties }) => properties['cluster'] === true);
}

const countOf = ({ properties }: { properties: Record<string, unknown> }) =>
  properties['cluster'] === true ? Number(properties['point_count']) : 1;

async function expansionZoom(layer: string, id: unknown): Promise<number> {
  const answer = await app.server.inject(`/tiles/${layer}/clusters/${id}/expansion-zoom`);
  assert.equal(answer.statusCode, 200, answer.body);
  return answer.json().expansionZoom;
}

describe('parts of clusters', () => {
  test('children sum to the count of their parent, down to the points, and are what the next zoom shows', async () => {
    const shown = new Set(
      (await clustersOf('towns', 1, 0, 0)).concat(await clustersOf('towns', 1, 1, 0)).map(c => c.id),
    );
    for (const cluster of (await clustersOf('towns', 0, 0, 0)).slice(0, 12)) {
      const { features, numberMatched } = await parts(`/tiles/towns/clusters/${cluster.id}/children`);
      assert.equal(numberMatched, features.length);
      assert.equal(
        features.reduce((sum, feature) => sum + countOf(feature), 0),
        countOf(cluster),
      );
      for (const { id, properties, geometry } of features) {
        if (properties['cluster'] !== true) {
          assert.deepEqual(properties, { name: `p${Number(id) - 1}`, point_count: Number(id) - 1 });
          assert.deepEqual(
            geometry.coordinates,
            points[Number(id) - 1].map(v => Math.round(v * 1e7) / 1e7),
          );
        } else if (geometry.coordinates[1] > 1) assert.ok(shown.has(Number(id)), `${id} is not at zoom 1`);
      }
    }
  });

  test('leaves are all the points of the cluster, once each, a part at a time', async () => {
    const [cluster] = (await clustersOf('towns', 0, 0, 0)).toSorted((a, b) => countOf(b) - countOf(a));
    const count = countOf(cluster);
    assert.ok(count > 300);
    const url = `/tiles/towns/clusters/${cluster.id}/leaves`;
    assert.equal((await parts(url)).features.length, 10);
    const seen: unknown[] = [];
    for (let offset = 0; offset < count; offset += 97) {
      const { features, numberMatched } = await parts(`${url}?limit=97&offset=${offset}`);
      assert.equal(numberMatched, count);
      assert.equal(features.length, Math.min(97, count - offset));
      seen.push(...features.map(({ id }) => id));
    }
    assert.equal(new Set(seen).size, count);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => Number(a) - Number(b)),
    );
    assert.equal((await parts(`${url}?offset=${count}`)).features.length, 0);
    assert.equal((await parts(`${url}?limit=1000000`)).features.length, Math.min(count, MAX));
    const [west, south, east, north] = [0, 1, 0, 1].map((k, i) =>
      Math[i < 2 ? 'min' : 'max'](...seen.map(id => points[Number(id) - 1][k])),
    );
    const inside = points.filter(([x, y]) => x >= west && x <= east && y >= south && y <= north);
    assert.ok(inside.length >= count);
  });

  test('the expansion zoom is where the cluster falls apart, and not before', async () => {
    let deep = 0;
    for (const cluster of await clustersOf('towns', 0, 0, 0)) {
      const zoom = await expansionZoom('towns', cluster.id);
      let at = cluster.id;
      for (let z = 1; z < zoom; z++) {
        const { features } = await parts(`/tiles/towns/clusters/${at}/children`);
        assert.equal(features.length, 1, `${cluster.id} has ${features.length} parts at zoom ${z}, before ${zoom}`);
        assert.equal(countOf(features[0]), countOf(cluster));
        at = Number(features[0].id);
        deep++;
      }
      const { features } = await parts(`/tiles/towns/clusters/${at}/children`);
      assert.ok(features.length > 1, `${cluster.id} is whole at zoom ${zoom}`);
    }
    assert.ok(deep > 3);
  });

  test('what never falls apart has the first zoom without clusters, as with supercluster; single ones are below minPoints', async () => {
    const [world, ...others] = await clustersOf('few', 0, 0, 0);
    assert.deepEqual([others.length, countOf(world)], [0, 4]);
    assert.equal(await expansionZoom('few', world.id), 2);
    const [whole] = (await parts(`/tiles/few/clusters/${world.id}/children`)).features;
    const { features } = await parts(`/tiles/few/clusters/${whole.id}/children`);
    assert.deepEqual(features.map(countOf).toSorted(), [1, 3]);
    const three = features.find(feature => countOf(feature) === 3);
    assert.equal(await expansionZoom('few', three?.id), 17);
    const theirs = superclusterOf(few, { radius: 40 });
    const [same] = theirs.getClusters([0, 0, 90, 85], 2);
    assert.equal(theirs.getClusterExpansionZoom(Number(same.id)), 17);
    assert.equal(
      theirs.getLeaves(Number(same.id)).length,
      (await parts(`/tiles/few/clusters/${three?.id}/leaves`)).features.length,
    );
  });

  test('at the last zoom with clusters the children are points, and too many of them are refused', async () => {
    const found = (await clustersOf('clusters', 4, 7, 6)).concat(await clustersOf('clusters', 4, 8, 7));
    const all = [
      ...found,
      ...(await Promise.all([...Array(256).keys()].map(i => clustersOf('clusters', 4, i % 16, i >> 4)))).flat(),
    ];
    const large = all.find(cluster => countOf(cluster) > MAX);
    const small = all.find(cluster => countOf(cluster) < 50);
    assert.ok(large && small);
    const { features } = await parts(`/tiles/clusters/clusters/${small.id}/children`);
    assert.equal(features.length, countOf(small));
    assert.ok(features.every(({ properties }) => properties['cluster'] === undefined));
    assert.equal(await expansionZoom('clusters', small.id), 5);
    const answer = await app.server.inject(`/tiles/clusters/clusters/${large.id}/children`);
    assert.equal(answer.statusCode, 413);
    assert.equal(answer.json().code, 'too-large');
    assert.match(answer.json().detail, /ask for its leaves/);
  });

  test('priced, explained, cached and known again; compressed where the client takes that', async () => {
    const [cluster] = await clustersOf('towns', 0, 0, 0);
    const url = `/tiles/towns/clusters/${cluster.id}/leaves?limit=500`;
    const explained = await app.server.inject(`${url}&explain=1`);
    const { priceBytes, plan, empty } = explained.json();
    assert.ok(priceBytes > 0 && empty === false);
    assert.deepEqual([plan.layer, plan.cluster, plan.part], ['towns', cluster.id, 'leaves']);
    assert.equal(plan.points, Math.min(MAX, countOf(cluster)));
    const first = await app.server.inject(url);
    assert.equal(first.headers['x-plimsoll-cost'], String(priceBytes));
    assert.equal((await app.server.inject(url)).headers['x-plimsoll'], 'hit');
    const headers = { 'if-none-match': String(first.headers.etag) };
    assert.equal((await app.server.inject({ url, headers })).statusCode, 304);
    const packed = await app.server.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    const other = `/tiles/towns/clusters/${cluster.id}/leaves?limit=499`;
    const zipped = await app.server.inject({ url: other, headers: { 'accept-encoding': 'gzip' } });
    assert.equal(zipped.headers['content-encoding'], 'gzip');
    assert.equal(zipped.statusCode, 200);
  });

  test('in another tile matrix set they go by its cells', async () => {
    const answer = await app.server.inject('/tiles/WorldCRS84Quad/towns/1/2/0.mvt');
    const [cluster] = read(answer.rawPayload).filter(({ properties }) => properties['cluster'] === true);
    const url = `/tiles/towns/clusters/${cluster.id}`;
    const { features } = await parts(`${url}/children?tms=WorldCRS84Quad`);
    assert.equal(
      features.reduce((sum, feature) => sum + countOf(feature), 0),
      countOf(cluster),
    );
    const named = await app.server.inject('/tiles/WorldCRS84Quad/clusters/1/2/0.mvt');
    assert.equal(named.statusCode, 200, 'a layer that is called clusters has its tiles');
    assert.equal((await app.server.inject('/tiles/clusters/1/1/0.mvt')).statusCode, 200);
  });
});

describe('refusals', () => {
  for (const [url, status, code, detail] of [
    ['/tiles/towns/clusters/17/leaves', 404, 'feature-not-found', /no cluster 17 /],
    ['/tiles/towns/clusters/0/children', 404, 'feature-not-found', /no cluster 0/],
    ['/tiles/towns/clusters/9007199254740991/expansion-zoom', 404, 'feature-not-found', /no cluster/],
    ['/tiles/towns/clusters/9007199254740993/expansion-zoom', 400, 'bad-parameter', /no cluster_id/],
    ['/tiles/towns/clusters/x/children', 400, 'bad-parameter', /"x"/],
    ['/tiles/towns/clusters/3001/leaves?limit=0', 422, 'unprocessable', /limit: 0/],
    ['/tiles/towns/clusters/3001/leaves?offset=-1', 422, 'unprocessable', /offset: -1/],
    ['/tiles/towns/clusters/3001/children?limit=3', 400, 'unknown-parameter', /limit/],
    ['/tiles/towns/clusters/3001/children?tms=Nope', 404, 'not-found', /Nope/],
    ['/tiles/plain/clusters/3001/children', 422, 'unprocessable', /draws no clusters/],
    ['/tiles/nope/clusters/3001/children', 404, 'layer-not-found', /nope/],
    ['/tiles/areas/0/0/0.mvt', 422, 'layer-not-servable', /cluster: draws points together.*MultiPolygon|Polygon/],
    ['/tiles/heights/0/0/0.png', 422, 'layer-not-servable', /pixels/],
    ["/tiles/towns/3/4/3.mvt?filter=nome='p7'", 400, 'bad-filter', /nome/],
    ["/tiles/towns/clusters/3001/leaves?filter=nome='p7'", 400, 'bad-filter', /nome/],
    ["/tiles/towns/clusters/3001/leaves?filter=name='p7'", 404, 'feature-not-found', /no cluster 3001 .* that match/],
  ] as const) {
    test(`${url}: ${status} ${code}`, async () => {
      const answer = await app.server.inject(encodeURI(url));
      assert.equal(answer.statusCode, status, answer.body.slice(0, 300));
      assert.equal(answer.json().code, code);
      assert.match(answer.json().detail, detail);
    });
  }

  test('ids of cells with nothing in them, of every zoom, are no clusters', async () => {
    for (let k = 0; k < 64; k++) {
      const id = 3001 + k * 37;
      const answer = await app.server.inject(`/tiles/towns/clusters/${id}/children`);
      assert.ok(answer.statusCode === 200 || answer.json().code === 'feature-not-found', answer.body.slice(0, 200));
    }
  });

  test('a filter holds above the last zoom with clusters', async () => {
    const answer = await app.server.inject(encodeURI("/tiles/clusters/6/30/20.mvt?filter=name='p7'"));
    assert.ok(answer.statusCode < 300, answer.body);
  });

  for (const [cluster, message] of [
    ['{radius: 600}', /radius: must not exceed extent/],
    ['{radius: 2, maxZoom: 20}', /too small for maxZoom 20/],
    ['{radius: 0}', /radius/],
    ['{minPoints: 1}', /minPoints/],
    ['{minPoints: 1000}', /radius: is too small for minPoints 1000: a tile could draw \d+ .* maxFeatures \(20000\)/],
    ['{radius: 3}', /more than maxFeatures/],
    ['{maxZoom: 8}, maxzoom: 8', /maxZoom: must be below maxzoom \(8\)/],
    ['{radius: 40}, maxFeatures: 100', /more than maxFeatures \(100\)/],
    ['{raduis: 4}', /unknown key.*radius/],
    ['{aggregates: {point_count: {op: sum, property: x}}}', /aggregates.point_count: is the name of an attribute/],
    ['{aggregates: {a: {op: median, property: x}}}', /median/],
    ['{aggregates: {a: {op: sum}}}', /aggregates.a: must say op and property/],
    ['40', /true or false or a section/],
  ] as const) {
    test(`cluster: ${cluster} is refused where it stands`, () => {
      const wrong = join(folder, 'wrong.yaml');
      writeFileSync(wrong, `layers:\n  towns: {path: towns.fgb, cluster: ${cluster}}\n`);
      assert.throws(
        () => loadConfig({ env: {}, file: wrong }),
        (error: ConfigError) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

test('tiles go on until clusters fall apart; where an operator ends them, clusters end before', async () => {
  assert.equal((await app.server.inject('/tiles/towns')).json().maxzoom, 17);
  assert.equal((await app.server.inject('/tiles/clusters')).json().maxzoom, 14);
  const { maxzoom } = (await app.server.inject('/tiles/ended')).json();
  assert.equal(maxzoom, 5);
  assert.ok((await clustersOf('ended', 4, 8, 6)).length + (await clustersOf('ended', 0, 0, 0)).length > 0);
  for (let i = 0; i < 256; i++) assert.deepEqual(await clustersOf('ended', 5, i % 32, 8 + (i >> 5)), []);
});

test('TileJSON tells of the attributes, and a choice within the setting is another layer', async () => {
  const { vector_layers } = (await app.server.inject('/tiles/towns')).json();
  assert.deepEqual(vector_layers[0].fields, {
    name: 'String',
    cluster: 'Boolean',
    cluster_id: 'Number',
    point_count: 'Number',
    point_count_abbreviated: 'String',
  });
  const versions = [40, 41].map(async radius => {
    writeFileSync(
      join(folder, `r${radius}.yaml`),
      `layers:\n  towns: {path: towns.fgb, cluster: {radius: ${radius}}}\n`,
    );
    const other = await testApp({ file: join(folder, `r${radius}.yaml`), paths: [] });
    const version = other.catalogue.get('towns')?.version;
    await other.close();
    return version;
  });
  assert.notEqual(await versions[0], await versions[1]);
});
