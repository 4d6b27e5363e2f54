/** Each key of a layer changes an answer: the same file with it and without it, and nothing else between them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { layerSchema } from '../../src/config/schema.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';

interface Probe {
  readonly file: string;
  /** What the layer without the key says too. */
  readonly both?: Readonly<Record<string, unknown>>;
  readonly value: unknown;
  /** {id}: the layer's. */
  readonly url: string;
  /** Of the answer: all of it where absent. */
  readonly header?: string;
}

const COUNTRIES = 'countries.fgb';
const PLACES = 'places.fgb';
const WORLD = 'world.tif';
const ELEVATION = 'elevation.tif';
const TILE = '/tiles/{id}/1/1/0.mvt';
const PICTURE = '/tiles/{id}/1/1/0.png';
const ITEM = '/collections/{id}/items/1';

const PROBES: Readonly<Record<string, Probe>> = {
  path: { file: COUNTRIES, value: join(DEMO, PLACES), url: '/tiles/{id}' },
  mosaic: { file: WORLD, value: { paths: [join(DEMO, WORLD)] }, url: '/layers/{id}' },
  title: { file: COUNTRIES, value: 'Lands', url: '/layers/{id}' },
  description: { file: COUNTRIES, value: 'Lands', url: '/layers/{id}' },
  attribution: { file: COUNTRIES, value: 'Us', url: '/tiles/{id}' },
  minzoom: { file: PLACES, value: 3, url: TILE },
  maxzoom: { file: PLACES, value: 0, url: TILE },
  overzoom: { file: PLACES, both: { maxzoom: 0 }, value: 4, url: TILE },
  crs: { file: COUNTRIES, value: 'EPSG:3857', url: '/layers/{id}' },
  properties: { file: PLACES, value: ['name'], url: TILE },
  excludeProperties: { file: COUNTRIES, value: ['name'], url: ITEM },
  rename: { file: COUNTRIES, value: { name: 'land' }, url: ITEM },
  int64: { file: COUNTRIES, value: 'string', url: ITEM },
  json: { file: 'own.fgb', value: 'text', url: ITEM },
  binary: { file: 'own.fgb', value: 'omit', url: ITEM },
  cluster: { file: PLACES, value: true, url: TILE },
  extent: { file: PLACES, value: 512, url: TILE },
  buffer: { file: PLACES, value: 0, url: TILE },
  idColumn: { file: PLACES, value: 'population', url: TILE },
  drop: { file: PLACES, both: { maxFeatures: 5 }, value: 'none', url: TILE },
  maxFeatures: { file: PLACES, value: 5, url: TILE },
  maxTileBytes: { file: PLACES, value: 500, url: TILE },
  pointCount: { file: PLACES, both: { maxFeatures: 5 }, value: true, url: TILE },
  labels: { file: COUNTRIES, value: true, url: TILE },
  rescale: { file: ELEVATION, value: [[0, 4000]], url: PICTURE },
  colormapName: { file: ELEVATION, value: 'viridis', url: PICTURE },
  bidx: { file: WORLD, value: [3, 2, 1], url: PICTURE },
  nodata: { file: WORLD, value: 0, url: '/cog/info?url={id}' },
  resampling: { file: WORLD, value: 'average', url: '/tiles/{id}/0/0/0.png' },
  maxReadAmplification: { file: WORLD, value: 1, url: '/tiles/{id}/0/0/0.png' },
  maxAge: { file: PLACES, value: 86_400, url: TILE, header: 'cache-control' },
};

/** What shows only under pressure: test/serve/ladder.test.ts has it. */
const ELSEWHERE = ['degrade'];

/** Of one length, since tiles say how long a name is. */
const idOf = (which: 'plain' | 'given', i: number) => `${which}_${String(i).padStart(2, '0')}`;

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-keys-'));
let app: App;

before(async () => {
  const columns = [
    { name: 'doc', type: 'json' },
    { name: 'blob', type: 'binary' },
  ] as const;
  const properties = { doc: '{"a":1}', blob: Uint8Array.of(1, 2, 3) };
  const own = { geometry: { type: 'Point', coordinates: [10, 50] }, properties } as const;
  writeFileSync(join(folder, 'own.fgb'), writeFgb([own], { columns }));
  const layers: Record<string, unknown> = {};
  Object.entries(PROBES).forEach(([key, { file, both = {}, value }], i) => {
    const base = { path: join(file === 'own.fgb' ? folder : DEMO, file), ...both };
    layers[idOf('plain', i)] = base;
    const { path, ...others } = base;
    layers[idOf('given', i)] = key === 'mosaic' ? { ...others, mosaic: value } : { path, ...others, [key]: value };
  });
  const file = join(folder, 'plimsoll.yaml');
  writeFileSync(file, JSON.stringify({ layers }));
  app = await testApp({ paths: [], file });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function answerOf(id: string, { url, header }: Probe): Promise<string> {
  const answer = await app.server.inject({ url: url.replace('{id}', id), headers: { 'accept-encoding': 'identity' } });
  const text = header ? String(answer.headers[header]) : answer.rawPayload.toString('latin1');
  return `${answer.statusCode} ${text}`.replaceAll(id, 'ID').replace(/"timeStamp":"[^"]*"/, '');
}

test('the probes are those of the schema', () => {
  assert.deepEqual([...Object.keys(PROBES), ...ELSEWHERE].sort(), Object.keys(layerSchema.properties).sort());
});

for (const [i, [key, probe]] of Object.entries(PROBES).entries()) {
  test(`${key} changes ${probe.url}`, async () => {
    const [plain, given] = [await answerOf(idOf('plain', i), probe), await answerOf(idOf('given', i), probe)];
    assert.notEqual(given, plain);
    assert.doesNotMatch(plain + given, /^5|bad-parameter|layer-not-found/);
  });
}
