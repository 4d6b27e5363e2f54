/** Raster tiles of other grids, over HTTP's own plan and painter, against rasterio's WarpedVRT on the same pixels. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BUILT_IN, parseTileMatrixSet } from '../../src/grids/index.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planRasterTile } from '../../src/render/raster/plan.ts';
import type { ImageJob } from '../../src/render/raster/types.ts';
import { rowFromTop, type TileMatrixSet } from '../../src/tile.ts';
import { findPython } from '../oracle/python.ts';
import { startGdal } from '../raster/gdal.ts';
import { never, noData, openLayer, paintPlan, RASTERS } from '../raster/layers.ts';
import { readNpy } from '../raster/npy-reader.ts';
import { MERCATOR_PART, WIDE_UTM } from './sets.ts';

const found = findPython('rasterio', 'numpy');
const skip = noData || ('reason' in found ? found.reason : false);
const painter = createRasterPainter();
after(() => painter.close());

const builtIn = (id: string): TileMatrixSet => BUILT_IN.find(set => set.id === id) as TileMatrixSet;
const custom = (document: { id: string }): TileMatrixSet => parseTileMatrixSet(document.id, document);

/** Set, file, and the places of matrices, columns and rows from the top. */
const CASES: readonly (readonly [TileMatrixSet, string, readonly (readonly [number, number, number])[]])[] = [
  [
    builtIn('WorldCRS84Quad'),
    'natearth_relief_4326_jpeg.tif',
    [
      [0, 0, 0],
      [1, 2, 0],
      [2, 4, 1],
    ],
  ],
  [
    builtIn('WorldCRS84Quad'),
    'bluemarble_3857_webp.tif',
    [
      [0, 1, 0],
      [2, 3, 1],
      [2, 0, 0],
    ],
  ],
  [
    builtIn('EuropeanETRS89_LAEAQuad'),
    'topology_gray_4326_lzw.tif',
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  ],
  [
    builtIn('UPSArcticWGS84Quad'),
    'topology_gray_4326_lzw.tif',
    [
      [2, 2, 2],
      [3, 3, 4],
    ],
  ],
  [
    custom(WIDE_UTM),
    'topology_gray_4326_lzw.tif',
    [
      [0, 0, 0],
      [1, 1, 1],
      [3, 6, 10],
    ],
  ],
  [custom(WIDE_UTM), 'dsm_nrw_25832_f32_zstd.tif', []],
  [
    custom(MERCATOR_PART),
    'bluemarble_3857_webp.tif',
    [
      [0, 0, 0],
      [1, 2, 3],
    ],
  ],
];

interface Made {
  readonly where: string;
  readonly request: Record<string, unknown>;
  readonly ours: ReturnType<typeof readNpy>;
}

/** The tile of the finest matrix but two that holds the middle of the raster, where no tiles are named. */
function middleTile(set: TileMatrixSet, [minx, miny, maxx, maxy]: readonly number[]): [number, number, number] {
  const z = set.matrices.length - 1;
  const { originX, originY, resolution, tileWidth, tileHeight } = set.matrices[z];
  const col = Math.floor(((minx + maxx) / 2 - originX) / (resolution * tileWidth));
  return [z, col, Math.floor((originY - (miny + maxy) / 2) / (resolution * tileHeight))];
}

async function* made(): AsyncGenerator<Made> {
  for (const [set, name, tiles] of CASES) {
    const layer = await openLayer(RASTERS + name);
    const { bounds, bands } = layer.source;
    const bidx = bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
    for (const [z, x, top] of tiles.length > 0 ? tiles : [middleTile(set, bounds ?? [])]) {
      const tile = { z, x, y: rowFromTop(set.matrices[z], top) };
      const params = { resampling: 'nearest' as const, returnMask: true, unscale: false, bidx };
      const plan = await planRasterTile({ layer, grid: set, tile, scale: 1, format: 'npy', params }, never);
      const where = `${set.id} ${z}/${x}/${top} ${name}`;
      const job = plan.job as ImageJob;
      assert.ok(job?.parts.length > 0, `${where} is empty`);
      const { body } = await paintPlan(painter, plan);
      const request = {
        path: layer.source.ref.href,
        level: job.parts[0].level.index,
        ...job.grid,
        resampling: 'nearest',
        bands: job.choice.bands.map(band => band + 1),
      };
      yield { where, request, ours: readNpy(body as Uint8Array) };
    }
  }
}

test('tiles agree with GDAL’s warper, in the size that their matrix says', { skip }, async () => {
  const gdal = startGdal('python' in found ? found.python : '');
  try {
    for await (const { where, request, ours } of made()) {
      const theirs = await gdal.ask(request);
      const [planes, height, width] = theirs.shape;
      assert.deepEqual(ours.shape, [planes, request['height'], request['width']], where);
      const count = width * height;
      let [valid, masks, off] = [0, 0, 0];
      for (let i = 0; i < count; i++) {
        const at = (planes - 1) * count + i;
        if (ours.values[at] > 0 !== theirs.values[at] > 0) masks++;
        else if (ours.values[at] > 0) {
          valid++;
          const differs = (b: number) => Math.abs(ours.values[b * count + i] - theirs.values[b * count + i]) > 4;
          if (Array.from({ length: planes - 1 }, (_, b) => b).some(differs)) off++;
        }
      }
      assert.ok(valid > count / 20, `${where}: ${valid} valid pixels`);
      assert.ok(masks <= count * 0.001, `${where}: ${masks} pixels of the masks differ`);
      assert.ok(off <= valid * 0.01, `${where}: ${off} of ${valid} pixels differ`);
    }
  } finally {
    gdal.close();
  }
});
