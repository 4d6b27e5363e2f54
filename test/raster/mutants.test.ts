/**
 * Broken TIFFs of every codec and layout: cut short, with bits flipped, with forged counts, types, values and offsets, with
 * directories in a circle, with blocks of another file. Each is refused when it opens, or fails with an error that has a code, or
 * is painted; within its price, in time, and never in another way. PLIMSOLL_TEST_FULL=1: twelve thousand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ERRORS, Problem } from '../../src/errors.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import { costBytes, type Plan } from '../../src/plan.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planPreview, planRasterTile, type RasterParams } from '../../src/render/raster/plan.ts';
import type { RasterJob } from '../../src/render/raster/types.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { makeFixtures, NO_PYTHON } from '../raster-source/oracle.ts';
import { never, openLayer, quiet } from './layers.ts';

const MUTANTS = Number(process.env.PLIMSOLL_FUZZ ?? (process.env.PLIMSOLL_TEST_FULL === '1' ? 12_000 : 600));
/** What a server of 512 MiB allows a request; dearer ones are 413 there. */
const CEILING = 78 * 2 ** 20;
/** Seconds that one mutant may take, on a machine that does other things too. */
const PATIENCE = 20;
const SEED_BYTES_MAX = 200_000;

/** Mulberry32. */
function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Entry {
  readonly at: number;
  readonly tag: number;
}

/** A TIFF's first directories, as far as they can be changed: classic ones of either byte order. */
interface Anatomy {
  readonly little: boolean;
  readonly entries: readonly Entry[];
  /** Where the offset of a next directory stands, and where directories begin. */
  readonly nexts: readonly number[];
  readonly starts: readonly number[];
}

function anatomyOf(bytes: Buffer): Anatomy {
  const little = bytes[0] === 0x49;
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const anatomy = { little, entries: [] as Entry[], nexts: [4], starts: [] as number[] };
  if (u16(2) !== 42) return anatomy;
  for (let at = u32(4); at > 0 && at + 2 < bytes.length && anatomy.starts.length < 8; ) {
    const n = u16(at);
    if (at + 6 + n * 12 > bytes.length) break;
    anatomy.starts.push(at);
    for (let i = 0; i < n; i++) anatomy.entries.push({ at: at + 2 + i * 12, tag: u16(at + 2 + i * 12) });
    anatomy.nexts.push(at + 2 + n * 12);
    at = u32(at + 2 + n * 12);
  }
  return anatomy;
}

const NASTY = [0, 1, 2, 3, 7, 8, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

function mutate(bytes: Buffer, others: readonly Buffer[], rnd: () => number): Buffer {
  const out = Buffer.from(bytes);
  const { little, entries, nexts, starts } = anatomyOf(bytes);
  const upTo = (n: number) => Math.floor(rnd() * n);
  const write = (value: number, at: number) => {
    if (at + 4 > out.length) return;
    if (little) out.writeUInt32LE(value >>> 0, at);
    else out.writeUInt32BE(value >>> 0, at);
  };
  const nasty = () => (rnd() < 0.3 ? upTo(bytes.length * 2) : NASTY[upTo(NASTY.length)]);
  switch (entries.length > 0 ? upTo(9) : upTo(4)) {
    case 0:
      return out.subarray(0, upTo(out.length));
    case 1:
      for (let i = 0; i <= upTo(8); i++) out[upTo(out.length)] ^= 1 << upTo(8);
      return out;
    case 2:
      out.fill(upTo(256), upTo(out.length), upTo(out.length));
      return out;
    case 3: {
      const other = others[upTo(others.length)];
      other.copy(out, upTo(out.length), upTo(other.length));
      return out;
    }
    case 4:
      write(nasty(), entries[upTo(entries.length)].at + 4);
      return out;
    case 5:
      write(nasty(), entries[upTo(entries.length)].at + 8);
      return out;
    case 6:
      // Types of every kind and beyond, and tags that become others.
      out[entries[upTo(entries.length)].at + (rnd() < 0.5 ? 2 : 0) + (little ? 0 : 1)] = upTo(rnd() < 0.7 ? 20 : 256);
      return out;
    case 7:
      write(rnd() < 0.6 ? starts[upTo(starts.length)] : nasty(), nexts[upTo(nexts.length)]);
      return out;
    default: {
      // An entry's value array, where its offset says that it is.
      const { at } = entries[upTo(entries.length)];
      const offset = little ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8);
      write(nasty(), offset + 4 * upTo(4));
      return out;
    }
  }
}

const PARAMS: RasterParams = { resampling: 'bilinear', returnMask: true, unscale: false };

async function plansOf(layer: RasterLayer): Promise<Plan[]> {
  const preview = { layer, maxSize: 64, width: null, height: null, format: 'png', params: PARAMS } as const;
  const plans = [await planPreview(preview, never)];
  const full = { ...preview, maxSize: 2048, format: 'npy' } as const;
  plans.push(await planPreview(full, never));
  if (layer.lonLatBounds && layer.minzoom > 0) {
    const [west, south, east, north] = layer.lonLatBounds;
    const z = layer.maxzoom;
    const lat = (Math.max(-85, Math.min(85, (south + north) / 2)) * Math.PI) / 180;
    const x = Math.floor((((west + east) / 2 + 180) / 360) * 2 ** z);
    const y = Math.floor(((1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2) * 2 ** z);
    const tile = { z, x: Math.max(0, Math.min(2 ** z - 1, x)), y: Math.max(0, Math.min(2 ** z - 1, y)) };
    const ask = { layer, grid: WEB_MERCATOR_QUAD, tile, scale: 1, format: 'png', params: PARAMS } as const;
    plans.push(await planRasterTile(ask, never));
  }
  return plans;
}

type End = 'refused' | 'failed' | 'painted' | 'dear';

const painter = createRasterPainter({ blockCacheBytes: 1 << 20, openFilesMax: 2 });

async function endOf(path: string): Promise<End> {
  let layer: RasterLayer;
  try {
    layer = await openLayer(path);
  } catch (error) {
    assertTold(error, ['layer-not-servable']);
    return 'refused';
  }
  try {
    if (!layer.verdict.servable) {
      for (const { code } of layer.verdict.reasons) assert.match(code, /^tiff-[a-z0-9-]+$/);
      return 'refused';
    }
    return await paintAll(layer);
  } finally {
    await layer.source.close();
  }
}

async function paintAll(layer: RasterLayer): Promise<End> {
  let end: End = 'painted';
  let plans: Plan[] = [];
  try {
    plans = await plansOf(layer);
  } catch (error) {
    assertTold(error, ['corrupt-data', 'unprocessable', 'too-large']);
    return 'failed';
  }
  for (const plan of plans) {
    if (!plan.job) continue;
    const price = costBytes(plan.cost);
    assert.ok(Number.isSafeInteger(price) && price >= 0, `a price of ${price} for ${JSON.stringify(plan.explain)}`);
    if (price > CEILING) {
      end = 'dear';
      continue;
    }
    try {
      const { body, peakBytes } = await painter.paint(structuredClone(plan.job) as RasterJob, quiet);
      assert.ok(
        body && body.length <= plan.cost.outputBytes,
        `a body of ${body?.length}, ${plan.cost.outputBytes} said`,
      );
      assert.ok(peakBytes <= price, `${peakBytes} bytes at a price of ${price}`);
    } catch (error) {
      assertTold(error, ['corrupt-data', 'unprocessable']);
      end = 'failed';
    }
  }
  return end;
}

function assertTold(error: unknown, codes: readonly string[]): void {
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof Problem, `a Problem, not ${error instanceof Error ? error.stack : error}`);
  assert.ok(error.code in ERRORS && codes.includes(error.code), `${error.code}: ${error.message}`);
}

suite('mutants of TIFFs', { skip: NO_PYTHON }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-mutants-'));
  let seeds: { readonly name: string; readonly bytes: Buffer }[] = [];

  before(() => {
    const made = makeFixtures(folder).filter(each => !each.unmade && each.expect === 'served');
    seeds = made
      .map(({ file }) => ({ name: file, bytes: readFileSync(join(folder, file)) }))
      .filter(({ bytes }) => bytes.length <= SEED_BYTES_MAX);
  });
  after(() => {
    painter.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test(`${MUTANTS} of them are refused, fail with a code or are painted`, async () => {
    assert.ok(seeds.length > 100, `${seeds.length} seeds`);
    const ends: Record<End, number> = { refused: 0, failed: 0, painted: 0, dear: 0 };
    const wrong: string[] = [];
    const rnd = seeded(20261125);
    const all = seeds.map(({ bytes }) => bytes);
    for (let n = 0; n < MUTANTS; n++) {
      const { name, bytes } = seeds[n % seeds.length];
      const path = join(folder, `mutant-${n}.tif`);
      writeFileSync(path, mutate(bytes, all, rnd));
      const started = performance.now();
      try {
        ends[await endOf(path)]++;
      } catch (error) {
        wrong.push(`mutant ${n} of ${name}: ${(error as Error).stack}`);
      }
      const seconds = (performance.now() - started) / 1000;
      assert.ok(seconds < PATIENCE, `mutant ${n} of ${name} took ${seconds.toFixed(1)} s`);
      rmSync(path);
    }
    assert.deepEqual(wrong.slice(0, 20), []);
    // A fuzzer whose mutants all end alike tests nothing.
    for (const end of ['refused', 'failed', 'painted'] as const) {
      assert.ok(ends[end] > MUTANTS / 25, JSON.stringify(ends));
    }
  });
});
