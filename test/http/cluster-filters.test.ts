/** Clusters of the points that match, and aggregates, over HTTP: tiles, TileJSON and the parts of a cluster say the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FeatureCollection, Point } from 'geojson';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { pointsFile, read, townPoints } from '../vector/cluster-rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'cluster-filters-'));
const points = townPoints(3000, 11);
/** `point_count` of the file is the place of the point, and served as n. */
const FILTER = 'filter=n%3E=1000%20AND%20n%3C2000';
const matches = (n: number) => n >= 1000 && n < 2000;
let app: App;

before(async () => {
  writeFileSync(join(folder, 'towns.fgb'), pointsFile(points));
  const rename = 'rename: {point_count: n}';
  const aggregates = 'aggregates: {sum: {op: sum, property: n}, first: {op: min, property: n}}';
  const file = join(folder, 'plimsoll.yaml');
  writeFileSync(
    file,
    [
      'layers:',
      `  plain: {path: towns.fgb, ${rename}, cluster: true}`,
      `  sums: {path: towns.fgb, ${rename}, pointCount: true, cluster: {${aggregates}}}`,
      `  hidden: {path: towns.fgb, ${rename}, properties: [name], cluster: {${aggregates}}}`,
      `  last: {path: towns.fgb, ${rename}, cluster: {maxZoom: 4, radius: 80}}`,
      '  unknown: {path: towns.fgb, cluster: {aggregates: {a: {op: sum, property: nome}}}}',
      '  text: {path: towns.fgb, cluster: {aggregates: {a: {op: sum, property: name}}}}',
    ].join('\n'),
  );
  app = await testApp({ file, paths: [], set: { 'features.limitMax': '200' } });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

type Properties = Record<string, unknown>;
interface Parts extends FeatureCollection<Point, Properties> {
  readonly numberMatched: number;
}

async function ask(url: string) {
  const answer = await app.server.inject(url);
  assert.ok(answer.statusCode < 300, `${url}: ${answer.body.slice(0, 300)}`);
  return answer;
}

async function worldOf(layer: string, query = '') {
  return read((await ask(`/tiles/${layer}/0/0/0.mvt${query}`)).rawPayload);
}

const isCluster = ({ properties }: { properties: Properties }) => properties['cluster'] === true;
const countOf = (one: { properties: Properties }) => (isCluster(one) ? Number(one.properties['point_count']) : 1);

async function largest(layer: string, query = '') {
  const clusters = (await worldOf(layer, query)).filter(isCluster);
  return clusters.toSorted((a, b) => countOf(b) - countOf(a))[0];
}

/** All pages. */
async function leavesOf(layer: string, id: unknown, query = ''): Promise<number[]> {
  const seen: number[] = [];
  for (;;) {
    const url = `/tiles/${layer}/clusters/${id}/leaves?limit=150&offset=${seen.length}${query}`;
    const { features, numberMatched }: Parts = (await ask(url)).json();
    seen.push(...features.map(({ properties }) => Number(properties['n'])));
    if (seen.length >= numberMatched || features.length === 0) return seen;
  }
}

describe('a filter', () => {
  test('the world has the points that match, once each', async () => {
    const all = await worldOf('plain', `?${FILTER}`);
    assert.equal(
      all.reduce((sum, one) => sum + countOf(one), 0),
      1000,
    );
  });

  for (const layer of ['plain', 'sums'])
    test(`${layer}: leaves are those that match, children sum to their parent, and the expansion zoom is where it falls apart`, async () => {
      const cluster = await largest(layer, `?${FILTER}`);
      const leaves = await leavesOf(layer, cluster.id, `&${FILTER}`);
      assert.equal(leaves.length, countOf(cluster));
      assert.ok(leaves.every(matches));
      const all = await leavesOf(layer, cluster.id);
      assert.deepEqual(leaves, all.filter(matches));
      let at: unknown = cluster.id;
      const zoom = (await ask(`/tiles/${layer}/clusters/${at}/expansion-zoom?${FILTER}`)).json().expansionZoom;
      for (let z = 1; z <= zoom; z++) {
        const { features }: Parts = (await ask(`/tiles/${layer}/clusters/${at}/children?${FILTER}`)).json();
        assert.equal(
          features.reduce((sum, one) => sum + countOf(one), 0),
          countOf(cluster),
        );
        assert.equal(
          features.length > 1,
          z === zoom,
          `${features.length} parts at ${z}, and it falls apart at ${zoom}`,
        );
        at = features[0].id;
      }
    });

  test('what only points that do not match are in is no cluster', async () => {
    const cluster = await largest('plain');
    for (const part of ['children', 'leaves', 'expansion-zoom']) {
      const answer = await app.server.inject(`/tiles/plain/clusters/${cluster.id}/${part}?filter=n=1`);
      assert.equal(answer.statusCode, 404, part);
      assert.equal(answer.json().code, 'feature-not-found');
    }
  });

  test('at the last zoom with clusters children are the points that match, or too many of them', async () => {
    const codes = new Set<number>();
    for (let i = 0; i < 256; i++) {
      const tile = read((await ask(`/tiles/last/4/${i % 16}/${i >> 4}.mvt?${FILTER}`)).rawPayload);
      for (const cluster of tile.filter(isCluster)) {
        const answer = await app.server.inject(`/tiles/last/clusters/${cluster.id}/children?${FILTER}`);
        codes.add(answer.statusCode);
        if (answer.statusCode === 200) assert.equal(answer.json().features.length, countOf(cluster));
        else assert.ok(answer.statusCode === 413 && countOf(cluster) > 200, answer.body);
      }
    }
    assert.ok(codes.has(200));
  });

  test('priced, explained, another answer than without; TileJSON carries it', async () => {
    // Of which nothing is cached.
    const fresh = FILTER.replace('2000', '1990');
    const cluster = await largest('plain', `?${fresh}`);
    for (const url of [
      `/tiles/plain/0/0/0.mvt?${fresh}`,
      `/tiles/plain/clusters/${cluster.id}/leaves?${fresh}`,
      `/tiles/plain/clusters/${cluster.id}/children?${fresh}`,
      `/tiles/plain/clusters/${cluster.id}/expansion-zoom?${fresh}`,
    ]) {
      const { priceBytes, plan } = (await ask(`${url}&explain=1`)).json();
      const { candidates } = plan.layers?.[0] ?? plan;
      assert.ok(candidates >= countOf(cluster), url);
      const first = await ask(url);
      if (!url.includes('.mvt')) assert.equal(first.headers['x-plimsoll-cost'], String(priceBytes));
      assert.equal((await ask(url)).headers['x-plimsoll'], 'hit');
      const other = await ask(url.replace(`?${fresh}`, ''));
      assert.notEqual(other.headers.etag, first.headers.etag);
    }
    const { tiles } = (await ask(`/tiles/plain?${fresh}`)).json();
    assert.match(tiles[0], /filter=/);
  });
});

describe('aggregates', () => {
  for (const layer of ['sums', 'hidden'])
    test(`${layer}: of a tile, of its children and of its leaves`, async () => {
      for (const query of layer === 'sums' ? ['', FILTER] : ['']) {
        const cluster = await largest(layer, `?${query}`);
        const leaves = await leavesOf('sums', cluster.id, `&${query}`);
        const sum = leaves.reduce((a, b) => a + b, 0);
        assert.equal(cluster.properties['sum'], sum);
        assert.equal(cluster.properties['first'], Math.min(...leaves));
        const { features }: Parts = (await ask(`/tiles/${layer}/clusters/${cluster.id}/children?${query}`)).json();
        const clusters = features.filter(isCluster);
        for (const { id, properties } of clusters) {
          const own = await leavesOf('sums', id, `&${query}`);
          assert.deepEqual(
            [properties['sum'], properties['first']],
            [own.reduce((a, b) => a + b, 0), Math.min(...own)],
          );
        }
        assert.ok(clusters.length > 0);
      }
    });

  test('TileJSON names them, and the counts', async () => {
    const [{ fields }] = (await ask('/tiles/sums')).json().vector_layers;
    assert.deepEqual(fields, {
      name: 'String',
      n: 'Number',
      cluster: 'Boolean',
      cluster_id: 'Number',
      point_count: 'Number',
      point_count_abbreviated: 'String',
      sum: 'Number',
      first: 'Number',
      sqrt_point_count: 'Number',
    });
    const used = new Set((await worldOf('sums')).flatMap(({ properties }) => Object.keys(properties)));
    assert.deepEqual([...used].sort(), Object.keys(fields).sort());
  });

  for (const [layer, detail] of [
    ['unknown', /cluster\.aggregates\.a: there is no attribute "nome".*name/],
    ['text', /cluster\.aggregates\.a: sum is of numbers, and "name" is string/],
  ] as const)
    test(`${layer}: refused when it is opened`, async () => {
      const answer = await app.server.inject(`/tiles/${layer}/0/0/0.mvt`);
      assert.equal(answer.statusCode, 422);
      assert.equal(answer.json().code, 'layer-not-servable');
      assert.match(answer.json().detail, detail);
    });
});
