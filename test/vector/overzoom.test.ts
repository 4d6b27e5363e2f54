/** Parts of tiles: their polygons are valid by GEOS, their memory within their price. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { costBytes } from '../../src/plan.ts';
import { type OverzoomPart, planOverzoom, runOverzoom } from '../../src/render/vector/overzoom.ts';
import { WITHOUT_SHARED } from '../lib/app.ts';
import { checkTile } from '../lib/mvt-check.ts';
import { askPython, findPython } from '../oracle/python.ts';
import { heaviest } from './heaviest.ts';
import { openLayer, tileOf, VECTOR } from './rig.ts';

const found = findPython('shapely', 'numpy');
const python = 'python' in found ? found.python : '';
const always = { cancelled: () => false, check: () => {} };

/** Parents where features are many, and each of their parts, by factor. */
async function* partsOf(file: string, zooms: readonly number[]): AsyncGenerator<{ name: string; part: OverzoomPart }> {
  const layer = await openLayer(join(VECTOR, file), { maxFeatures: 2000 });
  for (const { z, x, y } of await heaviest(layer, zooms, 1)) {
    const tile = await tileOf(layer, z, x, y);
    if (!tile) continue;
    for (const factor of [2, 4]) {
      for (let k = 0; k < factor * factor; k++) {
        const part = { body: tile.body, factor, col: k % factor, row: Math.floor(k / factor), buffer: 64 };
        yield { name: `${file} ${z}/${x}/${y} ${factor}:${part.col},${part.row}`, part };
      }
    }
  }
  await layer.source.close();
}

const FILES: readonly (readonly [string, readonly number[]])[] = [
  ['osm_liechtenstein_multipolygons.fgb', [9, 11, 13]],
  ['ne_110m_admin_0_countries.fgb', [1, 3]],
  ['tiger_roads.fgb', [10]],
  ['cities_pop5000.fgb', [4]],
];

describe('parts of tiles of real data', { skip: WITHOUT_SHARED }, () => {
  test('pass the checker; polygons are valid by GEOS; what was held is within the price', {
    timeout: 300_000,
  }, async () => {
    const lines: string[] = [];
    let features = 0;
    let dearest = 0;
    for (const [file, zooms] of FILES) {
      for await (const { name, part } of partsOf(file, zooms)) {
        const { cost, job } = planOverzoom([part], 'identity');
        const { body, peakBytes } = runOverzoom(job as never, always);
        assert.ok(peakBytes <= costBytes(cost), `${name} held ${peakBytes} of ${costBytes(cost)}`);
        assert.ok((body?.length ?? 0) <= cost.outputBytes, name);
        dearest = Math.max(dearest, peakBytes / costBytes(cost));
        if (!body) continue;
        const { faults, layers } = checkTile(body);
        assert.deepEqual(faults, [], name);
        features += layers[0].features.length;
        const shapes = layers[0].features.filter(({ type }) => type === 3).map(({ id, parts }) => [id, parts]);
        if (shapes.length > 0) lines.push(JSON.stringify({ name, polygons: shapes }));
      }
    }
    assert.ok(features > 5000 && dearest > 0.3, `${features} features, ${dearest}`);
    if (python === '') return;
    const { totals, said } = askPython<{ polygons: number }>(python, './vector-valid.py', lines);
    assert.deepEqual(said, []);
    assert.ok(totals.polygons > 3000, `${totals.polygons}`);
  });

  test('a feature of many points is priced by them, not by the bytes of the tile', async () => {
    const layer = await openLayer(join(VECTOR, 'ne_110m_admin_0_countries.fgb'));
    const tile = await tileOf(layer, 2, 2, 1);
    assert.ok(tile);
    const part = { body: tile.body, factor: 2, col: 0, row: 0, buffer: 64 };
    const points = Math.max(...tile.features.map(({ parts }) => parts.reduce((sum, ring) => sum + ring.length + 1, 0)));
    const { peakBytes } = runOverzoom(planOverzoom([part], 'identity').job as never, always);
    // An object, a slot and two doubles a decoded point.
    assert.ok(peakBytes > points * 64 + tile.body.length, `${peakBytes} for ${points} points`);
    await layer.source.close();
  });
});
