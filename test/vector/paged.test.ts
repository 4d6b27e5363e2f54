/** The index of five million features, 200 MB, is not resident: only its upper levels are, and pages under their budget. */
import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { cellGrid } from '../../src/render/vector/cells.ts';
import { selectCells } from '../../src/source/fgb/lod.ts';
import { NODE_BYTES, treeShape } from '../../src/source/fgb/rtree.ts';
import { PageBudget } from '../../src/source/fgb/rtree-pages.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { writeFgb } from './fgb-writer.ts';
import { Files, openLayer } from './rig.ts';

const files = new Files();
after(() => files.remove());

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const COUNT = FULL ? 5_000_000 : 1_000_000;
const MIB = 2 ** 20;

/**
 * A file with the header of a small one, a row-major carpet of unit boxes as its index, and features that are a hole in the file: the
 * walk never reads them.
 */
function writeSparse(path: string): number {
  const point = { geometry: { type: 'Point' as const, coordinates: [0, 0] } };
  const small = writeFgb([point], { nodeSize: 16, count: COUNT });
  const headerBytes = 12 + new DataView(small.buffer, small.byteOffset).getUint32(8, true);
  const header = Buffer.from(small.subarray(0, headerBytes));
  const shape = treeShape(COUNT, 16);
  const fd = openSync(path, 'wx');
  writeSync(fd, header);
  const side = Math.ceil(Math.sqrt(COUNT));
  const boxOf = (level: number, place: number): [number, number, number, number] => {
    const span = 16 ** level;
    const first = place * span;
    const last = Math.min(COUNT, first + span) - 1;
    const [r0, r1] = [Math.floor(first / side), Math.floor(last / side)];
    const [c0, c1] = r0 === r1 ? [first % side, last % side] : [0, side - 1];
    const scale = 160 / side;
    return [c0 * scale - 80, r0 * scale - 80, (c1 + 0.5) * scale - 80, (r1 + 0.5) * scale - 80];
  };
  const chunk = Buffer.alloc(NODE_BYTES * 16_384);
  let n = 0;
  for (let level = shape.levels.length - 1; level >= 0; level--) {
    const { start, end } = shape.levels[level];
    for (let place = 0; place < end - start; place++) {
      boxOf(level, place).forEach((value, i) => {
        chunk.writeDoubleLE(value, n + i * 8);
      });
      chunk.writeBigUInt64LE(BigInt(level === 0 ? place * 8 : shape.levels[level - 1].start + place * 16), n + 32);
      n += NODE_BYTES;
      if (n === chunk.length) n = writeSync(fd, chunk, 0, n) - n;
    }
  }
  writeSync(fd, chunk, 0, n);
  const features = headerBytes + shape.nodes * NODE_BYTES;
  writeSync(fd, Buffer.of(4, 0, 0, 0, 0, 0, 0, 0), 0, 8, features + (COUNT - 1) * 8);
  closeSync(fd);
  return shape.nodes * NODE_BYTES;
}

/** Pages that were let go of are not held, whether or not they are collected yet. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test(`the index of ${COUNT} features is walked whole in a fraction of its bytes`, async () => {
  const path = join(files.dir, 'sparse.fgb');
  const indexBytes = writeSparse(path);
  collect();
  const before = process.memoryUsage().arrayBuffers;
  const pages = new PageBudget(2 * MIB);
  const layer = await openLayer(path, {}, { pages });
  assert.equal(layer.source.count, COUNT);
  assert.ok(
    layer.source.residentBytes < indexBytes / 14,
    `${layer.source.residentBytes} of ${indexBytes} are resident`,
  );
  const grid = cellGrid(layer.source, 'mercator', WEB_MERCATOR_QUAD, 10);
  let most = 0;
  const timer = setInterval(() => {
    collect();
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }, 20);
  const selection = await selectCells(layer.source, Float64Array.of(-80, -80, 80, 80), grid);
  clearInterval(timer);
  collect();
  most = Math.max(most, process.memoryUsage().arrayBuffers);
  assert.equal(selection.ordinals.length + selection.dropped, COUNT);
  assert.ok(selection.dropped > COUNT / 4, `${selection.dropped} left out`);
  assert.ok(pages.bytes <= pages.bytesMax, `${pages.bytes} bytes of pages`);
  const held = most - before;
  // Arrays of what is taken, and of the cells, twice where they grow.
  const taken = selection.ordinals.length * (64 + 32);
  assert.ok(held < indexBytes / 14 + taken + 8 * MIB, `${held} bytes were held, of an index of ${indexBytes}`);
  await layer.source.close();
  assert.equal(pages.bytes, 0);
});
