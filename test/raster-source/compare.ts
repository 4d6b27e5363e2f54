/** Our source against what GDAL says of the same file. */
import assert from 'node:assert/strict';
import { transformer } from '../../src/crs/index.ts';
import type { CogSource } from '../../src/source/tiff/open.ts';
import type { Level } from '../../src/source/types.ts';
import { type Fixture, type Oracle, type OracleWindow, readWindow, unpack } from './oracle.ts';

export function compareFacts(source: CogSource, oracle: Oracle, known: Partial<Fixture> = {}): void {
  assert.deepEqual([source.width, source.height, source.bands.length], [oracle.width, oracle.height, oracle.count]);
  assert.equal(source.dtype === 'float16' ? 'float32' : source.dtype, oracle.dtype);
  const [a, b, c, d, e, f] = oracle.transform;
  [c, a, b, f, d, e].forEach((value, i) => {
    assert.ok(Math.abs(source.transform[i] - value) <= 1e-9 * Math.max(1, Math.abs(value)), `transform[${i}]`);
  });
  assert.deepEqual(
    source.bands.map(band => band.colorInterp),
    oracle.interp,
  );
  assert.deepEqual(
    source.bands.map(band => [band.scale, band.offset, band.unit, band.description]),
    oracle.scales.map((scale, i) => [scale, oracle.offsets[i], oracle.units[i], oracle.descriptions[i]]),
  );
  compareNodata(source, known.nodata === undefined ? oracle.nodata : known.nodata);
  // GDAL gives 16-bit images whose 0 is white a table of 65,536 colours, of which it sets 256.
  if (oracle.palette && oracle.palette.length <= 256)
    assert.equal(String(source.palette), String(oracle.palette.flat()));
  assert.deepEqual(
    source.levels.map(level => [level.width, level.height]),
    oracle.levels.slice(0, known.levels).map(level => [level.width, level.height]),
  );
}

function compareNodata(source: CogSource, nodata: number | string | null): void {
  // JSON has no word for it, so Python says 'inf'.
  const expected = nodata === null ? null : Number(String(nodata).replace('inf', 'Infinity'));
  if (expected === null || Number.isNaN(expected)) assert.equal(source.nodata, expected);
  else assert.equal(source.nodata, source.dtype === 'float32' ? Math.fround(expected) : expected);
}

/** Metres between PROJ's place and ours, at most. */
export function placeError(source: CogSource, { points }: Oracle): number {
  const move = transformer(source.crs!, 'OGC:CRS84');
  const out = new Float64Array(2);
  let worst = 0;
  for (const [x, y, lon, lat] of points ?? []) {
    if (typeof lon !== 'number' || typeof lat !== 'number') continue;
    assert.ok(move.forward(x, y, out, 0), `${x}, ${y} has no place`);
    const dLon = ((((out[0] - lon + 180) % 360) + 360) % 360) - 180;
    worst = Math.max(worst, 111320 * Math.hypot(dLon * Math.cos((lat * Math.PI) / 180), out[1] - lat));
  }
  return worst;
}

export async function compareSamples(source: CogSource, oracle: Oracle, tolerance: number): Promise<number> {
  let compared = 0;
  for (const [i, level] of source.levels.entries()) {
    const { windows } = oracle.levels[i];
    for (const window of windows) {
      assert.equal(window.error, undefined, 'GDAL could read it');
      const ours = await readWindow(source, level, window);
      const theirs = unpack(window.data, window.dtype);
      const where = `level ${i}, window ${window.x}, ${window.y}`;
      compareValues(ours, theirs, tolerance, where);
      await compareMask(source, level, window, where);
      compared += ours.length;
    }
  }
  return compared;
}

function compareValues(ours: Float64Array, theirs: Float64Array, tolerance: number, where: string): void {
  assert.equal(ours.length, theirs.length, where);
  let sum = 0;
  for (let i = 0; i < ours.length; i++) {
    if (Object.is(ours[i], theirs[i]) || ours[i] === theirs[i]) continue;
    const difference = Math.abs(ours[i] - theirs[i]);
    sum += difference;
    assert.ok(difference <= tolerance, `${where}: sample ${i} is ${ours[i]}, GDAL says ${theirs[i]}`);
  }
  assert.ok(sum / ours.length <= Math.min(tolerance, 0.5), `${where}: mean difference ${sum / ours.length}`);
}

/** A mask level is GDAL's dataset mask as it is: it beats nodata. */
async function compareMask(source: CogSource, level: Level, window: OracleWindow, where: string): Promise<void> {
  if (!level.mask) return;
  const ours = await readWindow(source, level.mask, window);
  const theirs = unpack(window.mask, 'uint8');
  for (let i = 0; i < ours.length; i++) assert.equal(ours[i] !== 0, theirs[i] !== 0, `${where}: mask ${i}`);
}
