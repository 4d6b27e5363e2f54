import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crsUri, resolveCrs, transformBounds, transformer } from '../../src/crs/index.ts';
import type { Problem } from '../../src/errors.ts';

const out = new Float64Array(2);

test('every spelling of a CRS resolves to one id', () => {
  const cases: [string, string][] = [
    ['EPSG:4326', 'EPSG:4326'],
    ['epsg:4326', 'EPSG:4326'],
    ['[EPSG:4326]', 'EPSG:4326'],
    ['http://www.opengis.net/def/crs/EPSG/0/4326', 'EPSG:4326'],
    ['https://www.opengis.net/def/crs/EPSG/9.9.1/32633', 'EPSG:32633'],
    ['http://www.opengis.net/def/crs/OGC/1.3/CRS84', 'OGC:CRS84'],
    ['urn:ogc:def:crs:EPSG::3857', 'EPSG:3857'],
    ['urn:ogc:def:crs:OGC:1.3:CRS84', 'OGC:CRS84'],
    ['EPSG:900913', 'EPSG:3857'],
  ];
  for (const [text, id] of cases) assert.equal(resolveCrs(text).id, id, text);
  assert.equal(crsUri(resolveCrs('OGC:CRS84')), 'http://www.opengis.net/def/crs/OGC/1.3/CRS84');
});

test('what is unknown or needs a grid is refused with the text named', () => {
  for (const bad of ['', 'nonsense', 'EPSG:1', 'EPSG:abc', 'ESRI:7', 'OGC:CRS99', '+proj=nope'])
    assert.throws(() => transformer(bad, 'EPSG:4326'), { code: 'unprocessable' }, bad);
  const grid = (error: Problem) => error.code === 'unprocessable' && error.extra['code'] === 'crs-needs-grid';
  assert.throws(() => resolveCrs('+proj=longlat +nadgrids=foo.gsb'), grid);
  assert.throws(() => resolveCrs('EPSG:4267'), grid);
});

test('degrees to web mercator and back', () => {
  assert.ok(transformer('EPSG:4326', 'EPSG:3857').forward(180, 0, out, 0));
  assert.ok(Math.abs(out[0] - 20037508.342789244) < 1e-6 && Math.abs(out[1]) < 1e-6);
  assert.ok(transformer('EPSG:4326', 'EPSG:3857').forward(0, 90, out, 0));
  assert.ok(Math.abs(out[1] - 20037508.342789244) < 1e-3);
  assert.equal(transformer('EPSG:4326', 'EPSG:3857').forward(Number.NaN, 0, out, 0), false);
  assert.ok(transformer('EPSG:3857', 'OGC:CRS84').forward(1000000, 6000000, out, 0));
  assert.ok(Math.abs(out[0] - 8.983152841195214) < 1e-12);
});

test('a box over the antimeridian has minx > maxx, one around a pole all longitudes', () => {
  const crossing = transformBounds('EPSG:32660', 'EPSG:4326', [400000, 1000000, 1200000, 1500000]);
  assert.ok(crossing && crossing[0] > 170 && crossing[2] < -170);
  const pole = transformBounds(
    '+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +datum=WGS84',
    'EPSG:4326',
    [-1e6, -1e6, 1e6, 1e6],
  );
  assert.deepEqual([pole?.[0], pole?.[2], pole?.[3]], [-180, 180, 90]);
});
