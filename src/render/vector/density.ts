/**
 * Where a layer is densest, from the lowest resident level of its index: the middles of the nodes, or of so many neighbouring ones
 * together that there are not too many, projected once, stand for the features below them. What these weigh in the file takes one
 * pass over the leaves.
 */
import { transformer } from '../../crs/index.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { leafEnd, leafOffset, STRIDE } from '../../source/fgb/rtree.ts';
import { rowFromTop, type TileCoord, type TileMatrixSet } from '../../tile.ts';
import { cellGrid } from './cells.ts';
import type { Projection } from './job.ts';
import { SUMS, TileSums } from './tile-sums.ts';

export interface Density {
  readonly groups: number;
  /** Middles of the groups in grid units, and their areas there; NaN where a group has no place. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly area: Float64Array;
  /** Features of each, and their bytes in the file. */
  readonly leaves: Uint32Array;
  readonly bytes: Float64Array;
  /** Bytes of the longest feature of all. */
  readonly longest: number;
  /** For the sums of one zoom after the other. */
  readonly sums: TileSums;
}

export interface DenseTile {
  readonly tile: TileCoord;
  /** Features in it, by the middles of their groups, and their bytes. */
  readonly count: number;
  readonly bytes: number;
}

/** Tiles of each kind that are looked at. */
const TILES_A_KIND = 2;
/** Groups that stand for all nodes, at most: 36 bytes each, and twice that in sums. */
const GROUPS_MAX = 32_768;
const GROUP_BYTES = 36;
/** Groups and pages between two looks at the clock. */
const GROUPS_A_STEP = 1024;
const PAGES_A_STEP = 4;

/** Gives the thread away where it has been held for long. */
export type Rest = () => Promise<void>;

/** Nodes of level 1 that are one group. */
function nodesAGroup(nodes: number): number {
  return Math.ceil(nodes / GROUPS_MAX);
}

/** Bytes that the density of a layer of so many nodes takes. */
export function densityBytes(nodes: number): number {
  const groups = Math.ceil(nodes / nodesAGroup(nodes));
  return groups * GROUP_BYTES + TileSums.bytesFor(groups);
}

export async function densityOf(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  rest: Rest,
): Promise<Density | null> {
  const { tree } = source;
  if (!tree) return null;
  const { levels, nodeSize, count } = tree.shape;
  const { start, end } = levels[1];
  const span = nodesAGroup(end - start);
  const groups = Math.ceil((end - start) / span);
  const { bytes, longest } = await bytesOfGroups(source, span, groups, rest);
  const [x, y, area] = [new Float64Array(groups), new Float64Array(groups), new Float64Array(groups)];
  const leaves = Uint32Array.from({ length: groups }, (_, i) => Math.min(nodeSize * span, count - i * nodeSize * span));
  const place = placer(source, projection, grid);
  const out = new Float64Array(4);
  for (let i = 0; i < groups; i++) {
    if (i % GROUPS_A_STEP === 0) await rest();
    const box = boxOf(tree.upper, start + i * span, Math.min(end, start + (i + 1) * span));
    place((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, out, 0);
    x[i] = out[0];
    y[i] = out[1];
    place(box[0], box[1], out, 0);
    place(box[2], box[3], out, 2);
    area[i] = Math.abs((out[2] - out[0]) * (out[3] - out[1]));
  }
  return { groups, x, y, area, leaves, bytes, longest, sums: new TileSums(groups) };
}

/** Around nodes first … last − 1, as far as they have a box. */
function boxOf(upper: Float64Array, first: number, last: number): [number, number, number, number] {
  const at = first * STRIDE;
  let [minx, miny, maxx, maxy] = [upper[at], upper[at + 1], upper[at + 2], upper[at + 3]];
  for (let node = first + 1; node < last; node++) {
    const p = node * STRIDE;
    minx = Math.min(minx, upper[p]);
    miny = Math.min(miny, upper[p + 1]);
    maxx = Math.max(maxx, upper[p + 2]);
    maxy = Math.max(maxy, upper[p + 3]);
  }
  return [minx, miny, maxx, maxy];
}

/** Bytes of the features below each group, and of the longest. */
async function bytesOfGroups(
  { tree }: FgbSource,
  span: number,
  groups: number,
  rest: Rest,
): Promise<Pick<Density, 'bytes' | 'longest'>> {
  const { shape, pages, pageLeaves } = tree!;
  const bytes = new Float64Array(groups);
  const leaves = shape.nodeSize * span;
  let longest = 0;
  for (let index = 0; index * pageLeaves < shape.count; index++) {
    if (index % PAGES_A_STEP === 0) await rest();
    const page = pages.at(index) ?? (await pages.load(index));
    for (let i = 0; i < page.count; i++) {
      const length = leafEnd(page, i) - leafOffset(page, i);
      bytes[Math.floor((page.first + i) / leaves)] += length;
      if (length > longest) longest = length;
    }
  }
  return { bytes, longest };
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
  const { sums, groups, x, y, area, leaves, bytes } = density;
  sums.reset();
  for (let i = 0; i < groups; i++) {
    const col = (x[i] - matrix.originX) / width;
    const row = (matrix.originY - y[i]) / height;
    if (!(col >= 0 && col < matrix.matrixWidth && row >= 0 && row < matrix.matrixHeight)) continue;
    const place = sums.placeOf(Math.floor(row) * matrix.matrixWidth + Math.floor(col));
    sums.add(place, COUNTS, leaves[i]);
    sums.add(place, BYTES, bytes[i]);
    if (cells === null) continue;
    let taken = Math.min(leaves[i], (area[i] * cells * cells) / (width * height));
    if (!(taken >= 1)) {
      const cell = Math.floor(row * cells) * Math.ceil(matrix.matrixWidth * cells) + Math.floor(col * cells);
      taken = sums.firstOf(cell) ? 1 : 0;
    }
    sums.add(place, TAKEN, taken);
    sums.add(place, TAKEN_BYTES, (taken / leaves[i]) * bytes[i]);
  }
  const tiles = new Set(SUMS.flatMap((_, which) => sums.most(which, TILES_A_KIND)));
  return [...tiles].map(key => {
    const tile = { z, x: key % matrix.matrixWidth, y: rowFromTop(matrix, Math.floor(key / matrix.matrixWidth)) };
    return { tile, count: sums.get(key, COUNTS), bytes: sums.get(key, BYTES) };
  });
}

const [COUNTS, BYTES, TAKEN, TAKEN_BYTES] = SUMS.keys();
