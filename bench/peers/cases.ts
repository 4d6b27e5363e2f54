/** What every server is asked for, as lists of paths. */
import type { Dataset } from './dataset.ts';
import { type Paths, RGB_TILE, type TileWant } from './peer.ts';

export interface Case {
  readonly name: string;
  readonly accept: string;
  /** True: one path over and over; false: every path once, so that no cache of replies can help. */
  readonly repeated: boolean;
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

function tilePaths(want: TileWant) {
  return ({ rasterTiles, rasterTiles512 }: Dataset, paths: Paths): string[] | null => {
    const tiles = want.size === 512 ? rasterTiles512 : rasterTiles;
    return allOf(tiles.map(tile => paths.rasterTile(tile, want)));
  };
}

function rasterCase(name: string, want: Partial<TileWant>): Case {
  const whole = { ...RGB_TILE, ...want };
  return { name, accept: `image/${whole.format}`, repeated: false, paths: tilePaths(whole) };
}

const WINDOW: Case = {
  name: 'window, 512 px PNG',
  accept: 'image/png',
  repeated: false,
  paths: (dataset, paths) => allOf(dataset.windows.map(window => paths.window(window))),
};

/** The cases of bench/raster.ts. */
export const RASTER_CASES: readonly Case[] = [
  rasterCase('RGB, 256 px PNG', {}),
  rasterCase('RGB, 512 px PNG', { size: 512 }),
  rasterCase('RGB, 512 px WebP', { size: 512, format: 'webp' }),
  rasterCase('float32 in colours, 256 px PNG', { layer: 'dem' }),
  rasterCase('UTM to web mercator, 256 px PNG', { layer: 'utm' }),
  WINDOW,
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
