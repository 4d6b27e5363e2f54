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
  : ['WebMercatorQuad', 'WorldCRS84Quad', 'UPSArcticWGS84Quad', 'NZTM2000Quad'];
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
    assert.ok(totals['pixels'] > 3e5 && totals['east'] > 100 && totals['west'] > 100, JSON.stringify(totals));
  });
});
