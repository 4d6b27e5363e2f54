/** The lesser plan of a tile is called whole only where the full plan gives the same bytes; far walks are known before they begin. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { LayerOptions } from '../../src/layers/types.ts';
import type { Plan } from '../../src/plan.ts';
import type { VectorJob } from '../../src/render/vector/job.ts';
import { createVectorPainter } from '../../src/render/vector/paint.ts';
import { planVectorTile, walksFar } from '../../src/render/vector/plan.ts';
import { WEB_MERCATOR_QUAD as grid } from '../../src/tile.ts';
import { townPoints } from './cluster-rig.ts';
import { writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, tileRange } from './rig.ts';

const files = new Files();
after(() => files.remove());
const painter = createVectorPainter();

function bodyOf(plan: Plan): Uint8Array | null {
  return plan.job ? painter.paint(plan.job as VectorJob, { cancelled: () => false, check: () => {} }).body : null;
}

const points = townPoints(20_000);
const path = files.path(
  writeFgb(
    points.map(([x, y]) => ({ geometry: { type: 'Point' as const, coordinates: [x, y] } })),
    { nodeSize: 16 },
  ),
);

async function bothOf(layer: FgbLayer, z: number, x: number, y: number) {
  const ask = { layers: [layer], grid, tile: { z, x, y }, properties: null, encoding: 'identity' as const };
  return { full: await planVectorTile(ask), thin: await planVectorTile({ ...ask, degrade: 'thin' }) };
}

/** Tiles about the first points at all zooms. */
function tiles(): { z: number; x: number; y: number }[] {
  return points
    .filter((_, i) => i % 2500 === 0)
    .flatMap(([lon, lat]) =>
      [0, 2, 4, 6, 8, 10, 12].map(z => {
        const [x, y] = tileRange([lon, lat, lon, lat], z);
        return { z, x, y };
      }),
    );
}

test('a lesser plan that is called whole paints what the full plan paints', async () => {
  const layer = await openLayer(path);
  let whole = 0;
  let less = 0;
  for (const { z, x, y } of tiles()) {
    const { full, thin } = await bothOf(layer, z, x, y);
    if (!thin.whole) {
      less++;
      continue;
    }
    whole++;
    assert.deepEqual(bodyOf(thin), bodyOf(full), `${z}/${x}/${y}`);
  }
  assert.ok(whole > 5 && less > 5, `${whole} whole, ${less} less`);
  await layer.source.close();
});

test('what stands for several, or says for how many, is never called whole by what it leaves out', async () => {
  const options: LayerOptions[] = [{ pointCount: true }, { drop: 'dust' }, { cluster: {} }];
  for (const each of options) {
    const layer = await openLayer(path, each);
    for (const { z, x, y } of tiles().slice(0, 14)) {
      const { full, thin } = await bothOf(layer, z, x, y);
      if (thin.whole && full.job)
        assert.deepEqual(bodyOf(thin), bodyOf(full), `${JSON.stringify(each)} ${z}/${x}/${y}`);
    }
    await layer.source.close();
  }
});

test('a tile of all the world walks far, one of a street does not', async () => {
  const layer = await openLayer(path);
  const far = (z: number, x: number, y: number) => walksFar({ layers: [layer], grid, tile: { z, x, y } });
  assert.equal(far(0, 0, 0), true);
  const [x, y] = tileRange([...points[0], ...points[0]], 16);
  assert.equal(far(16, x, y), false);
  await layer.source.close();
});
