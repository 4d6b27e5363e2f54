/** Windows as a notebook loads them: place, CRS, type, nodata, values and mask of a GeoTIFF in rasterio and of a .npy in NumPy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';

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
