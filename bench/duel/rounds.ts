/** What is asked in each round, and which tiles stand for those that everybody looks at. */
import { allOf } from '../peers/cases.ts';
import { type Dataset, shuffled, type Tile, type Window } from '../peers/dataset.ts';
import { type Paths, RGB_TILE } from '../peers/peer.ts';

export type RoundName = 'tiles' | 'windows' | 'vector';

export interface Round {
  readonly name: RoundName;
  readonly title: string;
  /** Content type of a right answer, as a pattern; anything else behind 200 is a failure. */
  readonly accept: string;
  /** Sides of the picture in pixels; null: it is none. */
  readonly pixels: number | null;
  /** Taken in turn by all clients together, from the first again after the last; null where the server has no such thing. */
  burst(paths: Paths, dataset: Dataset): string[] | null;
  /** Few, asked for before the burst and all through it. */
  hot(paths: Paths, dataset: Dataset): string[] | null;
}

/** bench-rgb.tif fills exactly the tile of zoom 9 that holds 5° E 51° N: 16384 pixels a side. */
const HOME: Tile = { z: 9, x: 263, y: 171 };
const WORLD_METRES = 2 * Math.PI * 6378137;
const PIXELS = 16384;
/** bench.fgb: its boxes in degrees. */
const BOX = { west: 4, south: 50, east: 6, north: 52 };

function below({ z, x, y }: Tile, zoom: number): Tile[] {
  const side = 2 ** (zoom - z);
  return Array.from({ length: side * side }, (_, n) => ({
    z: zoom,
    x: x * side + (n % side),
    y: y * side + Math.floor(n / side),
  }));
}

function columnOf(lon: number, z: number): number {
  return Math.floor(((lon + 180) / 360) * 2 ** z);
}

function rowOf(lat: number, z: number): number {
  const radians = (lat * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(radians)) / Math.PI) / 2) * 2 ** z);
}

/** Every tile of the zoom that meets the polygons. */
function vectorTiles(z: number): Tile[] {
  const [left, right] = [columnOf(BOX.west, z), columnOf(BOX.east, z)];
  const [top, bottom] = [rowOf(BOX.north, z), rowOf(BOX.south, z)];
  const columns = Array.from({ length: right - left + 1 }, (_, i) => left + i);
  const rows = Array.from({ length: bottom - top + 1 }, (_, i) => top + i);
  return columns.flatMap(x => rows.map(y => ({ z, x, y })));
}

/** Windows of so many pixels a side at the file's own resolution, no two alike, in no order that helps. */
function windows(pixels: number, step: number): Window[] {
  const metres = WORLD_METRES / 2 ** HOME.z / PIXELS;
  const left = -WORLD_METRES / 2 + (HOME.x * WORLD_METRES) / 2 ** HOME.z;
  const top = WORLD_METRES / 2 - (HOME.y * WORLD_METRES) / 2 ** HOME.z;
  const side = Math.floor((PIXELS - pixels) / step);
  const places = Array.from(
    { length: side * side },
    (_, n) => [(n % side) * step, Math.floor(n / side) * step] as const,
  );
  return shuffled(places).map(([x, y]) => {
    const west = left + x * metres;
    const north = top - y * metres;
    return [west, north - pixels * metres, west + pixels * metres, north];
  });
}

function hotRaster(paths: Paths): string[] | null {
  return allOf(below(HOME, 11).map(tile => paths.rasterTile(tile, RGB_TILE)));
}

const TILES: Round = {
  name: 'tiles',
  title: '256 px PNG tiles',
  accept: 'image/png',
  pixels: 256,
  burst: paths =>
    allOf(shuffled([12, 13, 14, 15].flatMap(z => below(HOME, z))).map(tile => paths.rasterTile(tile, RGB_TILE))),
  hot: hotRaster,
};

const WINDOWS: Round = {
  name: 'windows',
  title: 'windows of 2048² as PNG',
  accept: 'image/png',
  pixels: 2048,
  burst: paths => allOf(windows(2048, 300).map(window => paths.window(window, 2048))),
  hot: hotRaster,
};

const VECTOR: Round = {
  name: 'vector',
  title: 'vector tiles z4–z9 of 500,000 polygons',
  accept: 'application/(vnd\\.mapbox-vector-tile|x-protobuf)',
  pixels: null,
  burst: paths => allOf(shuffled([4, 5, 6, 7, 8, 9].flatMap(vectorTiles)).map(tile => paths.vectorTile(tile))),
  hot: (paths, { vectorTiles: listed }) =>
    allOf(
      listed
        .filter(({ z }) => z >= 12)
        .slice(0, 16)
        .map(tile => paths.vectorTile(tile)),
    ),
};

export const ROUNDS: readonly Round[] = [TILES, WINDOWS, VECTOR];
