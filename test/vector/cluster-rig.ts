/** Points for the tests of clusters, and what every cell should have by a look at each of them. */
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import Supercluster from 'supercluster';
import type { ClusterChoice } from '../../src/layers/types.ts';
import { projectionOf } from '../../src/render/vector/boxes.ts';
import { clusterCellsAt } from '../../src/render/vector/clusters.ts';
import type { TileMatrixSet } from '../../src/tile.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { type WriteFeature, type WriteOptions, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, type RigTile, seeded, tileOf } from './rig.ts';

export type LonLat = readonly [number, number];

/** Towns of all sizes, some points far out, and some at one place; along a Z-curve, so that nodes are small. */
export function townPoints(n: number, seed = 5): LonLat[] {
  const next = seeded(seed);
  const towns = Array.from({ length: 25 }, () => [next() * 340 - 170, next() * 130 - 62, 10 ** (next() * 3 - 2.5)]);
  const points = Array.from({ length: n }, (_, i): LonLat => {
    if (i % 50 === 0) return [next() * 360 - 180, next() * 160 - 80];
    const [x, y, size] = towns[Math.floor(next() * next() * towns.length)];
    if (i % 17 === 0) return [x, y];
    const spread = () => (next() + next() + next() - 1.5) * size * 3;
    return [Math.max(-180, Math.min(180, x + spread())), Math.max(-84, Math.min(84, y + spread()))];
  });
  return points.toSorted((a, b) => curve(a) - curve(b));
}

function curve([x, y]: LonLat): number {
  let code = 0;
  const [col, row] = [Math.floor(((x + 180) / 360) * 65_535), Math.floor(((y + 90) / 180) * 65_535)];
  for (let bit = 15; bit >= 0; bit--) code = code * 4 + ((col >> bit) & 1) * 2 + ((row >> bit) & 1);
  return code;
}

export function pointsFile(points: readonly (LonLat | null)[], options: WriteOptions = {}): Uint8Array {
  const features = points.map((at, i): WriteFeature => {
    const geometry = at && ({ type: 'Point', coordinates: [...at] } as const);
    return { geometry, properties: { name: `p${i}`, point_count: i } };
  });
  const columns = [
    { name: 'name', type: 'string' },
    { name: 'point_count', type: 'int' },
  ] as const;
  return writeFgb(features, { type: 'Point', columns, ...options });
}

export interface BruteCell {
  readonly col: number;
  readonly row: number;
  /** Places in the file. */
  readonly points: number[];
  /** Sums of places in cells. */
  x: number;
  y: number;
}

/** What is in each cell of a zoom, by a look at every point; by "col/row". */
export function bruteCells(
  layer: FgbLayer,
  points: readonly LonLat[],
  z: number,
  grid: TileMatrixSet = WEB_MERCATOR_QUAD,
): Map<string, BruteCell> {
  const { source } = layer;
  const at = clusterCellsAt({ source, projection: projectionOf(source.crs as string, grid.crs), grid }, layer, z);
  const found = new Map<string, BruteCell>();
  points.forEach(([lon, lat], i) => {
    if (!at) return;
    const [x, y] = [at.cells.col(lon), at.cells.row(lat)];
    const [col, row] = [Math.floor(x), Math.floor(y)];
    const cell = found.get(`${col}/${row}`) ?? { col, row, points: [], x: 0, y: 0 };
    found.set(`${col}/${row}`, cell);
    cell.points.push(i);
    cell.x += x;
    cell.y += y;
  });
  return found;
}

export interface Seen {
  readonly id: number;
  readonly count: number;
  readonly properties: Readonly<Record<string, unknown>>;
  /** In units of the whole grid of the zoom. */
  readonly x: number;
  readonly y: number;
}

/** Every cluster and single point of a zoom, by its id, with each sight of it: more than one at the edges of tiles. */
export async function seenAt(
  layer: FgbLayer,
  z: number,
  tiles: Iterable<readonly [number, number]>,
  grid: TileMatrixSet = WEB_MERCATOR_QUAD,
): Promise<{ seen: Map<number, Seen[]>; tiles: RigTile[] }> {
  const seen = new Map<number, Seen[]>();
  const made: RigTile[] = [];
  for (const [x, y] of tiles) {
    const tile = await tileOf(layer, z, x, y, { grid });
    if (!tile) continue;
    made.push(tile);
    for (const { id, properties, at } of read(tile.body)) {
      const sights = seen.get(id) ?? [];
      seen.set(id, sights);
      const count = properties['cluster'] === true ? Number(properties['point_count']) : 1;
      for (const [px, py] of at) sights.push({ id, count, properties, x: x * 4096 + px, y: y * 4096 + py });
    }
  }
  return { seen, tiles: made };
}

export function read(body: Uint8Array) {
  return Object.values(new VectorTile(new PbfReader(body)).layers).flatMap(layer =>
    Array.from({ length: layer.length }, (_, i) => {
      const feature = layer.feature(i);
      const at = feature.loadGeometry().map(([{ x, y }]) => [x, y] as const);
      return { id: feature.id as number, properties: feature.properties, at };
    }),
  );
}

export function superclusterOf(points: readonly LonLat[], options: ClusterChoice = {}): Supercluster {
  const index = new Supercluster({ radius: 40, extent: 512, minPoints: 2, maxZoom: 16, ...options });
  return index.load(
    points.map(([lon, lat], i) => ({
      type: 'Feature',
      properties: { name: `p${i}` },
      geometry: { type: 'Point', coordinates: [lon, lat] },
    })),
  );
}

/** All tiles of a zoom. */
export function* everyTile(z: number, grid: TileMatrixSet = WEB_MERCATOR_QUAD): Generator<readonly [number, number]> {
  const { matrixWidth, matrixHeight } = grid.matrices[z];
  for (let x = 0; x < matrixWidth; x++) for (let y = 0; y < matrixHeight; y++) yield [x, y];
}

/** The tile of the zoom with most points. */
export function busiest(points: readonly LonLat[], z: number): readonly [number, number] {
  const counts = new Map<string, number>();
  for (const point of points) {
    const key = tileOfPoint(point, z).join('/');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [[key]] = [...counts].toSorted((a, b) => b[1] - a[1]);
  const [x, y] = key.split('/').map(Number);
  return [x, y];
}

function tileOfPoint([lon, lat]: LonLat, z: number): [number, number] {
  const size = 2 ** z;
  const rad = (lat * Math.PI) / 180;
  const row = Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * size);
  return [Math.floor(((lon + 180) / 360) * size), row];
}

/** Those of the zoom that have a point, and their neighbours. */
export function tilesWith(points: readonly LonLat[], z: number): (readonly [number, number])[] {
  const size = 2 ** z;
  const near = new Map<string, readonly [number, number]>();
  for (const point of points) {
    const [col, row] = tileOfPoint(point, z);
    for (let x = col - 1; x <= col + 1; x++)
      for (let y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++)
        near.set(`${(x + size) % size}/${y}`, [(x + size) % size, y]);
  }
  return [...near.values()];
}
