/**
 * Rasters across the antimeridian, from 0° to 360°, over the poles and in systems with another middle: tiles of every grid on both sides
 * show what pyproj says, pixel by pixel; windows, points and statistics answer by either name of a place. PLIMSOLL_TEST_FULL=1: more tiles.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { App } from '../../src/app.ts';
import { createGrids } from '../../src/grids/index.ts';
import { type BBox, type TileMatrixSet, tileBounds } from '../../src/tile.ts';
import { testApp } from '../lib/app.ts';
import { findPython, runPython } from '../oracle/python.ts';
import { readNpy } from './npy-reader.ts';

const found = findPython('rasterio', 'numpy', 'pyproj');
const skip = 'reason' in found ? found.reason : false;
const full = process.env['PLIMSOLL_TEST_FULL'] === '1';
const SETS = [
  'WebMercatorQuad',
  'WorldCRS84Quad',
  'UPSArcticWGS84Quad',
  'UPSAntarcticWGS84Quad',
  'EuropeanETRS89_LAEAQuad',
  'NZTM2000Quad',
];
const ZOOMS = full ? [0, 1, 2, 3, 4] : [0, 3];
/** Pixels a side; pyproj is what takes the time. */
const SIDE = full ? 256 : 48;
const TILES_A_ZOOM = full ? 12 : 3;
/** Of one tile: at a corner where four pixels meet an edge of the approximation may turn one over. */
const OFF_MAX = 4;

interface Asked {
  readonly name: string;
  readonly crs: string;
  readonly box: BBox;
  readonly npy: string;
  readonly what: string;
}

interface Told {
  readonly valid: number;
  readonly mask: number;
  readonly wrong: number;
  readonly unclear: number;
}

describe('both sides of the antimeridian, and the poles', { skip }, () => {
  const { python } = found as { python: string };
  const grids = createGrids([]);
  let folder: string;
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-meridian-'));
    runPython(python, 'meridian.py', ['make', folder]);
    app = await testApp({ paths: [folder] });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function* tilesOf(set: TileMatrixSet) {
    for (const z of ZOOMS) {
      const matrix = set.matrices[z];
      if (!matrix) continue;
      const { matrixWidth, matrixHeight } = matrix;
      const count = matrixWidth * matrixHeight;
      // Spread over the grid, its corners and the columns at its seam among them.
      const step = Math.max(1, Math.floor((count - 1) / (TILES_A_ZOOM - 1)));
      for (let i = 0; i < count; i += step) yield { z, x: Math.floor(i / matrixHeight), y: i % matrixHeight };
    }
  }

  async function ask(
    name: string,
    set: TileMatrixSet,
    tile: { z: number; x: number; y: number },
    npy: string,
  ): Promise<Asked> {
    const what = `${set.id}/${set.matrices[tile.z]?.id}/${tile.x}/${tile.y}`;
    const answer = await app.server.inject(`/cog/tiles/${what}.npy?url=${name}&tilesize=${SIDE}`);
    assert.equal(answer.statusCode, 200, `${name} ${what}: ${answer.body.slice(0, 200)}`);
    writeFileSync(npy, answer.rawPayload);
    return { name, crs: set.crs, box: tileBounds(set, tile), npy, what };
  }

  test('tiles of all grids are what pyproj says', async () => {
    const asked: Asked[] = [];
    const layers = app.catalogue.list();
    assert.deepEqual(
      layers.filter(layer => !layer.verdict.servable).map(layer => layer.id),
      [],
    );
    assert.ok(layers.length >= 17);
    for (const { id } of layers)
      for (const name of SETS)
        for (const tile of tilesOf(grids.get(name)))
          asked.push(await ask(id, grids.get(name), tile, join(folder, `${asked.length}.npy`)));
    const script = fileURLToPath(new URL('../oracle/meridian.py', import.meta.url));
    const input = asked.map(each => JSON.stringify(each)).join('\n');
    const run = spawnSync(python, [script, 'check', folder], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
    assert.equal(run.status, 0, run.stderr);
    const told = run.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Told);
    assert.equal(told.length, asked.length);
    const off = told.flatMap((each, i) =>
      each.mask + each.wrong > OFF_MAX ? [`${asked[i].name} ${asked[i].what} ${JSON.stringify(each)}`] : [],
    );
    assert.deepEqual(off, []);
    const valid = told.reduce((sum, each) => sum + each.valid, 0);
    const unclear = told.reduce((sum, each) => sum + each.unclear, 0);
    assert.ok(valid > 2e5 && unclear / valid < 0.015, `${unclear} of ${valid} pixels at the edge of another`);
  });

  test('a place has the same values by either of its names', async () => {
    for (const name of ['east', 'west', 'turn', 'turn-points', 'shifted', 'mercator', 'pacific', 'plate', 'utm60']) {
      const lat = name === 'west' ? 45 : name === 'utm60' ? 12 : 3;
      const values = async (lon: number) => {
        const answer = await app.server.inject(`/cog/point/${lon},${lat}?url=${name}`);
        assert.equal(answer.statusCode, 200, `${name}: ${answer.body}`);
        return answer.json().values;
      };
      const beyond = name === 'utm60' ? 181.5 : 184.2;
      const [one] = await values(beyond);
      assert.ok(one > 0, `${name}: ${one}`);
      assert.deepEqual(await values(beyond - 360), [one], name);
    }
  });

  test('windows across it, by west > east and beyond 180°, are one', async () => {
    for (const name of ['east', 'turn', 'mercator', 'pacific', 'plate', 'shifted']) {
      const window = async (box: string) => {
        const answer = await app.server.inject(`/cog/bbox/${box}/120x80.npy?url=${name}`);
        assert.equal(answer.statusCode, 200, `${name}: ${answer.body.slice(0, 200)}`);
        return readNpy(answer.rawPayload).values;
      };
      const whole = await window('174,-8,-174,8');
      assert.ok(
        whole.slice(120 * 80).every(valid => valid === 255),
        `${name}: all of it is there`,
      );
      assert.deepEqual(await window('174,-8,186,8'), whole, name);
    }
  });

  test('a window across it is the same in another system', async () => {
    const edge = 20037508.342789244;
    const [west, east] = [(174 / 180) * edge, (186 / 180) * edge];
    for (const name of ['east', 'turn', 'mercator', 'shifted']) {
      const url = `/cog/bbox/174,-8,-174,8/120x80.npy?url=${name}&dst_crs=EPSG:3857`;
      const answer = await app.server.inject(url);
      assert.equal(answer.statusCode, 200, `${name}: ${answer.body.slice(0, 200)}`);
      const [left, , right] = String(answer.headers['x-raster-bbox']).split(',').map(Number);
      assert.ok(Math.abs(left - west) < 1e-3 && Math.abs(right - east) < 1e-3, `${name}: ${left} ${right}`);
      const { values } = readNpy(answer.rawPayload);
      assert.ok(
        values.slice(120 * 80).every(valid => valid === 255),
        `${name}: all of it is there`,
      );
      const same = await app.server.inject(`${url}&coord_crs=EPSG:4326`);
      assert.deepEqual(readNpy(same.rawPayload).values, values);
    }
  });

  test('the picture of an area that was cut at it is one', async () => {
    const ring = (w: number, e: number) => [
      [w, -4],
      [e, -4],
      [e, 4],
      [w, 4],
      [w, -4],
    ];
    const picture = async (geometry: object, more: string) => {
      const payload = { type: 'Feature', properties: {}, geometry };
      const answer = await app.server.inject({
        method: 'POST',
        url: `/cog/feature/80x80.npy?url=east${more}`,
        payload,
      });
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      return readNpy(answer.rawPayload).values;
    };
    for (const more of ['', '&dst_crs=EPSG:3857']) {
      const beyond = await picture({ type: 'Polygon', coordinates: [ring(176, 184)] }, more);
      assert.ok(
        beyond.slice(80 * 80).every(valid => valid === 255),
        more,
      );
      const cut = await picture({ type: 'MultiPolygon', coordinates: [[ring(176, 180)], [ring(-180, -176)]] }, more);
      assert.deepEqual(cut, beyond, more);
    }
  });

  test('statistics of an area across it count both sides', async () => {
    const ring = (west: number, east: number) => [
      [west, -4],
      [east, -4],
      [east, 4],
      [west, 4],
      [west, -4],
    ];
    const sum = async (geometry: object) => {
      const feature = { type: 'Feature', properties: {}, geometry };
      const answer = await app.server.inject({ method: 'POST', url: '/cog/statistics?url=east', payload: feature });
      assert.equal(answer.statusCode, 200, answer.body);
      const [band] = Object.values(answer.json().properties.statistics) as { count: number; sum: number }[];
      return [band.count, band.sum];
    };
    const beyond = await sum({ type: 'Polygon', coordinates: [ring(176, 184)] });
    const cut = await sum({ type: 'MultiPolygon', coordinates: [[ring(176, 180)], [ring(-180, -176)]] });
    assert.deepEqual(cut, beyond);
    assert.equal(beyond[0], 160 * 160);
  });
});
