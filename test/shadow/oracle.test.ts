/** Tiles of a file without overviews against those of the same file with overviews that GDAL made. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { type Cube, readNpy } from '../raster/npy-reader.ts';
import { type BareFiles, bareFiles, noPython } from './files.ts';

/** Of the range of the values: as for every other comparison with GDAL. */
const MEAN_MAX = 1 / 255;
const HIGH_MAX = 4 / 255;

describe('shadow overviews against those of GDAL', { skip: noPython }, () => {
  let files: BareFiles;
  let bare: App;
  let whole: App;
  before(async () => {
    files = bareFiles(8, 16);
    const set = { 'raster.maxReadAmplification': '16', 'raster.shadow.waitMs': '20000' };
    bare = await testApp({ paths: [files.folder], set: { ...set, 'memory.queue.deadlineMs': '30000' } });
    whole = await testApp({ paths: [`${files.folder}/with`], set: { 'raster.maxReadAmplification': '1000000' } });
  });
  after(async () => {
    await bare?.close();
    await whole?.close();
    files?.remove();
  });

  for (const [name, range] of [
    ['tiled', 255],
    ['stripped', 255],
    ['planar', 255],
    ['cog', 255],
    ['nodata', 4000],
    ['float', 250],
    ['mask', 255],
    ['alpha', 255],
    ['palette', 255],
  ] as const) {
    test(name, async () => {
      for (const url of [
        `/tiles/${name}/2/1/1.npy`,
        `/tiles/${name}/1/0/0.npy`,
        `/cog/preview.npy?url=${name}&max_size=200`,
      ]) {
        const [ours, theirs] = [await bare.server.inject(url), await whole.server.inject(url)];
        assert.equal(ours.statusCode, 200, ours.body.slice(0, 300));
        assert.equal(theirs.statusCode, 200);
        assert.equal(ours.headers['x-raster-level'], 'shadow');
        assert.notEqual(theirs.headers['x-raster-level'], '0', 'GDAL made the levels that are asked for');
        compare(readNpy(ours.rawPayload), readNpy(theirs.rawPayload), range, `${name} ${url}`);
      }
    });
  }
});

/** The last band of .npy is the mask. */
function compare(ours: Cube, theirs: Cube, range: number, what: string): void {
  assert.deepEqual(ours.shape, theirs.shape, what);
  const pixels = ours.shape[1] * ours.shape[2];
  const bands = ours.shape[0] - 1;
  const [a, b] = [ours.values, theirs.values];
  let masks = 0;
  let valid = 0;
  const errors: number[] = [];
  for (let p = 0; p < pixels; p++) {
    const [here, there] = [a[bands * pixels + p], b[bands * pixels + p]];
    if (here > 0 !== there > 0) masks++;
    if (!(here > 0 && there > 0)) continue;
    valid++;
    for (let i = 0; i < bands; i++) errors.push(Math.abs(a[i * pixels + p] - b[i * pixels + p]) / range);
  }
  assert.ok(valid > 1000, `${what}: ${valid} pixels in common`);
  assert.ok(masks <= pixels / 1000, `${what}: masks differ at ${masks} of ${pixels} pixels`);
  errors.sort((x, y) => x - y);
  const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  const high = errors[Math.floor(errors.length * 0.99)];
  assert.ok(
    mean <= MEAN_MAX && high <= HIGH_MAX,
    `${what}: mean ${mean * 255}, 99 % ${high * 255} of 255, most ${errors.at(-1)}`,
  );
}
