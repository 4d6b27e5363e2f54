/**
 * Tiles and windows of every real raster against GDAL's warper, on the same grid from the same level, in raw values and in
 * each way of resampling: where pixels are the raster's own all equal; nearest and mode in 99.9 % of the valid pixels, all others on
 * average within 1/255 of the raster's range and for 99 % within 4/255; masks alike in 99.95 %, however pixels are resampled. A sample of
 * the cases, or with PLIMSOLL_TEST_FULL=1 more than 2,000.
 *
 * Three differences are GDAL's own affair and kept out of the comparison. On tiles that the raster covers in part it takes its scale
 * for larger than it is: the triangle of bilinear gets too narrow, and averages leave out pixels that stick out of the raster by more
 * than two source pixels; so the scale is told to it (XSCALE, YSCALE). Its interpolated positions miss the edges of source pixels by
 * some 1e-10, on which grids of round numbers put whole columns; so where that decides what is picked or counted it computes each one
 * (raster_oracle.py). And the libjpeg 9 of rasterio's wheels enlarges halved chroma in another way than the libjpeg-turbo that sharp
 * and most GDALs have, so those JPEGs are compared by their luma.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { areaKind, kernelOf, type Resampling } from '../../src/kernels/resampling.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import type { Plan } from '../../src/plan.ts';
import { gridMap, samplingRatio } from '../../src/render/raster/geometry.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planPreview, planRasterTile, planWindow, type RasterParams } from '../../src/render/raster/plan.ts';
import type { ImageJob } from '../../src/render/raster/types.ts';
import { latToMercator, lonToMercator, MERCATOR_HALF, WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { findPython } from '../oracle/python.ts';
import { type Gdal, startGdal } from './gdal.ts';
import { never, noData, openLayer, paintPlan, RASTERS, rasterFiles } from './layers.ts';
import { type Cube, readNpy } from './npy-reader.ts';

const found = findPython('rasterio', 'numpy');
const skip = noData || ('reason' in found ? found.reason : false);
const painter = createRasterPainter();
after(() => painter.close());

/** Sparse: nothing but nodata in the whole file. */
const EMPTY = ['lz_dem_2193_lerc.tif'];

interface Case {
  readonly label: string;
  readonly ours: Cube;
  readonly job: ImageJob;
  readonly layer: RasterLayer;
}

function paramsOf(layer: RasterLayer, resampling: Resampling): RasterParams {
  const bidx = layer.source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
  return { resampling, returnMask: true, unscale: false, bidx };
}

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
/** Shares of the raster's box at which tiles are looked at, from the west and from the south. */
const PLACES = [
  [0.4, 0.6],
  ...(FULL
    ? [
        [0.02, 0.98],
        [0.71, 0.13],
        [0.5, 0.5],
      ]
    : []),
] as const;

/**
 * Nearest, bilinear, and one of the others in turn; all of them in the long form. Mode is for classes: of a photograph's values
 * hardly any two are alike, and which of the many that occur once wins says nothing.
 */
function methodsOf(layer: RasterLayer, turn: number): readonly Resampling[] {
  if (layer.source.palette) return ['nearest', 'mode'];
  const others = ['cubic', 'average', 'rms'] as const;
  return ['nearest', 'bilinear', ...(FULL ? others : [others[turn % others.length]])];
}

async function* plansOf(layer: RasterLayer, turn: number): AsyncGenerator<{ label: string; plan: Plan }> {
  for (const [east, north] of PLACES) yield* plansAt(layer, turn, east, north);
}

/** The tile at a place in the raster's box, at each third of its zooms and one beyond; and a window in its middle. */
async function* plansAt(
  layer: RasterLayer,
  turn: number,
  alongX: number,
  alongY: number,
): AsyncGenerator<{ label: string; plan: Plan }> {
  const [west, south, east, north] = layer.lonLatBounds!;
  const step = Math.max(1, Math.ceil((layer.maxzoom - layer.minzoom) / 3));
  const x = lonToMercator(west + (east - west) * alongX);
  const y = latToMercator(Math.max(south, -85)) * (1 - alongY) + latToMercator(Math.min(north, 85)) * alongY;
  for (const resampling of methodsOf(layer, turn)) {
    const params = paramsOf(layer, resampling);
    for (let z = layer.minzoom; z <= Math.min(layer.maxzoom + 1, 24); z += step) {
      const side = (2 * MERCATOR_HALF) / 2 ** z;
      const tile = { z, x: Math.floor((x + MERCATOR_HALF) / side), y: Math.floor((MERCATOR_HALF - y) / side) };
      const plan = await planRasterTile(
        { layer, grid: WEB_MERCATOR_QUAD, tile, scale: 1, format: 'npy', params },
        never,
      );
      yield { label: `${resampling} tile ${z}/${tile.x}/${tile.y}`, plan };
    }
    const [w, h] = [(east - west) * 0.75 * alongX, (Math.min(north, 85) - Math.max(south, -85)) * 0.5 * alongY];
    const bbox = [
      west + w,
      Math.max(south, -85) + h,
      west + w + (east - west) * 0.4,
      Math.max(south, -85) + h + 0.4 * (Math.min(north, 85) - Math.max(south, -85)),
    ] as const;
    const size = { width: 200, height: 150, maxSize: null };
    const plan = await planWindow(
      { layer, bbox, bboxCrs: 'EPSG:4326', dstCrs: null, ...size, format: 'npy', params },
      never,
    );
    yield { label: `${resampling} window`, plan };
  }
}

function requestOf({ job, layer }: Case): Record<string, unknown> {
  return {
    path: layer.source.ref.href,
    level: job.parts[0].level.index,
    ...job.grid,
    resampling: job.resampling,
    bands: job.choice.bands.map(band => band + 1),
    ...scaleOf(job),
  };
}

/** Source pixels that an output pixel covers, or what its kernel does. */
function scaleOf({ resampling, radiusX, radiusY, grid, placement }: ImageJob): Record<string, number> {
  if (kernelOf(resampling)) return { radiusX, radiusY };
  if (areaKind(resampling) === null || grid.crs === null) return {};
  const ratio = samplingRatio(gridMap(grid, placement).map, grid.width, grid.height)!;
  return { radiusX: ratio.x, radiusY: ratio.y };
}

interface Agreement {
  valid: number;
  maskDiffers: number;
  off: number;
  /** Pixels that are off by more than 4/255. */
  far: number;
  meanError: number;
}

/** Errors are in 255ths of the raster's range. */
function compare(ours: Cube, theirs: Cube, range: number, luma: boolean): Agreement {
  const [planes, height, width] = theirs.shape;
  assert.deepEqual(ours.shape, theirs.shape);
  const bands = planes - 1;
  const count = width * height;
  const valid = (cube: Cube, i: number) => cube.values[bands * count + i] > 0;
  const weights = luma ? [0.299, 0.587, 0.114] : null;
  const result = { valid: 0, maskDiffers: 0, off: 0, far: 0, meanError: 0 };
  for (let i = 0; i < count; i++) {
    if (valid(ours, i) !== valid(theirs, i)) result.maskDiffers++;
    else if (valid(ours, i)) {
      result.valid++;
      const diffs = Array.from({ length: bands }, (_, b) => ours.values[b * count + i] - theirs.values[b * count + i]);
      const worst = weights
        ? Math.abs(diffs.reduce((sum, d, b) => sum + d * weights[b], 0))
        : Math.max(...diffs.map(Math.abs));
      const error = (worst / range) * 255;
      if (!(error <= 2)) result.off++;
      if (!(error <= 4)) result.far++;
      result.meanError += error;
    }
  }
  result.meanError /= Math.max(1, result.valid);
  return result;
}

/** What the values of a raster span: of bytes 255, of others what a small picture of all of it has. */
async function rangeOf(layer: RasterLayer): Promise<number> {
  if (layer.source.dtype === 'uint8') return 255;
  const size = { maxSize: 256, width: null, height: null };
  const plan = await planPreview({ layer, ...size, format: 'npy', params: paramsOf(layer, 'nearest') }, never);
  const { shape, values } = readNpy((await paintPlan(painter, plan)).body!);
  const count = shape[1] * shape[2];
  const bands = shape[0] - 1;
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < bands * count; i++) {
    if (values[bands * count + (i % count)] === 0 || !Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return high > low ? high - low : 1;
}

/** Chroma of YCbCr is always halved by GDAL's own writer. */
function halvedChroma({ source }: RasterLayer): boolean {
  const { compression, photometric } = source.levels[0].format;
  return compression === 7 && photometric === 6;
}

function judge(agreement: Agreement, { label, job, ours, layer }: Case): void {
  const pixels = ours.shape[1] * ours.shape[2];
  const said = `${layer.id} ${label}: ${JSON.stringify(agreement)}`;
  assert.ok(agreement.maskDiffers <= pixels * 0.0005, `masks differ, ${said}`);
  if (job.aligned) assert.equal(agreement.maskDiffers + agreement.off + agreement.meanError, 0, `not equal, ${said}`);
  if (job.resampling === 'nearest' || job.resampling === 'mode') {
    assert.ok(agreement.off <= agreement.valid * 0.001, `values differ, ${said}`);
    return;
  }
  assert.ok(agreement.meanError <= 1, `values differ, ${said}`);
  assert.ok(agreement.far <= agreement.valid * 0.01, `values are far off, ${said}`);
}

/** Worst of a way of resampling. */
interface Worst {
  cases: number;
  valid: number;
  maskShare: number;
  meanError: number;
  farShare: number;
}

const worsts = new Map<string, Worst>();

function account({ job, ours }: Case, agreement: Agreement): void {
  const kind = `${job.resampling}${job.aligned ? ', exact' : ''}`;
  const worst = worsts.get(kind) ?? { cases: 0, valid: 0, maskShare: 0, meanError: 0, farShare: 0 };
  const nearest = job.resampling === 'nearest' || job.resampling === 'mode';
  worsts.set(kind, {
    cases: worst.cases + 1,
    valid: worst.valid + agreement.valid,
    maskShare: Math.max(worst.maskShare, agreement.maskDiffers / (ours.shape[1] * ours.shape[2])),
    meanError: Math.max(worst.meanError, agreement.meanError),
    farShare: Math.max(worst.farShare, (nearest ? agreement.off : agreement.far) / Math.max(1, agreement.valid)),
  });
}

/** Cases of one file, each painted while GDAL answers the one before: two are in memory, however many there are. */
async function compareFile(gdal: Gdal, layer: RasterLayer, turn: number): Promise<{ valid: number; wrong: string[] }> {
  const range = await rangeOf(layer);
  let valid = 0;
  const wrong: string[] = [];
  let before: Promise<void> = Promise.resolve();
  for await (const { label, plan } of plansOf(layer, turn)) {
    const job = plan.job as ImageJob | null;
    // A tile outside has a job without parts, and nothing to compare.
    if (!job || job.parts.length === 0) continue;
    const { body } = await paintPlan(painter, plan);
    await before;
    const each: Case = { label, layer, job, ours: readNpy(body!) };
    before = gdal.ask(requestOf(each)).then(theirs => {
      const agreement = compare(each.ours, theirs, range, halvedChroma(layer));
      account(each, agreement);
      valid += agreement.valid;
      try {
        judge(agreement, each);
      } catch (error) {
        wrong.push((error as Error).message);
      }
    });
    before.catch(() => undefined);
  }
  await before;
  return { valid, wrong };
}

/** Part of the files, to go on after one that failed: PLIMSOLL_ORACLE_FILES is a pattern of their names. */
const ONLY = process.env['PLIMSOLL_ORACLE_FILES'];
const named = () => rasterFiles().filter(name => !ONLY || new RegExp(ONLY).test(name));

suite('every raster agrees with GDAL, in tiles and windows, however it is resampled', { skip }, () => {
  let gdal: Gdal;
  before(() => {
    gdal = startGdal((found as { python: string }).python);
  });
  after(() => gdal?.close());

  for (const [turn, name] of named().entries()) {
    test(name, async () => {
      const layer = await openLayer(RASTERS + name);
      // What is left out would be a comparison that never was; a file to come that is refused has to be named here.
      assert.ok(layer.verdict.servable && layer.lonLatBounds, `${name} is not compared`);
      try {
        const { valid, wrong } = await compareFile(gdal, layer, turn);
        assert.deepEqual(wrong, []);
        // Of the sparse ones every pixel is nodata, which is compared as the mask.
        assert.equal(valid > 0, !EMPTY.includes(name), `${valid} valid pixels were compared`);
      } finally {
        await layer.source.close();
      }
    });
  }

  test('the sum of it', t => {
    let [cases, compared] = [0, 0];
    for (const [kind, worst] of [...worsts].sort()) {
      cases += worst.cases;
      compared += worst.valid;
      const { maskShare, meanError, farShare } = worst;
      t.diagnostic(
        `${kind}: ${worst.cases} cases, at worst ${(maskShare * 100).toFixed(3)} % of a mask, ` +
          `mean error ${meanError.toFixed(3)}/255, ${(farShare * 100).toFixed(2)} % of values far off`,
      );
    }
    t.diagnostic(`${cases} cases, ${compared} valid pixels`);
    if (ONLY) return;
    assert.ok(cases > (FULL ? 2000 : 100), `${cases} cases`);
    assert.ok(compared > 1e6, `${compared} valid pixels were compared`);
  });
});
