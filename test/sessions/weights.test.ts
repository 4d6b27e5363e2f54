/** The books of session layers against V8's own figures, over the shapes that are hardest on geojson-vt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scanInput, sessionInput } from '../../src/sessions/geojson.ts';
import { createSessionIndex, type SessionIndex } from '../../src/sessions/tile-index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const list = (n: number, of: (i: number) => string): string => Array.from({ length: n }, (_, i) => of(i)).join(',');
const feature = (geometry: string, properties = 'null'): string =>
  `{"type":"Feature","geometry":${geometry},"properties":${properties}}`;
const collection = (features: string): string => `{"type":"FeatureCollection","features":[${features}]}`;
const lon = (i: number): string => (((i * 7919) % 35_000) / 100 - 175).toFixed(2);
const lat = (i: number): string => (((i * 104_729) % 16_000) / 100 - 80).toFixed(2);

const shapes: Readonly<Record<string, () => string>> = {
  'points with attributes': () =>
    collection(
      list(10_000, i =>
        feature(`{"type":"Point","coordinates":[${lon(i)},${lat(i)}]}`, `{"n":${i},"name":"name ${i}","f":${i}.25}`),
      ),
    ),
  'squares side by side': () =>
    collection(
      list(8000, i => {
        const [x, y] = [(i % 100) / 10, Math.floor(i / 100) / 10];
        const ring = `[[${x},${y}],[${x + 0.08},${y}],[${x + 0.08},${y + 0.08}],[${x},${y + 0.08}],[${x},${y}]]`;
        return feature(`{"type":"Polygon","coordinates":[${ring}]}`, `{"n":${i}}`);
      }),
    ),
  'lines across the world': () =>
    collection(list(5000, i => feature(`{"type":"LineString","coordinates":[[-175,${lat(i)}],[175,${lat(i + 1)}]]}`))),
  'one long line': () =>
    feature(`{"type":"LineString","coordinates":[${list(100_000, i => `[${lon(i)},${lat(i)}]`)}]}`),
  'many rings in one feature': () =>
    feature(`{"type":"MultiPolygon","coordinates":[${list(20_000, () => '[[[0,0],[1,0],[1,1],[0,0]]]')}]}`),
};

function indexed(text: Uint8Array): SessionIndex {
  const limits = { bytesMax: 1e9, featureBytesMax: 1e9, fieldsMax: 100 };
  return createSessionIndex(sessionInput(text, scanInput(text), limits), { maxZoom: 16, extent: 4096, buffer: 64 });
}

function heldNow(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const MIB = 1 << 20;

for (const [name, make] of Object.entries(shapes)) {
  test(`${name}: what is booked is what V8 holds, and cutting keeps to its price`, () => {
    const text = new Uint8Array(Buffer.from(make()));
    const before = heldNow();
    const index = indexed(text);
    const held = heldNow() - before;
    const ratio = index.baseBytes / held;
    assert.ok(ratio > 0.75 && ratio < 1.5, `${index.baseBytes} booked, ${held} held: ${ratio.toFixed(2)}`);

    for (const [z, x, y] of [
      [16, 32_768, 32_767],
      [12, 1000, 1500],
      [7, 64, 63],
    ] as const) {
      index.forget();
      const { peakBytes } = index.tile(z, x, y, MIB);
      assert.ok(peakBytes <= MIB + 2 * index.splitBytes, `${z}: ${peakBytes} of 1 MiB and twice ${index.splitBytes}`);
    }
    index.forget();
    assert.equal(index.drilledBytes, 0);
    assert.ok(text.length > 0, 'the text lives until here, or its memory would be counted');
  });
}
