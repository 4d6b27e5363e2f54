/** What every server is asked for, as lists of paths. */
import { type Dataset, otherTiles, otherWindows, restOf, type Tile } from './dataset.ts';
import { type Paths, RGB_TILE, type TileWant } from './peer.ts';

export interface Case {
  readonly name: string;
  readonly accept: string;
  /** True: one path over and over; false: every path once, so that no cache of replies can help. */
  readonly repeated: boolean;
  /** Requests, at most, whatever the options say. */
  readonly requests?: number;
  /** Null where this server has no such thing. */
  paths(dataset: Dataset, paths: Paths): string[] | null;
  /** What warms the server; absent: the first tenth of the paths, which then is not measured. */
  warm?(dataset: Dataset, paths: Paths): string[];
}

/** Null where one of them is. */
export function allOf(list: readonly (string | null)[]): string[] | null {
  return list.every(path => path !== null) ? [...list] : null;
}

function vectorPaths(dataset: Dataset, paths: Paths): string[] | null {
  return allOf(dataset.vectorTiles.map(tile => paths.vectorTile(tile)));
}

function tilesOf({ rasterTiles, rasterTiles512 }: Dataset, { size }: TileWant): readonly Tile[] {
  return size === 512 ? rasterTiles512 : rasterTiles;
}

function tilePaths(want: TileWant, choose = (tiles: readonly Tile[]) => tiles) {
  return (dataset: Dataset, paths: Paths): string[] | null =>
    allOf(choose(tilesOf(dataset, want)).map(tile => paths.rasterTile(tile, want)));
}

function rasterCase(name: string, want: Partial<TileWant>): Case {
  const whole = { ...RGB_TILE, ...want };
  const accept = whole.format === 'jpg' ? 'image/jpeg' : `image/${whole.format}`;
  return { name, accept, repeated: false, paths: tilePaths(whole) };
}

/** The same by a server that has painted as many other tiles: its code is compiled, its files are open. */
function warmed(one: Case, want: Partial<TileWant>): Case {
  const others = tilePaths({ ...RGB_TILE, ...want }, otherTiles);
  return { ...one, warm: (dataset, paths) => orFirst(others(dataset, paths), one.paths(dataset, paths)) };
}

/** Where a list holds every tile there is, some of its own must do. */
function orFirst(others: string[] | null, own: string[] | null): string[] {
  return others && others.length > 0 ? others : (own ?? []).slice(0, 100);
}

function steady(name: string, want: Partial<TileWant>): Case {
  return warmed(rasterCase(name, want), want);
}

/** All tiles of the zooms of the list, by a server that has made those of the list and as many others before. */
function served(name: string, want: Partial<TileWant>): Case {
  const whole = { ...RGB_TILE, ...want };
  const before = tilePaths(whole, tiles => [...otherTiles(tiles), ...tiles]);
  return {
    ...rasterCase(name, want),
    requests: Number.POSITIVE_INFINITY,
    paths: tilePaths(whole, restOf),
    warm: (dataset, paths) => before(dataset, paths) ?? [],
  };
}

const WINDOW: Case = {
  name: 'window, 512 px PNG',
  accept: 'image/png',
  repeated: false,
  paths: (dataset, paths) => allOf(dataset.windows.map(window => paths.window(window))),
};

/** The cases of bench/raster.ts. */
export const RASTER_CASES: readonly Case[] = [
  steady('RGB, 256 px PNG', {}),
  steady('RGB, 512 px PNG', { size: 512 }),
  steady('RGB, 512 px WebP', { size: 512, format: 'webp' }),
  steady('float32 in colours, 256 px PNG', { layer: 'dem' }),
  steady('UTM to web mercator, 256 px PNG', { layer: 'utm' }),
  {
    ...WINDOW,
    warm: (dataset, paths) => orFirst(allOf(otherWindows(dataset.windows).map(each => paths.window(each))), null),
  },
  steady('JPEG blocks of 256 px as JPEG', { layer: 'jpeg', format: 'jpg' }),
  served('JPEG blocks, all others after those', { layer: 'jpeg', format: 'jpg' }),
  steady('WebP blocks of 256 px as WebP', { layer: 'webp', format: 'webp' }),
  served('WebP blocks, all others after those', { layer: 'webp', format: 'webp' }),
];

export const CASES: readonly Case[] = [
  { name: 'vector tile', accept: 'application/vnd.mapbox-vector-tile', repeated: false, paths: vectorPaths },
  rasterCase('raster tile, 256 px PNG', {}),
  WINDOW,
  {
    name: 'same raster tile again',
    accept: 'image/png',
    repeated: true,
    paths: (dataset, paths) => tilePaths(RGB_TILE)(dataset, paths)?.slice(0, 1) ?? null,
  },
  {
    name: 'same vector tile again',
    accept: 'application/vnd.mapbox-vector-tile',
    repeated: true,
    paths: (dataset, paths) => vectorPaths(dataset, paths)?.slice(0, 1) ?? null,
  },
];
