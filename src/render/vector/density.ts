/**
 * Where a layer is densest, from the lowest resident level of its index: the middles of the nodes, projected once, stand for the
 * features below them.
 */
import { transformer } from '../../crs/index.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { STRIDE } from '../../source/fgb/rtree.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import { cellGrid } from './cells.ts';
import type { Projection } from './job.ts';

export interface Density {
  readonly nodes: number;
  /** Middles of the nodes in grid units, and their areas there; NaN where a node has no place. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly area: Float64Array;
  readonly leaves: Uint16Array;
}

export interface DenseTile {
  readonly tile: TileCoord;
  /** Features in it, by the middles of their nodes. */
  readonly count: number;
}

export function densityOf(source: FgbSource, projection: Projection, grid: TileMatrixSet): Density | null {
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
  const cells = cellGrid(source, projection, grid, 0, 1);
  const side = grid.matrices[0].resolution * grid.matrices[0].tileWidth;
  return (x, y, out, at) => {
    out[at] = originX + cells.col(x) * side;
    out[at + 1] = originY - cells.row(y) * side;
  };
}

/** The tile with the most features, and the tile in which the most cells (so many a tile side) have any. */
export function densestTiles(density: Density, grid: TileMatrixSet, z: number, cells: number): DenseTile[] {
  const matrix = grid.matrices[z];
  const width = matrix.resolution * matrix.tileWidth;
  const height = matrix.resolution * matrix.tileHeight;
  const cellArea = (width / cells) * (height / cells);
  const counts = new Map<number, number>();
  const spread = new Map<number, number>();
  const seen = new Set<number>();
  for (let i = 0; i < density.nodes; i++) {
    const col = (density.x[i] - matrix.originX) / width;
    const row = (matrix.originY - density.y[i]) / height;
    if (!(col >= 0 && col < matrix.matrixWidth && row >= 0 && row < matrix.matrixHeight)) continue;
    const key = Math.floor(row) * matrix.matrixWidth + Math.floor(col);
    counts.set(key, (counts.get(key) ?? 0) + density.leaves[i]);
    let occupied = Math.min(density.leaves[i], density.area[i] / cellArea);
    if (occupied < 1) {
      const cell = Math.floor(row * cells) * matrix.matrixWidth * cells + Math.floor(col * cells);
      occupied = seen.has(cell) ? 0 : 1;
      seen.add(cell);
    }
    spread.set(key, (spread.get(key) ?? 0) + occupied);
  }
  const tiles = new Set([mostOf(counts), mostOf(spread)]);
  return [...tiles].flatMap(key => {
    if (key === null) return [];
    const tile = { z, x: key % matrix.matrixWidth, y: Math.floor(key / matrix.matrixWidth) };
    return [{ tile, count: counts.get(key) ?? 0 }];
  });
}

function mostOf(values: Map<number, number>): number | null {
  let most: number | null = null;
  let value = 0;
  for (const [key, v] of values) {
    if (v <= value) continue;
    most = key;
    value = v;
  }
  return most;
}
