import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Geometry } from 'geojson';
import { Problem } from '../../src/errors.ts';
import { type ItemsJob, runItems } from '../../src/render/items/task.ts';
import { queryFeatures } from '../../src/source/fgb/query.ts';
import { testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { featureBytes, type RawGeometry, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, seeded, tileOf, VECTOR } from './rig.ts';

/** PLIMSOLL_FUZZ says how many; the long form has what a night is for. */
const MUTANTS = Number(process.env.PLIMSOLL_FUZZ ?? (process.env.PLIMSOLL_TEST_FULL === '1' ? 10_000 : 600));
const files = new Files();
after(() => files.remove());

function seeds(): Uint8Array[] {
  const square = (x: number, y: number): Geometry => ({
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [x + 2, y],
        [x + 2, y + 2],
        [x, y + 2],
        [x, y],
      ],
      [
        [x + 0.5, y + 0.5],
        [x + 0.5, y + 1],
        [x + 1, y + 1],
        [x + 0.5, y + 0.5],
      ],
    ],
  });
  const columns = [
    { name: 'n', type: 'int' as const },
    { name: 's', type: 'string' as const },
    { name: 'd', type: 'double' as const },
  ];
  const features = Array.from({ length: 40 }, (_, i) => ({
    geometry:
      i % 3 === 0
        ? square(i, i)
        : i % 3 === 1
          ? ({ type: 'Point', coordinates: [i, i] } as Geometry)
          : ({ type: 'GeometryCollection', geometries: [square(i, 0), square(0, i)] } as Geometry),
    properties: { n: i, s: `name ${i}`, d: i / 3 },
    ...(i % 7 === 0 ? { columns: [{ name: 'own', type: 'int' as const }] } : {}),
  }));
  const curve: RawGeometry = {
    type: 'MultiCurve',
    parts: [{ type: 'CompoundCurve', parts: [{ type: 'CircularString', xy: [0, 0, 1, 1, 2, 0] }] }],
  };
  const made = [
    writeFgb(features, { columns }),
    writeFgb(features, { columns, nodeSize: 0 }),
    writeFgb([{ geometry: curve }]),
  ];
  const real = ['fgb_poly00.fgb', 'fgb_alldatatypes.fgb', 'fgb_no_properties.fgb'];
  return [...made, ...(WITHOUT_SHARED ? [] : real.map(name => new Uint8Array(readFileSync(join(VECTOR, name)))))];
}

const NASTY = [0, 1, 4, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

function mutate(bytes: Uint8Array, rnd: () => number): Uint8Array {
  const out = Buffer.from(bytes);
  const at = () => Math.floor(rnd() * out.length);
  const word = () => Math.min(out.length - 4, at() & ~3);
  switch (Math.floor(rnd() * 7)) {
    case 0:
      return out.subarray(0, at());
    case 1:
      for (let i = 0; i < 1 + rnd() * 8; i++) out[at()] ^= 1 << Math.floor(rnd() * 8);
      return out;
    case 2:
      out.writeUInt32LE(NASTY[Math.floor(rnd() * NASTY.length)], word());
      return out;
    case 3: {
      // An offset that leads back to where it stands, or nearly.
      const p = word();
      out.writeInt32LE(Math.floor(rnd() * 16) - 8, p);
      return out;
    }
    case 4:
      out.writeDoubleLE(
        [Number.NaN, Infinity, -Infinity, 1e308, -1e-308][Math.floor(rnd() * 5)],
        Math.min(out.length - 8, at()),
      );
      return out;
    case 5: {
      const [a, b] = [at(), at()];
      out.copy(out, a, b, Math.min(out.length, b + 64));
      return out;
    }
    default:
      return Buffer.concat([out.subarray(0, at()), out.subarray(at())]);
  }
}

/** Everything one can ask of a file: each answers, or says that the data is broken. Answers with the verdict. */
async function ask(path: string): Promise<string> {
  let layer: FgbLayer;
  try {
    // With labels, which look at every feature once more.
    layer = await openLayer(path, { crs: 'EPSG:4326', labels: true });
  } catch (error) {
    assert.ok(error instanceof Problem, `not a Problem: ${(error as Error).stack}`);
    assert.equal(error.code, 'layer-not-servable', error.message);
    assert.ok(Array.isArray(error.extra.reasons), error.message);
    return String(error.extra.reason);
  }
  try {
    if (!layer.verdict.servable) return layer.verdict.reasons[0].code;
    const answers = [
      await attempt(() => tileOf(layer, 0, 0, 0)),
      await attempt(() => tileOf(layer, 3, 4, 3)),
      await attempt(() => itemsOf(layer)),
    ];
    return answers.every(Boolean) ? 'whole' : 'corrupt-data';
  } finally {
    await layer.source.close();
  }
}

async function attempt(what: () => Promise<unknown>): Promise<boolean> {
  try {
    await what();
    return true;
  } catch (error) {
    assert.ok(error instanceof Problem, `not a Problem: ${(error as Error).stack}`);
    // A coordinate that is no number has no place in any CRS: items say so in their own words.
    const code = /no image in the CRS/.test(error.message) ? 'unprocessable' : 'corrupt-data';
    assert.equal(error.code, code, error.message);
    return false;
  }
}

async function itemsOf({ source }: FgbLayer): Promise<void> {
  const page = await queryFeatures(source, null, 0, 100);
  const { columns, geometryType, hasZ } = source;
  const job: ItemsJob = {
    task: 'items',
    ref: source.ref,
    crs: 'EPSG:4326',
    outCrs: 'EPSG:4326',
    northFirst: false,
    schema: { columns, geometryType, hasZ },
    ordinals: page.ordinals,
    offsets: page.offsets,
    lengths: page.lengths,
    filter: { cql: null, equals: [], time: null },
    filterSchema: null,
    properties: columns.map(({ name }) => name),
    idColumn: null,
    from: 0,
    limit: 100,
  };
  runItems(job, { cancelled: () => false, check: () => {} });
}

describe('broken files', () => {
  test(`${MUTANTS} mutants: a verdict, an answer or corrupt-data, in bounded memory`, async () => {
    const rnd = seeded(2024);
    const whole = seeds();
    const verdicts = new Map<string, number>();
    const before = process.memoryUsage();
    for (let i = 0; i < MUTANTS; i++) {
      let bytes = whole[i % whole.length];
      for (let k = 0; k <= rnd() * 2; k++) if (bytes.length > 16) bytes = mutate(bytes, rnd);
      const verdict = await ask(files.path(bytes));
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    const after = process.memoryUsage();
    const told = JSON.stringify(Object.fromEntries(verdicts));
    assert.ok(after.arrayBuffers - before.arrayBuffers < 64 * 1024 * 1024, `${after.arrayBuffers} bytes held`);
    // The mutants bite, each way; were they all refused at the door, nothing behind it would have been tried.
    for (const kind of ['whole', 'corrupt-data', 'fgb-index-corrupt', 'fgb-header-corrupt', 'fgb-truncated'])
      assert.ok((verdicts.get(kind) ?? 0) > 0, `${kind}: ${told}`);
  });

  test('every truncation of a small file', async () => {
    const [indexed, plain] = seeds();
    for (const bytes of [indexed, plain]) {
      for (let n = 0; n < bytes.length; n += 37) {
        assert.notEqual(await ask(files.path(bytes.subarray(0, n))), 'whole', `${n} of ${bytes.length} bytes`);
      }
      assert.equal(await ask(files.path(bytes)), 'whole');
    }
  });

  test('offsets that all lead to the same part are not walked for ever', async () => {
    // Fifteen tables, each with 64 parts that are all the next table: 64^15 leaves in 5 KB.
    const body = laughs(15, 64);
    for (const nodeSize of [16, 0]) {
      const file = writeFgb([{ geometry: { type: 'Point', coordinates: [1, 1] } }], { nodeSize });
      const old = featureBytes({ geometry: { type: 'Point', coordinates: [1, 1] } }, []);
      const path = files.path(Buffer.concat([file.subarray(0, file.length - old.length), body]));
      assert.match(await ask(path), /^(corrupt-data|fgb-feature-corrupt)$/);
    }
  });

  test('a header cannot make more of itself than it is', async () => {
    const columns = [{ name: 'x'.repeat(60_000), type: 'int' as const }];
    const file = Buffer.from(writeFgb([{ geometry: { type: 'Point', coordinates: [1, 1] } }], { columns }));
    // The header's count of features, and an index node size of one.
    for (const [claim, code] of [
      [{ count: 2 ** 40 }, 'fgb-truncated'],
      [{ nodeSize: 1 }, 'fgb-index-corrupt'],
    ] as const) {
      const lying = writeFgb([{ geometry: { type: 'Point', coordinates: [1, 1] } }], { columns, ...claim });
      assert.equal(await ask(files.path(lying)), code);
    }
    assert.equal(await ask(files.path(file)), 'whole');
  });

  test('an index whose boxes are no numbers hides nothing: it is refused', async () => {
    const features = Array.from({ length: 40 }, (_, i) => ({
      geometry: { type: 'Point' as const, coordinates: [i, i] },
    }));
    for (const value of [Number.NaN, Infinity]) {
      const bytes = Buffer.from(writeFgb(features));
      bytes.writeDoubleLE(value, 12 + bytes.readUInt32LE(8) + 16);
      assert.equal(await ask(files.path(bytes)), 'fgb-index-corrupt');
    }
  });

  test('through the server: broken layers answer with their code, the others go on', { timeout: 60_000 }, async () => {
    const rnd = seeded(7);
    const whole = seeds();
    const folder = new Files();
    for (let i = 0; i < 60; i++) folder.path(mutate(whole[i % 3], rnd));
    const sound = folder.path(whole[0]);
    const app = await testApp({ paths: [folder.dir] });
    try {
      const codes = new Map<number, number>();
      for (const layer of app.catalogue.list()) {
        for (const url of [`/tiles/${layer.id}/0/0/0.mvt`, `/collections/${layer.id}/items?limit=50`]) {
          const answer = await app.server.inject(url);
          codes.set(answer.statusCode, (codes.get(answer.statusCode) ?? 0) + 1);
          if (answer.statusCode === 500) assert.equal(answer.json().code, 'corrupt-data', answer.body);
          assert.ok([200, 204, 404, 422, 500].includes(answer.statusCode), `${url}: ${answer.body.slice(0, 200)}`);
        }
      }
      assert.ok((codes.get(500) ?? 0) > 0 && (codes.get(200) ?? 0) > 0, JSON.stringify([...codes]));
      const id = sound.slice(sound.lastIndexOf('/') + 1).replace('.fgb', '');
      assert.equal((await app.server.inject(`/tiles/${id}/1/1/0.mvt`)).statusCode, 200);
      assert.equal(app.rooms.pool.stats().crashed, 0);
    } finally {
      await app.close();
      folder.remove();
    }
  });
});

/** A feature of nested collections, `depth` deep, whose every table names the one below it `width` times. */
function laughs(depth: number, width: number): Uint8Array {
  const step = 16 + width * 4;
  const out = Buffer.alloc(4 + 4 + 12 + 12 + (depth + 1) * step + 64);
  // vtable of geometries: type at 4, parts at 8; of the feature: geometry at 4.
  const vtable = 8;
  out.writeUInt16LE(20, vtable);
  out.writeUInt16LE(12, vtable + 2);
  out.writeUInt16LE(4, vtable + 4 + 12);
  out.writeUInt16LE(8, vtable + 4 + 14);
  const outer = vtable + 20;
  out.writeUInt16LE(6, outer);
  out.writeUInt16LE(8, outer + 2);
  out.writeUInt16LE(4, outer + 4);
  const root = outer + 8;
  const first = root + 8;
  out.writeUInt32LE(root - 4, 4);
  out.writeInt32LE(root - outer, root);
  out.writeUInt32LE(first - root - 4, root + 4);
  for (let d = 0; d < depth; d++) {
    const table = first + d * step;
    out.writeInt32LE(table - vtable, table);
    out.writeUInt8(7, table + 4);
    out.writeUInt32LE(4, table + 8);
    out.writeUInt32LE(d + 1 < depth ? width : 0, table + 12);
    for (let i = 0; d + 1 < depth && i < width; i++) {
      const at = table + 16 + i * 4;
      out.writeUInt32LE(table + step - at, at);
    }
  }
  out.writeUInt32LE(out.length - 4, 0);
  return out;
}
