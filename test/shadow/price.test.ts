/** What making a shadow, and a tile of it, is said to take is never less than it takes; and it does not grow with the file. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createFiles } from '../../src/io/files.ts';
import type { RasterLayer, Shadow } from '../../src/layers/types.ts';
import { costBytes } from '../../src/plan.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { planRasterTile, type RasterJob } from '../../src/render/raster/plan.ts';
import { buildShadow } from '../../src/render/shadow/build.ts';
import { type ShadowLayout, shadowLayout, shadowLevels } from '../../src/render/shadow/layout.ts';
import { planShadow, shadowCost } from '../../src/render/shadow/plan.ts';
import type { Level, RasterSource } from '../../src/source/types.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { never, openLayer, quiet } from '../raster/layers.ts';
import { type BareFiles, bareFiles, noPython } from './files.ts';

describe('prices of shadows', { skip: noPython }, () => {
  let files: BareFiles;
  before(() => {
    files = bareFiles();
  });
  after(() => files?.remove());

  for (const name of ['tiled', 'stripped', 'planar', 'nodata', 'float', 'mask', 'alpha', 'palette']) {
    test(name, async () => {
      const layer = await openLayer(files.path(name), { maxReadAmplification: 20 });
      const { source } = layer;
      const layout = shadowLayout(source, () => true) as ShadowLayout;
      const job = await planShadow(source, layout, never);
      const made = await buildShadow(structuredClone(job), createFiles(null), quiet);
      const body = made.body as Uint8Array<ArrayBuffer>;
      assert.equal(body.byteLength, layout.bytes);
      const cost = shadowCost(source, layout);
      assert.ok(made.peakBytes <= costBytes(cost), `${made.peakBytes} of ${costBytes(cost)}`);

      const levels = shadowLevels(source, layout);
      const shadow: Shadow = {
        levels,
        factors: levels.map(level => Math.round(source.width / level.width)),
        bytes: layout.bytes,
        state: 'ready',
        wanted: async () => {},
        copy: (offset, length) => body.slice(offset, offset + length),
      };
      const shaded: RasterLayer = { ...layer, shadow };
      const ask = { layer: shaded, grid: WEB_MERCATOR_QUAD, scale: 1, format: 'png' } as const;
      const params = { resampling: 'bilinear', returnMask: true, unscale: false } as const;
      const painter = createRasterPainter();
      for (const tile of [
        { z: 0, x: 0, y: 0 },
        { z: 2, x: 1, y: 1 },
      ]) {
        const plan = await planRasterTile({ ...ask, tile, params }, never);
        await plan.before?.(never);
        const sent = plan.load?.();
        assert.ok(sent?.lent?.length, 'its blocks go along');
        const lent = [...(sent.lent as ArrayBuffer[])];
        const held = lent.reduce((sum, { byteLength }) => sum + byteLength, 0);
        const painted = await painter.paint(structuredClone(sent, { transfer: lent }) as RasterJob, quiet);
        assert.ok(
          painted.peakBytes + held <= costBytes(plan.cost),
          `${painted.peakBytes} + ${held} of ${costBytes(plan.cost)}`,
        );
      }
      painter.close();
      await source.close();
    });
  }

  test('a file that is twice as tall takes more only for what comes out and where its blocks are', async () => {
    const { source } = await openLayer(files.path('tiled'));
    const taller = (times: number): RasterSource => {
      const [base] = source.levels;
      const level: Level = { ...base, height: base.height * times, blocksDown: base.blocksDown * times };
      return { ...source, height: source.height * times, levels: [level] };
    };
    const working = (times: number) => {
      const tall = taller(times);
      const layout = shadowLayout(tall, () => true) as ShadowLayout;
      const { decodedBytes } = shadowCost(tall, layout);
      return decodedBytes - tall.levels[0].blocksAcross * tall.levels[0].blocksDown * 32 - tall.height * 12;
    };
    assert.ok(Math.abs(working(64) - working(1)) <= source.width * 3 * 16, `${working(1)}, then ${working(64)}`);
    await source.close();
  });
});
