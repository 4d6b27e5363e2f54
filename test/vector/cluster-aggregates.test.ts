/** Aggregates of clusters, and clusters of the points that match a filter: against a look at every point, and against supercluster's map and reduce. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import Supercluster from 'supercluster';
import { type Problem, problem } from '../../src/errors.ts';
import { type AggregateOp, Aggregator } from '../../src/kernels/aggregates.ts';
import type { ClusterChoice } from '../../src/layers/types.ts';
import { costBytes } from '../../src/plan.ts';
import { vectorLayerFields } from '../../src/render/vector/fields.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { bruteCells, busiest, everyTile, type LonLat, read, type Seen, seenAt, townPoints } from './cluster-rig.ts';
import { writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, tileOf } from './rig.ts';

const files = new Files();
after(() => files.remove());

interface Attributes {
  readonly people: number | null;
  readonly height: number;
  readonly open: boolean | null;
  readonly kind: string;
}

const AGGREGATES = {
  total: { op: 'sum', property: 'people' },
  least: { op: 'min', property: 'height' },
  most: { op: 'max', property: 'height' },
  average: { op: 'mean', property: 'people' },
  known: { op: 'count', property: 'people' },
  some: { op: 'any', property: 'open' },
  every: { op: 'all', property: 'open' },
  people: { op: 'max', property: 'people' },
} as const satisfies ClusterChoice['aggregates'];

function attributesOf(i: number): Attributes {
  return {
    people: i % 7 === 3 ? null : (i * 37) % 1000,
    height: ((i * 97) % 601) / 4 - 70,
    open: i % 11 === 5 ? null : i % 3 !== 0,
    kind: 'abc'[i % 3],
  };
}

function fileOf(points: readonly LonLat[], wanted: (i: number) => boolean = () => true): Uint8Array {
  const features = points.flatMap((at, i) =>
    wanted(i)
      ? [{ geometry: { type: 'Point' as const, coordinates: [...at] }, properties: { ...attributesOf(i) } }]
      : [],
  );
  const columns = [
    { name: 'people', type: 'int' },
    { name: 'height', type: 'double' },
    { name: 'open', type: 'bool' },
    { name: 'kind', type: 'string' },
  ] as const;
  return writeFgb(features, { type: 'Point', columns });
}

const points = townPoints(4000, 21);
let layer: FgbLayer;
before(async () => {
  layer = await openLayer(files.path(fileOf(points)), { cluster: { aggregates: AGGREGATES } });
});

const numbers = (list: readonly (number | null)[]) => list.filter(value => value !== null);

/** Without those that no point has a value for, as in tiles. */
function expected(of: readonly number[]): Record<string, unknown> {
  const all = of.map(attributesOf);
  const people = numbers(all.map(one => one.people));
  const heights = all.map(one => one.height);
  const open = all.map(one => one.open).filter(value => value !== null);
  const total = people.reduce((sum, value) => sum + value, 0);
  const made = {
    least: Math.min(...heights),
    most: Math.max(...heights),
    known: people.length,
    ...(people.length > 0 ? { total, average: total / people.length, people: Math.max(...people) } : {}),
    ...(open.length > 0 ? { some: open.includes(true), every: !open.includes(false) } : {}),
  };
  return made;
}

const NAMES = Object.keys(AGGREGATES);
const SUPERCLUSTERS = ['cluster', 'cluster_id', 'point_count', 'point_count_abbreviated'];

function aggregatesIn(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !SUPERCLUSTERS.includes(name)));
}

/** What `brute` has of every cluster, by count and total, which tell them apart enough. */
function assertClusters(seen: Map<number, Seen[]>, cells: readonly (readonly number[])[]): void {
  const clusters = [...seen.values()].flatMap(([first]) => (first.properties['cluster'] === true ? [first] : []));
  const key = (value: { count: number; made: Record<string, unknown> }) =>
    JSON.stringify([value.count, NAMES.map(name => value.made[name] ?? null)]);
  const found = clusters.map(({ count, properties }) => key({ count, made: aggregatesIn(properties) })).sort();
  const wanted = cells.filter(cell => cell.length >= 2).map(cell => key({ count: cell.length, made: expected(cell) }));
  assert.deepEqual(found, wanted.sort());
  const singles = [...seen].flatMap(([id, [{ properties }]]) => (properties['cluster'] === true ? [] : [id - 1]));
  const alone = cells.filter(cell => cell.length < 2).flat();
  assert.deepEqual(
    singles.sort((a, b) => a - b),
    alone.sort((a, b) => a - b),
  );
}

describe('aggregates', () => {
  for (const z of [0, 1, 3]) {
    test(`zoom ${z}: every cluster has those of its points, in every tile alike and within the price`, async () => {
      const { seen, tiles } = await seenAt(layer, z, everyTile(z));
      assertClusters(
        seen,
        [...bruteCells(layer, points, z).values()].map(cell => cell.points),
      );
      for (const sights of seen.values())
        for (const { properties } of sights) assert.deepEqual(properties, sights[0].properties);
      for (const { faults, cost, painted } of tiles) {
        assert.deepEqual(faults, []);
        assert.ok(painted.peakBytes <= costBytes(cost), `${painted.peakBytes} bytes for ${costBytes(cost)}`);
      }
    });
  }

  test('clusters are where, and as many as, the index alone says; single points keep their own attributes', async () => {
    const plain = await openLayer(files.path(fileOf(points)), { cluster: true });
    for (const z of [0, 4]) {
      const at = busiest(points, z);
      const [a, b] = [await tileOf(layer, z, ...at), await tileOf(plain, z, ...at)];
      const [ours, theirs] = [a, b].map(tile => read(tile?.body ?? new Uint8Array()).toSorted((p, q) => p.id - q.id));
      assert.equal(ours.length, theirs.length);
      ours.forEach((one, i) => {
        const other = theirs[i];
        assert.equal(one.id, other.id);
        if (one.properties['cluster'] === true) {
          assert.equal(one.properties['point_count'], other.properties['point_count']);
          // Subtrees stand in for their points there.
          assert.ok(Math.hypot(one.at[0][0] - other.at[0][0], one.at[0][1] - other.at[0][1]) <= 3);
        } else assert.deepEqual(one, other);
      });
    }
  });

  test('the fields of the tiles are told', () => {
    const fields = vectorLayerFields(layer.source, layer.options);
    assert.deepEqual(
      NAMES.map(name => fields[name]),
      ['Number', 'Number', 'Number', 'Number', 'Number', 'Boolean', 'Boolean', 'Number'],
    );
  });

  test('those of a partition are those of the whole', () => {
    const value = fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -1000, max: 1000 }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), values => {
        const by = (op: AggregateOp) => {
          const made = new Aggregator(op, 2);
          for (const [i, one] of values.entries()) made.add(i % 2, one);
          return [made.of(0), made.of(1)];
        };
        const real = values.filter(one => !Number.isNaN(one));
        const sums = numbers(by('sum') as (number | null)[]);
        assert.equal(sums.reduce((a, b) => a + b, 0) + 0, real.reduce((a, b) => a + b, 0) + 0);
        const counts = by('count') as number[];
        assert.equal(counts[0] + counts[1], real.length);
        if (real.length === 0) assert.deepEqual(by('min'), [null, null]);
        else assert.equal(Math.min(...numbers(by('min') as (number | null)[])), Math.min(...real));
      }),
    );
  });
});

/** Towns so far from each other, and so small, that supercluster and cells agree which points are together. */
const APART: LonLat[] = Array.from({ length: 900 }, (_, i) => {
  const town = i % 9;
  const [col, row] = [town % 3, Math.floor(town / 3)];
  const place = (n: number) => ((n + 0.5) / 48) * 360 - 180;
  return [place(10 + col * 11) + ((i * 7) % 13) * 0.01, 10 + row * 25 + ((i * 5) % 17) * 0.01];
});

type Made = { total: number; least: number; some: boolean };

function superclusterOf(wanted: (i: number) => boolean): Supercluster<Attributes, Made> {
  const index = new Supercluster<Attributes, Made>({
    radius: 40,
    extent: 512,
    maxZoom: 16,
    map: ({ people, height, open }) => ({ total: people ?? 0, least: height, some: open === true }),
    reduce: (into, one) => {
      into.total += one.total;
      into.least = Math.min(into.least, one.least);
      into.some = into.some || one.some;
    },
  });
  return index.load(
    APART.flatMap(([lon, lat], i) =>
      wanted(i)
        ? [
            {
              type: 'Feature' as const,
              properties: attributesOf(i),
              geometry: { type: 'Point' as const, coordinates: [lon, lat] },
            },
          ]
        : [],
    ),
  );
}

const filterOf = (kind: string) => ({
  cql: JSON.stringify({ op: '=', args: [{ property: 'kind' }, kind] }),
  crs: { id: 'OGC:CRS84', northFirst: false },
});

describe('beside supercluster', () => {
  const seenBy = async (of: FgbLayer, z: number, filter?: ReturnType<typeof filterOf>) => {
    const found = new Map<number, Readonly<Record<string, unknown>>>();
    for (const [x, y] of everyTile(z)) {
      const tile = await tileOf(of, z, x, y, filter ? { filter } : {});
      for (const { id, properties } of tile ? read(tile.body) : []) found.set(id, properties);
    }
    return [...found.values()];
  };
  const told = ({ point_count, total, least, some }: Record<string, unknown>) =>
    JSON.stringify([point_count, total, least, some]);

  for (const kind of [null, 'b'])
    test(`the same clusters with the same sums${kind ? ', of points that were filtered before' : ''}`, async () => {
      const { total, least, some } = AGGREGATES;
      const of = await openLayer(files.path(fileOf(APART)), { cluster: { aggregates: { total, least, some } } });
      const theirs = superclusterOf(i => kind === null || attributesOf(i).kind === kind).getClusters(
        [-180, -85, 180, 85],
        3,
      );
      const ours = await seenBy(of, 3, kind ? filterOf(kind) : undefined);
      assert.equal(theirs.length, kind ? 3 : 9);
      assert.deepEqual(ours.map(told).sort(), theirs.map(({ properties }) => told({ ...properties })).sort());
    });
});

describe('a filter', () => {
  test('clusters are of the points that match: those of a file that has only these', async () => {
    const matches = (i: number) => attributesOf(i).kind === 'b';
    for (const aggregates of [{}, AGGREGATES]) {
      const of = await openLayer(files.path(fileOf(points)), { cluster: { aggregates } });
      for (const z of [0, 2]) {
        const seen = new Map<number, Seen[]>();
        for (const [x, y] of everyTile(z)) {
          const tile = await tileOf(of, z, x, y, { filter: filterOf('b') });
          if (!tile) continue;
          assert.deepEqual(tile.faults, []);
          assert.ok(tile.painted.peakBytes <= costBytes(tile.cost));
          for (const { id, properties } of read(tile.body)) {
            const count = properties['cluster'] === true ? Number(properties['point_count']) : 1;
            seen.set(id, [{ id, count, properties, x: 0, y: 0 }]);
          }
        }
        const cells = [...bruteCells(of, points, z).values()].map(cell => cell.points.filter(matches));
        if (aggregates === AGGREGATES) assertClusters(seen, cells);
        const counts = (list: readonly number[]) => list.toSorted((a, b) => a - b);
        assert.deepEqual(
          counts([...seen.values()].map(([{ count }]) => count)),
          counts(cells.flatMap(cell => (cell.length === 0 ? [] : [cell.length]))),
        );
      }
    }
  });

  test('more points than may be read are 413, with the zoom that can be', async () => {
    const town = Array.from({ length: 4000 }, (_, i): LonLat => [10 + (i % 97) * 0.02, 50 + (i % 89) * 0.02]);
    const of = await openLayer(files.path(fileOf(town)), {
      cluster: { aggregates: AGGREGATES },
      filterReadBytes: 100_000,
    });
    const ask = { layers: [of], grid: WEB_MERCATOR_QUAD, properties: null, encoding: 'identity' } as const;
    let fits = -1;
    await assert.rejects(planVectorTile({ ...ask, tile: { z: 0, x: 0, y: 0 } }), (error: Problem) => {
      assert.equal(error.code, problem('too-large', '').code);
      assert.match(error.message, /aggregates would have to be made of \d+ bytes of points; at most 100000/);
      assert.equal(error.extra['limitBytes'], 100_000);
      fits = (error.extra['fits'] as { z: number }).z;
      return true;
    });
    assert.ok(fits > 0);
    const [x, y] = busiest(town, fits);
    await planVectorTile({ ...ask, tile: { z: fits, x, y } });
  });
});
