/**
 * One block of a TIFF from its encoded bytes to samples, by this server and by geotiff.js: CPU milliseconds a block, in turns,
 * over the blocks of real files.
 *
 *   node bench/blocks.ts FILE.tif…
 */
import { basename, resolve } from 'node:path';
import { fromFile } from 'geotiff';
import { openBytes, statRef } from '../src/io/bytes.ts';
import { configureSharp, decodeBlock } from '../src/kernels/codecs/index.ts';
import { fetchBlock, placeOf } from '../src/source/tiff/blocks.ts';
import { openCog } from '../src/source/tiff/open.ts';
import { digits, markdownTable, quantile } from './lib/stats.ts';

const BLOCKS = 24;
const ROUNDS = 4;

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function measure(path: string): Promise<string[]> {
  const source = await openCog(statRef(resolve(path)));
  const level = source.levels[0];
  const bytes = openBytes(level.ref);
  const tiff = await fromFile(path);
  const image = await tiff.getImage(0);
  const { blocksAcross, blocksDown, format } = level;
  const step = Math.max(1, Math.floor((blocksAcross * blocksDown) / BLOCKS));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (let index = 0; index < blocksAcross * blocksDown; index += step) {
      const [row, column] = [Math.floor(index / blocksAcross), index % blocksAcross];
      const place = await placeOf(level, index);
      if (place.length === 0) continue;
      const own = await cpuMs(async () => fetchBlock(bytes, level, place, { fill: 0, decode: decodeBlock }));
      const window = [column * format.blockWidth, row * format.blockHeight, 0, 0];
      window[2] = Math.min(level.width, window[0] + format.blockWidth);
      window[3] = Math.min(level.height, window[1] + format.blockHeight);
      const library = await cpuMs(() => image.readRasters({ window, interleave: true }));
      // The first round compiles both.
      if (round === 0) continue;
      ours.push(own);
      theirs.push(library);
    }
  }
  bytes.close();
  await tiff.close();
  const middle = (times: number[]) => quantile(Float64Array.from(times).sort(), 0.5);
  const [a, b] = [middle(ours), middle(theirs)];
  return [
    basename(path),
    `${format.blockWidth}² × ${format.samples} ${format.dtype}`,
    digits(a),
    digits(b),
    digits(b / a),
  ];
}

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('node bench/blocks.ts FILE.tif…\n');
  process.exit(64);
}
configureSharp();
const rows = [];
for (const file of files) rows.push(await measure(file));
process.stdout.write(`${markdownTable(['file', 'block', 'here, ms', 'geotiff.js, ms', 'times'], rows)}\n`);
