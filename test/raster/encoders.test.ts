import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { encodeGeotiff, geotiffBytes } from '../../src/kernels/geotiff-writer.ts';
import { encodeNpy, npyBytes } from '../../src/kernels/npy.ts';
import {
  encodePng,
  PNG_GRAY,
  PNG_GRAY_ALPHA,
  PNG_INDEXED,
  PNG_RGB,
  PNG_RGBA,
  type PngColour,
  pngBound,
} from '../../src/kernels/png.ts';
import { castNodata, SAMPLE_TYPES, type SampleType, workingArray } from '../../src/kernels/samples.ts';
import { emptyWebp } from '../../src/kernels/webp-empty.ts';
import { emptyImage } from '../../src/render/raster/encode.ts';
import { openLayer } from './layers.ts';
import { readNpy } from './npy-reader.ts';

const CHANNELS: [PngColour, number][] = [
  [PNG_GRAY, 1],
  [PNG_GRAY_ALPHA, 2],
  [PNG_RGB, 3],
  [PNG_RGBA, 4],
];

test('any image comes back out of a PNG, and is no longer than its bound', async () => {
  const image = fc.record({
    kind: fc.constantFrom(...CHANNELS),
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    seed: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(image, async ({ kind: [colour, channels], width, height, seed }) => {
      const pixels = Uint8Array.from(
        { length: width * height * channels },
        (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
      );
      const png = encodePng({ width, height, colour, pixels });
      assert.ok(png.length <= pngBound(width, height, channels), `${png.length}`);
      const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height], [width, height]);
      // sharp widens gray to three channels.
      const step = info.channels / channels;
      for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < channels; c++) {
          const at =
            step === 1
              ? i * channels + c
              : i * info.channels + (c === channels - 1 && channels === 2 ? info.channels - 1 : c);
          assert.equal(data[at], pixels[i * channels + c]);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('an indexed PNG keeps palette and transparency', async () => {
  const pixels = Uint8Array.of(0, 1, 2, 1);
  const palette = Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80, 90);
  const png = encodePng({
    width: 2,
    height: 2,
    colour: PNG_INDEXED,
    pixels,
    palette,
    paletteAlpha: Uint8Array.of(0, 128),
  });
  const raw = await sharp(png).ensureAlpha().raw().toBuffer();
  assert.deepEqual([...raw], [10, 20, 30, 0, 40, 50, 60, 128, 70, 80, 90, 255, 40, 50, 60, 128]);
});

test('the handmade empty WebP is transparent at any size', async () => {
  for (const [width, height] of [
    [256, 256],
    [512, 512],
    [1, 1],
    [300, 7],
    [16383, 16383],
  ]) {
    const webp = emptyWebp(width, height);
    const meta = await sharp(webp).metadata();
    assert.deepEqual([meta.format, meta.width, meta.height, meta.hasAlpha], ['webp', width, height, true]);
    if (width * height > 1e6) continue;
    const raw = await sharp(webp).raw().toBuffer();
    assert.equal(raw.length, width * height * 4);
    assert.ok(raw.every(byte => byte === 0));
  }
});

test('empty tiles are transparent, and each owns its bytes', async () => {
  for (const format of ['png', 'webp'] as const) {
    for (const side of [256, 512, 100]) {
      const [a, b] = [emptyImage(format, side, side), emptyImage(format, side, side)];
      assert.notEqual(a.body!.buffer, b.body!.buffer);
      const { data, info } = await sharp(a.body!).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height], [side, side]);
      for (let i = 3; i < data.length; i += 4) assert.equal(data[i], 0);
    }
  }
  assert.throws(() => emptyImage('jpg', 256, 256), { code: 'internal' });
});

const TYPES = Object.keys(SAMPLE_TYPES) as SampleType[];

function valuesOf(type: SampleType, count: number): number[] {
  const { integer, min, max } = SAMPLE_TYPES[type];
  const [low, high] = integer ? [Math.max(min, -(2 ** 40)), Math.min(max, 2 ** 40)] : [-1000, 1000];
  return Array.from({ length: count }, (_, i) => {
    const v = low + ((high - low) * i) / (count - 1);
    return Math.round(v);
  });
}

test('every sample type comes back out of an npy', () => {
  for (const type of TYPES) {
    const values = valuesOf(type, 24);
    const samples = workingArray(type, 24);
    samples.set(values);
    const mask = Uint8Array.from({ length: 12 }, (_, i) => (i % 3 ? 255 : 0));
    const npy = encodeNpy({ type, width: 4, height: 3, bands: 2, samples, mask });
    assert.equal(npy.length, npyBytes(type, 12, 2, true));
    const cube = readNpy(npy);
    assert.deepEqual(cube.shape, [3, 3, 4]);
    assert.equal(cube.descr, type === 'int8' ? '<i2' : SAMPLE_TYPES[type].npy);
    for (let i = 0; i < 12; i++) {
      assert.deepEqual(
        [cube.values[i], cube.values[12 + i], cube.values[24 + i]],
        [samples[2 * i], samples[2 * i + 1], mask[i]],
        type,
      );
    }
  }
});

test('what is out of range is clamped, halves are rounded up, NaN in integers is 0', () => {
  const samples = Float32Array.of(-40000, 40000, 1.5, -1.5, Number.NaN, 7);
  const { values } = readNpy(encodeNpy({ type: 'int16', width: 6, height: 1, bands: 1, samples, mask: null }));
  assert.deepEqual([...values], [-32768, 32767, 2, -1, 0, 7]);
});

test('a GeoTIFF written here opens here, with its place, nodata and values', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tiff-'));
  const transform = [500000, 10, 0, 5000000, 0, -20] as const;
  const georef = { transform, epsg: { code: 32633, geographic: false }, keys: null };
  try {
    for (const type of TYPES) {
      const [width, height, bands] = [300, 200, 3];
      const samples = workingArray(type, width * height * bands);
      samples.set(valuesOf(type, samples.length));
      const image = { type, width, height, bands, samples, mask: null, nodata: 0, georef };
      const bytes = encodeGeotiff(image);
      assert.ok(bytes.length <= geotiffBytes(type, image, bands + 1), type);
      const path = join(folder, `${type}.tif`);
      writeFileSync(path, bytes);
      const layer = await openLayer(path);
      const { source } = layer;
      assert.equal(source.verdict.servable, true, JSON.stringify(source.verdict.reasons));
      assert.deepEqual(
        [source.width, source.height, source.bands.length, source.dtype, source.crs, source.nodata],
        [width, height, bands, type, 'EPSG:32633', 0],
      );
      assert.deepEqual([...source.transform], [500000, 10, 0, 5000000, 0, -20]);
      await source.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('invalid pixels of a GeoTIFF: nodata if there is one, NaN in floats, else alpha or a mask', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tiff-'));
  const make = async (type: SampleType, nodata: number | null, bands = 1) => {
    const samples = workingArray(type, 4 * bands).fill(5);
    const path = join(folder, 'a.tif');
    const georef = { transform: [0, 1, 0, 0, 0, -1] as const, epsg: { code: 4326, geographic: true }, keys: null };
    const mask = Uint8Array.of(255, 0, 255, 255);
    const size = { width: 2, height: 2 };
    const file = encodeGeotiff({ type, ...size, bands, samples, mask, nodata, georef });
    assert.ok(file.length <= geotiffBytes(type, size, bands + 1));
    writeFileSync(path, file);
    const { source } = await openLayer(path);
    await source.close();
    return source;
  };
  try {
    assert.equal((await make('uint16', 9)).nodata, 9);
    assert.ok(Number.isNaN((await make('float32', null)).nodata));
    assert.deepEqual(
      (await make('uint8', null)).bands.map(band => band.colorInterp),
      ['gray', 'alpha'],
    );
    // Where GDAL would not take the alpha band for a mask, there is one in a directory of its own.
    for (const [type, bands] of [
      ['int8', 1],
      ['int32', 3],
      ['uint8', 5],
    ] as const) {
      const { bands: made, levels } = await make(type, null, bands);
      assert.equal(made.length, bands, type);
      assert.ok(levels[0].mask, `${type} has a mask`);
    }
    assert.ok(readFileSync(join(folder, 'a.tif')).length > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('nodata is compared after the cast to the sample type', () => {
  assert.equal(castNodata('uint8', 256), null);
  assert.equal(castNodata('uint8', -9999), null);
  assert.equal(castNodata('uint8', Number.NaN), null);
  assert.equal(castNodata('int16', -9999), -9999);
  assert.equal(castNodata('float32', 0.1), Math.fround(0.1));
  assert.ok(Number.isNaN(castNodata('float64', Number.NaN)));
});
