/** FlatGeobuf of another server beside the same files in a folder, and a large one that is made here. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Geometry } from 'geojson';
import type { App } from '../../src/app.ts';
import { DEMO, SHARED, type TestAppOptions, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';
import { seeded, tileRange } from '../vector/rig.ts';
import type { RangeServer } from './range-server.ts';

/** Near layers by their name; far ones have `far-` before it. */
export interface Pair {
  readonly name: string;
  readonly path: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Of the far one alone. */
  readonly overview?: { readonly path: string; readonly modified?: string };
}

export const DEMO_PAIRS: readonly Pair[] = [
  { name: 'countries', path: join(DEMO, 'countries.fgb'), options: { labels: true } },
  { name: 'places', path: join(DEMO, 'places.fgb') },
];

export const SHARED_PAIRS: readonly Pair[] = WITHOUT_SHARED
  ? []
  : ['osm_liechtenstein_multipolygons', 'dutch_addresses_28992', 'ne_10m_rivers_lake_centerlines', 'UScounties'].map(
      name => ({ name, path: join(SHARED, 'vector', `${name}.fgb`) }),
    );

export async function pairApp(
  folder: string,
  server: RangeServer,
  pairs: readonly Pair[],
  options: TestAppOptions = {},
): Promise<App> {
  const layers: Record<string, object> = {};
  for (const { name, path, overview, options: own = {} } of pairs) {
    server.put(`/${name}.fgb`, path);
    if (overview) server.put(`/${name}.fgb.plo`, overview.path, overview);
    layers[name] = { path, ...own };
    layers[`far-${name}`] = { path: `${server.url}/${name}.fgb`, ...own };
  }
  const file = join(folder, 'plimsoll.json');
  writeFileSync(file, JSON.stringify({ layers }));
  const set = { 'remote.addresses': '127.0.0.0/8', 'remote.retries': '0', 'remote.timeout': '5s', ...options.set };
  return testApp({ ...options, paths: options.paths ?? [], file, set });
}

const SIDE = 1024;

/** Two tiles a zoom: of the middle, and of the corner where the large one is crowded. */
export async function tilesOf(app: App, name: string, zooms: readonly number[]): Promise<string[]> {
  const bounds = (await app.server.inject(`/layers/${name}`)).json().bounds as number[];
  return zooms.flatMap(z => {
    const [x0, y0, x1, y1] = tileRange(bounds, z);
    const middle = `${z}/${(x0 + x1) >> 1}/${(y0 + y1) >> 1}`;
    return [...new Set([middle, `${z}/${x0}/${y1}`])];
  });
}

export interface Compared {
  readonly bytes: number;
  readonly compared: number;
}

/** Says the layer's name as the near one does: the length of the name is in the tile too. */
export async function compare(app: App, name: string, places: readonly string[], query = ''): Promise<Compared> {
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

/** So many points or squares with three attributes, in order of the squares of a grid as a packed index has them. */
export function many(count: number, shape: 'Point' | 'Polygon'): Uint8Array {
  const random = seeded(7);
  const places = Array.from({ length: count }, () => {
    // Crowded in one corner of the map, as towns are.
    const [x, y] = [random() ** 2 * 40 - 10, random() ** 2 * 30 + 35];
    return { x, y, key: morton(((x + 10) / 40) * SIDE, ((y - 35) / 30) * SIDE) };
  });
  places.sort((a, b) => a.key - b.key);
  const features = places.map(({ x, y }, i) => ({
    geometry: shape === 'Point' ? { type: shape, coordinates: [x, y] } : square(x, y, 0.001 + (i % 7) * 0.001),
    properties: { name: `place ${i}`, size: (i * 7919) % 1000, kind: ['a', 'b', 'c'][i % 3] },
  }));
  const columns = [
    { name: 'name', type: 'string' as const },
    { name: 'size', type: 'int' as const },
    { name: 'kind', type: 'string' as const },
  ];
  return writeFgb(features, { type: shape, columns });
}

function square(x: number, y: number, side: number): Geometry {
  const [east, north] = [x + side, y + side];
  const ring = [
    [x, y],
    [east, y],
    [east, north],
    [x, north],
    [x, y],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

function morton(x: number, y: number): number {
  let key = 0;
  for (let bit = 0; bit < 10; bit++) key += ((x >> bit) & 1) * 4 ** bit + ((y >> bit) & 1) * 2 * 4 ** bit;
  return key;
}
