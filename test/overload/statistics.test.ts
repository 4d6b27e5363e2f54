/**
 * Statistics of a gibibyte in a server that may use an eighth of it: PLIMSOLL_TEST_FULL=1, a minute or two. Each value of the file
 * is known by its place, so what is right is counted while the file is written.
 */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noCgroups } from './lib/cgroup.ts';
import { startServer } from './lib/server.ts';

const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';
const skip = FULL ? noCgroups() : 'PLIMSOLL_TEST_FULL=1 makes and reads a gibibyte';
const SIDE = 16_384;
const TILE = 512;
const ACROSS = SIDE / TILE;

interface Expected {
  min: number;
  max: number;
  sum: number;
}

/** float32 without compression: SIDE² × 4 bytes are a gibibyte, and nearly every value is another one. */
function writeRaster(path: string): Expected {
  const file = openSync(path, 'w');
  const expected = { min: Infinity, max: -Infinity, sum: 0 };
  const tiles = ACROSS * ACROSS;
  const start = 65_536;
  writeSync(file, headerOf(tiles, start), 0);
  const block = new Float32Array(TILE * TILE);
  let state = 1;
  for (let t = 0; t < tiles; t++) {
    let sum = 0;
    for (let i = 0; i < block.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const value = Math.fround(state / 4096 - 300_000);
      block[i] = value;
      sum += value;
      if (value < expected.min) expected.min = value;
      if (value > expected.max) expected.max = value;
    }
    expected.sum += sum;
    writeSync(file, new Uint8Array(block.buffer), 0, block.byteLength, start + t * block.byteLength);
  }
  closeSync(file);
  return expected;
}

/** A classic TIFF: its only directory, the tables of its tiles, and where it lies (degrees). */
function headerOf(tiles: number, start: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(start));
  const entries: [tag: number, type: 3 | 4 | 12, values: number[]][] = [
    [256, 4, [SIDE]],
    [257, 4, [SIDE]],
    [258, 3, [32]],
    [259, 3, [1]],
    [262, 3, [1]],
    [277, 3, [1]],
    [322, 3, [TILE]],
    [323, 3, [TILE]],
    [324, 4, Array.from({ length: tiles }, (_, i) => start + i * TILE * TILE * 4)],
    [325, 4, new Array<number>(tiles).fill(TILE * TILE * 4)],
    [339, 3, [3]],
    [33_550, 12, [0.001, 0.001, 0]],
    [33_922, 12, [0, 0, 0, 0, 40, 0]],
    [34_735, 3, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]],
  ];
  bytes.setUint16(0, 0x4949, true);
  bytes.setUint16(2, 42, true);
  bytes.setUint32(4, 8, true);
  bytes.setUint16(8, entries.length, true);
  const width = { 3: 2, 4: 4, 12: 8 } as const;
  const put = (type: 3 | 4 | 12, at: number, value: number) => {
    if (type === 3) bytes.setUint16(at, value, true);
    else if (type === 4) bytes.setUint32(at, value, true);
    else bytes.setFloat64(at, value, true);
  };
  let free = 16 + entries.length * 12;
  for (const [i, [tag, type, values]] of entries.entries()) {
    const at = 10 + i * 12;
    bytes.setUint16(at, tag, true);
    bytes.setUint16(at + 2, type, true);
    bytes.setUint32(at + 4, values.length, true);
    const size = values.length * width[type];
    let to = at + 8;
    if (size > 4) {
      bytes.setUint32(at + 8, free, true);
      to = free;
      free += size;
    }
    for (const [n, value] of values.entries()) put(type, to + n * width[type], value);
  }
  assert.ok(free <= start);
  return new Uint8Array(bytes.buffer);
}

describe('statistics of a gibibyte', { skip }, () => {
  let folder: string;
  let expected: Expected;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-statistics-'));
    expected = writeRaster(join(folder, 'large.tif'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('under 128 MiB: exact, and nobody is killed', async t => {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const server = await startServer({ main, limitMiB: 128, paths: [folder] });
    try {
      const plan = JSON.parse((await server.get('/cog/statistics?url=large&explain=true')).text);
      const started = performance.now();
      const answer = await server.get('/cog/statistics?url=large');
      assert.equal(answer.status, 200, answer.text);
      const { b1 } = JSON.parse(answer.text);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const peak = (server.group.peak() / 2 ** 20).toFixed(0);
      t.diagnostic(`${seconds} s, priced ${plan.priceBytes} bytes, the group's peak (with page cache) ${peak} MiB`);
      assert.deepEqual([b1.exact, b1.level, b1.valid_pixels], [true, 0, SIDE * SIDE]);
      assert.deepEqual([b1.min, b1.max], [expected.min, expected.max]);
      assert.ok(Math.abs(b1.sum - expected.sum) < 1e-9 * SIDE * SIDE * 1e6, `${b1.sum} for ${expected.sum}`);
      // The generator passes through all 32 bit numbers evenly: the percentiles are where an even spread has them.
      const span = 2 ** 32 / 4096;
      for (const [name, share] of [
        ['percentile_2', 0.02],
        ['median', 0.5],
        ['percentile_98', 0.98],
      ] as const)
        assert.ok(Math.abs(b1[name] - (share * span - 300_000)) < span * 1e-4, `${name} ${b1[name]}`);
      assert.equal(server.group.kills(), 0);
      assert.equal(server.ended(), null);
    } finally {
      await server.stop();
    }
  });
});
