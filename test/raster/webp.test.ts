/** The encoder of lossy WebP against libwebp: what it decodes, and what it makes of the same pictures. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { sourcesHash } from '../../scripts/make-wasm.ts';
import { encoder } from '../../src/kernels/wasm/webp.ts';
import { SOURCES } from '../../src/kernels/wasm/webp-code.ts';
import { encodeWebp, WEBP_SCRATCH_BYTES, type WebpPicture, type WebpSteps, webpSteps } from '../../src/kernels/webp.ts';
import { encodeLossy } from '../../src/render/raster/lossy.ts';
import { findPython, runPython } from '../oracle/python.ts';
import { RASTERS } from './layers.ts';
import { psnr, shownPlanes } from './webp-decode.ts';

const STEPS = webpSteps(75) as WebpSteps;

const KINDS = ['noise', 'zeros', 'ones', 'checks', 'steps', 'ramp', 'flat', 'sparse'] as const;
type Kind = (typeof KINDS)[number];

function pictureOf(kind: Kind, width: number, height: number, channels: number, seed: number): WebpPicture {
  const pixels = new Uint8Array(width * height * channels);
  let state = seed | 1;
  const random = () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  };
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++, i++) {
        if (c === 3) pixels[i] = 255;
        else if (kind === 'noise') pixels[i] = random();
        else if (kind === 'ones') pixels[i] = 255;
        else if (kind === 'checks') pixels[i] = (x + y) & 1 ? 255 : 0;
        else if (kind === 'steps') pixels[i] = ((x >> 2) + (y >> 3) * 3 + c + seed) % 5 === 0 ? 250 : 12;
        else if (kind === 'ramp') pixels[i] = x * 3 + y * 2 + c * 40 + (seed & 63);
        else if (kind === 'flat') pixels[i] = (seed >>> (c * 8)) & 255;
        else if (kind === 'sparse') pixels[i] = random() > 250 ? random() : 90;
      }
  return { width, height, channels, pixels };
}

const picture = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    width: fc.integer({ min: 1, max: 70 }),
    height: fc.integer({ min: 1, max: 70 }),
    channels: fc.constantFrom(1, 3, 4),
    seed: fc.integer(),
  })
  .map(({ kind, width, height, channels, seed }) => pictureOf(kind, width, height, channels, seed));

/** As libwebp shows it. */
async function decoded(webp: Uint8Array, { width, height }: WebpPicture): Promise<Uint8Array> {
  const { data, info } = await sharp(webp).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [width, height, 3]);
  return data;
}

/** Three channels, as a decoder gives them. */
function rgbOf({ pixels, channels }: WebpPicture): Uint8Array {
  const count = pixels.length / channels;
  return Uint8Array.from(
    { length: count * 3 },
    (_, i) => pixels[Math.floor(i / 3) * channels + (channels === 1 ? 0 : i % 3)],
  );
}

/** Encodes into the encoder's own memory behind what the picture takes; the macroblocks as they are before the loop filter. */
function encodeKept(
  { width, height, channels, pixels }: WebpPicture,
  index: number,
): { webp: Uint8Array; macroblocks: Uint8Array } {
  const { code, bytes } = encoder;
  const count = ((width + 15) >> 4) * ((height + 15) >> 4);
  const kept = bytes.length - count * 384;
  assert.ok(65536 + code.taken(width, height, channels) < kept);
  const at = code.start(width, height, channels, index, 0);
  code.reconstruct(kept);
  try {
    const rows = width * channels * 16;
    for (let from = 0; from < pixels.length; from += rows) {
      bytes.set(pixels.subarray(from, from + rows), at);
      code.strip();
    }
  } finally {
    code.reconstruct(0);
  }
  const length = code.finish();
  assert.ok(length > 0);
  const written = code.written();
  return { webp: bytes.slice(written, written + length), macroblocks: bytes.slice(kept, kept + count * 384) };
}

test('libwebp decodes any picture at any step to the very pixels that the encoder predicted from', async () => {
  await fc.assert(
    fc.asyncProperty(picture, fc.integer({ min: 0, max: 127 }), async (source, index) => {
      const { webp, macroblocks } = encodeKept(source, index);
      const shown = shownPlanes({ macroblocks, width: source.width, height: source.height });
      assert.deepEqual(Buffer.from(await decoded(webp, source)), Buffer.from(shown));
    }),
    { numRuns: process.env.PLIMSOLL_TEST_FULL ? 3000 : 200 },
  );
});

test('gray stays as near to what it was as its step says, whatever the loop filter does', async () => {
  const gray = picture.map(source =>
    source.channels === 1
      ? source
      : { ...source, channels: 1, pixels: source.pixels.slice(0, source.width * source.height) },
  );
  await fc.assert(
    fc.asyncProperty(gray, fc.integer({ min: 14, max: 127 }), async (source, index) => {
      const webp = encodeWebp(source, { index, filter: 0 });
      assert.ok(webp);
      const filtered = encodeWebp(source, { index, filter: 8 });
      assert.ok(filtered);
      await decoded(filtered, source);
      // Coefficients are twice as large as in an orthonormal transform: half a step and its dead zone, and the rounding of the range.
      const step = index < 55 ? index + 4 : 284;
      const error = (step * 0.75) / 2 + 1.5;
      assert.ok(psnr(await decoded(webp, source), rgbOf(source)) >= 20 * Math.log10(255 / error));
    }),
    { numRuns: 100 },
  );
});

test('what it is not for is left to libwebp: alpha, gray with alpha, few rows of many pixels, more than its memory holds', () => {
  const rgba = pictureOf('ramp', 40, 30, 4, 7);
  assert.ok(encodeWebp(rgba, STEPS));
  rgba.pixels[4 * 601 + 3] = 254;
  assert.equal(encodeWebp(rgba, STEPS), null);
  for (const [width, height, channels] of [
    [20, 20, 2],
    [16383, 1, 3],
    [1300, 1300, 3],
  ])
    assert.equal(
      encodeWebp({ width, height, channels, pixels: new Uint8Array(width * height * channels) }, STEPS),
      null,
    );
});

test('the frame takes no more of the memory than is priced, and no more than there is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1100 }),
      fc.integer({ min: 1, max: 1100 }),
      fc.constantFrom(1, 3, 4),
      (width, height, channels) => {
        const taken = encoder.code.taken(width, height, channels);
        const there = encoder.code.start(width, height, channels, 23, 8) > 0;
        assert.equal(there, taken + 65536 <= encoder.bytes.length);
        if (width >= 128 && height >= 128 && width * height <= 1000 * 1000)
          assert.ok(taken <= width * height * 4 + WEBP_SCRATCH_BYTES && there);
      },
    ),
  );
});

test('the worst pictures stay in their room', async () => {
  for (const kind of ['noise', 'checks', 'steps'] as const)
    for (const index of [0, 14, 23]) {
      const source = pictureOf(kind, 512, 300, 3, 5);
      const webp = encodeWebp(source, { index, filter: 8 });
      // Below 14 noise may take more than there is: that is said, and never cut off.
      if (webp === null) assert.equal(index, 0);
      else await decoded(webp, source);
    }
});

const PHOTOGRAPHS = [
  ['ma_usda_naip_256_lzw_z3.tif', 256, 768],
  ['bluemarble_4326_jpeg.tif', 3900, 700],
  ['rs_cogeo.tif', 300, 300],
  ['natearth_relief_4326_jpeg.tif', 5200, 1000],
  ['topology_gray_4326_lzw.tif', 1000, 200],
] as const;
const missing = existsSync(RASTERS) ? false : `no ${RASTERS}`;

test('photographs are no larger and no worse than libwebp at effort 0 makes them', { skip: missing }, async () => {
  for (const [file, left, top] of PHOTOGRAPHS) {
    const picture = sharp(join(RASTERS, file), { limitInputPixels: false });
    const tile = picture.extract({ left, top, width: 512, height: 512 });
    const { data: pixels, info } = await tile.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const source = { width: info.width, height: info.height, channels: info.channels, pixels };
    const rgb = rgbOf(source);
    for (const quality of [20, 50, 75, 90]) {
      const own = encodeWebp(source, webpSteps(quality) as WebpSteps);
      assert.ok(own);
      const theirs = await sharp(pixels, { raw: { width: 512, height: 512, channels: info.channels } })
        .webp({ quality, effort: 0 })
        .toBuffer();
      const gain = psnr(await decoded(own, source), rgb) - psnr(await decoded(theirs, source), rgb);
      assert.ok(own.length <= theirs.length * 1.03, `${file} at ${quality}: ${own.length} bytes, ${theirs.length}`);
      assert.ok(gain >= -0.05, `${file} at ${quality}: ${gain} dB`);
    }
  }
});

const python = findPython('rasterio', 'numpy');

test('GDAL reads it as libwebp does', { skip: 'reason' in python ? python.reason : false }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-webp-'));
  try {
    const sources = [
      pictureOf('sparse', 256, 256, 3, 11),
      pictureOf('sparse', 61, 35, 1, 11),
      pictureOf('sparse', 57, 100, 4, 11),
    ];
    const made = sources.map(source => encodeWebp(source, STEPS) ?? assert.fail());
    const paths = made.map((_, i) => join(dir, `${i}.webp`));
    made.forEach((webp, i) => {
      writeFileSync(paths[i], webp);
    });
    runPython((python as { python: string }).python, 'read-pictures.py', paths);
    for (const [i, source] of sources.entries())
      assert.deepEqual(readFileSync(`${paths[i]}.pixels`), Buffer.from(await decoded(made[i], source)));
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('what is checked in was made of wasm/', () => {
  assert.equal(SOURCES, sourcesHash(), 'run node scripts/make-wasm.ts');
});

test('qualities that it is not for are left to libwebp', async () => {
  const source = pictureOf('ramp', 64, 64, 3, 9);
  for (const quality of [1, 19, 91, 100]) {
    assert.equal(webpSteps(quality), null);
    const known = sharp(source.pixels, { raw: { width: 64, height: 64, channels: 3 } }).webp({ quality, effort: 0 });
    assert.deepEqual(Buffer.from(await encodeLossy(source, 'webp', quality)), await known.toBuffer());
  }
  for (const quality of [20, 75, 90])
    assert.deepEqual(await encodeLossy(source, 'webp', quality), encodeWebp(source, webpSteps(quality) as WebpSteps));
  const clear = { ...pictureOf('ramp', 64, 64, 4, 9) };
  clear.pixels[3] = 0;
  assert.equal((await sharp(await encodeLossy(clear, 'webp', 75)).metadata()).hasAlpha, true);
});
