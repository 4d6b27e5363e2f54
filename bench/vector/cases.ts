/** The lists of tiles that the servers are asked for, every tile once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../peers/cases.ts';
import { otherTiles, type Tile } from '../peers/dataset.ts';
import type { Paths } from '../peers/peer.ts';

export interface VectorCase extends Case {
  readonly connections: number;
  /** At most. */
  readonly seconds: number;
}

const ACCEPT = 'application/vnd.mapbox-vector-tile';
/** Where make-bench-data.py puts its buildings: degrees, west south east north. */
const PLACE = [4.0006744, 50.0007367, 5.9992605, 51.9992288] as const;

const pathsOf = (tiles: readonly Tile[], paths: Paths): string[] => tiles.map(tile => paths.vectorTile(tile) as string);

/** Every tile of the zoom that the buildings lie in. */
function tilesOver(z: number): Tile[] {
  const [west, south, east, north] = PLACE;
  const column = (lon: number) => Math.floor(((lon + 180) / 360) * 2 ** z);
  const row = (lat: number) => Math.floor(((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** z);
  const tiles: Tile[] = [];
  for (let y = row(north); y <= row(south); y++)
    for (let x = column(west); x <= column(east); x++) tiles.push({ z, x, y });
  return tiles;
}

export function vectorCases(dir: string): VectorCase[] {
  const lines = readFileSync(join(dir, 'tiles-vector.txt'), 'utf8').trim().split('\n');
  const dense = lines.map(line => {
    const [z, x, y] = line.split('/').map(Number);
    return { z: z!, x: x!, y: y! };
  });
  const low = [4, 5, 6, 7, 8, 9].flatMap(tilesOver);
  const common = { accept: ACCEPT, repeated: false };
  return [
    {
      ...common,
      name: 'z10–14, 1,000 tiles, 16 clients',
      connections: 16,
      seconds: 60,
      paths: (dataset, paths) => pathsOf(dataset.vectorTiles, paths),
    },
    {
      ...common,
      name: 'z10–14 after as many others, 16 clients',
      connections: 16,
      seconds: 60,
      paths: (dataset, paths) => pathsOf(dataset.vectorTiles, paths),
      warm: (dataset, paths) => pathsOf(otherTiles(dataset.vectorTiles), paths),
    },
    {
      ...common,
      name: 'dense, 100 tiles, 16 clients',
      connections: 16,
      seconds: 60,
      paths: (_, paths) => pathsOf(dense, paths),
      warm: (dataset, paths) => pathsOf(dataset.vectorTiles.slice(0, 200), paths),
    },
    {
      ...common,
      name: 'z4–9, 37 tiles, 64 clients',
      connections: 64,
      seconds: 60,
      paths: (_, paths) => pathsOf(low, paths),
      warm: (dataset, paths) => pathsOf(dataset.vectorTiles.slice(0, 20), paths),
    },
  ];
}
