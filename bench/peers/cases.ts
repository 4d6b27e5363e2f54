/** The four things every server is asked for, as lists of paths. */
import type { Dataset } from './dataset.ts';
import type { Paths } from './peer.ts';

export interface Case {
  readonly name: string;
  readonly accept: string;
  /** True: one path over and over; false: every path once, so that no cache of replies can help. */
  readonly repeated: boolean;
  /** Null where this server has no such thing. */
  paths(dataset: Dataset, paths: Paths): string[] | null;
}

function vectorPaths(dataset: Dataset, paths: Paths): string[] | null {
  const list = dataset.vectorTiles.map(tile => paths.vectorTile(tile));
  return list.every(path => path !== null) ? list : null;
}

export const CASES: readonly Case[] = [
  { name: 'vector tile', accept: 'application/vnd.mapbox-vector-tile', repeated: false, paths: vectorPaths },
  {
    name: 'raster tile, 256 px PNG',
    accept: 'image/png',
    repeated: false,
    paths: (dataset, paths) => dataset.rasterTiles.map(tile => paths.rasterTile(tile)),
  },
  {
    name: 'window, 512 px PNG',
    accept: 'image/png',
    repeated: false,
    paths: (dataset, paths) => dataset.windows.map(window => paths.window(window)),
  },
  {
    name: 'same raster tile again',
    accept: 'image/png',
    repeated: true,
    paths: (dataset, paths) => [paths.rasterTile(dataset.rasterTiles[0]!)],
  },
  {
    name: 'same vector tile again',
    accept: 'application/vnd.mapbox-vector-tile',
    repeated: true,
    paths: (dataset, paths) => vectorPaths(dataset, paths)?.slice(0, 1) ?? null,
  },
];
