/**
 * Smooth rasters across the antimeridian, across the edge of their own projection, from 0° to 360° and over the poles, in the tiles of all
 * sorts of grids: nearest is the pixel that pyproj says, bilinear the field that all of them hold, and nothing is left empty on either
 * side. PLIMSOLL_TEST_FULL=1: more zooms, places and whole tiles.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { transformer } from '../../src/crs/index.ts';
import { createGrids } from '../../src/grids/index.ts';
import { type TileCoord, type TileMatrixSet, tileBounds } from '../../src/tile.ts';
import { testApp } from '../lib/app.ts';
import { askPython, findPython, runPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'numpy', 'pyproj');
const skip = 'reason' in found ? found.reason : false;
const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const SETS = FULL
  ? [
      'WebMercatorQuad',
      'WorldCRS84Quad',
      'WorldMercatorWGS84Quad',
      'UPSArcticWGS84Quad',
      'UPSAntarcticWGS84Quad',
      'EuropeanETRS89_LAEAQuad',
      'CanadianNAD83_LCC',
      'NZTM2000Quad',
    ]
  : ['WebMercatorQuad', 'WorldCRS84Quad', 'UPSArcticWGS84Quad'];
const ZOOMS = FULL ? [0, 1, 2, 4, 6] : [0, 4];
/** Pixels a side; pyproj is what takes the time. */
const SIDE = FULL ? 100 : 40;
const RESAMPLINGS = ['nearest', 'bilinear'] as const;

/** Degrees of places whose tiles are looked at: both sides of the seam, of 0°, of −30° (the edge of EPSG:3832), and near the poles. */
const PLACES: readonly (readonly [number, number])[] = [
  [179.7, 64],
  [-179.7, 64],
  [179.7, 8],
  [-179.7, 8],
  [-30.3, 5],
  [-29.7, 5],
  [0.2, -40],
  [90, 84],
  [-45, 89.8],
  [-100, -84],
  [170, -89.8],
];

/** A degree at the equator. */
const METRES = 20037508.342789244 / 180;

/** What pyproj and numpy count in a zone. */
interface Wanted {
  readonly zone: string;
  readonly crs: string;
  readonly ring: readonly (readonly [number, number])[];
  readonly raster: string;
  readonly count: number;
  readonly mean: number;
}

function tilesOf(set: TileMatrixSet): TileCoord[] {
  const move = transformer('OGC:CRS84', set.crs);
  const at = new Float64Array(2);
  const tiles = new Map<string, TileCoord>();
  for (const z of ZOOMS) {
    const matrix = set.matrices[z];
    for (const [lon, lat] of PLACES) {
      if (!matrix || !move.forward(lon, lat, at, 0)) continue;
      const x = Math.floor((at[0] - matrix.originX) / (matrix.resolution * matrix.tileWidth));
      const y = Math.floor((matrix.originY - at[1]) / (matrix.resolution * matrix.tileHeight));
      if (x < 0 || y < 0 || x >= matrix.matrixWidth || y >= matrix.matrixHeight) continue;
      tiles.set(`${z}/${x}/${y}`, { z, x, y });
    }
  }
  return [...tiles.values()];
}

describe('across the edges of the world and of projections', { skip }, () => {
  const { python } = found as { python: string };
  const grids = createGrids([]);
  let folder: string;
  let names: string[];
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-edges-'));
    names = JSON.parse(runPython(python, 'world_edges.py', ['make', folder]));
    app = await testApp({ paths: [folder] });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function caseOf(name: string, set: TileMatrixSet, tile: TileCoord, resampling: string, npy: string) {
    const path = `${set.id}/${set.matrices[tile.z].id}/${tile.x}/${tile.y}`;
    const label = `${name} ${path} ${resampling}`;
    const url = `/cog/tiles/${path}.npy?url=${name}&tilesize=${SIDE}&resampling=${resampling}&reproject=${resampling}`;
    const answer = await app.server.inject(url);
    assert.equal(answer.statusCode, 200, `${label}: ${answer.body.slice(0, 200)}`);
    writeFileSync(npy, answer.rawPayload);
    const [originX, minY, maxX, originY] = tileBounds(set, tile);
    const grid = { crs: set.crs, originX, originY, resX: (maxX - originX) / SIDE, resY: (originY - minY) / SIDE };
    const level = Number(answer.headers['x-raster-level'] ?? 0);
    return JSON.stringify({ label, name, npy, ...grid, width: SIDE, height: SIDE, resampling, level });
  }

  test('tiles hold what pyproj says, on both sides', async t => {
    const cases: string[] = [];
    const only = process.env['PLIMSOLL_ORACLE_FILES'];
    for (const name of names.filter(each => !only || new RegExp(only).test(each)))
      for (const id of SETS)
        for (const tile of tilesOf(grids.get(id)))
          for (const resampling of FULL ? RESAMPLINGS : [RESAMPLINGS[cases.length % 2]]) {
            const npy = join(folder, `${cases.length}.npy`);
            cases.push(await caseOf(name, grids.get(id), tile, resampling, npy));
          }
    const { totals, said } = askPython<Record<string, number>>(python, 'world_edges.py', cases, ['check', folder]);
    t.diagnostic(JSON.stringify(totals));
    assert.deepEqual(said, []);
    assert.ok(
      only || (totals['pixels'] > 2.5e5 && totals['east'] > 100 && totals['west'] > 100),
      JSON.stringify(totals),
    );
  });

  test('windows across an edge are whole in every system', async () => {
    const cases: string[] = [];
    // Layer, window, its CRS, that of the picture, and where its left and right sides must lie.
    for (const [name, box, crs, dst, left, right] of [
      ['deg-0-360', '174,-8,-174,8', 'OGC:CRS84', 'EPSG:3832', 24 * METRES, 36 * METRES],
      ['deg-0-360', '-35,-8,-25,8', 'OGC:CRS84', 'EPSG:3832', 175 * METRES, 185 * METRES],
      ['merc-3832-edge', '-35,-8,-25,8', 'OGC:CRS84', 'OGC:CRS84', -35, -25],
      ['utm-60', '178,60,-178,64', 'OGC:CRS84', 'EPSG:3857', 178 * METRES, 182 * METRES],
      ['merc-3395', `${176 * METRES},-1e5,${-176 * METRES},4e6`, 'EPSG:3857', 'EPSG:3857', 176 * METRES, 184 * METRES],
      ['polar-3571', '170,70,-150,80', 'EPSG:4326', 'EPSG:3857', 170 * METRES, 210 * METRES],
    ] as const) {
      const query = `url=${name}&coord_crs=${crs}&dst_crs=${dst}&resampling=bilinear&reproject=bilinear`;
      const answer = await app.server.inject(`/cog/bbox/${box}/60x50.npy?${query}`);
      assert.equal(answer.statusCode, 200, `${name} ${box}: ${answer.body.slice(0, 200)}`);
      const [minx, miny, maxx, maxy] = String(answer.headers['x-raster-bbox']).split(',').map(Number);
      const near = Math.abs(minx - left) < 1e-3 && Math.abs(maxx - right) < 1e-3;
      assert.ok(near, `${name} ${box} in ${dst}: ${minx} to ${maxx}, not ${left} to ${right}`);
      const npy = join(folder, `window-${cases.length}.npy`);
      writeFileSync(npy, answer.rawPayload);
      const grid = { crs: dst, originX: minx, originY: maxy, resX: (maxx - minx) / 60, resY: (maxy - miny) / 50 };
      const label = `${name} ${box} ${dst}`;
      cases.push(
        JSON.stringify({ label, name, npy, ...grid, width: 60, height: 50, resampling: 'bilinear', level: 0 }),
      );
    }
    const { said, totals } = askPython<Record<string, number>>(python, 'world_edges.py', cases, ['check', folder]);
    assert.deepEqual(said, []);
    assert.ok(totals['pixels'] > 60 * 50 * 5, JSON.stringify(totals));
  });

  test('the size of a window across the antimeridian is that of its pixels', async () => {
    const sizeOf = async (box: string) => {
      const answer = await app.server.inject(`/cog/bbox/${box}.npy?url=utm-60&dst_crs=EPSG:3857&explain=1`);
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      const { width, height } = answer.json().plan;
      return [width, height];
    };
    assert.deepEqual(await sizeOf('179,60,-179,61'), await sizeOf('177.5,60,179.5,61'));
    const info = async (query: string) => (await app.server.inject(`/cog/info.geojson?url=utm-60${query}`)).json();
    const [left, , right] = (await info('&crs=EPSG:3857')).bbox;
    assert.ok(left > 19e6 && right > left && right < 22e6, `${left} ${right}`);
    const { bbox, geometry } = await info('');
    assert.ok(bbox[0] > 170 && bbox[2] < -160, String(bbox));
    assert.equal(geometry.type, 'MultiPolygon');
    const { bounds, minzoom } = (await app.server.inject('/tiles/utm-60')).json();
    assert.deepEqual([bounds[0], bounds[2]], [-180, 180]);
    assert.ok(minzoom >= 3, `from zoom ${minzoom} on`);
  });

  test('zones across an edge and around a pole count what lies in them', async () => {
    const made = JSON.parse(runPython(python, 'world_edges.py', ['zones', folder])) as Wanted[];
    const zoned = await testApp({ paths: [folder] });
    const wrong: string[] = [];
    try {
      for (const { zone, crs, ring, raster, count, mean } of made) {
        const line = await zoned.server.inject(`/zonal?zones=${zone}&raster=${raster}`);
        assert.equal(line.statusCode, 200, line.body.slice(0, 200));
        const [counted] = Object.values(JSON.parse(line.body).statistics) as { valid_pixels: number; mean: number }[];
        const url = `/cog/statistics?url=${raster}&coord_crs=${crs}`;
        const feature = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } };
        const posted = await zoned.server.inject({ method: 'POST', url, payload: feature });
        assert.equal(posted.statusCode, 200, posted.body.slice(0, 200));
        const [band] = Object.values(posted.json().properties.statistics) as { count: number; mean: number }[];
        for (const [how, got] of [
          ['/zonal', counted],
          ['/cog/statistics', { ...band, valid_pixels: band.count }],
        ] as const) {
          const said = `${how} ${zone} ${raster}: ${got.valid_pixels} pixels of ${count}, mean ${got.mean} of ${mean}`;
          // Statistics weigh what the edge cuts, zones count centres.
          const room = how === '/zonal' ? 0.002 * count + 2 : Math.sqrt(count);
          if (Math.abs(got.valid_pixels - count) > room || Math.abs(got.mean - mean) > 0.5) wrong.push(said);
        }
      }
      assert.deepEqual(wrong, []);
    } finally {
      await zoned.close();
    }
  });
});
