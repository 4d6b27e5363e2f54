/** Files without overviews say which levels they lack and the line that makes them; GDAL runs the line, and the advice is gone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { inspectFile } from '../../src/commands/inspect.ts';
import { statRef } from '../../src/io/bytes.ts';
import { openCog } from '../../src/source/tiff/open.ts';
import { missingFactors } from '../../src/source/tiff/overviews.ts';
import type { Level, Reason } from '../../src/source/types.ts';
import { testApp } from '../lib/app.ts';
import { findPython, runPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'numpy');
const gdal = spawnSync('gdaladdo', ['--version']).status === 0 ? false : 'no gdaladdo and gdal_translate';
const skip = 'reason' in found ? found.reason : false;

const levelsOf = (...widths: number[]) => widths.map(width => ({ width, height: width / 2 }) as unknown as Level);

test('missing levels are named', () => {
  assert.deepEqual(missingFactors(levelsOf(2048)), [], 'small enough as it is');
  assert.deepEqual(missingFactors(levelsOf(16384)), [2, 4, 8, 16, 32]);
  assert.deepEqual(missingFactors(levelsOf(16384, 8192, 4096, 2048)), [], 'far enough');
  assert.deepEqual(missingFactors(levelsOf(16384, 8192, 4096)), [8, 16, 32], 'the coarse ones');
  assert.deepEqual(missingFactors(levelsOf(16384, 1024)), [2, 4, 8], 'a gap');
  assert.deepEqual(missingFactors(levelsOf(16384, 4096, 1024)), [], 'powers of four are usual');
  assert.deepEqual(missingFactors(levelsOf(16384, 5461, 1820)), [], 'other ladders too');
  assert.deepEqual(missingFactors([]), []);
});

describe('the line that mends it', { skip }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-bare-'));
    runPython((found as { python: string }).python, 'bare-tiffs.py', [folder]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const advice = async (file: string): Promise<Reason | undefined> => {
    const source = await openCog(statRef(join(folder, file)));
    await source.close();
    return source.verdict.notes.find(({ code }) => /overviews/.test(code));
  };

  for (const [name, line] of [
    ['tiled', /^gdaladdo -r average 'tiled.tif' 2 4 8$/],
    ['palette', /^gdaladdo -r nearest 'palette.tif' 2 4 8$/],
    ['mask', /^gdaladdo -r average 'mask.tif' 2 4 8$/],
    ['cog', /^gdaladdo -ro .*'cog.tif' 2 4 8$/],
    ['stripped', /^gdal_translate -of COG .* 'stripped.tif' OUT.tif$/],
  ] as const) {
    test(name, { skip: gdal }, async () => {
      const note = await advice(`${name}.tif`);
      assert.equal(note?.code, 'tiff-no-overviews');
      assert.match(note.detail, /levels 2, 4, 8 are missing/);
      assert.match(note.remedy ?? '', line);
      const run = spawnSync('sh', ['-c', note.remedy as string], { cwd: folder, encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      const mended = await advice(name === 'stripped' ? 'OUT.tif' : `${name}.tif`);
      assert.equal(mended, undefined);
    });
  }

  test('a file with some levels names the others', { skip: gdal }, async () => {
    spawnSync('gdal_translate', ['-outsize', '300%', '300%', 'nodata.tif', 'large.tif', '-co', 'TILED=YES'], {
      cwd: folder,
    });
    spawnSync('gdaladdo', ['-r', 'average', 'large.tif', '2'], { cwd: folder });
    const note = await advice('large.tif');
    assert.equal(note?.code, 'tiff-few-overviews');
    assert.match(note.remedy ?? '', /^gdaladdo -r average 'large.tif' 4 8 16$/);
    spawnSync('sh', ['-c', note.remedy as string], { cwd: folder });
    assert.equal(await advice('large.tif'), undefined);
  });

  test('inspect, /cog/info and /layers say it, and the log does at load', async () => {
    const file = join(folder, 'planar.tif');
    const { notes } = await inspectFile(file, null);
    const said: { msg: string; remedy?: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(JSON.parse(line)) });
    const app = await testApp({ paths: [file], log });
    try {
      const line = "gdaladdo -r average 'planar.tif' 2 4 8";
      const info = (await app.server.inject('/cog/info?url=planar')).json();
      const layer = (await app.server.inject('/layers/planar')).json();
      for (const list of [notes, info.notes, layer.notes] as Reason[][])
        assert.equal(list.find(({ code }) => code === 'tiff-no-overviews')?.remedy, line);
      assert.ok(said.some(({ msg, remedy }) => remedy === line && /2, 4, 8 are missing/.test(msg)));
    } finally {
      await app.close();
    }
  });

  test('a file shorter than what GDAL says of its layout', async () => {
    writeFileSync(join(folder, 'short.tif'), Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]));
    await assert.rejects(openCog(statRef(join(folder, 'short.tif'))), { code: 'layer-not-servable' });
  });
});
