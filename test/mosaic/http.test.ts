/** Mosaics through the whole server: every kind of answer, what is refused, files that come and go, and what it costs. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import { costBytes, type Plan } from '../../src/plan.ts';
import { planRasterTile, planWindow } from '../../src/render/raster/plan.ts';
import type { RasterFormat, RasterParams } from '../../src/render/raster/types.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { createTasks } from '../../src/workers/tasks.ts';
import { testApp } from '../lib/app.ts';
import { never, quiet } from '../raster/layers.ts';
import { configOf, makeMosaics, NO_ORACLE, python } from './fixtures.ts';

let app: App;
let folder: string;

/** A row of sheets side by side, and files that do not fit. */
function makeMore(): void {
  const row = join(folder, 'row');
  mkdirSync(row);
  python(`
def make(name, bands, dtype, x, crs='EPSG:3857'):
    with rasterio.open(name, 'w', driver='GTiff', width=256, height=256, count=bands, dtype=dtype, crs=crs,
                       transform=Affine(10, 0, x, 0, -10, 6000000), tiled=True, blockxsize=64, blockysize=64) as out:
        out.write(np.full((bands, 256, 256), 1 + int(x / 2560) % 200, dtype))
for i in range(8):
    make('${row}/r%d.tif' % i, 1, 'uint8', 1000000 + i * 2560)
make('${row}/x-bands.tif', 3, 'uint8', 1000000)
make('${row}/x-type.tif', 1, 'int16', 1000000)
make('${row}/x-place.tif', 1, 'uint8', 1000000, None)
`);
}

before(async () => {
  if (NO_ORACLE) return;
  ({ folder } = makeMosaics('files'));
  makeMore();
  const row = { mosaic: { paths: ['row'] } };
  const alone = { 'c-file': { path: 'rgb/c.tif' }, 'c-mosaic': { mosaic: { paths: ['rgb/c.tif'] } } };
  const more = {
    ...alone,
    row,
    grown: { mosaic: { paths: ['grown/*.tif', 'sheets/s0.tif'] } },
    nobody: { mosaic: { paths: ['none/*.tif'] } },
  };
  const file = configOf(folder, more, { raster: { mosaicMaxAssets: 3 } });
  app = await testApp({ paths: [], file });
});
after(async () => {
  await app?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const get = (url: string) => app.server.inject({ url });

test('tiles in every form and grid, windows, previews and areas of features', { skip: NO_ORACLE }, async () => {
  const box = '9.02,46.95,9.09,46.99';
  const urls = [
    '/tiles/rgb-first/12/2150/1440.png',
    '/tiles/rgb-mean/12/2150/1440@2x.webp',
    '/tiles/rgb-last/12/2150/1440.jpg',
    '/tiles/dem-highest/12/2150/1440.png?colormap_name=viridis',
    '/tiles/dem-first/12/2150/1440.png?algorithm=hillshade&buffer=4',
    '/tiles/dem-first/12/2150/1440.png?algorithm=terrainrgb',
    '/tiles/rgb-first/12/2150/1440.png?bidx=3&rescale=0,300&resampling=bilinear&reproject=cubic',
    '/tiles/rgb-highest/12/2150/1440.png?expression=b1/b2&rescale=0,3&colormap_name=magma',
    '/tiles/WorldCRS84Quad/rgb-first/11/2150/489.png',
    `/cog/bbox/${box}.png?url=rgb-first&max_size=300`,
    `/cog/bbox/${box}/200x100.tif?url=dem-mean&dst_crs=EPSG:32632`,
    '/cog/preview.png?url=rgb-lowest&max_size=200',
    '/cog/preview/120x80.webp?url=dem-lowest',
  ];
  for (const url of urls) {
    const answer = await get(url);
    assert.equal(answer.statusCode, 200, `${url}: ${answer.body.slice(0, 300)}`);
    if (/\.tif/.test(url)) continue;
    const { channels, dominant } = await sharp(answer.rawPayload).stats();
    assert.ok(
      channels.some(({ stdev }) => stdev > 1),
      `${url} shows nothing: ${JSON.stringify(dominant)}`,
    );
  }
  const feature = await app.server.inject({
    method: 'POST',
    url: '/cog/feature/100x100.png?url=rgb-first',
    payload: {
      type: 'Feature',
      properties: {},
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [9.02, 46.95],
            [9.08, 46.95],
            [9.05, 46.99],
            [9.02, 46.95],
          ],
        ],
      },
    },
  });
  assert.equal(feature.statusCode, 200, feature.body.slice(0, 300));
});

test('a mosaic of one file is that file, though only the rows that it touches are painted', {
  skip: NO_ORACLE,
}, async () => {
  // The file is in the middle of a picture of many cells, in its own system, in one beside it and in degrees.
  const boxes = ['8.5,46.5,9.6,47.4/300x400', '8.97,46.95,9.02,47.5/150x333'];
  for (const box of boxes) {
    for (const crs of ['EPSG:3857', 'EPSG:32632', 'EPSG:4326', 'EPSG:3035']) {
      for (const how of ['nearest', 'bilinear', 'cubic', 'average']) {
        const of = (url: string) =>
          get(`/cog/bbox/${box}.npy?url=${url}&dst_crs=${crs}&resampling=${how}&reproject=${how}`);
        const [file, mosaic] = [await of('c-file'), await of('c-mosaic')];
        assert.equal(mosaic.statusCode, 200, mosaic.body.slice(0, 300));
        assert.ok(file.rawPayload.equals(mosaic.rawPayload), `${box} ${crs} ${how}`);
      }
    }
  }
});

test('the plan names the files in their order, and ends at one that leaves nothing', { skip: NO_ORACLE }, async () => {
  const assets = async (url: string) =>
    (await get(`${url}${url.includes('?') ? '&' : '?'}explain=1`))
      .json()
      .plan.assets.map(({ asset }: { asset: string }) => asset);
  assert.deepEqual(await assets('/tiles/rgb-first/11/1075/720.png'), ['a.tif', 'b.tif', 'c.tif']);
  assert.deepEqual(await assets('/tiles/rgb-last/11/1075/720.png'), ['c.tif', 'b.tif', 'a.tif']);
  // All within the second sheet, which has no nodata; the first has, so it may have holes.
  const inner = '/cog/bbox/10.023,49.975,10.031,49.98/50x50.png?url=sheets-first';
  assert.deepEqual(await assets(inner), ['s0.tif', 's1.tif']);
});

test('a mosaic is listed with its members and with what was left out', { skip: NO_ORACLE }, async () => {
  const { layers } = (await get('/layers')).json();
  const row = layers.find(({ id }: { id: string }) => id === 'row');
  assert.deepEqual(row.mosaic, { pixelSelection: 'first', members: 8, refused: 3, maxAssets: 3 });
  const details = row.notes.map(({ detail }: { detail: string }) => detail);
  assert.match(details.join('\n'), /x-bands\.tif is left out: it has 3 bands where the first file has 1/);
  assert.match(details.join('\n'), /x-type\.tif is left out: its samples are int16/);
  assert.match(details.join('\n'), /x-place\.tif is left out/);
  assert.equal(row.servable, true);
  const nobody = layers.find(({ id }: { id: string }) => id === 'nobody');
  assert.equal(nobody.servable, false);
  assert.match(nobody.reasons[0].detail, /none\/\*\.tif/);
});

test('more files than a tile may have: 413 names the zoom, and TileJSON begins there', {
  skip: NO_ORACLE,
}, async () => {
  const { minzoom, maxzoom } = (await get('/tiles/row')).json();
  assert.ok(minzoom > 10 && minzoom <= maxzoom, `${minzoom}–${maxzoom}`);
  const far = await get(`/tiles/row/8/${tileAt(8)}.png`);
  assert.equal(far.statusCode, 413, far.body);
  assert.match(far.json().detail, /more than 3 of the 8 files of row.*raster\.mosaicMaxAssets/);
  const near = await get(`/tiles/row/${minzoom - 1}/${tileAt(minzoom - 1)}.png`);
  assert.equal(near.statusCode, 413, near.body);
  assert.equal(near.json().fits.zoom, minzoom);
  const fits = await get(`/tiles/row/${minzoom}/${tileAt(minzoom)}.png`);
  assert.equal(fits.statusCode, 200, fits.body);
});

/** The tile around the middle of the row. */
function tileAt(zoom: number): string {
  const { resolution, originX, originY } = WEB_MERCATOR_QUAD.matrices[zoom] as (typeof WEB_MERCATOR_QUAD.matrices)[0];
  const side = resolution * 256;
  return `${Math.floor((1_000_000 + 4 * 2560 - originX) / side)}/${Math.floor((originY - 5_998_720) / side)}`;
}

test('statistics and zones are of single files', { skip: NO_ORACLE }, async () => {
  const answer = await get('/cog/statistics?url=rgb-first');
  assert.equal(answer.statusCode, 422, answer.body);
  assert.match(answer.json().detail, /rgb-first is a mosaic of 3 files/);
});

test('a place outside is an error, and so is a window', { skip: NO_ORACLE }, async () => {
  assert.equal((await get('/cog/point/20,20?url=dem-first')).statusCode, 404);
  assert.equal((await get('/cog/bbox/20,20,21,21.png?url=dem-first')).statusCode, 404);
  assert.equal((await get('/tiles/dem-first/12/0/0.png')).statusCode, 200);
});

test('new files are picked up, and the version changes with them', { skip: NO_ORACLE }, async () => {
  const url = '/cog/bbox/10.005,49.985,10.01,49.99/8x8.png?url=grown';
  const [before, etag] = [app.catalogue.get('grown') as RasterLayer, (await get(url)).headers.etag];
  assert.equal(before.mosaic?.members.length, 1);
  mkdirSync(join(folder, 'grown'));
  copyFileSync(join(folder, 'sheets/s1.tif'), join(folder, 'grown/s1.tif'));
  const changes = await app.catalogue.refresh();
  assert.deepEqual(
    changes.map(({ id, kind }) => [id, kind]),
    [['grown', 'replaced']],
  );
  const grown = app.catalogue.get('grown') as RasterLayer;
  assert.deepEqual(
    grown.mosaic?.members.map(({ id }) => id),
    ['s1.tif', 's0.tif'],
  );
  assert.notEqual(grown.version, before.version);
  assert.notEqual((await get(url)).headers.etag, etag);
  assert.deepEqual(await app.catalogue.refresh(), []);
  rmSync(join(folder, 'grown'), { recursive: true });
  await app.catalogue.refresh();
  assert.equal((app.catalogue.get('grown') as RasterLayer).version, before.version);
});

test('no picture takes more than its price, and many members no more than a few', { skip: NO_ORACLE }, async () => {
  const tasks = createTasks({ blockCacheBytes: 0 });
  const params: RasterParams = { resampling: 'nearest', returnMask: true, unscale: false };
  const ways: readonly [string, RasterFormat, Partial<RasterParams>][] = [
    ['rgb-first', 'png', {}],
    ['rgb-mean', 'png', {}],
    ['rgb-highest', 'webp', { reproject: 'bilinear' }],
    ['dem-mean', 'tif', {}],
    ['dem-first', 'png', { expression: 'b1*2;b1/3;b1+b1' }],
    ['dem-lowest', 'npy', { unscale: true }],
    [
      'dem-last',
      'png',
      { algorithm: { name: 'hillshade', params: { azimuth: 45, altitude: 45, buffer: 3, z_exaggeration: 1 } } },
    ],
  ];
  const paint = async (plan: Plan) => {
    const painted = await tasks['mosaic']?.(structuredClone(plan.job) as NonNullable<Plan['job']>, quiet);
    assert.ok(painted && painted.peakBytes > 0);
    assert.ok(painted.peakBytes <= costBytes(plan.cost), `${painted.peakBytes} of ${costBytes(plan.cost)}`);
    const body = painted.body?.length ?? 0;
    assert.ok(body <= plan.cost.outputBytes, `${painted.contentType}: ${body} of ${plan.cost.outputBytes}`);
  };
  for (const [id, format, more] of ways) {
    const layer = app.catalogue.get(id) as RasterLayer;
    const asked = { layer, format, params: { ...params, ...more } };
    const tile = { z: 12, x: 2150, y: 1440 };
    await paint(await planRasterTile({ ...asked, grid: WEB_MERCATOR_QUAD, tile, scale: 2 }, never));
    const size = { width: 700, height: 500, maxSize: null };
    await paint(
      await planWindow(
        { ...asked, bbox: [8.99, 46.93, 9.1, 47], bboxCrs: 'OGC:CRS84', dstCrs: 'EPSG:3857', ...size },
        never,
      ),
    );
  }
  const row = app.catalogue.get('row') as RasterLayer;
  const costOf = async (members: number) => {
    const mosaic = { ...row.mosaic, members: row.mosaic?.members.slice(0, members), maxAssets: 64 };
    const layer = { ...row, mosaic } as RasterLayer;
    const [x, y] = tileAt(8).split('/').map(Number) as [number, number];
    const asked = { layer, grid: WEB_MERCATOR_QUAD, tile: { z: 8, x, y }, scale: 1, format: 'png', params } as const;
    return costBytes((await planRasterTile(asked, never)).cost);
  };
  const [one, all] = [await costOf(1), await costOf(8)];
  assert.ok(all - one < 64 * 1024, `${all} for eight files, ${one} for one`);
});
