/** The own transverse mercator against proj4's, and by pyproj where it is here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import proj4 from 'proj4';
import { resolveCrs, transformer } from '../../src/crs/index.ts';
import { transverseMercator } from '../../src/crs/transverse.ts';

const WGS84 = '+proj=longlat +datum=WGS84 +no_defs';
const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
const skip = existsSync(python) ? false : 'no Python with pyproj: test/requirements.txt';
const SYSTEMS = ['EPSG:32631', 'EPSG:32733', 'EPSG:25832', 'EPSG:26918', 'EPSG:2193', 'EPSG:32601'];

const place = fc.record({
  crs: fc.constantFrom(...SYSTEMS),
  away: fc.double({ min: -19.9, max: 19.9, noNaN: true }),
  lat: fc.double({ min: -89.2, max: 89.2, noNaN: true }),
});

function centreOf(crs: string): number {
  const { proj } = resolveCrs(crs);
  const zone = /zone=(\d+)/.exec(proj);
  return zone ? Number(zone[1]) * 6 - 183 : Number(/lon_0=(-?[\d.]+)/.exec(proj)?.[1]);
}

const out = new Float64Array(4);

test('positions are those of proj4 to a tenth of a micrometre, from degrees and from web mercator', () => {
  fc.assert(
    fc.property(place, fc.constantFrom(-360, 0), ({ crs, away, lat }, turn) => {
      const lon = centreOf(crs) + away;
      const own = transverseMercator(resolveCrs(crs).proj);
      const turned = lon + turn < -180 ? lon : lon + turn;
      assert.ok(own?.forward(turned, Math.atanh(Math.sin((lat * Math.PI) / 180)), out, 0));
      const [x, y] = proj4(WGS84, resolveCrs(crs).proj).forward([lon > 180 ? lon - 360 : lon, lat]) as [number, number];
      assert.ok(Math.hypot(out[0] - x, out[1] - y) < 1e-7, `${crs} ${lon},${lat}: ${out[0]},${out[1]} not ${x},${y}`);
      assert.ok(transformer('OGC:CRS84', crs).forward(turned, lat, out, 2));
      assert.ok(Math.hypot(out[2] - x, out[3] - y) < 1e-7);
      if (Math.abs(lat) > 85) return;
      assert.ok(transformer('OGC:CRS84', 'EPSG:3857').forward(turned, lat, out, 0));
      assert.ok(transformer('EPSG:3857', crs).forward(out[0], out[1], out, 2));
      // Web mercator's latitude itself comes back to a few nanometres.
      assert.ok(Math.hypot(out[2] - x, out[3] - y) < 1e-6, `${crs} ${lon},${lat}`);
    }),
    { numRuns: 2000 },
  );
});

test('far from the meridian and at the poles proj4 is asked, as before', () => {
  for (const [lon, lat] of [
    [40, 10],
    [3, 89.9],
    [3, 90],
    [-150, 45],
    [3, 95],
  ] as const) {
    const own = transverseMercator(resolveCrs('EPSG:32631').proj);
    if (lat < 90) assert.equal(own?.forward(lon, Math.atanh(Math.sin((lat * Math.PI) / 180)), out, 0), false);
    let expected: number[] = [];
    try {
      expected = proj4(WGS84, resolveCrs('EPSG:32631').proj).forward([lon, lat]);
    } catch {}
    const has = transformer('OGC:CRS84', 'EPSG:32631').forward(lon, lat, out, 0);
    assert.equal(has, expected.length > 0 && expected.every(Number.isFinite), `${lon},${lat}`);
    if (has) assert.deepEqual([out[0], out[1]], expected.slice(0, 2));
  }
});

test('another datum, unit, ellipsoid, axis or projection is not taken', () => {
  const plain = '+proj=tmerc +lat_0=0 +lon_0=9 +k=1 +x_0=3500000 +y_0=0 +ellps=GRS80';
  assert.ok(transverseMercator(plain));
  for (const more of [
    '+units=us-ft',
    '+towgs84=1,0,0',
    '+axis=neu',
    '+pm=paris',
    '+to_meter=2',
    '+approx',
    '+nadgrids=x',
  ])
    assert.equal(transverseMercator(`${plain} ${more}`), null, more);
  for (const other of [
    '+proj=merc +datum=WGS84',
    '+proj=utm +zone=31 +ellps=intl',
    '+proj=utm +zone=0 +datum=WGS84',
    '',
  ])
    assert.equal(transverseMercator(other), null, other);
  for (const crs of ['EPSG:27700', 'EPSG:2056', 'EPSG:31467', 'EPSG:28992', 'EPSG:3857', 'EPSG:4326'])
    assert.equal(transverseMercator(resolveCrs(crs).proj), null, crs);
});

test('positions are those of PROJ', { skip }, () => {
  const asked = SYSTEMS.flatMap(crs =>
    [-19, -7.5, -3, 0, 0.001, 2.9, 12].flatMap(away =>
      [-80, -33.3, 0, 1e-6, 47.5, 84].map(lat => [crs, centreOf(crs) + away, lat] as const),
    ),
  );
  const script = `
import json, sys
from pyproj import Transformer
makers = {}
def at(crs, lon, lat):
    if crs not in makers: makers[crs] = Transformer.from_pipeline(
        '+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step ' + definitions[crs])
    return makers[crs].transform(lon, lat)
definitions, asked = json.load(sys.stdin)
json.dump([at(*each) for each in asked], sys.stdout)
`;
  const plain = (crs: string) => resolveCrs(crs).proj.replace(/ \+(no_defs|towgs84=\S+|type=crs)/g, '');
  const definitions = Object.fromEntries(SYSTEMS.map(crs => [crs, plain(crs)]));
  const { stdout, stderr } = spawnSync(python, ['-c', script], {
    input: JSON.stringify([definitions, asked]),
    encoding: 'utf8',
  });
  const expected = JSON.parse(stdout || `"${stderr}"`) as [number, number][];
  assert.equal(expected.length, asked.length, stderr);
  for (const [i, [crs, lon, lat]] of asked.entries()) {
    assert.ok(transformer('OGC:CRS84', crs).forward(lon, lat, out, 0));
    const [x, y] = expected[i];
    assert.ok(Math.hypot(out[0] - x, out[1] - y) < 1e-6, `${crs} ${lon},${lat}: ${out[0]},${out[1]} not ${x},${y}`);
  }
});
