/** Vector tiles of FlatGeobuf files on another server: the same bytes as of the same files in a folder, within their price. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { tileRange } from '../vector/rig.ts';
import { DEMO_PAIRS, manyPoints, type Pair, pairApp, SHARED_PAIRS } from './fgb-rig.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const COUNT = 120_000;
const AGGREGATES = { total: { op: 'sum', property: 'size' } };

let server: RangeServer;
let folder: string;
let app: App;
let pairs: readonly Pair[];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-far-tiles-'));
  const many = join(folder, 'many.fgb');
  writeFileSync(many, manyPoints(COUNT));
  pairs = [
    ...DEMO_PAIRS,
    ...SHARED_PAIRS,
    { name: 'many', path: many, options: { pointCount: true } },
    { name: 'dusty', path: many, options: { drop: 'dust' } },
    { name: 'clustered', path: many, options: { cluster: { maxZoom: 9 } } },
    { name: 'summed', path: many, options: { cluster: { maxZoom: 9, aggregates: AGGREGATES } } },
  ];
  server = await rangeServer();
  app = await pairApp(folder, server, pairs, { memory: '1GiB', set: { 'cache.enabled': 'false' } });
});
after(async () => {
  app.memory.ledger.audit();
  await app.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Two tiles a zoom: of the middle, and of the corner where the large one is crowded. */
async function tilesOf(name: string, zooms: readonly number[]): Promise<string[]> {
  const bounds = (await app.server.inject(`/layers/${name}`)).json().bounds as number[];
  return zooms.flatMap(z => {
    const [x0, y0, x1, y1] = tileRange(bounds, z);
    const middle = `${z}/${(x0 + x1) >> 1}/${(y0 + y1) >> 1}`;
    return [...new Set([middle, `${z}/${x0}/${y1}`])];
  });
}

interface Compared {
  readonly bytes: number;
  readonly compared: number;
}

/** Says the layer's name as the near one does: the length of the name is in the tile too. */
async function compare(name: string, places: readonly string[], query = ''): Promise<Compared> {
  let [bytes, compared] = [0, 0];
  const read = async (id: string, place: string) => {
    const answer = await app.server.inject({
      url: `/tiles/${id}/${place}.mvt${query}`,
      headers: { 'accept-encoding': 'identity' },
    });
    assert.ok(answer.statusCode === 200 || answer.statusCode === 204, `${id} ${place}: ${answer.body.slice(0, 300)}`);
    return {
      layers: layersOf(answer.rawPayload),
      dropped: answer.headers['x-tile-dropped'],
      status: answer.statusCode,
    };
  };
  for (const place of places) {
    const [near, far] = [await read(name, place), await read(`far-${name}`, place)];
    assert.deepEqual([far.status, far.dropped], [near.status, near.dropped], `${name} ${place}`);
    assert.equal(far.layers.length, near.layers.length);
    near.layers.forEach((layer, i) => {
      assert.ok(layer.equals(far.layers[i]), `${name} ${place}: layer ${i} differs`);
      bytes += layer.length;
    });
    compared++;
  }
  return { bytes, compared };
}

/** Bytes of each layer of a tile without its name. */
function layersOf(tile: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = () => {
    let [value, shift] = [0, 1];
    for (;;) {
      const byte = tile[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      shift *= 128;
    }
  };
  while (at < tile.length) {
    assert.equal(tile[at++], 0x1a);
    const length = varint();
    const end = at + length;
    // Version, then the name: field 1 follows field 15 or comes first.
    const parts: Buffer[] = [];
    while (at < end) {
      const from = at;
      const tag = varint();
      if ((tag & 7) === 2) {
        const size = varint();
        at += size;
      } else varint();
      if (tag >> 3 !== 1) parts.push(tile.subarray(from, at));
    }
    found.push(Buffer.concat(parts));
  }
  return found;
}

const ZOOMS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];

test('tiles of every zoom are the same, thinned, as dust, clustered or whole', async () => {
  for (const { name } of pairs) {
    const { bytes, compared } = await compare(name, await tilesOf(name, ZOOMS));
    assert.ok(bytes > 0 && compared > ZOOMS.length, name);
  }
});

test('filters, attributes and other grids', async () => {
  const filter = (text: string) => `?filter=${encodeURIComponent(text)}`;
  for (const [name, text] of [
    ['many', "size < 300 AND kind = 'a'"],
    ['dusty', 'size < 300'],
    ['clustered', 'size < 300'],
    ['summed', "kind <> 'b'"],
    ['places', "name LIKE 'A%'"],
  ])
    await compare(name, await tilesOf(name, [0, 3, 5, 8, 11]), filter(text));
  await compare('many', await tilesOf('many', [2, 6]), '?properties=kind');
});
