/** FlatGeobuf of another server beside the same files in a folder, and a large one that is made here. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../../src/app.ts';
import { DEMO, SHARED, type TestAppOptions, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { writeFgb } from '../vector/fgb-writer.ts';
import { seeded } from '../vector/rig.ts';
import type { RangeServer } from './range-server.ts';

/** Near layers by their name; far ones have `far-` before it. */
export interface Pair {
  readonly name: string;
  readonly path: string;
  readonly options?: Readonly<Record<string, unknown>>;
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
  for (const { name, path, options: own = {} } of pairs) {
    server.put(`/${name}.fgb`, path);
    layers[name] = { path, ...own };
    layers[`far-${name}`] = { path: `${server.url}/${name}.fgb`, ...own };
  }
  const file = join(folder, 'plimsoll.json');
  writeFileSync(file, JSON.stringify({ layers }));
  const set = { 'remote.addresses': '127.0.0.0/8', 'remote.retries': '0', 'remote.timeout': '5s', ...options.set };
  return testApp({ ...options, paths: options.paths ?? [], file, set });
}

const SIDE = 1024;

/** So many points with three attributes, in order of the squares of a grid as a packed index has them. */
export function manyPoints(count: number): Uint8Array {
  const random = seeded(7);
  const places = Array.from({ length: count }, () => {
    // Crowded in one corner of the map, as towns are.
    const [x, y] = [random() ** 2 * 40 - 10, random() ** 2 * 30 + 35];
    return { x, y, key: morton(((x + 10) / 40) * SIDE, ((y - 35) / 30) * SIDE) };
  });
  places.sort((a, b) => a.key - b.key);
  const features = places.map(({ x, y }, i) => ({
    geometry: { type: 'Point' as const, coordinates: [x, y] },
    properties: { name: `place ${i}`, size: (i * 7919) % 1000, kind: ['a', 'b', 'c'][i % 3] },
  }));
  const columns = [
    { name: 'name', type: 'string' as const },
    { name: 'size', type: 'int' as const },
    { name: 'kind', type: 'string' as const },
  ];
  return writeFgb(features, { type: 'Point', columns });
}

function morton(x: number, y: number): number {
  let key = 0;
  for (let bit = 0; bit < 10; bit++) key += ((x >> bit) & 1) * 4 ** bit + ((y >> bit) & 1) * 2 * 4 ** bit;
  return key;
}
