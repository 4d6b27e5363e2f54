/** Windows as a notebook loads them: place, CRS, type, nodata, values and mask of a GeoTIFF in rasterio and of a .npy in NumPy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython, runPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'numpy');
const skip = WITHOUT_SHARED || ('reason' in found ? found.reason : false);
const shared = (name: string) => join(SHARED, 'raster', name);

/** Boxes lie on pixels of the file. */
const CASES = [
  { file: join(DEMO, 'elevation.tif'), crs: 'EPSG:4326', box: [4, 40, 24, 52] },
  { file: shared('dsm_nrw_25832_f32_zstd.tif'), crs: 'EPSG:25832', box: [356100, 5699200, 356300, 5699350] },
  { file: shared('tt_dem.tif'), crs: 'EPSG:2056', box: [2573100, 1085200, 2573600, 1085700] },
  { file: shared('tt_B01.tif'), crs: 'EPSG:32634', box: [699960, 3540000, 759960, 3600000] },
] as const;

describe('windows in notebooks', { skip }, () => {
  let folder: string;
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-notebook-'));
    for (const { file } of CASES) symlinkSync(file, join(folder, basename(file)));
    app = await testApp({ paths: [folder] });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { file, crs, box } of CASES) {
    test(basename(file), async () => {
      const saved = async (extension: string) => {
        const url = `/cog/bbox/${box.join(',')}.${extension}?url=${basename(file)}&coord_crs=${crs}`;
        const answer = await app.server.inject(url);
        assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
        const path = join(folder, `answer.${extension}.bin`);
        writeFileSync(path, answer.rawPayload);
        return path;
      };
      const input = JSON.stringify({ tif: await saved('tif'), npy: await saved('npy'), source: file, box });
      const script = join(import.meta.dirname, '../oracle/window-file.py');
      const run = spawnSync((found as { python: string }).python, [script], { input, encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      const { pixels, invalid, ...seen } = JSON.parse(run.stdout);
      assert.ok(pixels[1] > 10 && pixels[2] > 10, `${pixels}, ${invalid} invalid`);
      const all = { crs: true, transform: true, dtype: true, nodata: true, values: true, mask: true, npy: true };
      assert.deepEqual(seen, all);
    });
  }
});

describe('the place of windows and previews', { skip: 'reason' in found ? found.reason : false }, () => {
  const { python } = found as { python: string };
  let folder: string;
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-place-'));
    runPython(python, 'window-place.py', ['make', folder]);
    app = await testApp({ paths: [folder] });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const asked = async (url: string) => {
    const answer = await app.server.inject(url);
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
    return answer;
  };
  const checked = async (name: string, url: string) => {
    const answer = await asked(url);
    const path = join(folder, 'answer.bin');
    writeFileSync(path, answer.rawPayload);
    const told = runPython(python, 'window-place.py', ['check', join(folder, `${name}.tif`), path]);
    return { ...JSON.parse(told), headers: answer.headers };
  };

  for (const name of ['laea', 'turned', 'south-up']) {
    test(`the preview of ${name}.tif lies where the raster does`, async () => {
      const { crs, nodata, dtype, whole, xarray } = await checked(name, `/cog/preview.tif?url=${name}&max_size=64`);
      assert.deepEqual({ crs, nodata, dtype, whole }, { crs: true, nodata: true, dtype: true, whole: true });
      assert.notEqual(xarray, false);
    });
  }

  test('a window in a system that no number names has that system', async () => {
    const { source } = app.catalogue.get('laea') as RasterLayer;
    const box = [92_000, 240_000, 104_000, 252_000];
    const url = `/cog/bbox/${box.join(',')}.tif?url=laea&coord_crs=${encodeURIComponent(source.crs as string)}`;
    const told = await checked('laea', url);
    assert.deepEqual([told.crs, told.nodata, told.dtype, told.box], [true, true, true, box]);
    assert.notEqual(told.xarray, false);
  });

  test('headers say where a picture lies that cannot say it', async () => {
    const url = '/cog/bbox/92000,240000,104000,252000/50x40.npy?url=laea&coord_crs=';
    const { headers } = await asked(
      url + encodeURIComponent((app.catalogue.get('laea') as RasterLayer).source.crs as string),
    );
    assert.equal(headers['x-raster-bbox'], '92000,240000,104000,252000');
    assert.match(String(headers['x-raster-crs']), /\+proj=laea/);
    const moved = await asked('/cog/bbox/131.2,-12.15,131.4,-12/50x40.png?url=laea&dst_crs=EPSG:3857');
    assert.equal(moved.headers['x-raster-crs'], 'EPSG:3857');
    const [west, south, east, north] = String(moved.headers['x-raster-bbox']).split(',').map(Number);
    assert.ok(Math.abs(west - 14_605_117.2) < 1 && Math.abs(east - 14_627_381.03) < 1, `${west} ${east}`);
    assert.ok(north > south);
    const preview = await asked('/cog/preview.png?url=laea');
    assert.equal(preview.headers['x-raster-bbox'], '90000,236000,122000,260000');
    assert.equal((await asked('/cog/preview.png?url=turned')).headers['x-raster-bbox'], undefined);
  });
});
