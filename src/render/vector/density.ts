/**
 * Where a layer is densest, from the lowest resident level of its index: the middles of the nodes, projected once, stand for the
 * features below them. What these weigh in the file takes one pass over the leaves.
 */
import { transformer } from '../../crs/index.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { leafEnd, leafOffset, STRIDE } from '../../source/fgb/rtree.ts';
import { rowFromTop, type TileCoord, type TileMatrixSet } from '../../tile.ts';
import { cellGrid } from './cells.ts';
import type { Projection } from './job.ts';

export interface Density {
  readonly nodes: number;
  /** Middles of the nodes in grid units, and their areas there; NaN where a node has no place. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly area: Float64Array;
  readonly leaves: Uint16Array;
  /** Bytes of their features in the file. */
  readonly bytes: Float64Array;
}

export interface DenseTile {
  readonly tile: TileCoord;
  /** Features in it, by the middles of their nodes, and their bytes. */
  readonly count: number;
  readonly bytes: number;
}

/** Tiles of each kind that are looked at. */
const TILES_A_KIND = 2;
/** Pages between two turns of the event loop. */
const PAGES_A_TURN = 32;

export async function densityOf(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
): Promise<Density | null> {
  const { tree } = source;
  if (!tree) return null;
  const { levels, nodeSize, count } = tree.shape;
  const { start, end } = levels[1];
  const nodes = end - start;
  const density = {
    nodes,
    x: new Float64Array(nodes),
    y: new Float64Array(nodes),
    area: new Float64Array(nodes),
    leaves: new Uint16Array(nodes),
    bytes: await bytesOfNodes(source),
  };
  const place = placer(source, projection, grid);
  const out = new Float64Array(4);
  for (let i = 0; i < nodes; i++) {
    const at = (start + i) * STRIDE;
    const [minx, miny, maxx, maxy] = tree.upper.subarray(at, at + 4);
    place((minx + maxx) / 2, (miny + maxy) / 2, out, 0);
    density.x[i] = out[0];
    density.y[i] = out[1];
    place(minx, miny, out, 0);
    place(maxx, maxy, out, 2);
    density.area[i] = Math.abs((out[2] - out[0]) * (out[3] - out[1]));
    density.leaves[i] = Math.min(nodeSize, count - i * nodeSize);
  }
  return density;
}

/** Bytes of the features below each node of level 1. */
async function bytesOfNodes({ tree }: FgbSource): Promise<Float64Array> {
  const { shape, pages, pageLeaves } = tree!;
  const bytes = new Float64Array(Math.ceil(shape.count / shape.nodeSize));
  for (let index = 0; index * pageLeaves < shape.count; index++) {
    const page = pages.at(index) ?? (await pages.load(index));
    for (let i = 0; i < page.count; i += shape.nodeSize) {
      const last = Math.min(page.count, i + shape.nodeSize) - 1;
      bytes[(page.first + i) / shape.nodeSize] = leafEnd(page, last) - leafOffset(page, i);
    }
    if (index % PAGES_A_TURN === PAGES_A_TURN - 1) await new Promise(resolve => setImmediate(resolve));
  }
  return bytes;
}

type Place = (x: number, y: number, out: Float64Array, at: number) => void;

/** Layer units to units of the grid's CRS. */
function placer(source: FgbSource, projection: Projection, grid: TileMatrixSet): Place {
  const { originX, originY } = grid.matrices[0];
  if (projection === 'other') {
    const move = transformer(source.crs as string, grid.crs);
    return (x, y, out, at) => {
      if (!move.forward(x, y, out, at)) out[at] = out[at + 1] = Number.NaN;
    };
  }
  const cells = cellGrid(source, projection, grid, 0);
  const side = grid.matrices[0].resolution * grid.matrices[0].tileWidth;
  return (x, y, out, at) => {
    out[at] = originX + cells.col(x) * side;
    out[at + 1] = originY - cells.row(y) * side;
  };
}

/**
 * The tiles with the most features and with the heaviest, and where so many cells a tile side thin them, those in which most
 * cells have any, and in which those weigh most.
 */
export function densestTiles(density: Density, grid: TileMatrixSet, z: number, cells: number | null): DenseTile[] {
  const matrix = grid.matrices[z];
  const width = matrix.resolution * matrix.tileWidth;
  const height = matrix.resolution * matrix.tileHeight;
  const sums = { counts: new Map(), bytes: new Map(), taken: new Map(), takenBytes: new Map() } as Sums;
  const seen = new Set<number>();
  for (let i = 0; i < density.nodes; i++) {
    const col = (density.x[i] - matrix.originX) / width;
    const row = (matrix.originY - density.y[i]) / height;
    if (!(col >= 0 && col < matrix.matrixWidth && row >= 0 && row < matrix.matrixHeight)) continue;
    const key = Math.floor(row) * matrix.matrixWidth + Math.floor(col);
    const leaves = density.leaves[i];
    add(sums.counts, key, leaves);
    add(sums.bytes, key, density.bytes[i]);
    if (cells === null) continue;
    let taken = Math.min(leaves, (density.area[i] * cells * cells) / (width * height));
    if (!(taken >= 1)) {
      const cell = Math.floor(row * cells) * Math.ceil(matrix.matrixWidth * cells) + Math.floor(col * cells);
      taken = seen.has(cell) ? 0 : 1;
      seen.add(cell);
    }
    add(sums.taken, key, taken);
    add(sums.takenBytes, key, (taken / leaves) * density.bytes[i]);
  }
  const tiles = new Set(Object.values(sums).flatMap(values => mostOf(values, TILES_A_KIND)));
  return [...tiles].map(key => {
    const tile = { z, x: key % matrix.matrixWidth, y: rowFromTop(matrix, Math.floor(key / matrix.matrixWidth)) };
    return { tile, count: sums.counts.get(key) ?? 0, bytes: sums.bytes.get(key) ?? 0 };
  });
}

type Sums = Readonly<Record<'counts' | 'bytes' | 'taken' | 'takenBytes', Map<number, number>>>;

function add(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

/** The keys of the n largest values. */
function mostOf(values: ReadonlyMap<number, number>, n: number): number[] {
  const most: [number, number][] = [];
  for (const entry of values) {
    if (most.length === n && entry[1] <= most[n - 1][1]) continue;
    most.push(entry);
    most.sort((a, b) => b[1] - a[1]);
    if (most.length > n) most.pop();
  }
  return most.map(([key]) => key);
}
