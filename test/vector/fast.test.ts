/** The fast path of vector tiles (wasm/tile/) against the painter without it: the same bytes, or the same refusal. */
import assert from 'node:assert/strict';
import { globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Geometry, Position } from 'geojson';
import { sourcesHash } from '../../scripts/make-wasm.ts';
import { Problem } from '../../src/errors.ts';
import { openBytes, statRef } from '../../src/io/bytes.ts';
import { newOut } from '../../src/kernels/bytes-out.ts';
import { SOURCES } from '../../src/kernels/wasm/tile-code.ts';
import type { LayerOptions } from '../../src/layers/types.ts';
import { FastPath } from '../../src/render/vector/fast.ts';
import type { VectorJob } from '../../src/render/vector/job.ts';
import { createVectorPainter } from '../../src/render/vector/paint.ts';
import { Pen } from '../../src/render/vector/pen.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { COLUMN_TYPES } from '../../src/source/fgb/layout.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { WITHOUT_SHARED } from '../lib/app.ts';
import { type WriteFeature, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, seeded, tileRange, VECTOR } from './rig.ts';

const files = new Files();
after(() => files.remove());

const fast = createVectorPainter(true);
const slow = createVectorPainter(false);
const always = { cancelled: () => false, check: () => {} };
const FULL = process.env['PLIMSOLL_TEST_FULL'] === '1';

const COLUMNS = COLUMN_TYPES.map(type => ({ name: type === 'datetime' ? 'string' : `a_${type}`, type }));

async function jobOf(layer: FgbLayer, z: number, x: number, y: number): Promise<VectorJob | null> {
  const ask = { layers: [layer], grid: WEB_MERCATOR_QUAD, tile: { z, x, y }, properties: null };
  return (await planVectorTile({ ...ask, encoding: 'identity' })).job as VectorJob | null;
}

type Outcome = { readonly body: Uint8Array | null } | { readonly refusal: string };

function outcome(painter: typeof fast, job: VectorJob): Outcome {
  try {
    return { body: painter.paint(job, always).body };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { refusal: `${error.code}: ${error.message}` };
  }
}

/** The number of bytes or what was refused; both painters must say the same. */
function agreed(job: VectorJob, what: string): number | string {
  const a = outcome(fast, job);
  const b = outcome(slow, job);
  if ('refusal' in a || 'refusal' in b) {
    assert.deepEqual(a, b, what);
    return (a as { refusal: string }).refusal;
  }
  const same = a.body === null ? b.body === null : b.body !== null && Buffer.compare(a.body, b.body) === 0;
  assert.ok(same, `${what}: ${a.body?.length} bytes, ${b.body?.length} without the fast path`);
  return a.body?.length ?? 0;
}

type Random = () => number;

/** A ring around (x, y), now and then with spikes, repeated points, crossings, or no area at all. */
function ring(rnd: Random, x: number, y: number, size: number): Position[] {
  const n = rnd() < 0.5 ? 4 : 3 + Math.floor(rnd() * (rnd() < 0.1 ? 90 : 12));
  const turn = rnd() < 0.5 ? 1 : -1;
  const points: Position[] = Array.from({ length: n }, (_, i) => {
    const angle = (turn * (i + rnd() * 0.8) * 2 * Math.PI) / n;
    const r = size * (0.4 + 0.6 * rnd());
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  });
  const odd = Math.floor(rnd() * 10);
  if (odd === 0) points.splice(1, 0, points[0]);
  if (odd === 1) points.splice(2, 0, [x + 5 * size, y], points[1]);
  if (odd === 2) [points[0], points[2]] = [points[2], points[0]];
  if (odd === 3) for (const point of points) point[1] = y;
  return [...points, points[0]];
}

function geometry(rnd: Random, x: number, y: number, size: number): Geometry {
  const near = (): Position => [x + (rnd() - 0.5) * size * 2, y + (rnd() - 0.5) * size * 2];
  const many = <T>(least: number, make: () => T): T[] => Array.from({ length: least + Math.floor(rnd() * 6) }, make);
  switch (Math.floor(rnd() * 12)) {
    case 0:
      return { type: 'Point', coordinates: near() };
    case 1:
      return { type: 'MultiPoint', coordinates: many(1, near) };
    case 2:
    case 3:
      return { type: 'LineString', coordinates: many(2, near) };
    case 4:
      return { type: 'MultiLineString', coordinates: many(1, () => many(2, near)) };
    case 5:
      return { type: 'MultiPolygon', coordinates: [[ring(rnd, x, y, size)]] };
    case 6:
      return { type: 'MultiPolygon', coordinates: [[ring(rnd, x, y, size)], [ring(rnd, x + 3 * size, y, size)]] };
    case 7:
      return { type: 'Polygon', coordinates: [ring(rnd, x, y, size), ring(rnd, x, y, size / 3)] };
    case 8:
      return { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: near() }] };
    default:
      return { type: 'Polygon', coordinates: [ring(rnd, x, y, size)] };
  }
}

function value(rnd: Random, type: string): unknown {
  const bits = Math.floor(rnd() * 4) * 15 + 7;
  const whole = Math.floor((rnd() - (type.startsWith('u') ? 0 : 0.5)) * 2 ** bits);
  switch (type) {
    case 'bool':
      return rnd() < 0.5;
    case 'byte':
    case 'ubyte':
      return whole % 100;
    case 'short':
    case 'ushort':
      return whole % 30_000;
    case 'int':
    case 'uint':
      return whole % 2 ** 31;
    case 'long':
    case 'ulong':
      return rnd() < 0.2 ? BigInt(type === 'long' ? -1 : 1) * (2n ** 61n + BigInt(bits)) : BigInt(whole);
    case 'float':
    case 'double':
      return rnd() < 0.1 ? Number.NaN : rnd() < 0.5 ? whole : rnd();
    case 'binary':
      return Uint8Array.of(1, 2, 3);
    case 'json':
      return { a: whole % 7 };
    case 'datetime':
      return '2026-01-01T00:00:00Z';
    default:
      return 'ä'.repeat(Math.floor(rnd() * (rnd() < 0.05 ? 200 : 6)));
  }
}

/** Features of all sizes around (10°, 50°), in degrees or metres, some with no attributes or none of their own. */
function features(rnd: Random, metres: boolean): WriteFeature[] {
  return Array.from({ length: 120 }, () => {
    const size = 10 ** (-5 + rnd() * 4);
    const scale = metres ? 111_320 : 1;
    const x = (10 + (rnd() - 0.5) * 0.2) * scale;
    const y = (metres ? 57.7 + (rnd() - 0.5) * 0.2 : 50 + (rnd() - 0.5) * 0.15) * scale;
    const has = COLUMNS.filter(() => rnd() < 0.4);
    const properties = Object.fromEntries(has.map(({ name, type }) => [name, value(rnd, type)]));
    return { geometry: rnd() < 0.02 ? null : geometry(rnd, x, y, size * scale), properties };
  });
}

describe('the fast path of vector tiles', () => {
  test('is made of the sources beside it', () => {
    assert.equal(SOURCES, sourcesHash(), 'run node scripts/make-wasm.ts');
  });

  test('leaves little of ordinary polygons to the slow path', async () => {
    const rnd = seeded(11);
    const plain = Array.from({ length: 500 }, () => {
      const ringOf = ring(rnd, 10 + rnd() * 0.3, 50 + rnd() * 0.2, 1e-4);
      return { geometry: { type: 'Polygon' as const, coordinates: [ringOf] }, properties: { string: 'house' } };
    });
    const layer = await openLayer(files.path(writeFgb(plain, { columns: COLUMNS })));
    const job = (await jobOf(layer, 10, 540, 347)) as VectorJob;
    let left = 0;
    const bytes = openBytes(job.layers[0].ref);
    const out = newOut(1024);
    const took = new FastPath().paint(job, job.layers[0], out, {
      pen: new Pen(),
      read: (offset, into) => bytes.readInto?.(offset, into),
      vet: () => {},
      draw: () => ++left === 0,
      explain: () => {},
      check: () => {},
    });
    bytes.close();
    assert.ok(took > 0 && out.at > 1000 && job.layers[0].offsets.length > 100);
    assert.ok(left < job.layers[0].offsets.length / 5, `${left} of ${job.layers[0].offsets.length} are left`);
  });

  test('compresses anything so that zlib reads it back, tiles about as small as zlib makes them', async () => {
    const path = new FastPath();
    const rnd = seeded(5);
    const kinds: ((i: number) => number)[] = [
      () => 7,
      () => rnd() * 256,
      i => (i * i) >> 7,
      () => rnd() ** 4 * 256,
      i => (i % 700 < 300 ? i % 251 : rnd() * 4),
    ];
    for (const length of [1, 2, 3, 11, 12, 13, 300, 65_535, 65_536, 70_001, 400_000, 1_500_000]) {
      for (const [k, byte] of kinds.entries()) {
        const plain = Uint8Array.from({ length }, (_, i) => byte(i));
        const packed = path.gzip(plain) as Uint8Array;
        assert.ok(gunzipSync(packed).equals(plain), `kind ${k}, ${length} bytes`);
        assert.ok(packed.length <= length + length / 1024 + 64, `kind ${k}: ${length} bytes became ${packed.length}`);
      }
    }
    assert.equal(path.gzip(new Uint8Array(2 ** 21)), null);
    const layer = await openLayer(files.path(writeFgb(features(rnd, false), { columns: COLUMNS })));
    const tile = slow.paint((await jobOf(layer, 8, 135, 86)) as VectorJob, always).body as Uint8Array;
    const [ours, theirs] = [(path.gzip(tile) as Uint8Array).length, gzipSync(tile, { level: 1 }).length];
    assert.ok(ours < theirs * 1.05, `${ours} bytes, ${theirs} by zlib`);
  });

  const options: readonly LayerOptions[] = [
    {},
    { idColumn: 'a_int' },
    { idColumn: 'a_double', extent: 512, buffer: 8 },
    { properties: ['a_long', 'string', 'a_double'], extent: 8192, buffer: 0 },
    { pointCount: true },
  ];

  for (const metres of [false, true]) {
    test(`draws random features of every kind as the slow path does, in ${metres ? 'metres' : 'degrees'}`, async () => {
      let bytes = 0;
      for (let seed = 0; seed < (FULL ? 60 : 6); seed++) {
        const crs = metres ? 3857 : 4326;
        const path = files.path(writeFgb(features(seeded(seed), metres), { columns: COLUMNS, crs }));
        const layer = await openLayer(path, options[seed % options.length]);
        for (const z of [3, 8, 11, 13, 14, 16]) {
          const [x0, y0, x1, y1] = tileRange(layer.lonLatBounds ?? [], z);
          for (let k = 0; k < 6; k++) {
            const x = x0 + (k % (x1 - x0 + 1));
            const y = y0 + ((k * 5) % (y1 - y0 + 1));
            const job = await jobOf(layer, z, x, y);
            if (job !== null) bytes += Number(agreed(job, `seed ${seed}, ${z}/${x}/${y}`));
          }
        }
      }
      assert.ok(bytes > 100_000, `${bytes} bytes`);
    });
  }

  test('refuses broken features with the same words', async () => {
    const rnd = seeded(7);
    const clean = Buffer.from(writeFgb(features(rnd, false), { columns: COLUMNS, type: 'Unknown' }));
    const layer = await openLayer(files.path(clean));
    const job = (await jobOf(layer, 8, 135, 86)) as VectorJob;
    const { offsets, lengths } = job.layers[0];
    const refusals = new Set<string>();
    for (let k = 0; k < (FULL ? 4000 : 400); k++) {
      const bytes = Buffer.from(clean);
      const i = Math.floor(rnd() * offsets.length);
      for (let n = 0; n < 3; n++) bytes[offsets[i] + Math.floor(rnd() * lengths[i])] = Math.floor(rnd() * 256);
      const path = join(files.dir, `broken${k}.fgb`);
      writeFileSync(path, bytes);
      const ref = statRef(path);
      const said = agreed({ ...job, layers: [{ ...job.layers[0], ref }] }, `mutant ${k}`);
      rmSync(path);
      if (typeof said === 'string') refusals.add(said.replace(/\d+/g, '#'));
    }
    assert.ok(refusals.size > 5, [...refusals].join('\n'));
  });

  test('gives up what does not fit its memory, and the tile is whole', async () => {
    const rnd = seeded(3);
    const long = Array.from({ length: 3000 }, (_, i) => ({
      geometry: { type: 'Point' as const, coordinates: [10 + rnd() * 0.01, 50 + rnd() * 0.01] },
      properties: { string: `${i} `.repeat(200) },
    }));
    const layer = await openLayer(files.path(writeFgb(long, { columns: COLUMNS })), { extent: 4096 });
    const job = (await jobOf(layer, 11, 1080, 694)) as VectorJob;
    assert.ok(Number(agreed(job, 'values beyond a mebibyte')) > 2 ** 20);
  });

  test('draws the shared data as the slow path does', { skip: WITHOUT_SHARED }, async () => {
    let tiles = 0;
    for (const name of globSync('**/*.fgb', { cwd: VECTOR })) {
      const layer = await openLayer(join(VECTOR, name)).catch(() => null);
      if (!layer?.verdict.servable || !layer.lonLatBounds) continue;
      for (const z of FULL ? [0, 2, 4, 6, 8, 10, 11, 12, 13, 14] : [4, 11]) {
        const [x0, y0, x1, y1] = tileRange(layer.lonLatBounds, z);
        const job = await jobOf(layer, z, (x0 + x1) >> 1, (y0 + y1) >> 1).catch(() => null);
        if (job === null) continue;
        agreed(job, `${name} ${z}`);
        tiles++;
      }
    }
    assert.ok(tiles > 0);
  });
});
