/** Large pictures in strips: the same pixels as in one go, for a fraction of the bytes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { PNG_CHANNELS, PNG_GRAY, PNG_GRAY_ALPHA, PNG_RGB, PNG_RGBA } from '../../src/kernels/png.ts';
import { createPngWriter, pngStripsBound } from '../../src/kernels/png-strips.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import { costBytes, type Plan } from '../../src/plan.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planPreview, planWindow, type RasterFormat, type RasterParams } from '../../src/render/raster/plan.ts';
import type { ImageJob } from '../../src/render/raster/types.ts';
import type { BBox } from '../../src/tile.ts';
import { never, noData, openLayer, paintPlan, RASTERS, rasterFiles } from './layers.ts';
import { readNpy } from './npy-reader.ts';

const painter = createRasterPainter({ blockCacheBytes: 0 });
after(() => painter.close());

test('strips of any height come back out of a PNG, and it is no longer than its bound', async () => {
  const picture = fc.record({
    colour: fc.constantFrom(PNG_GRAY, PNG_GRAY_ALPHA, PNG_RGB, PNG_RGBA),
    width: fc.integer({ min: 1, max: 300 }),
    rows: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
    seed: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(picture, async ({ colour, width, rows, seed }) => {
      const channels = PNG_CHANNELS[colour];
      const height = rows.reduce((sum, count) => sum + count, 0);
      const pixels = Uint8Array.from(
        { length: width * height * channels },
        (_, i) => Math.imul(i ^ seed, 0x9e3779b1) >>> 24,
      );
      const writer = createPngWriter(width, height, colour);
      let at = 0;
      for (const count of rows) {
        writer.add(pixels.slice(at, at + count * width * channels));
        at += count * width * channels;
      }
      const png = writer.finish();
      assert.ok(png.length <= pngStripsBound(width, rows, channels));
      const seen = await shown(png);
      assert.equal(seen.channels, channels);
      assert.ok(seen.pixels.equals(pixels));
    }),
    { numRuns: 60 },
  );
});

test('rows that are missing or too many are no picture', () => {
  const writer = createPngWriter(4, 3, PNG_GRAY);
  writer.add(new Uint8Array(8));
  assert.throws(() => writer.finish(), RangeError);
  assert.throws(() => writer.add(new Uint8Array(8)), RangeError);
  assert.throws(() => createPngWriter(4, 3, PNG_GRAY).add(new Uint8Array(7)), RangeError);
});

const SIZE = { width: 1100, height: 960 };
/** Colours, a mask, alpha, and one band: what decides how a picture is written. */
const FILES = ['ma_usda_naip_512_deflate_z2.tif', 'rt_cog_rgb_mask.tif', 'rt_cog_uint8_rgba.tif', 'rs_shade.tif'];

function plan(
  layer: RasterLayer,
  bbox: BBox,
  format: RasterFormat,
  params: RasterParams,
  dstCrs: string | null,
): Promise<Plan> {
  return planWindow({ layer, bbox, bboxCrs: 'EPSG:4326', dstCrs, ...SIZE, maxSize: null, format, params }, never);
}

/** A bit beyond the raster on one side, so that there is something invalid. */
function boxOf({ lonLatBounds }: RasterLayer): BBox {
  const [west, south, east, north] = lonLatBounds!;
  const [w, h] = [(east - west) * 0.4, (Math.min(north, 84) - Math.max(south, -84)) * 0.4];
  return [west + w / 2, Math.max(south, -84) + h / 2, Math.min(east + w / 20, 180), Math.min(north, 84) - h / 2];
}

const RESAMPLINGS = ['average', 'nearest', 'bilinear', 'cubic'] as const;
const FULL = process.env.PLIMSOLL_TEST_FULL === '1';

interface Shown {
  readonly channels: number;
  readonly pixels: Buffer;
}

/** sharp widens gray to three channels; here they are narrow again. */
async function shown(png: Uint8Array): Promise<Shown> {
  const { channels } = await sharp(png).metadata();
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  if (info.channels === channels) return { channels, pixels: data };
  const pixels = Buffer.alloc(info.width * info.height * channels);
  for (let i = 0; i < info.width * info.height; i++) {
    pixels[i * channels] = data[i * info.channels]!;
    if (channels === 2) pixels[i * 2 + 1] = data[(i + 1) * info.channels - 1]!;
  }
  return { channels, pixels };
}

/** Bytes of one pixel in four must be the values of the .npy, which is painted in one go, and alpha its mask. */
function compare({ channels, pixels }: Shown, npy: Uint8Array, label: string, most?: number): void {
  const cube = readNpy(npy);
  const [planes, height, width] = cube.shape as [number, number, number];
  const count = width * height;
  const bands = planes - 1;
  const alpha = channels === bands + 1;
  assert.ok(alpha || channels === bands, `${label}: ${channels} channels of ${bands} bands`);
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    const mask = cube.values[bands * count + i]!;
    if ((alpha ? pixels[i * channels + bands] : 255) !== mask) wrong++;
    for (let b = 0; b < bands && mask > 0; b++) if (pixels[i * channels + b] !== cube.values[b * count + i]) wrong++;
  }
  // Where a cell of the projection ends depends on rounding in the last bit of the strip's own origin.
  assert.ok(wrong <= (most ?? count / 10_000), `${label}: ${wrong} of ${count} pixels differ`);
}

test('windows are the same in strips as in one go, in web mercator and in degrees', {
  skip: noData,
}, async () => {
  let seen = 0;
  for (const file of FILES) {
    const layer = await openLayer(join(RASTERS, file));
    const bidx = layer.source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
    const bytes = layer.source.levels[0]?.format.dtype === 'uint8';
    if (!layer.verdict.servable || !bytes || (bidx.length !== 1 && bidx.length !== 3)) continue;
    for (const crs of [null, 'EPSG:3857']) {
      const params: RasterParams = { resampling: 'bilinear', returnMask: true, unscale: false, bidx };
      const png = await plan(layer, boxOf(layer), 'png', params, crs);
      const job = png.job as ImageJob | null;
      if (!job?.strips || job.style.table) continue;
      seen++;
      const npy = await plan(layer, boxOf(layer), 'npy', params, crs);
      const painted = await paintPlan(painter, png);
      assert.ok(painted.peakBytes <= costBytes(png.cost), `${file}: ${painted.peakBytes} of ${costBytes(png.cost)}`);
      assert.ok(painted.body!.length <= png.cost.outputBytes);
      compare(await shown(painted.body!), (await paintPlan(painter, npy)).body!, `${file} ${crs}`);
      assert.equal(painter.heldBytes < 2 ** 21, true, 'blocks that were kept for the strips are gone after them');
    }
  }
  assert.ok(seen >= 4, `${seen} windows were cut`);
});

test('2048 × 2048 pixels in colour cost less than half of what they did, and fit where they did not', {
  skip: noData,
}, async () => {
  const layer = await openLayer(join(RASTERS, rasterFiles().find(file => /rgb/i.test(file))!));
  const params: RasterParams = { resampling: 'bilinear', returnMask: true, unscale: false };
  const ask = { layer, bbox: boxOf(layer), bboxCrs: 'EPSG:4326', dstCrs: null, maxSize: null, params } as const;
  const cut = await planWindow({ ...ask, width: 2048, height: 2048, format: 'png' }, never);
  assert.ok(costBytes(cut.cost) < 40 * 2 ** 20, `${costBytes(cut.cost)}`);
  assert.equal((cut.explain['strips'] as number) > 10, true);
});

test('previews in strips are those in one go, pixel by pixel, however they are resampled', {
  skip: noData,
}, async () => {
  const ask = { maxSize: 1100, width: 1100, height: 1000 };
  let seen = 0;
  for (const [index, file] of FILES.entries()) {
    const layer = await openLayer(join(RASTERS, file));
    const bidx = layer.source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
    for (const resampling of FULL ? RESAMPLINGS : [RESAMPLINGS[index % 4]!]) {
      const params: RasterParams = { resampling, returnMask: true, unscale: false, bidx };
      const png = await planPreview({ ...ask, layer, format: 'png', params }, never);
      const job = png.job as ImageJob;
      if (!job.strips || job.style.table) continue;
      seen++;
      const npy = await planPreview({ ...ask, layer, format: 'npy', params }, never);
      const painted = await paintPlan(painter, png);
      assert.ok(painted.peakBytes <= costBytes(png.cost), `${file}: ${painted.peakBytes} of ${costBytes(png.cost)}`);
      compare(await shown(painted.body!), (await paintPlan(painter, npy)).body!, `${file} ${resampling}`, 0);
    }
  }
  assert.ok(seen >= 3, `${seen} previews were cut`);
});

test('features in strips are those in one go, and what lies outside of them is clear', { skip: noData }, async () => {
  let seen = 0;
  for (const [index, file] of FILES.entries()) {
    const layer = await openLayer(join(RASTERS, file));
    const bidx = layer.source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
    const [west, south, east, north] = boxOf(layer);
    const [x, y] = [(west + east) / 2, (south + north) / 2];
    // A quadrilateral with a hole.
    const zone = [
      [
        [west, y, x, south, east, y, x, north, west, y],
        [x, y, x, (y + north) / 2, (x + east) / 2, y, x, y],
      ],
    ];
    for (const dstCrs of FULL ? [null, 'EPSG:3857'] : [index % 2 ? null : 'EPSG:3857']) {
      const params: RasterParams = { resampling: 'bilinear', returnMask: true, unscale: false, bidx };
      const cut = { cutline: { zone, crs: 'EPSG:4326' }, layer, bbox: boxOf(layer), bboxCrs: 'EPSG:4326', dstCrs };
      const ask = { ...cut, ...SIZE, maxSize: null, params };
      const png = await planWindow({ ...ask, format: 'png' }, never);
      const job = png.job as ImageJob | null;
      if (!job?.strips || job.style.table) continue;
      seen++;
      const painted = await paintPlan(painter, png);
      assert.ok(painted.peakBytes <= costBytes(png.cost), `${file}: ${painted.peakBytes} of ${costBytes(png.cost)}`);
      const picture = await shown(painted.body!);
      const npy = await planWindow({ ...ask, format: 'npy' }, never);
      compare(picture, (await paintPlan(painter, npy)).body!, `${file} ${dstCrs}`);
      assert.equal(picture.pixels[picture.channels - 1], 0, 'a corner is outside');
    }
  }
  assert.ok(seen >= 3, `${seen} features were cut`);
});

test('a preview and a feature of 2048 × 2048 pixels cost as little as such a window', { skip: noData }, async () => {
  const layer = await openLayer(join(RASTERS, rasterFiles().find(file => /rgb/i.test(file))!));
  const params: RasterParams = { resampling: 'bilinear', returnMask: true, unscale: false };
  const preview = await planPreview({ layer, maxSize: 2048, width: 2048, height: 2048, format: 'png', params }, never);
  assert.ok(costBytes(preview.cost) < 40 * 2 ** 20, `${costBytes(preview.cost)}`);
  assert.ok((preview.explain['strips'] as number) > 10);
  const [west, south, east, north] = boxOf(layer);
  const cutline = { zone: [[[west, south, east, south, east, north, west, south]]], crs: 'EPSG:4326' };
  const box = { bbox: boxOf(layer), bboxCrs: 'EPSG:4326', dstCrs: null, maxSize: null, width: 2048, height: 2048 };
  const feature = await planWindow({ ...box, layer, cutline, format: 'png', params }, never);
  assert.ok(costBytes(feature.cost) < 40 * 2 ** 20, `${costBytes(feature.cost)}`);
});
