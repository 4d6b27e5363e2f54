/** Clusters of points against a look at every point, and against supercluster in what both mean the same by. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { parseTileMatrixSet } from '../../src/grids/index.ts';
import { abbreviated, cellOfCluster, clusterId, numbered, zoomOfCluster } from '../../src/kernels/clusters.ts';
import { costBytes } from '../../src/plan.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { STAND_IN_SHARE } from '../../src/source/fgb/clusters.ts';
import { WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD } from '../../src/tile.ts';
import {
  bruteCells,
  busiest,
  everyTile,
  type LonLat,
  pointsFile,
  read,
  type Seen,
  seenAt,
  superclusterOf,
  tilesWith,
  townPoints,
} from './cluster-rig.ts';
import { type FgbLayer, Files, openLayer, seeded, tileOf } from './rig.ts';

const EXTENT = 4096;
const BUFFER = 64;
const files = new Files();
after(() => files.remove());

const points = townPoints(6000);
let layer: FgbLayer;
before(async () => {
  layer = await openLayer(files.path(pointsFile(points)), { cluster: true });
});

/** Every cell of the zoom has what a look at every point says: the count exactly, the middle to the share of a cell that is told. */
function assertCells(seen: Map<number, Seen[]>, z: number, minPoints: number, of = layer, grid = WEB_MERCATOR_QUAD) {
  const cells = bruteCells(of, points, z, grid);
  const clusters = [...seen.values()].filter(([{ properties }]) => properties['cluster'] === true);
  const many = [...cells.values()].filter(cell => cell.points.length >= minPoints);
  const counts = (list: readonly number[]) => list.toSorted((a, b) => a - b);
  assert.deepEqual(counts(clusters.map(([{ count }]) => count)), counts(many.map(cell => cell.points.length)));
  const singles = [...seen].filter(([, [{ properties }]]) => properties['cluster'] === undefined).map(([id]) => id - 1);
  const few = [...cells.values()].filter(cell => cell.points.length < minPoints).flatMap(cell => cell.points);
  assert.deepEqual(counts(singles), counts(few));
  return { many, clusters };
}

describe('tiles', () => {
  for (const z of [0, 1, 2, 3, 5, 7]) {
    test(`zoom ${z}: all points are counted once, by every tile alike`, async () => {
      const tiles = z <= 3 ? [...everyTile(z)] : tilesWith(points, z);
      const { seen, tiles: made } = await seenAt(layer, z, tiles);
      assert.equal(
        [...seen.values()].reduce((sum, [{ count }]) => sum + count, 0),
        points.length,
      );
      assertCells(seen, z, 2);
      const world = EXTENT * 2 ** z;
      for (const [id, sights] of seen) {
        const [first] = sights;
        for (const { properties, x, y } of sights) {
          assert.deepEqual(properties, first.properties);
          const dx = Math.abs(x - first.x) % world;
          assert.ok(
            Math.min(dx, world - dx) <= 1 && Math.abs(y - first.y) <= 1,
            `${id}: ${x},${y} and ${first.x},${first.y}`,
          );
        }
        assert.equal(sights.length, sightsOf(first, z), `${id} at ${first.x},${first.y}`);
      }
      for (const { faults, cost, painted } of made) {
        assert.deepEqual(faults, []);
        assert.ok(painted.peakBytes <= costBytes(cost), `${painted.peakBytes} bytes for ${costBytes(cost)}`);
      }
    });
  }

  /** In how many tiles with their buffers a place of the grid is, where rounding leaves no doubt. */
  function sightsOf({ x, y }: Seen, z: number): number {
    const size = 2 ** z;
    const along = (at: number, wraps: boolean): number => {
      let n = 0;
      const first = wraps ? -1 : 0;
      for (let tile = first; tile < size - first; tile++) {
        const place = at - tile * EXTENT;
        if (place >= -BUFFER && place <= EXTENT + BUFFER) n++;
      }
      return n;
    };
    return along(x, true) * along(y, false);
  }

  test('middles are those of their points, to a share of a cell, from subtrees too', async () => {
    for (const z of [0, 2, 4]) {
      const { seen } = await seenAt(layer, z, z < 4 ? everyTile(z) : tilesWith(points, z));
      const { many, clusters } = assertCells(seen, z, 2);
      const across = 512 / 48;
      const off: number[] = [];
      for (const [{ x, y, count }] of clusters) {
        const at = [(x / EXTENT) * across, (y / EXTENT) * across];
        const near = many.filter(cell => cell.points.length === count);
        const far = near.map(cell => Math.max(Math.abs(cell.x / count - at[0]), Math.abs(cell.y / count - at[1])));
        off.push(Math.min(...far));
      }
      const rounding = across / EXTENT;
      assert.ok(Math.max(...off) <= STAND_IN_SHARE / 2 + rounding, `${Math.max(...off)} of a cell`);
    }
  });

  test('above maxZoom the points are plain, and so they are without the setting', async () => {
    const shallow = await openLayer(files.path(pointsFile(points)), { cluster: { maxZoom: 2 }, maxFeatures: 100_000 });
    const plain = await openLayer(files.path(pointsFile(points)), { maxFeatures: 100_000 });
    const at = busiest(points, 3);
    const below = await tileOf(shallow, 2, ...busiest(points, 2));
    assert.ok(below && read(below.body).some(({ properties }) => properties['cluster'] === true));
    const [a, b] = [await tileOf(shallow, 3, ...at), await tileOf(plain, 3, ...at)];
    assert.ok(a && b && a.features.length > 100);
    assert.deepEqual(
      read(a.body).map(({ id, at }) => ({ id, at })),
      read(b.body).map(({ id, at }) => ({ id, at })),
    );
  });

  test('fewer than minPoints are drawn as themselves', async () => {
    for (const minPoints of [5, 40]) {
      const options = { cluster: { minPoints, radius: 60 } };
      const of = await openLayer(files.path(pointsFile(points)), options);
      const { seen } = await seenAt(of, 3, everyTile(3));
      assertCells(seen, 3, minPoints, of);
    }
  });

  test('clusters have supercluster’s attributes, points their own but for those names', async () => {
    const rooted = await openLayer(files.path(pointsFile(points)), { cluster: true, pointCount: true });
    const tile = await tileOf(rooted, 4, ...busiest(points, 4));
    const [both, single] = [true, undefined].map(is =>
      read(tile?.body ?? new Uint8Array()).find(f => f.properties['cluster'] === is),
    );
    const { cluster, cluster_id, point_count, point_count_abbreviated, ...rest } = both?.properties ?? {};
    assert.equal(cluster, true);
    assert.equal(cluster_id, both?.id);
    assert.equal(point_count_abbreviated, abbreviated(Number(point_count)));
    assert.deepEqual(rest, { sqrt_point_count: Math.round(Math.sqrt(Number(point_count)) * 100) / 100 });
    assert.deepEqual({ ...single?.properties }, { name: `p${Number(single?.id) - 1}` });
    const features = superclusterOf(points).getTile(0, 0, 0)?.features ?? [];
    const theirs = features.map(({ tags }): Record<string, unknown> => ({ ...tags })).filter(tags => tags['cluster']);
    for (const tags of theirs) {
      assert.deepEqual(Object.keys(tags).sort(), ['cluster', 'cluster_id', 'point_count', 'point_count_abbreviated']);
      assert.equal(abbreviated(Number(tags['point_count'])), tags['point_count_abbreviated']);
    }
    assert.ok(theirs.length > 5);
  });

  test('there are about as many as supercluster has of the same radius', async () => {
    const index = superclusterOf(points);
    for (const z of [1, 3, 5]) {
      const { seen } = await seenAt(layer, z, z <= 3 ? everyTile(z) : tilesWith(points, z));
      const theirs = index.getClusters([-180, -85, 180, 85], z);
      const sum = theirs.reduce((n, { properties }) => n + Number(properties['point_count'] ?? 1), 0);
      assert.equal(sum, points.length);
      const ratio = seen.size / theirs.length;
      assert.ok(ratio > 0.6 && ratio < 1.7, `zoom ${z}: ${seen.size} for ${theirs.length}`);
    }
  });
});

describe('the walk', () => {
  test('whole subtrees are counted where a cell has thousands, and nobody without a place among them', async () => {
    const dense = Array.from({ length: 9000 }, (_, i): LonLat => [10 + (i % 97) * 1e-5, 50 + (i % 89) * 1e-5]);
    const of = await openLayer(files.path(pointsFile(dense)), { cluster: true });
    const tile = await tileOf(of, 4, 8, 5);
    assert.ok(tile);
    assert.equal(read(tile.body)[0].properties['point_count'], 9000);
    assert.ok(Number(tile.explain['visited']) < 50, `${tile.explain['visited']} nodes`);

    const holes = dense.map((at, i) => (i % 10 === 3 ? null : at));
    const lost = await openLayer(files.path(pointsFile(holes)), { cluster: true });
    const without = await tileOf(lost, 4, 8, 5);
    assert.equal(read(without?.body ?? new Uint8Array())[0].properties['point_count'], 8100);
  });

  test('long walks pause: all is counted, and who leaves ends them', async () => {
    const next = seeded(9);
    const spread = Array.from({ length: 20_000 }, (): LonLat => [next() * 358 - 179, next() * 160 - 80]);
    const of = await openLayer(files.path(pointsFile(spread)), { cluster: { radius: 10 } });
    const tile = await tileOf(of, 0, 0, 0);
    assert.ok(tile && Number(tile.explain['visited']) > 20_000);
    const counts = read(tile.body).map(
      ({ properties, at }) => at.length && Number(properties['cluster'] ? properties['point_count'] : 1),
    );
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      spread.length,
    );
    const left = new AbortController();
    const ask = { layers: [of], grid: WEB_MERCATOR_QUAD, tile: { z: 0, x: 0, y: 0 }, properties: null };
    const plan = planVectorTile({ ...ask, encoding: 'identity' }, left.signal);
    left.abort(new Error('gone'));
    await assert.rejects(plan, /gone/);
  });

  test('a file without an index, one of another node size and one with a single point', async () => {
    for (const nodeSize of [0, 2, 5, 40]) {
      const of = await openLayer(files.path(pointsFile(points, { nodeSize })), { cluster: true });
      assertCells((await seenAt(of, 2, everyTile(2))).seen, 2, 2, of);
    }
    const one = await openLayer(files.path(pointsFile([[7, 48]])), { cluster: true });
    const tile = await tileOf(one, 0, 0, 0);
    assert.deepEqual(
      read(tile?.body ?? new Uint8Array()).map(({ id, properties }) => [id, { ...properties }]),
      [[1, { name: 'p0' }]],
    );
  });
});

describe('other grids', () => {
  const odd = parseTileMatrixSet('Odd', {
    crs: 'http://www.opengis.net/def/crs/EPSG/0/3857',
    tileMatrices: [1, 3, 4, 11].map((n, i) => ({
      id: `m${i}`,
      scaleDenominator: 40_075_016.686 / (n * 256) / 0.00028,
      cellSize: 40_075_016.686 / (n * 256),
      pointOfOrigin: [-20_037_508.343, 20_037_508.343],
      tileWidth: 256,
      tileHeight: 256,
      matrixWidth: n,
      matrixHeight: n,
    })),
  });

  for (const [name, grid, zooms] of [
    ['WorldCRS84Quad', WORLD_CRS84_QUAD, [0, 2]],
    ['one whose zooms do not halve', odd, [0, 1, 2, 3]],
  ] as const) {
    test(`${name}: exact, and each cluster in one of the zoom before`, async () => {
      let before: Map<string, { points: number[] }> | null = null;
      for (const z of zooms) {
        assertCells((await seenAt(layer, z, everyTile(z, grid), grid)).seen, z, 2, layer, grid);
        const cells = bruteCells(layer, points, z, grid);
        if (before) {
          const coarse = new Map([...before].flatMap(([key, cell]) => cell.points.map(point => [point, key] as const)));
          for (const { points: own } of cells.values())
            assert.equal(new Set(own.map(point => coarse.get(point))).size, 1);
        }
        before = cells;
      }
    });
  }
});

describe('other systems', () => {
  for (const [crs, dx] of [
    [3857, 1],
    [32633, 0.9],
  ] as const) {
    test(`EPSG:${crs}: all points are counted once, and lie where the plain ones do`, async () => {
      const metres = points.slice(0, 1500).map(([x, y]): LonLat => [500_000 + x * 2000 * dx, 5_400_000 + y * 2000]);
      const clustered = await openLayer(files.path(pointsFile(metres, { crs })), { cluster: { radius: 20 } });
      const plain = await openLayer(files.path(pointsFile(metres, { crs })), { drop: 'none' });
      const z = 5;
      const tiles =
        crs === 3857 ? [14, 15, 16, 17, 18].flatMap(x => [9, 10, 11, 12].map(y => [x, y] as const)) : [...everyTile(z)];
      const { seen } = await seenAt(clustered, z, tiles);
      const all = (await seenAt(plain, z, tiles)).seen;
      assert.equal(all.size, metres.length);
      const sights = [...seen.values()];
      assert.equal(
        sights.reduce((sum, [{ count }]) => sum + count, 0),
        metres.length,
      );
      assert.ok(sights.some(([{ count }]) => count > 20));
      for (const [id, [one]] of seen) {
        if (one.count > 1) continue;
        assert.deepEqual([one.x, one.y], [all.get(id)?.[0].x, all.get(id)?.[0].y]);
      }
      const mean = (list: readonly (readonly [number, number])[]) =>
        list.reduce((sum, [n, at]) => sum + n * at, 0) / metres.length;
      const far = mean(sights.map(([{ count, x }]) => [count, x])) - mean([...all.values()].map(([{ x }]) => [1, x]));
      assert.ok(Math.abs(far) < 4096 / 512, `${far} units`);
    });
  }
});

test('ids: every cell has its own, beside those of the features, and leads back to it', () => {
  const frames = fc.record({
    z: fc.nat(31),
    col0: fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
    row0: fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
    cols: fc.integer({ min: 1, max: 2 ** 24 }),
    rows: fc.integer({ min: 1, max: 2 ** 23 }),
  });
  fc.assert(
    fc.property(
      frames,
      fc.nat(2 ** 31 - 1),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (frame, features, share) => {
        assert.ok(numbered(frame, features));
        const col = frame.col0 + Math.floor(share * frame.cols);
        const row = frame.row0 + Math.floor((1 - share) * (frame.rows - 1));
        const id = clusterId(frame, features, col, row);
        assert.ok(Number.isSafeInteger(id) && id > features);
        assert.equal(zoomOfCluster(id, features), frame.z);
        assert.deepEqual(cellOfCluster(frame, features, id), [col, row]);
        assert.equal(zoomOfCluster(features, features), -1);
        assert.equal(
          cellOfCluster(frame, features, clusterId(frame, features, frame.col0, frame.row0 + frame.rows)),
          null,
        );
      },
    ),
  );
  assert.equal(numbered({ z: 0, col0: 0, row0: 0, cols: 2 ** 25, rows: 2 ** 25 }, 10), false);
  assert.equal(numbered({ z: 32, col0: 0, row0: 0, cols: 1, rows: 1 }, 10), false);
});
