/** An operator's choices for attributes, by a configuration file, in everything that shows or takes attributes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import { pino } from 'pino';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { deriveBudget } from '../../src/memory/budget.ts';
import { readLimit } from '../../src/memory/limit.ts';
import { writeFgb } from '../vector/fgb-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-attributes-'));
const BIG = 9_007_199_254_740_993n;
const columns = [
  { name: 'NAME_EN', type: 'string' },
  { name: 'big', type: 'long' },
  { name: 'small', type: 'ulong' },
  { name: 'doc', type: 'json' },
  { name: 'blob', type: 'binary' },
  { name: 'secret', type: 'string' },
] as const;
const properties = {
  NAME_EN: 'Ostrava',
  big: -BIG,
  small: 7n,
  doc: '{"a":1}',
  blob: Uint8Array.of(1, 2, 3),
  secret: 'x',
};
const own = {
  geometry: { type: 'Point', coordinates: [11, 50] },
  columns: [{ name: 'NAME_EN', type: 'string' }],
  properties: { NAME_EN: 'own' },
} as const;
let app: App;

before(async () => {
  writeFileSync(
    join(folder, 'places.fgb'),
    writeFgb([{ geometry: { type: 'Point', coordinates: [10, 50] }, properties }, own], { columns }),
  );
  const layers = ['usual', 'mapped', 'text', 'broken'].map(id => `  ${id}:\n    path: places.fgb\n`);
  const choices = [
    '',
    '    rename: {NAME_EN: name}\n    excludeProperties: [secret]\n    int64: string\n    json: text\n    binary: base64\n',
    '    int64: number\n    binary: omit\n',
    '    rename: {NAME: name, big: small}\n    excludeProperties: [nothing]\n',
  ];
  writeFileSync(join(folder, 'plimsoll.yaml'), `layers:\n${layers.map((layer, i) => layer + choices[i]).join('')}`);
  const config = loadConfig({
    env: {},
    flags: [{ flag: '--set memory.limit', key: 'memory.limit', text: '512MiB' }],
    paths: [],
    file: join(folder, 'plimsoll.yaml'),
  });
  app = await createApp({
    config,
    limit: readLimit({ flag: 2 ** 29 }),
    budget: deriveBudget(2 ** 29, { workers: 1 }),
    log: pino({ level: 'silent' }),
  });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (url: string) => app.server.inject({ url });
const item = async (id: string, n = 1) => (await get(`/collections/${id}/items/${n}`)).json().properties;

async function tile(id: string, query = ''): Promise<Record<string, unknown>[]> {
  const answer = await get(`/tiles/${id}/0/0/0.mvt${query}`);
  assert.equal(answer.statusCode, 200, answer.body);
  const [layer] = Object.values(new VectorTile(new PbfReader(answer.rawPayload)).layers);
  return Array.from({ length: layer?.length ?? 0 }, (_, i) => ({ ...layer?.feature(i).properties }));
}

test('without a choice: numbers while they are exact, JSON as it is, binary in features alone', async () => {
  assert.deepEqual(await item('usual'), { ...properties, big: String(-BIG), small: 7, doc: { a: 1 }, blob: 'AQID' });
  const [first] = await tile('usual');
  assert.deepEqual(Object.keys(first ?? {}).sort(), ['NAME_EN', 'big', 'doc', 'secret', 'small']);
});

test('renamed, left out, and as text, in features and tiles alike; also where a feature brings columns of its own', async () => {
  const mapped = { name: 'Ostrava', big: String(-BIG), small: '7', doc: '{"a":1}', blob: 'AQID' };
  assert.deepEqual(await item('mapped'), mapped);
  assert.deepEqual(await tile('mapped'), [mapped, { name: 'own' }]);
  assert.equal((await item('mapped', 2)).name, 'own');
});

test('as numbers, and without bytes', async () => {
  const { blob, ...rest } = await item('text');
  assert.equal(blob, undefined);
  assert.deepEqual([rest.big, rest.small], [Number(-BIG), 7]);
});

test('the served names are what TileJSON, queryables, filters and parameters know', async () => {
  const fields = (await get('/tiles/mapped')).json().vector_layers[0].fields;
  assert.deepEqual(fields, { name: 'String', big: 'String', small: 'String', doc: 'String', blob: 'String' });
  const known = Object.keys((await get('/collections/mapped/queryables')).json().properties);
  assert.ok(known.includes('name') && !known.includes('NAME_EN') && !known.includes('secret'), known.join());
  const found = async (query: string) => (await get(`/collections/mapped/items?${query}`)).json();
  assert.equal((await found('name=Ostrava')).numberReturned, 1);
  assert.equal((await found(`filter=${encodeURIComponent("name = 'Ostrava'")}`)).numberReturned, 1);
  assert.deepEqual(Object.keys((await found('properties=name&limit=1')).features[0].properties), ['name']);
  assert.equal((await get('/collections/mapped/items?secret=x')).statusCode, 400);
  assert.deepEqual(await tile('mapped', '?properties=name'), [{ name: 'Ostrava' }, { name: 'own' }]);
});

test('choices about attributes that are not there, or that clash, are reasons of the layer', async () => {
  const { servable, reasons } = (await get('/layers/broken')).json();
  assert.equal(servable, false);
  assert.deepEqual(reasons.map(({ code }: { code: string }) => code).sort(), [
    'attribute-clash',
    'attribute-unknown',
    'attribute-unknown',
  ]);
  assert.equal((await get('/tiles/broken/0/0/0.mvt')).statusCode, 422);
});
