/** Statistics of real files, all codecs, masks and layouts, held against numpy's. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const found = findPython('rasterio', 'numpy');
const skip = WITHOUT_SHARED || ('reason' in found ? found.reason : false);
/** Decoders of lossy formats may differ by one; the values are compared in test/raster-source. */
const LOSSY = /jpeg|webp|rs_cogeo|rs_world|tt_TCI|rt_cog_rgb/;
const LARGEST = FULL ? Infinity : 1 << 20;
/** Small files of many pixels. */
const LONG = FULL ? /^$/ : /rt_cog_cmap/;

test('statistics of whole files are numpy’s', { skip }, async t => {
  const folder = join(SHARED, 'raster');
  const names = readdirSync(folder).filter(
    name =>
      name.endsWith('.tif') && !LOSSY.test(name) && !LONG.test(name) && statSync(join(folder, name)).size <= LARGEST,
  );
  const temporary = mkdtempSync(join(tmpdir(), 'plimsoll-numpy-'));
  for (const name of names) symlinkSync(join(folder, name), join(temporary, name));
  const app = await testApp({ paths: [temporary] });
  try {
    const script = join(import.meta.dirname, '../oracle/band-statistics.py');
    const paths = names.map(name => join(folder, name));
    const run = spawnSync((found as { python: string }).python, [script, ...paths], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const lines = run.stdout.trim().split('\n');
    let bands = 0;
    for (const [i, name] of names.entries()) {
      const answer = await app.server.inject(`/cog/statistics?url=${name}`);
      if (answer.json().code === 'layer-not-servable') continue;
      assert.equal(answer.statusCode, 200, `${name}: ${answer.body}`);
      for (const [band, expected] of Object.entries<Record<string, number | number[]>>(JSON.parse(lines[i]))) {
        bands++;
        const { histogram, ...numbers } = expected;
        const ours = answer.json()[band];
        assert.deepEqual(ours.histogram[0], histogram, `${name} ${band}`);
        for (const [key, value] of Object.entries(numbers)) {
          const near = Math.abs(ours[key] - (value as number)) <= 1e-9 * Math.max(1, Math.abs(value as number));
          assert.ok(near, `${name} ${band} ${key}: ${ours[key]} for ${value}`);
        }
      }
    }
    assert.ok(bands >= 10, `${bands}`);
    t.diagnostic(`${names.length} files, ${bands} bands`);
  } finally {
    await app.close();
    rmSync(temporary, { recursive: true, force: true });
  }
});
