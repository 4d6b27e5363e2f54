/** What is served and asked for: the demo data, or a folder with bench.fgb, bench-rgb.tif and request lists. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Tile {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** EPSG:3857 metres. */
export type Window = readonly [number, number, number, number];

export type RasterLayer = 'rgb' | 'dem' | 'utm' | 'jpeg' | 'webp';

export interface Dataset {
  readonly name: string;
  readonly vector: string;
  readonly raster: string;
  /** A float32 elevation model, and the raster in UTM, where the data has them. */
  readonly dem?: string;
  readonly utm?: string;
  /** Web-optimised, in blocks of 256 px of these codecs: bench/make-blocks.py. */
  readonly jpeg?: string;
  readonly webp?: string;
  /** No two alike, so that a list asked for once meets no cache of tiles. */
  readonly vectorTiles: readonly Tile[];
  readonly rasterTiles: readonly Tile[];
  /** For tiles of 512 px: a zoom less for the same pixels. */
  readonly rasterTiles512: readonly Tile[];
  readonly windows: readonly Window[];
}

export function rasterFiles(dataset: Dataset): [RasterLayer, string][] {
  const { raster: rgb, dem, utm, jpeg, webp } = dataset;
  const all = Object.entries({ rgb, dem, utm, jpeg, webp });
  return all.filter((entry): entry is [RasterLayer, string] => entry[1] !== undefined);
}

function nameOf({ z, x, y }: Tile): string {
  return `${z}/${x}/${y}`;
}

/** As many others near by, which warm a server without making the answers that are measured. */
export function otherTiles(tiles: readonly Tile[]): Tile[] {
  const taken = new Set(tiles.map(nameOf));
  return tiles.flatMap(({ z, x, y }) => {
    const other = [1, 2, 3].map(n => ({ z, x: x ^ (n & 1), y: y ^ (n >> 1) })).find(each => !taken.has(nameOf(each)));
    if (other) taken.add(nameOf(other));
    return other ? [other] : [];
  });
}

/** All others of their zooms in the box around them, in no order that a file has. */
export function restOf(tiles: readonly Tile[]): Tile[] {
  const taken = new Set([...tiles, ...otherTiles(tiles)].map(nameOf));
  const rest = [...new Set(tiles.map(({ z }) => z))].flatMap(z => {
    const own = tiles.filter(tile => tile.z === z);
    const range = (values: number[]): number[] => {
      const first = Math.min(...values);
      return Array.from({ length: Math.max(...values) - first + 1 }, (_, i) => first + i);
    };
    const rows = range(own.map(({ y }) => y));
    return range(own.map(({ x }) => x)).flatMap(x => rows.map(y => ({ z, x, y })));
  });
  return shuffled(rest.filter(tile => !taken.has(nameOf(tile))));
}

/** The same, a third of their width further. */
export function otherWindows(windows: readonly Window[]): Window[] {
  return windows.map(([left, bottom, right, top]) => {
    const step = (right - left) / 3;
    return [left - step, bottom, right - step, top];
  });
}

const HALF = Math.PI * 6378137;
export function tileBox({ z, x, y }: Tile): Window {
  const side = (2 * HALF) / 2 ** z;
  return [-HALF + x * side, HALF - (y + 1) * side, -HALF + (x + 1) * side, HALF - y * side];
}

const DEMO = fileURLToPath(new URL('../../demo/', import.meta.url));

function lines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '');
}

function tilesIn(path: string): Tile[] {
  return lines(path).map(line => {
    const [z, x, y] = line.split('/').map(Number);
    return { z: z!, x: x!, y: y! };
  });
}

function optional(dir: string, name: 'jpeg' | 'webp'): Partial<Dataset> {
  const path = join(dir, `bench-${name}.tif`);
  return existsSync(path) ? { [name]: path } : {};
}

function folder(dir: string): Dataset {
  const need = [
    'bench.fgb',
    'bench-rgb.tif',
    'bench-dem.tif',
    'bench-rgb-utm.tif',
    'tiles-vector-1000.txt',
    'tiles-raster-1000.txt',
    'tiles-raster-512-1000.txt',
    'bbox-raster.txt',
  ];
  const lacks = need.filter(name => !existsSync(join(dir, name)));
  if (lacks.length > 0) throw new Error(`${dir} lacks ${lacks.join(', ')}`);
  return {
    name: dir,
    vector: join(dir, 'bench.fgb'),
    raster: join(dir, 'bench-rgb.tif'),
    dem: join(dir, 'bench-dem.tif'),
    utm: join(dir, 'bench-rgb-utm.tif'),
    ...optional(dir, 'jpeg'),
    ...optional(dir, 'webp'),
    vectorTiles: tilesIn(join(dir, 'tiles-vector-1000.txt')),
    rasterTiles: tilesIn(join(dir, 'tiles-raster-1000.txt')),
    rasterTiles512: tilesIn(join(dir, 'tiles-raster-512-1000.txt')),
    windows: lines(join(dir, 'bbox-raster.txt')).map(line => line.split(',').map(Number) as unknown as Window),
  };
}

/** Numerical Recipes' linear congruential generator: the same order every time. */
export function shuffled<T>(items: readonly T[]): T[] {
  const out = [...items];
  let seed = 20261123;
  for (let i = out.length - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = seed % (i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** Every tile of the zooms between the latitudes where both demo layers have something. */
function worldTiles(zooms: readonly number[]): Tile[] {
  const tiles = zooms.flatMap(z => {
    const side = 2 ** z;
    const rows = Array.from({ length: side }, (_, y) => y).filter(y => z < 3 || (y >= side * 0.2 && y < side * 0.7));
    return rows.flatMap(y => Array.from({ length: side }, (_, x) => ({ z, x, y })));
  });
  return shuffled(tiles);
}

function worldWindows(count: number): Window[] {
  const side = HALF / 8;
  const places = worldTiles([5]).slice(0, count);
  return places.map(({ x, y }) => {
    const left = -HALF + (x * HALF) / 16;
    const top = HALF - (y * HALF) / 16;
    return [left, top - side, left + side, top];
  });
}

function demo(): Dataset {
  return {
    name: 'demo',
    vector: join(DEMO, 'countries.fgb'),
    raster: join(DEMO, 'world.tif'),
    vectorTiles: worldTiles([2, 3, 4, 5]),
    rasterTiles: worldTiles([2, 3, 4, 5]),
    rasterTiles512: worldTiles([2, 3, 4]),
    windows: worldWindows(100),
  };
}

export function openDataset(dir: string | undefined): Dataset {
  return dir === undefined ? demo() : folder(dir);
}
