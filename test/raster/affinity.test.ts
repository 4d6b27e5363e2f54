/** Which worker paints a tile: those of the same blocks the same one, and a row of tiles all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affinityOf } from '../../src/render/raster/explain.ts';
import type { Part } from '../../src/render/raster/types.ts';

function affinity(x: number, y: number, aligned: boolean, level = 0): number {
  const window = { x, y, width: 256, height: 256 };
  const part = { window, level: { format: { blockWidth: 512, blockHeight: 512 } } } as unknown as Part;
  return affinityOf('layer', { level, parts: [part], aligned });
}

test('tiles of the same block, and of its group, have the same home', () => {
  for (const [aligned, side] of [
    [true, 1024],
    [false, 2048],
  ] as const) {
    const homes = new Set<number>();
    for (let y = 4096; y < 4096 + side; y += 256)
      for (let x = 8192; x < 8192 + side; x += 256) homes.add(affinity(x, y, aligned));
    assert.equal(homes.size, 1);
    assert.ok(!homes.has(affinity(8192 + side, 4096, aligned)));
    assert.ok(!homes.has(affinity(8192, 4096 + side, aligned)));
    assert.ok(!homes.has(affinity(8192, 4096, aligned, 1)));
  }
});

test('a row of tiles is spread over the workers, whatever their number', () => {
  for (const workers of [2, 3, 4, 8]) {
    for (let row = 0; row < 8; row++) {
      const homes = Array.from({ length: 256 }, (_, i) => affinity(i * 256, row * 1024, true) % workers);
      for (let worker = 0; worker < workers; worker++) {
        const share = homes.filter(home => home === worker).length / homes.length;
        assert.ok(share > 0.3 / workers && share < 2 / workers, `${worker} of ${workers}: ${share} of row ${row}`);
      }
    }
  }
});
