/**
 * Blocks that are handed on as they are: of web-optimised COGs that GDAL made, each tile of every level is the picture that
 * decoding gives, pixel for pixel; and what has to be decoded is.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { Problem } from '../../src/errors.ts';
import type { Plan } from '../../src/plan.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planRasterTile, type RasterFormat, type RasterParams } from '../../src/render/raster/plan.ts';
import type { PassJob } from '../../src/render/raster/types.ts';
import { type TileCoord, WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { testApp } from '../lib/app.ts';
import { never, openLayer, paintPlan } from './layers.ts';
import { readNpy } from './npy-reader.ts';
import { webCogs } from './web-cogs.ts';

const cogs = webCogs();
const { skip } = cogs;
const painter = createRasterPainter();
after(() => painter.close());

const PLAIN: RasterParams = { resampling: 'nearest', returnMask: true, unscale: false };

interface Ask {
  readonly tile: TileCoord;
  readonly scale?: 1 | 2;
  readonly format: RasterFormat;
  readonly params?: Partial<RasterParams>;
}

async function planOf(name: string, { tile, scale = 1, format, params = {} }: Ask): Promise<Plan> {
  const layer = await openLayer(cogs.path(`${name}.tif`));
  assert.deepEqual(layer.verdict.reasons, []);
  return planRasterTile(
    { layer, grid: WEB_MERCATOR_QUAD, tile, scale, format, params: { ...PLAIN, ...params } },
    never,
  );
}

function passed(plan: Plan): boolean {
  return (plan.job as { kind?: string } | null)?.kind === 'pass';
}

/** The raster is 4 × 4 tiles of zoom 11, or 2 × 2 of twice the size of zoom 10. */
function tilesOf(z: number): TileCoord[] {
  const side = z === 11 ? 4 : 2;
  return Array.from({ length: side * side }, (_, i) => ({
    z,
    x: 2 ** (z - 1) + (i % side),
    y: 2 ** (z - 1) - side + Math.floor(i / side),
  }));
}

async function comparePixels(name: string, ask: Ask): Promise<void> {
  const plan = await planOf(name, ask);
  assert.ok(passed(plan), `${name} ${JSON.stringify(ask.tile)} is not passed on: ${JSON.stringify(plan.explain)}`);
  assert.equal(plan.explain.passed, true);
  const { body, contentType } = await paintPlan(painter, plan);
  assert.equal(contentType, ask.format === 'jpg' ? 'image/jpeg' : 'image/webp');
  assert.ok(body!.length <= plan.cost.outputBytes);
  const { data, info } = await sharp(body!).raw().toBuffer({ resolveWithObject: true });
  const decoded = await paintPlan(painter, await planOf(name, { ...ask, format: 'npy' }));
  const { shape, values } = readNpy(decoded.body!);
  assert.deepEqual([info.height, info.width], shape.slice(1));
  const pixels = info.width * info.height;
  const bands = shape[0] - 1;
  const alpha = (i: number) => (info.channels % 2 === 0 ? data[i * info.channels + bands] : 255);
  for (let i = 0; i < pixels; i++) {
    assert.equal(alpha(i), values[bands * pixels + i], `${name}: alpha of pixel ${i}`);
    if (alpha(i) === 0) continue;
    for (let b = 0; b < bands; b++)
      assert.equal(data[i * info.channels + b], values[b * pixels + i], `${name}: ${i}, ${b}`);
  }
}

test('a block that is the tile is the answer, with the pixels that decoding it gives', { skip }, async () => {
  for (const [name, format] of [
    ['jpeg', 'jpg'],
    ['jpeg-gray', 'jpg'],
    ['webp', 'webp'],
    ['webp-lossless', 'webp'],
    ['webp-alpha', 'webp'],
  ] as const) {
    for (const z of [11, 10]) for (const tile of tilesOf(z)) await comparePixels(name, { tile, format });
  }
  for (const tile of tilesOf(10)) {
    await comparePixels('jpeg-512', { tile, scale: 2, format: 'jpg' });
    await comparePixels('webp-512', { tile, scale: 2, format: 'webp' });
  }
});

test('what has a mask, nodata, colours or other sizes is decoded', { skip }, async () => {
  const [tile] = tilesOf(11);
  const decoded: [string, Ask][] = [
    ['jpeg-mask', { tile, format: 'jpg' }],
    ['webp-nodata', { tile, format: 'webp' }],
    ['jpeg', { tile, format: 'webp' }],
    ['jpeg', { tile, format: 'png' }],
    ['jpeg', { tile, scale: 2, format: 'jpg' }],
    ['jpeg-512', { tile, format: 'jpg' }],
    ['jpeg', { tile, format: 'jpg', params: { bidx: [3, 2, 1] } }],
    ['jpeg', { tile, format: 'jpg', params: { bidx: [1] } }],
    ['jpeg', { tile, format: 'jpg', params: { rescale: [[0, 100]] } }],
    ['jpeg-gray', { tile, format: 'jpg', params: { colormapName: 'viridis' } }],
    ['webp-alpha', { tile, format: 'webp', params: { returnMask: false } }],
    ['webp', { tile, format: 'webp', params: { nodata: 0 } }],
    ['webp', { tile: { z: 12, x: tile.x * 2, y: tile.y * 2 }, format: 'webp' }],
  ];
  for (const [name, ask] of decoded) {
    const plan = await planOf(name, ask);
    assert.ok(!passed(plan), `${name} ${JSON.stringify(ask)}`);
    assert.ok((await paintPlan(painter, plan)).body);
  }
});

test('a block that is broken is an error, not an answer', { skip }, async () => {
  for (const [name, format] of [
    ['jpeg', 'jpg'],
    ['webp', 'webp'],
  ] as const) {
    const [tile] = tilesOf(11);
    const { offset, length } = ((await planOf(name, { tile, format })).job as PassJob).block;
    for (const [what, from, to] of [
      ['head', 0, 40],
      ['all', 0, length],
      // Of a JPEG the end shows that the rest is missing; a WebP says how long it is.
      ...(name === 'jpeg' ? ([['tail', length / 2, length]] as const) : ([['length', 4, 8]] as const)),
    ] as const) {
      const broken = `${name}-${what}`;
      copyFileSync(cogs.path(`${name}.tif`), cogs.path(`${broken}.tif`));
      const bytes = readFileSync(cogs.path(`${broken}.tif`));
      bytes.fill(0x11, offset + from, offset + to);
      writeFileSync(cogs.path(`${broken}.tif`), bytes);
      const plan = await planOf(broken, { tile, format });
      await assert.rejects(
        paintPlan(painter, plan),
        error => error instanceof Problem && error.code === 'corrupt-data',
      );
    }
  }
});

test('over HTTP the thread of the requests hands it on: the same bytes, kept like any answer, and a typed error', {
  skip,
}, async t => {
  const app = await testApp({ paths: [cogs.folder] });
  t.after(() => app.close());
  const done = () => app.rooms.pool.stats().done;
  const [tile] = tilesOf(11);
  const before = done();
  for (const [name, format] of [
    ['jpeg', 'jpg'],
    ['webp-alpha', 'webp'],
  ] as const) {
    const url = `/tiles/${name}/${tile.z}/${tile.x}/${tile.y}.${format}`;
    const wanted = await paintPlan(painter, await planOf(name, { tile, format }));
    const first = await app.server.inject(url);
    assert.equal(first.statusCode, 200, first.body);
    assert.equal(first.headers['x-plimsoll'], 'miss');
    assert.ok(Number(first.headers['x-plimsoll-cost']) >= wanted.body!.length);
    assert.deepEqual(first.rawPayload, Buffer.from(wanted.body!));
    const again = await app.server.inject(url);
    assert.equal(again.headers['x-plimsoll'], 'hit');
    assert.deepEqual(again.rawPayload, first.rawPayload);
  }
  assert.equal(done(), before);
  for (const [name, format] of [
    ['jpeg-all', 'jpg'],
    ['jpeg-tail', 'jpg'],
    ['webp-length', 'webp'],
  ] as const) {
    const url = (x: number) => `/tiles/${name}/${tile.z}/${x}/${tile.y}.${format}`;
    // Planned for itself; and with a neighbour's place known.
    for (let turn = 0; turn < 2; turn++) {
      const broken = await app.server.inject(url(tile.x));
      assert.equal(broken.statusCode, 500, name);
      assert.equal(broken.json().code, 'corrupt-data');
      assert.match(broken.json().detail, /block 0\/0/);
      assert.equal((await app.server.inject(url(tile.x + 1))).statusCode, 200);
    }
  }
  const url = (x: number) => `/tiles/jpeg-head/${tile.z}/${x}/${tile.y + 3}.jpg`;
  assert.equal((await app.server.inject(url(tile.x))).statusCode, 200);
  truncateSync(cogs.path('jpeg-head.tif'), 4096);
  const cut = await app.server.inject(url(tile.x + 3));
  assert.equal(cut.json().code, 'source-changed');
  assert.equal(app.memory.ledger.inUse.inflight, 0);
});
