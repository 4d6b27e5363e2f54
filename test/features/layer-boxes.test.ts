/** Boxes of degrees in a layer that lies across the antimeridian in a system of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VectorLayer } from '../../src/layers/types.ts';
import { layerBoxes } from '../../src/render/layer-boxes.ts';
import type { BBox } from '../../src/tile.ts';

const DEGREE = 20037508.342789244 / 180;

for (const crs of ['EPSG:3832', 'EPSG:32660', 'EPSG:3413']) {
  test(`${crs}: the world is everything, and a side is found where it is`, () => {
    const layer = { source: { crs }, lonLatBounds: [170, -20, -170, 70] } as unknown as VectorLayer;
    assert.equal(layerBoxes([-180, -90, 180, 90], 'OGC:CRS84', layer), null);
    const sides = layerBoxes([175, 0, -175, 10], 'OGC:CRS84', layer) as readonly BBox[];
    assert.equal(sides.length, 2);
    assert.ok(sides.flat().every(Number.isFinite));
    assert.deepEqual(layerBoxes([0, 0, 20, 10], 'OGC:CRS84', layer), []);
    if (crs !== 'EPSG:3832') return;
    // Its middle is 150° east: a box that reaches around the world is what of it is near the layer.
    const [west] = layerBoxes([-20, 0, 180, 10], 'OGC:CRS84', layer) as readonly BBox[];
    assert.ok(west[0] > 15 * DEGREE && Math.abs(west[2] - 30 * DEGREE) < 1, String(west));
  });
}

test('degrees beyond 180 are found by either name', () => {
  const layer = {
    source: { crs: 'EPSG:4326', bounds: [170, -20, 190, 20] },
    lonLatBounds: [170, -20, -170, 20],
  } as unknown as VectorLayer;
  assert.deepEqual(layerBoxes([-180, -90, -175, 90], 'OGC:CRS84', layer), [[180, -90, 185, 90]]);
  assert.deepEqual(layerBoxes([182, -5, 185, 5], 'OGC:CRS84', layer), [[182, -5, 185, 5]]);
  assert.deepEqual(layerBoxes([175, 0, -175, 10], 'OGC:CRS84', layer), [
    [175, 0, 180, 10],
    [180, 0, 185, 10],
  ]);
  assert.deepEqual(layerBoxes([-10, 0, 10, 10], 'OGC:CRS84', layer), []);
  const plain = {
    source: { crs: 'EPSG:4326', bounds: [-180, -90, 180, 90] },
    lonLatBounds: [-180, -90, 180, 90],
  } as unknown as VectorLayer;
  assert.deepEqual(layerBoxes([-180, 0, 180, 10], 'OGC:CRS84', plain), [[-180, 0, 180, 10]]);
});
