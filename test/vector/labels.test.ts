/** Labels: one point for every feature that a zoom shows, in one of its tiles, inside what is drawn, with the feature's attributes. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import type { Geometry, Position } from 'geojson';
import { PbfReader } from 'pbf';
import { buildOverview } from '../../src/commands/overview-build.ts';
import { costBytes } from '../../src/plan.ts';
import { type TileMatrixSet, tileBounds, WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD } from '../../src/tile.ts';
import { DEMO, WITHOUT_SHARED } from '../lib/app.ts';
import { type WriteFeature, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, type RigTile, seeded, tileOf, VECTOR } from './rig.ts';

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const files = new Files();
after(() => files.remove());

interface Label {
  /** In the grid's CRS. */
  readonly x: number;
  readonly y: number;
  /** A unit of the tile, grid units. */
  readonly unit: number;
  readonly properties: Record<string, unknown>;
}

interface Zoom {
  /** Attributes of the features that are drawn, by id. */
  readonly drawn: Map<number, Record<string, unknown>>;
  /** Labels of each id; one is right. */
  readonly labels: Map<number, Label[]>;
  readonly bytes: number;
}

/** All tiles of a zoom, or those whose columns are named. */
async function zoomOf(
  layer: FgbLayer,
  z: number,
  grid: TileMatrixSet = WEB_MERCATOR_QUAD,
  columns: readonly number[] | null = null,
): Promise<Zoom> {
  const zoom = { drawn: new Map(), labels: new Map<number, Label[]>(), bytes: 0 };
  const { matrixWidth, matrixHeight, resolution, tileWidth } = grid.matrices[z];
  for (const x of columns ?? Array.from({ length: matrixWidth }, (_, i) => i))
    for (let y = 0; y < matrixHeight; y++) {
      const tile = await tileOf(layer, z, x, y, { grid });
      if (!tile) continue;
      judge(tile, `${layer.id} ${z}/${x}/${y}`);
      zoom.bytes += tile.bytes;
      const [left, , , top] = tileBounds(grid, { z, x, y });
      for (const [name, one] of Object.entries(new VectorTile(new PbfReader(tile.body)).layers)) {
        const unit = (resolution * tileWidth) / one.extent;
        for (let i = 0; i < one.length; i++) {
          const { id = -1, properties, ...feature } = one.feature(i);
          assert.ok(name === layer.id || name === `${layer.id}_labels`, name);
          if (name === layer.id) {
            zoom.drawn.set(id, properties);
            continue;
          }
          const [[at]] = one.feature(i).loadGeometry();
          assert.equal(feature.type, 1);
          assert.ok(at.x >= 0 && at.x < one.extent && at.y >= 0 && at.y < one.extent, `${at.x}, ${at.y}`);
          const label = { x: left + at.x * unit, y: top - at.y * unit, unit, properties };
          zoom.labels.set(id, [...(zoom.labels.get(id) ?? []), label]);
        }
      }
    }
  return zoom;
}

function judge({ faults, painted, cost }: RigTile, what: string): void {
  assert.deepEqual(faults, [], what);
  assert.ok(
    painted.peakBytes <= costBytes(cost),
    `${what}: ${painted.peakBytes} bytes at a price of ${costBytes(cost)}`,
  );
}

/** Every feature that is drawn has one label, and no other has any. */
function onceEach({ drawn, labels }: Zoom, what: string): void {
  const doubled = [...labels].filter(([, found]) => found.length > 1).map(([id]) => id);
  assert.deepEqual(doubled, [], `${what}: labels in several tiles`);
  const missing = [...drawn.keys()].filter(id => !labels.has(id));
  assert.deepEqual(missing, [], `${what}: features without a label`);
  for (const [id, [{ properties }]] of labels) {
    // A part that is nothing in this tile's units is drawn by none.
    const own = drawn.get(id);
    if (own) assert.deepEqual({ ...properties }, { ...own }, `${what}: attributes of ${id}`);
  }
}

const polygonsOf = (geometry: Geometry): readonly Position[][][] => {
  if (geometry.type === 'Polygon') return [geometry.coordinates];
  return geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
};

/** How far outside of the polygon a point is, in the plane that it is projected to; 0 inside. */
function outside(polygons: readonly Position[][][], move: (p: Position) => Position, x: number, y: number): number {
  let inside = false;
  let least = Number.POSITIVE_INFINITY;
  for (const ring of polygons.flat()) {
    const points = ring.map(move);
    points.forEach(([ax, ay], i) => {
      const [bx, by] = points[(i + 1) % points.length];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
      const [dx, dy] = [bx - ax, by - ay];
      const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
    });
  }
  return inside ? 0 : least;
}

const half = Math.PI * 6378137;
const mercator = ([lon, lat]: Position): Position => {
  const clamped = (Math.max(-89.9, Math.min(89.9, lat)) * Math.PI) / 180;
  return [(lon / 180) * half, Math.log(Math.tan(Math.PI / 4 + clamped / 2)) * 6378137];
};
const plain = (p: Position): Position => p;

async function geometries({ source }: FgbLayer, ids: Iterable<number>): Promise<Map<number, Geometry>> {
  const { leavesOf } = await import('./heaviest.ts');
  const { decodeFeature } = await import('../../src/source/fgb/feature.ts');
  const wanted = new Set(ids);
  const found = new Map<number, Geometry>();
  let at = source.featuresStart;
  const schema = { columns: source.columns, geometryType: source.geometryType, hasZ: false };
  for await (const { ordinal, length } of leavesOf({ source } as FgbLayer)) {
    const bytes = new Uint8Array(length);
    source.bytes.readInto?.(at, bytes);
    at += length;
    const { geometry } = decodeFeature(bytes, 0, schema);
    if (wanted.has(ordinal + 1) && geometry) found.set(ordinal + 1, geometry);
  }
  return found;
}

async function allInside(layer: FgbLayer, { labels }: Zoom, move: (p: Position) => Position): Promise<void> {
  const found = await geometries(layer, labels.keys());
  for (const [id, [{ x, y, unit }]] of labels) {
    const off = outside(polygonsOf(found.get(id) as Geometry), move, x, y);
    // Rounding, and the clamp at the far edge.
    assert.ok(off <= unit * 1.5, `${layer.id} ${id}: ${off / unit} units outside`);
  }
}

test('countries of the demo: once each at every zoom, inside, at a price that holds', async () => {
  const layer = await openLayer(`${DEMO}/countries.fgb`, { labels: true });
  for (const z of FULL ? [0, 1, 2, 3, 4, 5, 6] : [0, 2, 3]) {
    const zoom = await zoomOf(layer, z);
    onceEach(zoom, `z${z}`);
    assert.ok(zoom.labels.size > 240, `${zoom.labels.size} labels`);
    await allInside(layer, zoom, mercator);
  }
  const degrees = await zoomOf(layer, 2, WORLD_CRS84_QUAD);
  onceEach(degrees, 'WorldCRS84Quad');
  await allInside(layer, degrees, plain);
  await layer.source.close();
});

/** Rings with a deep bay, a hole, or several parts, of any size. */
function shapes(n: number, seed: number, [w, s, e, n2]: readonly number[]): WriteFeature[] {
  const rnd = seeded(seed);
  const ring = (x: number, y: number, r: number): Position[] => {
    const k = 3 + Math.floor(rnd() * 12);
    const points = Array.from({ length: k }, (_, i) => {
      const a = (i / k) * 2 * Math.PI;
      const d = r * (0.2 + 0.8 * rnd());
      return [x + d * Math.cos(a), y + d * Math.sin(a)];
    });
    return [...points, points[0]];
  };
  return Array.from({ length: n }, (_, i) => {
    const [x, y] = [w + (e - w) * rnd(), s + (n2 - s) * rnd()];
    const r = (e - w) * 0.2 * rnd() ** 4;
    const polygon = [ring(x, y, r), ...(rnd() < 0.3 ? [ring(x, y, r * 0.05)] : [])];
    const more = rnd() < 0.3 ? [[ring(x + r * 3, y, r * rnd())]] : [];
    const geometry: Geometry = { type: 'MultiPolygon', coordinates: [polygon, ...more] };
    return { geometry, properties: { name: `n${i}`, rank: i } };
  });
}

const columns = [
  { name: 'name', type: 'string' },
  { name: 'rank', type: 'int' },
] as const;

test('shapes in another system, in the very corner of the world and beyond it: once each', async () => {
  const cases = [
    { crs: 4326, box: [-180, -90, 180, 90], zooms: [0, 1, 2, 3, 4] },
    // 170 to 190 degrees: what lies beyond the antimeridian shows on the other side.
    { crs: 4326, box: [170, -20, 190, 20], zooms: [0, 1, 3, 5] },
    // Around the antimeridian in a Mercator of its own, so that rings jump.
    { crs: 3832, box: [2_000_000, -2_000_000, 4_500_000, 2_000_000], zooms: [0, 1, 3, 5] },
    { crs: 3857, box: [-20_037_508, -20_037_508, 20_037_508, 20_037_508], zooms: [0, 2, 4] },
    { crs: 32633, box: [300_000, 5_000_000, 700_000, 5_400_000], zooms: [3, 6, 8] },
    // Rings around the pole.
    { crs: 3413, box: [-2_000_000, -2_000_000, 2_000_000, 2_000_000], zooms: [0, 2, 4] },
  ] as const;
  for (const { crs, box, zooms } of cases) {
    const layer = await openLayer(files.path(writeFgb(shapes(150, crs, box), { crs, columns })), { labels: true });
    assert.equal(layer.verdict.servable, true, JSON.stringify(layer.verdict.reasons));
    let most = 0;
    for (const z of zooms) {
      const zoom = await zoomOf(layer, z, WEB_MERCATOR_QUAD, columnsOf(layer, z));
      onceEach(zoom, `EPSG:${crs} z${z}`);
      most = Math.max(most, zoom.labels.size);
    }
    assert.ok(most > 100, `EPSG:${crs}: ${most} labels`);
    await layer.source.close();
  }
});

/** Columns that the layer's bounds reach, with one to spare on each side. */
function columnsOf({ lonLatBounds, source }: FgbLayer, z: number): number[] {
  const size = 2 ** z;
  const [w, , e] = lonLatBounds ?? source.bounds ?? [-180, 0, 180, 0];
  const [first, last] = [
    Math.floor(((w + 180) / 360) * size) - 1,
    Math.floor((((e < w ? e + 360 : e) + 180) / 360) * size) + 1,
  ];
  return [
    ...new Set(
      Array.from({ length: Math.min(size, last - first + 1) }, (_, i) => (((first + i) % size) + size) % size),
    ),
  ];
}

test('what lies on the edge of tiles is in one of them, in every zoom and grid', async () => {
  const at = [-180, -90, -45, 0, 11.25, 90, 180].flatMap(x =>
    [-85.0511287798066, -66.51326044311186, 0, 85].map(y => [x, y]),
  );
  const square = ([x, y]: Position): Geometry => ({
    type: 'Polygon',
    coordinates: [
      [
        [x - 1, y - 1],
        [x + 1, y - 1],
        [x + 1, y + 1],
        [x - 1, y + 1],
        [x - 1, y - 1],
      ],
    ],
  });
  const spots = at.map(coordinates => ({ geometry: { type: 'Point' as const, coordinates } }));
  for (const features of [spots, at.map(p => ({ geometry: square(p) }))]) {
    const layer = await openLayer(files.path(writeFgb(features)), { labels: true });
    for (const grid of [WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD])
      for (const z of [0, 1, 2, 4]) {
        const zoom = await zoomOf(layer, z, grid);
        onceEach(zoom, `${grid.id} z${z}`);
        assert.ok(zoom.labels.size >= at.length - 7, `${zoom.labels.size} of ${at.length}`);
      }
    await layer.source.close();
  }
});

test('the largest part of a multipolygon, not its hole; the middle of the longest line; the first point', async () => {
  const ring = (x: number, y: number, r: number): Position[] => [
    [x - r, y - r],
    [x + r, y - r],
    [x + r, y + r],
    [x - r, y + r],
    [x - r, y - r],
  ];
  const lines = {
    type: 'MultiLineString',
    coordinates: [
      [
        [0, 0],
        [0, 1],
      ],
      [
        [10, 0],
        [20, 0],
        [20, 30],
      ],
      [],
    ],
  } as const;
  const geometrys: Geometry[] = [
    { type: 'MultiPolygon', coordinates: [[ring(0, 0, 1)], [ring(20, 0, 4), ring(20, 0, 2)], [ring(40, 0, 2)]] },
    lines as unknown as Geometry,
    {
      type: 'MultiPoint',
      coordinates: [
        [5, 5],
        [6, 6],
      ],
    },
    {
      type: 'GeometryCollection',
      geometries: [
        { type: 'Point', coordinates: [1, 1] },
        lines as unknown as Geometry,
        { type: 'Polygon', coordinates: [ring(-30, 0, 3)] },
      ],
    },
  ];
  const layer = await openLayer(files.path(writeFgb(geometrys.map(geometry => ({ geometry })))), { labels: true });
  const { labels } = await zoomOf(layer, 4, WORLD_CRS84_QUAD);
  const at = new Map([...labels].map(([id, [{ x, y }]]) => [id, [x, y]]));
  const found = await geometries(layer, at.keys());
  for (const [id, geometry] of found) {
    const [x, y] = at.get(id) as number[];
    if (geometry.type === 'MultiPolygon')
      assert.ok(
        Math.max(Math.abs(x - 20), Math.abs(y)) > 2.5 && Math.max(Math.abs(x - 20), Math.abs(y)) < 3.5,
        `${x}, ${y}`,
      );
    if (geometry.type === 'MultiLineString') assert.ok(Math.hypot(x - 20, y - 10) < 0.01, `${x}, ${y}`);
    if (geometry.type === 'MultiPoint') assert.ok(Math.hypot(x - 5, y - 5) < 0.01, `${x}, ${y}`);
    if (geometry.type === 'GeometryCollection') assert.ok(Math.hypot(x + 30, y) < 0.01, `${x}, ${y}`);
  }
  assert.equal(found.size, 4);
  await layer.source.close();
});

test('lines too short to be drawn have no label, those that are drawn have one', async () => {
  const rnd = seeded(7);
  const features: WriteFeature[] = Array.from({ length: 400 }, () => {
    const [x, y] = [rnd() * 40, rnd() * 40];
    const r = 10 ** (-4 * rnd());
    return {
      geometry: {
        type: 'LineString',
        coordinates: [
          [x, y],
          [x + r * rnd(), y + r * rnd()],
        ],
      },
    };
  });
  const layer = await openLayer(files.path(writeFgb(features)), { labels: true });
  for (const z of [0, 2, 4]) {
    const zoom = await zoomOf(layer, z);
    onceEach(zoom, `z${z}`);
    const undrawn = [...zoom.labels.keys()].filter(id => !zoom.drawn.has(id));
    // Lines within a hundredth of a unit of being drawn.
    assert.ok(undrawn.length < 12, `${undrawn.length} labels of nothing`);
    assert.ok(zoom.drawn.size > 20 && zoom.labels.size < 400, `${zoom.labels.size} labels`);
  }
  await layer.source.close();
});

test('null and empty geometry has no label, and spoils none', async () => {
  const features: WriteFeature[] = [
    { geometry: null },
    { geometry: { type: 'Polygon', coordinates: [] } },
    {
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [Number.NaN, 0],
            [1, 1],
            [2, 0],
            [Number.NaN, 0],
          ],
        ],
      },
    },
    { geometry: { type: 'Point', coordinates: [3, 3] } },
  ];
  const layer = await openLayer(files.path(writeFgb(features, { nodeSize: 0 })), { labels: true });
  const zoom = await zoomOf(layer, 1);
  assert.equal(zoom.labels.size, 1);
  await layer.source.close();
});

test('features that a zoom leaves out have no label; caps count the labels; a sidecar changes nothing', {
  skip: WITHOUT_SHARED,
}, async () => {
  const path = join(files.dir, 'cities.fgb');
  copyFileSync(join(VECTOR, 'cities_pop5000.fgb'), path);
  const options = { maxTileBytes: 60_000, labels: true };
  const layer = await openLayer(path, options);
  const bodies = new Map<string, Uint8Array>();
  for (const z of [0, 2, 3]) {
    const zoom = await zoomOf(layer, z);
    onceEach(zoom, `cities z${z}`);
    assert.equal(zoom.labels.size, zoom.drawn.size);
    for (let x = 0; x < 2 ** z; x++) {
      const tile = await tileOf(layer, z, x, (2 ** z) >> 2, { encoding: 'gzip' });
      if (tile) assert.ok(tile.bytes <= 60_000, `${z}/${x}: ${tile.bytes} bytes`);
      const body = await tileOf(layer, z, x, (2 ** z) >> 2);
      if (body) bodies.set(`${z}/${x}`, body.body);
    }
  }
  await layer.source.close();
  await buildOverview(path, { crs: null, memoryBytes: 64 * 2 ** 20, share: 0.25, progress: () => {} });
  const sidecar = await openLayer(path, options);
  assert.ok(sidecar.source.overview.current);
  for (const [key, body] of bodies) {
    const [z, x] = key.split('/').map(Number);
    const tile = await tileOf(sidecar, z, x, (2 ** z) >> 2);
    assert.ok(Buffer.from(body).equals(tile?.body as Uint8Array), key);
  }
  assert.ok(bodies.size > 5);
  await sidecar.source.close();
});

test('a polygon of sixty thousand points: its label is in one of the tiles that it covers, at its price', async () => {
  const n = 60_000;
  const coordinates = Array.from({ length: n }, (_, i): Position => {
    const a = ((i % n) / n) * 2 * Math.PI;
    const r = 20 + 3 * Math.sin(a * 7);
    return [30 + r * Math.cos(a), 10 + r * Math.sin(a)];
  });
  coordinates.push(coordinates[0]);
  const layer = await openLayer(files.path(writeFgb([{ geometry: { type: 'Polygon', coordinates: [coordinates] } }])), {
    labels: true,
  });
  const zoom = await zoomOf(layer, 2);
  onceEach(zoom, 'z2');
  const [[, [{ x, y, unit }]]] = zoom.labels;
  assert.ok(outside([[coordinates]], mercator, x, y) === 0);
  const [mx, my] = mercator([30, 10]);
  assert.ok(Math.hypot(x - mx, y - my) < 400 * unit, 'near the middle of a star');
  await layer.source.close();
});

test('explain names the layer of labels and its price, which is more than that of the features alone', async () => {
  const labelled = await openLayer(`${DEMO}/countries.fgb`, { labels: true });
  const without = await openLayer(`${DEMO}/countries.fgb`);
  const [a, b] = [await tileOf(labelled, 2, 2, 1), await tileOf(without, 2, 2, 1)];
  assert.equal(a?.explain['labels'], 'countries_labels');
  assert.equal(b?.explain['labels'], undefined);
  for (const part of ['inputBytes', 'decodedBytes', 'outputBytes'] as const)
    assert.ok((a?.cost[part] ?? 0) > (b?.cost[part] ?? 0), part);
  await labelled.source.close();
  await without.source.close();
});
