import assert from 'node:assert/strict';
import { test } from 'node:test';
import { northFirst } from '../../src/crs/axes.ts';
import { resolveCrs } from '../../src/crs/index.ts';

/** Axis orders as EPSG states them. */
const NORTH = ['EPSG:4326', 'EPSG:4258', 'EPSG:4269', 'EPSG:3035', 'EPSG:3006', 'EPSG:2180', 'EPSG:2193', 'EPSG:31467'];
const EAST = [
  'OGC:CRS84',
  'EPSG:3857',
  'EPSG:28992',
  'EPSG:25832',
  'EPSG:32633',
  'EPSG:2154',
  'EPSG:3031',
  'EPSG:3395',
];

for (const id of NORTH) test(`${id} counts north first`, () => assert.equal(northFirst(resolveCrs(id)), true));
for (const id of EAST) test(`${id} counts east first`, () => assert.equal(northFirst(resolveCrs(id)), false));

test('what no authority names is x, y', () => {
  assert.equal(northFirst(resolveCrs('+proj=utm +zone=33 +datum=WGS84')), false);
});
