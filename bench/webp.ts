/**
 * Lossy WebP of what the blocks of real rasters show, by this server's encoder and by libwebp through sharp at quality 75, effort 0: CPU
 * milliseconds a picture in turns, bytes, and PSNR of what libwebp decodes of each. Geometric means over the blocks of a file.
 *
 *   node bench/webp.ts FILE.tif…
 */
import { basename, resolve } from 'node:path';
import sharp from 'sharp';
import { openBytes, statRef } from '../src/io/bytes.ts';
import { configureSharp, decodeBlock } from '../src/kernels/codecs/index.ts';
import { encodeWebp, type WebpPicture, webpSteps } from '../src/kernels/webp.ts';
import { fetchBlock, placeOf } from '../src/source/tiff/blocks.ts';
import { openCog } from '../src/source/tiff/open.ts';
import { digits, markdownTable, quantile } from './lib/stats.ts';

const BLOCKS = 6;
const ROUNDS = 9;
const LIBWEBP = { quality: 75, effort: 0 } as const;
const STEPS = webpSteps(LIBWEBP.quality)!;

/** Spread over the file's first level: gray, or the first three bands. */
async function picturesOf(path: string): Promise<WebpPicture[]> {
  const source = await openCog(statRef(resolve(path)));
  const level = source.levels[0];
  const bytes = openBytes(level.ref);
  const pictures: WebpPicture[] = [];
  const count = level.blocksAcross * level.blocksDown;
  const step = Math.max(1, Math.floor(count / BLOCKS));
  for (let index = step >> 1; index < count && pictures.length < BLOCKS; index += step) {
    const place = await placeOf(level, index);
    if (place.length === 0) continue;
    const block = await fetchBlock(bytes, level, place, { fill: 0, decode: decodeBlock });
    if (!(block.data instanceof Uint8Array)) continue;
    pictures.push(shownOf(block.data, block.samples, block.width, block.height));
  }
  bytes.close();
  return pictures;
}

function shownOf(data: Uint8Array, samples: number, width: number, height: number): WebpPicture {
  const channels = samples >= 3 ? 3 : 1;
  const pixels = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < channels; c++) pixels[i * channels + c] = data[i * samples + c];
  return { width, height, channels, pixels };
}

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function own(picture: WebpPicture): Uint8Array {
  const made = encodeWebp(picture, STEPS);
  if (made === null) throw new Error(`${picture.width} × ${picture.height} is not for this encoder`);
  return made;
}

function libwebp({ pixels, width, height, channels }: WebpPicture): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
    .webp(LIBWEBP)
    .toBuffer();
}

/** Mean squared error against the picture, as PSNR. */
async function psnr({ pixels, channels }: WebpPicture, webp: Uint8Array): Promise<number> {
  const shown = await sharp(webp).raw().toBuffer();
  let sum = 0;
  for (let i = 0; i < shown.length; i++) sum += (shown[i] - pixels[channels === 3 ? i : Math.floor(i / 3)]) ** 2;
  return 10 * Math.log10((255 * 255 * shown.length) / Math.max(1, sum));
}

const mean = (values: readonly number[]) => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

async function measure(path: string): Promise<string[]> {
  const pictures = await picturesOf(path);
  const columns: number[][] = [[], [], [], [], [], []];
  for (const picture of pictures) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round++) {
      const ours = await cpuMs(() => own(picture));
      const theirs = await cpuMs(() => libwebp(picture));
      // The first round compiles both.
      if (round === 0) continue;
      times[0].push(ours);
      times[1].push(theirs);
    }
    const [made, known] = [own(picture), await libwebp(picture)];
    const found = [
      ...times.map(list => quantile(Float64Array.from(list).sort(), 0.5)),
      made.length,
      known.length,
      await psnr(picture, made),
      await psnr(picture, known),
    ];
    found.forEach((value, i) => {
      columns[i].push(value);
    });
  }
  const [ms, theirMs, size, theirSize, quality, theirQuality] = columns.map(mean);
  const { width, height, channels } = pictures[0];
  return [
    basename(path),
    `${width} × ${height} × ${channels}`,
    digits(ms),
    digits(theirMs),
    digits(theirMs / ms),
    String(Math.round(size)),
    digits(size / theirSize),
    quality.toFixed(2),
    theirQuality.toFixed(2),
  ];
}

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('node bench/webp.ts FILE.tif…\n');
  process.exit(64);
}
configureSharp();
// What runs first would otherwise be timed while V8 still compiles the encoder.
const warm = {
  width: 256,
  height: 256,
  channels: 3,
  pixels: new Uint8Array(256 * 256 * 3).map((_, i) => (i * i) >> 7),
};
for (let i = 0; i < 100; i++) own(warm);
const rows = [];
for (const file of files) rows.push(await measure(file));
const head = [
  'file',
  'picture',
  'here, ms',
  'libwebp, ms',
  'times',
  'here, bytes',
  'of libwebp’s',
  'here, dB',
  'libwebp, dB',
];
process.stdout.write(`${markdownTable(head, rows)}\n`);
