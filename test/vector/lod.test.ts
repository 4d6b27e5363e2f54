/** Level of detail as it is served: settings, caps, nesting, and counts that are right by a look at every feature. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { projectionOf, queryBoxes } from '../../src/render/vector/boxes.ts';
import { pixelSide, type VectorJob } from '../../src/render/vector/job.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD } from '../../src/tile.ts';
import { testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { checkTile } from '../lib/mvt-check.ts';
import { type Box, writeFgb } from './fgb-writer.ts';
import { heaviest, type Leaf, leavesOf } from './heaviest.ts';
import { BUFFER, EXTENT, type FgbLayer, Files, openLayer, seeded, tileOf, tileRange, VECTOR } from './rig.ts';

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const CITIES = join(VECTOR, 'cities_pop5000.fgb');
/** What the bench data is made into (docs/performance.md); the long form looks at it where it is. */
const BENCH = process.env['PLIMSOLL_BENCH_DATA'] ?? '/work/bench-data';
const ZOOMS = [...Array(15).keys()];

const files = new Files();
after(() => files.remove());

async function leaves(layer: FgbLayer): Promise<Leaf[]> {
  const all: Leaf[] = [];
  for await (const leaf of leavesOf(layer)) all.push(leaf);
  return all;
}

function meets(a: Box, boxes: ArrayLike<number>): boolean {
  for (let b = 0; b < boxes.length; b += 4) {
    if (a[0] <= boxes[b + 2] && a[2] >= boxes[b] && a[1] <= boxes[b + 3] && a[3] >= boxes[b + 1]) return true;
  }
  return false;
}

describe('settings', { skip: WITHOUT_SHARED }, () => {
  test('vector.maxFeatures, maxTileBytes, extent and buffer hold for every layer that says nothing else', async () => {
    const set = { 'vector.maxFeatures': '700', 'vector.maxTileBytes': '9KB', 'vector.extent': '1024' };
    const app = await testApp({ paths: [CITIES], set });
    try {
      const [layer] = app.catalogue.list();
      for (const url of [
        '/tiles/cities_pop5000/0/0/0',
        '/tiles/cities_pop5000/4/8/5',
        '/tiles/cities_pop5000/7/66/42',
      ]) {
        const answer = await app.server.inject({ url, headers: { 'accept-encoding': 'gzip' } });
        assert.equal(answer.statusCode, 200);
        assert.equal(answer.headers['content-encoding'], 'gzip');
        assert.ok(answer.rawPayload.length <= 9000, `${url} has ${answer.rawPayload.length} bytes`);
        const plain = await app.server.inject({ url, headers: { 'accept-encoding': 'identity' } });
        const [{ features, extent }] = checkTile(plain.rawPayload).layers;
        assert.ok(features.length > 20 && features.length <= 700, `${url} has ${features.length} features`);
        assert.equal(extent, 1024);
      }
      assert.equal(layer.options.buffer, 64);
    } finally {
      await app.close();
    }
  });

  test('a file without an index is refused above vector.unindexedMaxBytes, with the remedy, and indexed at it', async () => {
    const point = { geometry: { type: 'Point' as const, coordinates: [5, 5] } };
    const path = files.path(writeFgb([point, point, point], { nodeSize: 0 }));
    const size = (await openLayer(path)).source.ref.size;
    for (const [limit, status] of [
      [size, 200],
      [size - 1, 422],
    ]) {
      const app = await testApp({ paths: [path], set: { 'vector.unindexedMaxBytes': String(limit) } });
      try {
        const [layer] = app.catalogue.list();
        const answer = await app.server.inject(`/tiles/${layer.id}/0/0/0`);
        assert.equal(answer.statusCode, status, answer.body);
        const booked = app.memory.ledger.owners().find(({ owner }) => owner === `layer ${layer.id}`)?.bytes ?? 0;
        if (status === 422) {
          const [reason] = answer.json().reasons;
          assert.equal(reason.code, 'fgb-no-index');
          assert.match(reason.detail, new RegExp(`${size} bytes.*unindexedMaxBytes \\(${limit}\\)`));
          assert.match(reason.remedy, /SPATIAL_INDEX=YES/);
        } else assert.ok(booked >= 4 * 40, `the index in memory is booked with ${booked} bytes`);
      } finally {
        await app.close();
      }
    }
  });
});

describe('every tile of real files, by a look at every feature', { skip: WITHOUT_SHARED }, () => {
  test('keeps under the caps, and what it held under its price, where tiles are heaviest, z0–z14', async () => {
    const shared = readdirSync(VECTOR).filter(name => name.endsWith('.fgb') && name !== 'fgb_topp_states.fgb');
    const paths = shared.map(name => join(VECTOR, name));
    if (FULL) paths.push(...['bench.fgb', 'big.fgb'].map(name => join(BENCH, name)).filter(path => existsSync(path)));
    let thinned = 0;
    let largest = 0;
    for (const path of paths) {
      const layer = await openLayer(path);
      if (!layer.verdict.servable) continue;
      for (const { z, x, y } of await heaviest(layer, ZOOMS, FULL ? 10 : 1)) {
        const tile = await tileOf(layer, z, x, y, { encoding: 'gzip' });
        if (!tile) continue;
        const what = `${layer.id} ${z}/${x}/${y}`;
        assert.ok(tile.bytes <= 500_000, `${what} has ${tile.bytes} bytes`);
        assert.ok(Number(tile.explain['features']) <= 20_000, `${what} has ${tile.explain['features']} features`);
        const { heldInputBytes = 0, decodedBytes, outputBytes } = tile.cost;
        const price = heldInputBytes + decodedBytes + outputBytes;
        assert.ok(tile.painted.peakBytes <= price, `${what} held ${tile.painted.peakBytes} of ${price}`);
        thinned += tile.dropped > 0 ? 1 : 0;
        largest = Math.max(largest, tile.bytes);
      }
      await layer.source.close();
    }
    assert.ok(thinned > 5 && largest > 300_000, `${thinned} tiles were thinned, the largest has ${largest} bytes`);
  });

  test('shows every feature whose box is a cell or larger, one a cell of the rest, and counts what it left out', async () => {
    let large = 0;
    let dropped = 0;
    let tiles = 0;
    const rnd = seeded(11);
    for (const name of [
      'cities_pop5000',
      'ne_10m_populated_places',
      'osm_liechtenstein_multipolygons',
      'tiger_roads',
    ]) {
      // Small caps, so that zooms are thinned where there is much to compare.
      const layer = await openLayer(join(VECTOR, `${name}.fgb`), { maxFeatures: 900 });
      const all = await leaves(layer);
      for (let i = 0; i < 50; i++) {
        const { box } = all[Math.floor(rnd() * all.length)];
        const z = Math.floor(rnd() * (name === 'osm_liechtenstein_multipolygons' ? 15 : 9));
        const [x, y] = tileRange(box, z);
        const found = await tileOf(layer, z, x, y, { caps: undefined });
        if (!found) continue;
        tiles++;
        const expected = thinByHand(layer, all, z, x, y, found.explain['cells'] as number | null);
        assert.equal(Number(found.explain['features']), expected.taken, `${name} ${z}/${x}/${y}`);
        assert.equal(found.dropped, expected.dropped, `${name} ${z}/${x}/${y}`);
        large += expected.large;
        dropped += expected.dropped;
        if (layer.source.geometry !== 'Point') continue;
        const have = new Set(found.features.map(({ id }) => id));
        for (const ordinal of expected.inside)
          assert.ok(have.has(ordinal + 1), `${name} ${z}/${x}/${y} lacks ${ordinal}`);
      }
    }
    assert.ok(tiles >= 170 && large > 1000 && dropped > 100_000, `${tiles} tiles, ${large} large, ${dropped} left out`);
  });

  test('what shows at a zoom shows at the next, in both grids', async () => {
    let thinned = 0;
    for (const grid of [WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD]) {
      for (const name of ['cities_pop5000', 'osm_liechtenstein_multipolygons', 'dutch_addresses_28992']) {
        const layer = await openLayer(join(VECTOR, `${name}.fgb`), { maxFeatures: 1500 });
        let above: Set<number> | null = null;
        for (let z = 0; z <= (name === 'cities_pop5000' ? 6 : 12); z++) {
          const shown = await shownAt(layer, z, grid);
          thinned += shown.dropped > 0 ? 1 : 0;
          for (const id of above ?? []) assert.ok(shown.ids.has(id), `${name}: ${id} shows at z${z - 1}, not at z${z}`);
          above = shown.ids;
        }
        assert.ok(above && above.size > 100, name);
      }
    }
    assert.ok(thinned > 20, `${thinned} zooms were thinned`);
  });
});

interface Expected {
  taken: number;
  dropped: number;
  /** Features of a cell or larger. */
  large: number;
  /** Taken ones with their middle in the tile itself, which a tile of points must show. */
  inside: number[];
}

/** The rule of the cells, feature by feature, in the arithmetic of a textbook. */
function thinByHand(
  layer: FgbLayer,
  all: readonly Leaf[],
  z: number,
  x: number,
  y: number,
  cells: number | null,
): Expected {
  const margin = (BUFFER + pixelSide(EXTENT) / 2) / EXTENT;
  const projection = projectionOf(layer.source.crs as string, 'EPSG:3857');
  const view = { source: layer.source, projection, grid: WEB_MERCATOR_QUAD, extent: EXTENT, buffer: BUFFER, margin };
  const { boxes } = queryBoxes(view, { z, x, y });
  const expected: Expected = { taken: 0, dropped: 0, large: 0, inside: [] };
  const seen = new Set<string>();
  const scale = 2 ** z * (cells ?? 1);
  const col = (lon: number) => ((lon + 180) / 360) * scale;
  const row = (lat: number) => (0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * scale;
  const inTile = ({ box }: Leaf) =>
    Math.floor(col((box[0] + box[2]) / 2) / (cells ?? 1)) === x &&
    Math.floor(row((box[1] + box[3]) / 2) / (cells ?? 1)) === y;
  for (const leaf of all) {
    const { box, ordinal } = leaf;
    const shows = meets(box, boxes);
    const [left, right, bottom, top] = [col(box[0]), col(box[2]), row(box[1]), row(box[3])];
    const large = cells === null || right - left >= 1 || bottom - top >= 1;
    const key = `${Math.floor((left + right) / 2)} ${Math.floor((bottom + top) / 2)}`;
    const first = large || !seen.has(key);
    if (!large) seen.add(key);
    if (!shows) continue;
    if (!first) expected.dropped++;
    else {
      expected.taken++;
      if (cells !== null && large) expected.large++;
      if (inTile(leaf)) expected.inside.push(ordinal);
    }
  }
  return expected;
}

async function shownAt(
  layer: FgbLayer,
  z: number,
  grid: typeof WEB_MERCATOR_QUAD,
): Promise<{ ids: Set<number>; dropped: number }> {
  const ids = new Set<number>();
  let dropped = 0;
  for (const tile of await heaviest(layer, [z], Number.POSITIVE_INFINITY, grid)) {
    const plan = await planVectorTile({ layers: [layer], grid, tile, properties: null, encoding: 'identity' });
    dropped += Number(plan.headers['x-tile-dropped'] ?? 0);
    for (const { ordinals } of (plan.job as VectorJob | null)?.layers ?? [])
      for (const ordinal of ordinals) ids.add(ordinal);
  }
  return { ids, dropped };
}
