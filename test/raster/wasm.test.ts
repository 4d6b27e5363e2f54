/** The kernels in WebAssembly against zlib: streams of every kind, decoded in any steps, broken in any place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateSync, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { sourcesHash } from '../../scripts/make-wasm.ts';
import { Problem } from '../../src/errors.ts';
import { decodeBlock } from '../../src/kernels/codecs/index.ts';
import type { DecodedBlock } from '../../src/kernels/codecs/types.ts';
import { encodePng, PNG_INDEXED, PNG_RGB } from '../../src/kernels/png.ts';
import { deflateRows } from '../../src/kernels/png-rows.ts';
import { bilinearRow } from '../../src/kernels/resample.ts';
import { bilinearTaps, markAxes } from '../../src/kernels/resample-axes.ts';
import { placeRgb, rgbAxes, rgbRows } from '../../src/kernels/resample-rgb.ts';
import { SOURCES } from '../../src/kernels/wasm/code.ts';
import type { BlockFormat } from '../../src/source/types.ts';

/** Numbers that hold for one seed: a small generator of 32 bits. */
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Kind = 'noise' | 'photo' | 'runs' | 'zeros' | 'words' | 'steep';

function bytesOf(kind: Kind, length: number, seed: number): Uint8Array {
  const random = randomOf(seed);
  const out = new Uint8Array(length);
  for (let i = 0; i < length; ) {
    if (kind === 'runs') {
      const run = 1 + Math.floor(random() * 400);
      out.fill(random() * 256, i, i + run);
      i += run;
    } else if (kind === 'words' && i > 300 && random() < 0.3) {
      const back = 1 + Math.floor(random() * Math.min(i, 40_000));
      const run = 3 + Math.floor(random() * 60);
      for (let k = 0; k < run && i < length; k++, i++) out[i] = out[i - back];
    } else if (kind === 'steep') out[i++] = Math.min(255, -Math.log(random() + 1e-12) / Math.log(1.6));
    else out[i++] = kind === 'zeros' ? 0 : kind === 'photo' ? random() * random() * 20 - 5 : random() * 256;
  }
  return out;
}

const KINDS: readonly Kind[] = ['noise', 'photo', 'runs', 'zeros', 'words', 'steep'];
const PLAIN: BlockFormat = {
  compression: 8,
  predictor: 1,
  photometric: 1,
  planar: 1,
  samples: 1,
  dtype: 'uint8',
  bits: 8,
  littleEndian: true,
  blockWidth: 1,
  blockHeight: 1,
  jpegTables: null,
  lerc: null,
  reversedBits: false,
  layout: 'tile',
};

const formatOf = (change: Partial<BlockFormat>): BlockFormat => ({ ...PLAIN, ...change });

/** Synchronous, as deflate is. */
function decode(format: BlockFormat, encoded: Uint8Array, rows?: number): DecodedBlock {
  const { blockWidth, blockHeight } = format;
  return decodeBlock(format, encoded, blockWidth, blockHeight, undefined, rows) as DecodedBlock;
}

const bytesIn = ({ data }: DecodedBlock) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const stream = fc.record({
  kind: fc.constantFrom(...KINDS),
  width: fc.integer({ min: 1, max: 3000 }),
  height: fc.integer({ min: 1, max: 60 }),
  seed: fc.integer(),
  level: fc.constantFrom(0, 1, 6, 9),
  strategy: fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE),
  windowBits: fc.integer({ min: 9, max: 15 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  steps: fc.array(fc.nat(60), { maxLength: 6 }),
});

test('the code is what its sources make', () => {
  assert.equal(SOURCES, sourcesHash(), 'wasm/ has changed: node scripts/make-wasm.ts');
});

test('a deflated block is the same in any steps as at once, whatever made the stream', () => {
  fc.assert(
    fc.property(stream, ({ kind, width, height, seed, steps, ...options }) => {
      const raw = bytesOf(kind, width * height, seed);
      const encoded = deflateSync(raw, options);
      const format = formatOf({ blockWidth: width, blockHeight: height });
      assert.deepEqual(bytesIn(decode(format, encoded)), raw);
      const block = decode(format, encoded, Math.min(height, steps[0] ?? 1));
      for (const rows of [...steps, height]) {
        const { rest } = block;
        if (rest !== null && rest.rows < height) rest.more(encoded.slice(rest.from), Math.min(rows, height));
        const there = (rest?.rows ?? height) * width;
        assert.deepEqual(bytesIn(block).subarray(0, there), raw.subarray(0, there));
        assert.ok((rest?.rows ?? height) >= Math.min(rows, height));
        assert.ok((rest?.heldBytes ?? 0) <= 32768 + width + 300 + 40);
      }
    }),
    { numRuns: 300 },
  );
});

test('a block that goes on at the very byte where its first part would have been read to is no other', () => {
  const [width, height] = [2257, 37];
  const raw = bytesOf('noise', width * height, 1);
  const encoded = deflateSync(raw, { level: 0, memLevel: 1, windowBits: 9 });
  const block = decode(formatOf({ blockWidth: width, blockHeight: height }), encoded, 22);
  assert.equal(block.rest?.from, 65536);
  for (const rows of [30, 37]) block.rest.more(encoded.slice(block.rest.from), rows);
  assert.deepEqual(bytesIn(block), raw);
});

test('a block whose stream goes on for several windows is resumed from each', () => {
  const [width, height] = [1500, 600];
  for (const kind of KINDS) {
    const raw = bytesOf(kind, width * height, 7);
    const encoded = deflateSync(raw);
    const format = formatOf({ blockWidth: width, blockHeight: height });
    const block = decode(format, encoded, 1);
    for (let rows = 1; rows <= height; rows += 37) block.rest?.more(encoded.slice(block.rest.from), rows);
    block.rest?.more(encoded.slice(block.rest.from), height);
    assert.deepEqual(bytesIn(block), raw, kind);
  }
});

/** What differencing makes of samples, row by row: TIFF's predictors the other way. */
function predicted(samples: Uint8Array, width: number, stride: number, predictor: 2 | 3, size: number): Uint8Array {
  const rowBytes = width * stride * size;
  const out = new Uint8Array(samples.length);
  for (let row = 0; row < samples.length; row += rowBytes) {
    const line = samples.slice(row, row + rowBytes);
    if (predictor === 3)
      for (let i = 0; i < rowBytes / size; i++)
        for (let b = 0; b < size; b++) line[(size - 1 - b) * (rowBytes / size) + i] = samples[row + i * size + b];
    for (let i = rowBytes - 1; i >= stride; i--) line[i] -= line[i - stride];
    out.set(line, row);
  }
  return out;
}

test('predictors of bytes and of floats are undone as they were made, for any width and number of bands', () => {
  const picture = fc.record({
    width: fc.integer({ min: 1, max: 200 }),
    height: fc.integer({ min: 1, max: 20 }),
    samples: fc.integer({ min: 1, max: 6 }),
    float: fc.boolean(),
    seed: fc.integer(),
    rows: fc.nat(20),
  });
  fc.assert(
    fc.property(picture, ({ width, height, samples, float, seed, rows }) => {
      const size = float ? 4 : 1;
      const raw = bytesOf('noise', width * height * samples * size, seed);
      const encoded = deflateSync(predicted(raw, width, samples, float ? 3 : 2, size));
      const kind = float ? ({ dtype: 'float32', bits: 32, predictor: 3 } as const) : ({ predictor: 2 } as const);
      const format = formatOf({ ...kind, samples, blockWidth: width, blockHeight: height });
      const block = decode(format, encoded, Math.min(rows, height));
      block.rest?.more(encoded.slice(block.rest.from), height);
      assert.deepEqual(bytesIn(block), raw);
    }),
    { numRuns: 300 },
  );
});

test('a broken stream is corrupt data where zlib says so, and never another picture', () => {
  const damage = fc.record({
    kind: fc.constantFrom(...KINDS),
    seed: fc.integer(),
    level: fc.constantFrom(0, 1, 6, 9),
    fixed: fc.boolean(),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bit: fc.nat(7),
    cut: fc.boolean(),
  });
  fc.assert(
    fc.property(damage, ({ kind, seed, level, fixed, at, bit, cut }) => {
      const raw = bytesOf(kind, 5000, seed);
      const strategy = fixed ? constants.Z_FIXED : constants.Z_DEFAULT_STRATEGY;
      const whole = deflateSync(raw, { level, strategy });
      const place = Math.min(whole.length - 1, Math.floor(at * whole.length));
      const broken = Uint8Array.from(cut ? whole.subarray(0, place) : whole);
      if (!cut) broken[place] ^= 1 << bit;
      const format = formatOf({ blockWidth: 100, blockHeight: 50 });
      const seen = outcome(() => bytesIn(decode(format, broken)));
      const expected = outcome(() => {
        const bytes = inflateSync(broken, { maxOutputLength: 5000, finishFlush: constants.Z_SYNC_FLUSH });
        if (bytes.length < 5000) throw new Error('short');
        return new Uint8Array(bytes);
      });
      assert.deepEqual(seen, expected);
      // In part it may look right, or be refused; it may not fail in any other way.
      outcome(() => bytesIn(decode(format, broken, 10)));
    }),
    { numRuns: 1500 },
  );
});

function outcome(make: () => Uint8Array): Uint8Array | 'refused' {
  try {
    return make();
  } catch (error) {
    if (error instanceof Problem) assert.equal(error.code, 'corrupt-data');
    return 'refused';
  }
}

test('more than a block may hold is refused, however little the stream says it is', () => {
  const format = formatOf({ blockWidth: 100, blockHeight: 10 });
  for (const kind of KINDS) {
    const bomb = deflateSync(bytesOf(kind, 1001, 3));
    assert.throws(() => decode(format, bomb), { code: 'corrupt-data' });
  }
});

test('rows come back out of their deflate, at any width, and end on a byte where more follow', () => {
  const ask = fc.record({
    kind: fc.constantFrom(...KINDS),
    width: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constantFrom(98_303, 98_304, 230_000)),
    rows: fc.integer({ min: 1, max: 300 }),
    filter: fc.constantFrom(1, 2, 3, 4, 'up' as const),
    last: fc.boolean(),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(ask, ({ kind, width, rows, filter, last, seed }) => {
      const stride = width * (filter === 'up' ? 1 : filter);
      const many = Math.max(1, Math.min(rows, Math.floor(400_000 / stride)));
      const pixels = bytesOf(kind, stride * many, seed);
      const { data } = deflateRows(pixels, { stride, filter, last, adler: 1 });
      const flush = { finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH };
      const filtered = inflateRawSync(data, flush);
      assert.equal(filtered.length, (stride + 1) * many);
      assert.ok(data.length <= filtered.length + (filtered.length >> 10) + 256);
      const back = filter === 'up' ? stride : filter;
      for (let y = 0; y < many; y++) {
        assert.equal(filtered[y * (stride + 1)], filter === 'up' ? 2 : 1);
        for (let i = 0; i < stride; i++) {
          const from = y * stride + i;
          const before = (filter === 'up' ? y > 0 : i >= back) ? pixels[from - back] : 0;
          if (filtered[y * (stride + 1) + 1 + i] !== ((pixels[from] - before) & 255)) assert.fail(`${y}, ${i}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('pictures larger than the memory of the machine come back out of their PNG', async () => {
  const [width, height] = [2300, 1100];
  for (const [colour, channels] of [
    [PNG_RGB, 3],
    [PNG_INDEXED, 1],
  ] as const) {
    const pixels = bytesOf('noise', width * height * channels, 5);
    const palette = Uint8Array.from({ length: 768 }, (_, i) => i / 3);
    const png = encodePng({ width, height, colour, pixels, ...(channels === 1 ? { palette } : {}) });
    const raw = await sharp(png).removeAlpha().raw().toBuffer();
    const step = raw.length / pixels.length;
    const same = pixels.every((value, i) => raw[i * step] === value);
    assert.ok(same, `${channels} channels`);
  }
});

const place = fc.record({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  outWidth: fc.integer({ min: 1, max: 50 }),
  outHeight: fc.integer({ min: 1, max: 50 }),
  stepX: fc.double({ min: -1.2, max: 1.2, noNaN: true }),
  stepY: fc.double({ min: -1.2, max: 1.2, noNaN: true }),
  originX: fc.double({ min: -3, max: 30, noNaN: true }),
  originY: fc.double({ min: -3, max: 30, noNaN: true }),
  seed: fc.integer(),
});

test('bilinear of three bands of bytes is that of doubles to within rounding, and leaves alone what is outside', () => {
  fc.assert(
    fc.property(place, ({ width, height, outWidth, outHeight, stepX, stepY, originX, originY, seed }) => {
      const samples = bytesOf('noise', width * height * 3, seed);
      const from = { samples, bands: 3, width, height, weights: null };
      const axis = (n: number, origin: number, step: number) =>
        Float64Array.from({ length: n }, (_, i) => origin + i * step);
      const [xAxis, yAxis] = [axis(outWidth, originX, stepX), axis(outHeight, originY, stepY)];
      const count = outWidth * outHeight;
      const xs = Float64Array.from({ length: count }, (_, i) => xAxis[i % outWidth]);
      const ys = Float64Array.from({ length: count }, (_, i) => yAxis[Math.floor(i / outWidth)]);
      const truth = { out: new Float64Array(count * 3).fill(77), outMask: new Uint8Array(count) };
      bilinearRow(from, xs, ys, { ...truth, at: 0, count }, false);
      const canvas = () => ({ out: new Uint8Array(count * 3).fill(77), outMask: new Uint8Array(count) });
      const [byRow, byAxis] = [canvas(), canvas()];
      rgbRows(placeRgb(from, byRow.out)!, xs, ys, { ...byRow, at: 0, count });
      const [across, down] = [bilinearTaps(xAxis, 0, width), bilinearTaps(yAxis, 0, height)];
      const target = { ...byAxis, y0: 0, y1: outHeight };
      assert.ok(rgbAxes(placeRgb(from, byAxis.out)!, across, down, target));
      markAxes(across, down, target);
      for (const { out, outMask } of [byRow, byAxis]) {
        assert.deepEqual(outMask, truth.outMask);
        const worst = out.reduce((most, value, i) => Math.max(most, Math.abs(value - truth.out[i])), 0);
        assert.ok(worst <= 0.53, `${worst}`);
      }
    }),
    { numRuns: 200 },
  );
});

test('a plain picture stays what it is, wherever it is looked at', () => {
  for (const value of [0, 1, 127, 254, 255]) {
    const from = { samples: new Uint8Array(75).fill(value), bands: 3, width: 5, height: 5, weights: null };
    const xs = Float64Array.from({ length: 500 }, (_, i) => i / 100);
    const canvas = { out: new Uint8Array(1500).fill(9), outMask: new Uint8Array(500) };
    rgbRows(placeRgb(from, canvas.out)!, xs, xs, { ...canvas, at: 0, count: 500 });
    assert.ok(canvas.out.every(each => each === value));
  }
});

test('other pictures than three bands of valid bytes are not taken', () => {
  const samples = new Uint8Array(12);
  const from = { samples, bands: 3, width: 2, height: 2, weights: null };
  assert.notEqual(placeRgb(from, samples), null);
  assert.equal(placeRgb({ ...from, bands: 4, width: 1, height: 3 }, samples), null);
  assert.equal(placeRgb({ ...from, weights: new Uint8Array(4) }, samples), null);
  assert.equal(placeRgb({ ...from, samples: new Float32Array(12) }, samples), null);
  assert.equal(placeRgb(from, new Float32Array(12)), null);
});
