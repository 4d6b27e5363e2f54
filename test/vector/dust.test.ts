/** Area-preserving dust, by a look at every feature: nothing is left out, areas add up, tiles agree. */
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import fc from 'fast-check';
import { PbfReader } from 'pbf';
import { buildOverview } from '../../src/commands/overview-build.ts';
import type { VectorJob } from '../../src/render/vector/job.ts';
import { createVectorPainter } from '../../src/render/vector/paint.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { areaOf, areasInDegrees, boxArea, Middle } from '../../src/source/fgb/area.ts';
import { decodeFeature } from '../../src/source/fgb/feature.ts';
import { featureAt } from '../../src/source/fgb/query.ts';
import { type TileMatrixSet, WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD } from '../../src/tile.ts';
import { testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { type WriteFeature, writeFgb } from './fgb-writer.ts';
import { heaviest } from './heaviest.ts';
import { EXTENT, type FgbLayer, Files, openLayer, seeded, tileOf, VECTOR } from './rig.ts';

const files = new Files();
after(() => files.remove());

/** Parcels that cover everything, with corners that are off a grid by up to a third of it; one column is called area. */
function parcels(side: number, [x0, y0]: readonly number[], size: number, crs: number): string {
  const rnd = seeded(side);
  const corners = Array.from({ length: (side + 1) ** 2 }, (_, i) => [
    x0 + ((i % (side + 1)) + rnd() / 3) * size,
    y0 + (Math.floor(i / (side + 1)) + rnd() / 3) * size,
  ]);
  const at = (col: number, row: number) => corners[row * (side + 1) + col];
  // In the order of a curve, more or less, as files are: neighbours in blocks of eight.
  const order = Array.from({ length: side * side }, (_, i) => [i % side, Math.floor(i / side)]).sort(
    (a, b) => (a[1] >> 3) - (b[1] >> 3) || (a[0] >> 3) - (b[0] >> 3) || a[1] - b[1] || a[0] - b[0],
  );
  const features: WriteFeature[] = order.map(([c, r]) => ({
    geometry: { type: 'Polygon', coordinates: [[at(c, r), at(c + 1, r), at(c + 1, r + 1), at(c, r + 1), at(c, r)]] },
    properties: { area: 7, use: (c + r) % 3 === 0 ? 'field' : 'wood' },
  }));
  const columns = [
    { name: 'area', type: 'int' as const },
    { name: 'use', type: 'string' as const },
  ];
  return files.path(writeFgb(features, { columns, type: 'Polygon', crs }));
}

const DEGREES = () => parcels(96, [9, 47], 0.004, 4326);
const METRES = () => parcels(96, [500_000, 5_200_000], 300, 25832);

interface Drawn {
  readonly tile: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** In units of the zoom's whole plane; null where the tile has only a part of it. */
  readonly ring: string | null;
  readonly area: number;
}

/** What all tiles of the zoom draw, by id. */
async function drawnAt(
  layer: FgbLayer,
  z: number,
  grid: TileMatrixSet,
  degrade?: 'thin',
): Promise<Map<number, Drawn[]>> {
  const found = new Map<number, Drawn[]>();
  const painter = createVectorPainter();
  for (const tile of await heaviest(layer, [z], Number.POSITIVE_INFINITY, grid)) {
    const ask = { layers: [layer], grid, tile, properties: null, encoding: 'identity' as const };
    const plan = await planVectorTile({ ...ask, ...(degrade ? { degrade } : {}) });
    if (!plan.job) continue;
    const painted = painter.paint(plan.job as VectorJob, { cancelled: () => false, check: () => {} });
    const { heldInputBytes = 0, decodedBytes, outputBytes } = plan.cost;
    assert.ok(painted.peakBytes <= heldInputBytes + decodedBytes + outputBytes);
    assert.ok((painted.body?.length ?? 0) <= outputBytes);
    assert.equal(painted.headers['x-tile-dropped'] ?? plan.headers['x-tile-dropped'], undefined);
    if (painted.body === null) continue;
    const [mvt] = Object.values(new VectorTile(new PbfReader(painted.body)).layers);
    for (let i = 0; i < mvt.length; i++) {
      const feature = mvt.feature(i);
      const rings = feature.loadGeometry();
      const points = rings.flat();
      const whole = points.every(({ x, y }) => x > -64 && y > -64 && x < EXTENT + 64 && y < EXTENT + 64);
      const moved = rings.map(ring => ring.map(p => [p.x + tile.x * EXTENT, p.y + tile.y * EXTENT]));
      const area = rings.reduce((sum, ring) => sum + ringArea(ring), 0);
      const at = { tile: `${z}/${tile.x}/${tile.y}`, properties: { ...feature.properties }, area };
      found.set(feature.id as number, [
        ...(found.get(feature.id as number) ?? []),
        { ...at, ring: whole ? JSON.stringify(moved) : null },
      ]);
    }
  }
  painter.close();
  return found;
}

function ringArea(ring: readonly { x: number; y: number }[]): number {
  return ring.reduce((sum, { x, y }, i) => {
    const next = ring[(i + 1) % ring.length];
    return sum + (x * next.y - next.x * y) / 2;
  }, 0);
}

interface Leaf {
  readonly box: readonly number[];
  readonly boxArea: number;
  readonly area: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

async function leaves({ source }: FgbLayer): Promise<Leaf[]> {
  const all: Leaf[] = [];
  const degrees = areasInDegrees(source.crs as string);
  for (let i = 0; i < source.count; i++) {
    const { offset, length, box } = await featureAt(source, i);
    const { geometry, properties } = decodeFeature(await source.bytes.read(offset, length), 0, source);
    const [a, b, c, d] = box;
    all.push({ box, boxArea: boxArea(a, b, c, d, degrees), area: areaOf(geometry, source.crs as string), properties });
  }
  return all;
}

/** Tiles agree about each feature, in all that they say of it and, where they have all of it, in where it is. */
function agreed(found: Map<number, Drawn[]>): Drawn[] {
  return [...found].map(([id, drawn]) => {
    for (const other of drawn) {
      assert.deepEqual(other.properties, drawn[0].properties, `${id} in ${drawn[0].tile} and ${other.tile}`);
      if (other.ring !== null && drawn[0].ring !== null)
        assert.equal(other.ring, drawn[0].ring, `${id} in ${drawn[0].tile} and ${other.tile}`);
    }
    return drawn.find(({ ring }) => ring !== null) ?? drawn[0];
  });
}

const isDust = ({ properties }: Drawn) => properties['dust'] === true;
const sumOf = (drawn: readonly Drawn[], name: string) =>
  drawn.reduce((sum, { properties }) => sum + Number(properties[name]), 0);

async function steps(layer: FgbLayer): Promise<{ steps: readonly (number | null)[]; fill: number }> {
  const [cells] = await Promise.all(layer.source.lod.values());
  return cells;
}

const CASES = [
  { what: 'degrees, in web mercator', path: DEGREES, grid: WEB_MERCATOR_QUAD, zooms: [5, 7, 9, 10] },
  { what: 'degrees, in CRS84', path: DEGREES, grid: WORLD_CRS84_QUAD, zooms: [6, 8, 9] },
  { what: 'metres of UTM, in web mercator', path: METRES, grid: WEB_MERCATOR_QUAD, zooms: [6, 8, 9, 10] },
];

for (const { what, path, grid, zooms } of CASES) {
  test(`parcels in ${what}: drawn and dust are all there are, and their areas are the sum`, async () => {
    const layer = await openLayer(path(), { drop: 'dust', maxFeatures: 400 });
    const all = await leaves(layer);
    const total = all.reduce((sum, leaf) => sum + leaf.area, 0);
    let dusty = 0;
    for (const z of zooms) {
      const drawn = agreed(await drawnAt(layer, z, grid));
      const dust = drawn.filter(isDust);
      const single = drawn.filter(one => !isDust(one));
      assert.equal(single.length + sumOf(dust, 'point_count'), all.length, `z${z}`);
      assert.ok(dust.every(({ properties }) => Number(properties['point_count']) > 1));
      assert.ok(single.every(({ properties }) => properties['area'] === 7 && !('point_count' in properties)));
      assert.ok(drawn.every(({ properties }) => ['field', 'wood'].includes(properties['use'] as string)));
      if (dust.length === 0) continue;
      dusty++;
      // Boxes times what parcels fill of them on average, against the true areas.
      const singles = single.length === 0 ? 0 : (total * single.length) / all.length;
      const areas = sumOf(dust, 'area') + singles;
      assert.ok(Math.abs(areas / total - 1) < 0.03, `z${z}: ${areas} of ${total}`);
      // The squares are drawn as large as that, rounded to the tile's units: of the plane that all parcels take together.
      const plane = drawn.reduce((sum, { area }) => sum + area, 0);
      const expected = planeArea(layer, z, grid) * (total / around(layer));
      assert.ok(Math.abs(plane / expected - 1) < 0.12, `z${z}: ${plane} of ${expected} square units are drawn`);
    }
    assert.ok(dusty >= 3, `${dusty} zooms have dust`);
    await layer.source.close();
  });
}

function around({ source }: FgbLayer): number {
  const [a, b, c, d] = source.bounds as readonly number[];
  return boxArea(a, b, c, d, areasInDegrees(source.crs as string));
}

/** Square units of the zoom that the layer's bounds take. */
function planeArea(layer: FgbLayer, z: number, grid: TileMatrixSet): number {
  const [w, s, e, n] = layer.lonLatBounds as readonly number[];
  const { resolution, tileWidth } = grid.matrices[z];
  const unit = (resolution * tileWidth) / EXTENT;
  if (grid !== WEB_MERCATOR_QUAD) return ((e - w) * (n - s)) / unit ** 2;
  const y = (lat: number) => Math.asinh(Math.tan((lat * Math.PI) / 180)) * 6378137;
  // A layer in UTM fills its bounds in degrees not quite.
  const [a, b, c, d] = layer.source.bounds as readonly number[];
  if (!areasInDegrees(layer.source.crs as string))
    return ((c - a) * (d - b)) / Math.cos((((s + n) / 2) * Math.PI) / 180) ** 2 / unit ** 2;
  return ((((e - w) * Math.PI) / 180) * 6378137 * (y(n) - y(s))) / unit ** 2;
}

test('each square has the boxes of its cell, summed by hand, times the fill that was measured', async () => {
  const layer = await openLayer(DEGREES(), { drop: 'dust', maxFeatures: 400, pointCount: true });
  const all = await leaves(layer);
  const z = 8;
  const drawn = agreed(await drawnAt(layer, z, WEB_MERCATOR_QUAD)).filter(isDust);
  const { steps: levels, fill } = await steps(layer);
  assert.ok(
    Math.abs(fill - all.reduce((sum, leaf) => sum + leaf.area / leaf.boxArea, 0) / all.length) < 0.01,
    `${fill}`,
  );
  const scale = 2 ** (levels[z] as number);
  const col = (lon: number) => ((lon + 180) / 360) * scale;
  const row = (lat: number) => (0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * scale;
  const cells = new Map<string, { count: number; area: number }>();
  for (const { box, boxArea: area } of all) {
    if (col(box[2]) - col(box[0]) >= 1 || row(box[1]) - row(box[3]) >= 1) continue;
    const key = `${Math.floor((col(box[0]) + col(box[2])) / 2)} ${Math.floor((row(box[1]) + row(box[3])) / 2)}`;
    const cell = cells.get(key) ?? { count: 0, area: 0 };
    cells.set(key, { count: cell.count + 1, area: cell.area + area });
  }
  const expected = [...cells.values()].filter(({ count }) => count > 1).map(({ count, area }) => [count, area * fill]);
  const told = drawn.map(({ properties }) => [Number(properties['point_count']), Number(properties['area'])]);
  const sorted = (pairs: number[][]) => pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.equal(told.length, expected.length);
  sorted(expected).forEach(([count, area], i) => {
    const [tellsCount, tellsArea] = sorted(told)[i];
    assert.equal(tellsCount, count);
    assert.ok(Math.abs(tellsArea / area - 1) < 1e-5, `${tellsArea} for ${area}`);
  });
  const roots = drawn.map(({ properties: p }) => [
    p['sqrt_point_count'],
    Math.round(Math.sqrt(p['point_count'] as number) * 100) / 100,
  ]);
  for (const [root, wanted] of roots) assert.equal(root, wanted);
  await layer.source.close();
});

test('short of memory, coarser cells have all features too', async () => {
  const layer = await openLayer(DEGREES(), { drop: 'dust', maxFeatures: 400 });
  const [full, thin] = [await drawnAt(layer, 8, WEB_MERCATOR_QUAD), await drawnAt(layer, 8, WEB_MERCATOR_QUAD, 'thin')];
  assert.ok(thin.size * 3 < full.size, `${thin.size} of ${full.size}`);
  const drawn = agreed(thin);
  const dust = drawn.filter(isDust);
  assert.equal(drawn.length - dust.length + sumOf(dust, 'point_count'), layer.source.count);
  await layer.source.close();
});

test('with an overview the sums are of the true areas, of the same features', async () => {
  const path = parcels(160, [9, 47], 0.0024, 4326);
  const beside = files.path(new Uint8Array(0));
  copyFileSync(path, beside);
  const quiet = { crs: null, memoryBytes: 64 * 2 ** 20, share: 0.25, progress: () => {} };
  const options = { drop: 'dust', maxFeatures: 400 } as const;
  await buildOverview(beside, quiet);
  const [walked, prepared] = [await openLayer(path, options), await openLayer(beside, options)];
  assert.ok(prepared.source.overview.current);
  const all = await leaves(walked);
  for (const z of [6, 8]) {
    const a = await drawnAt(walked, z, WEB_MERCATOR_QUAD);
    const b = await drawnAt(prepared, z, WEB_MERCATOR_QUAD);
    assert.deepEqual([...b.keys()].sort(), [...a.keys()].sort());
    const dust = agreed(b).filter(isDust);
    assert.equal(agreed(b).length - dust.length + sumOf(dust, 'point_count'), all.length);
    const alone = [...b].filter(([, [one]]) => !isDust(one)).map(([id]) => all[id - 1].area);
    const left = all.reduce((sum, leaf) => sum + leaf.area, 0) - alone.reduce((sum, area) => sum + area, 0);
    assert.ok(dust.length > 50 && Math.abs(sumOf(dust, 'area') / left - 1) < 1e-5, `${sumOf(dust, 'area')} of ${left}`);
  }
  await walked.source.close();
  await prepared.source.close();
});

test('over HTTP: a filter has dust of its matches alone; told by TileJSON and explain; points are refused', async () => {
  const path = DEGREES();
  const file = join(files.dir, 'plimsoll.yaml');
  const point = files.path(writeFgb([{ geometry: { type: 'Point', coordinates: [9, 47] } }], { type: 'Point' }));
  const layers = `  a: {path: ${path}, drop: dust, maxFeatures: 400}\n  b: {path: ${point}, drop: dust}\n`;
  writeFileSync(file, `layers:\n${layers}`);
  const app = await testApp({ file, paths: [] });
  const layer = await openLayer(path);
  try {
    const { fields } = (await app.server.inject('/tiles/a')).json().vector_layers[0];
    assert.deepEqual(fields, { area: 'Number', use: 'String', dust: 'Boolean', point_count: 'Number' });
    const refused = (await app.server.inject('/tiles/b/0/0/0')).json();
    assert.equal(refused.reasons[0].code, 'dust-without-areas');
    const wanted = (await leaves(layer)).filter(({ properties }) => properties['use'] === 'field');
    const found = new Map<number, Record<string, unknown>>();
    const z = 8;
    for (const { x, y } of await heaviest(layer, [z], Number.POSITIVE_INFINITY)) {
      const answer = await app.server.inject(`/tiles/a/${z}/${x}/${y}?filter=${encodeURIComponent("use = 'field'")}`);
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.headers['x-tile-dropped'], undefined);
      const [mvt] = Object.values(new VectorTile(new PbfReader(answer.rawPayload)).layers);
      for (let i = 0; i < mvt.length; i++) {
        const { id, properties } = mvt.feature(i);
        const known = found.get(id as number);
        if (known) assert.deepEqual({ ...properties }, known);
        found.set(id as number, { ...properties });
      }
      const { plan } = (await app.server.inject(`/tiles/a/${z}/${x}/${y}?explain=1`)).json();
      const { squares, features } = plan.layers[0].dust;
      assert.ok(squares > 20 && features > squares * 2, `${squares} squares of ${features}`);
    }
    const dust = [...found.values()].filter(properties => properties['dust']);
    const counted = dust.reduce((sum, properties) => sum + Number(properties['point_count']), 0);
    assert.equal(found.size - dust.length + counted, wanted.length);
    const areas = dust.reduce((sum, properties) => sum + Number(properties['area']), 0);
    const mean = wanted.reduce((sum, { area }) => sum + area, 0) / wanted.length;
    assert.ok(dust.length > 50 && Math.abs(areas / (mean * counted) - 1) < 0.05, `${areas} of ${mean * counted}`);
  } finally {
    await layer.source.close();
    await app.close();
  }
});

describe('dust of real polygons', { skip: WITHOUT_SHARED }, () => {
  test('all of Liechtenstein is drawn or dust, under the caps, and valid', async () => {
    const layer = await openLayer(join(VECTOR, 'osm_liechtenstein_multipolygons.fgb'), {
      drop: 'dust',
      maxFeatures: 900,
    });
    for (const z of [6, 9, 11]) {
      const drawn = agreed(await drawnAt(layer, z, WEB_MERCATOR_QUAD));
      const dust = drawn.filter(isDust);
      assert.ok(dust.length > 50, `${dust.length}`);
      const without = layer.source.count - (drawn.length - dust.length) - sumOf(dust, 'point_count');
      assert.equal(without, 0, `z${z}`);
      for (const { x, y } of await heaviest(layer, [z], 3)) {
        const tile = await tileOf(layer, z, x, y);
        assert.deepEqual(tile?.faults, []);
        assert.ok(Number(tile?.explain['features']) <= 900 * 1.1);
      }
    }
    await layer.source.close();
  });
});

test('areas about one latitude are those of the sines', () => {
  const middle = new Middle();
  assert.equal(middle.reaches(0, 2.1), false);
  assert.equal(middle.reaches(89.5, 90.1), false);
  assert.equal(middle.reaches(Number.NaN, 1), false);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.double({ min: -90, max: 88, noNaN: true }), share, share, share, (south, range, from, to) => {
      const north = south + 2 * range;
      fc.pre(middle.reaches(south, north));
      const [miny, maxy] = [south + (north - south) * Math.min(from, to), south + (north - south) * Math.max(from, to)];
      const truth = boxArea(1, miny, 1.5, maxy, true);
      const error = Math.abs(middle.boxArea(1, miny, 1.5, maxy) - truth);
      // A difference of sines is exact to 10⁻¹⁶ of the sphere, whatever it is itself.
      assert.ok(error <= truth * 1e-11 + 0.01, `${error} of ${truth}`);
    }),
  );
  assert.equal(middle.reaches(10, 11), true);
  assert.equal(middle.boxArea(2, 10, 1, 11), 0);
  assert.equal(middle.boxArea(1, 11, 2, 10), 0);
});
