/**
 * Points by cells of a grid, from the index alone: how many each cell has, exactly, and where their middle is. The box of a point
 * is its place, so not a feature is read. A subtree that lies in one cell is counted by its place in the tree; its middle stands
 * for its points where it is no larger than a small share of the cell.
 *
 * The rule knows only the cell and the tree, so every tile finds the same of a cell that it sees.
 */
import type { CellGrid } from './lod.ts';
import type { FgbSource } from './open.ts';
import { type LeafPage, leafEnd, leafOffset, meets, STRIDE } from './rtree.ts';
import { allPlaced, TreeWalk, walkTree } from './tree-walk.ts';

/** Cells col0 … col1, row0 … row1, all of them included. */
export interface CellRange {
  readonly col0: number;
  readonly row0: number;
  readonly col1: number;
  readonly row1: number;
}

/** Features in file order: place in the file, first byte, bytes. */
export interface Places {
  readonly ordinals: Float64Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

export interface Clustered {
  /** Of each cell with at least `minPoints`: which it is, how many it has, and their middle in cells. */
  readonly cols: Float64Array;
  readonly rows: Float64Array;
  readonly counts: Uint32Array;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** The points of cells with fewer, as far as they show. */
  readonly singles: Places;
  /** Index nodes looked at. */
  readonly visited: number;
}

/** A subtree's middle stands for its points up to this share of a cell: it is off by half of that, and no more. */
export const STAND_IN_SHARE = 1 / 24;
/** Of a cell: what is rounded away between layer coordinates and cells, and far more. */
const EDGE = 1e-3;

/** `shown`: boxes in layer units outside of which single points are not wanted. Ranges may overlap. */
export async function clusterCells(
  source: FgbSource,
  grid: CellGrid,
  ranges: readonly CellRange[],
  shown: Float64Array,
  minPoints: number,
  signal?: AbortSignal,
): Promise<Clustered> {
  const placed = source.tree !== null && ranges.length > 0 && (await allPlaced(source));
  const walk = new ClusterWalk(source, grid, ranges, shown, minPoints, placed);
  if (source.tree && ranges.length > 0) await walkTree(walk, source, signal);
  return walk.clustered();
}

/** The cells of the ranges in layer units, four numbers a range. */
export function wideOf(grid: CellGrid, ranges: readonly CellRange[]): Float64Array {
  return Float64Array.from(
    ranges.flatMap(({ col0, row0, col1, row1 }) => [
      grid.x(col0 - EDGE),
      grid.y(row1 + 1 + EDGE),
      grid.x(col1 + 1 + EDGE),
      grid.y(row0 - EDGE),
    ]),
  );
}

class ClusterWalk extends TreeWalk {
  readonly #grid: CellGrid;
  readonly #ranges: readonly CellRange[];
  /** Number of the first cell of each range. */
  readonly #starts: number[] = [];
  readonly #shown: Float64Array;
  readonly #minPoints: number;
  readonly #placed: boolean;
  readonly #counts: Uint32Array;
  /** Sums of distances from the corner of the cell. */
  readonly #xs: Float64Array;
  readonly #ys: Float64Array;
  readonly #cells: number[] = [];
  readonly #ordinals: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];

  constructor(
    source: FgbSource,
    grid: CellGrid,
    ranges: readonly CellRange[],
    shown: Float64Array,
    minPoints: number,
    placed: boolean,
  ) {
    super(source, wideOf(grid, ranges));
    this.#grid = grid;
    this.#ranges = ranges;
    this.#shown = shown;
    this.#minPoints = minPoints;
    this.#placed = placed;
    let cells = 0;
    for (const { col0, row0, col1, row1 } of ranges) {
      this.#starts.push(cells);
      cells += (col1 - col0 + 1) * (row1 - row0 + 1);
    }
    this.#counts = new Uint32Array(cells);
    this.#xs = new Float64Array(cells);
    this.#ys = new Float64Array(cells);
  }

  /** The cell's number; −1 where it is in none of the ranges. */
  #find(col: number, row: number): number {
    for (let r = 0; r < this.#ranges.length; r++) {
      const { col0, row0, col1, row1 } = this.#ranges[r];
      if (col < col0 || col > col1 || row < row0 || row > row1) continue;
      return this.#starts[r] + (row - row0) * (col1 - col0 + 1) + col - col0;
    }
    return -1;
  }

  protected override whole(nodes: Float64Array, at: number, count: number): boolean {
    const left = this.#grid.col(nodes[at]);
    const right = this.#grid.col(nodes[at + 2]);
    const col = Math.floor(left);
    if (col !== Math.floor(right)) return false;
    const top = this.#grid.row(nodes[at + 3]);
    const bottom = this.#grid.row(nodes[at + 1]);
    const row = Math.floor(top);
    if (row !== Math.floor(bottom)) return false;
    const cell = this.#find(col, row);
    if (cell < 0) return true;
    // Points of a cell that may come to be drawn as themselves are looked at one by one.
    if (!this.#placed || (count < this.#minPoints && this.#counts[cell] < this.#minPoints)) return false;
    if (right - left > STAND_IN_SHARE || bottom - top > STAND_IN_SHARE) return false;
    this.#counts[cell] += count;
    this.#xs[cell] += count * ((left + right) / 2 - col);
    this.#ys[cell] += count * ((top + bottom) / 2 - row);
    return true;
  }

  protected override leaf(page: LeafPage, i: number): void {
    const at = i * STRIDE;
    const x = this.#grid.col(page.boxes[at]);
    const y = this.#grid.row(page.boxes[at + 1]);
    const col = Math.floor(x);
    const row = Math.floor(y);
    const cell = this.#find(col, row);
    if (cell < 0) return;
    this.#xs[cell] += x - col;
    this.#ys[cell] += y - row;
    const before = this.#counts[cell]++;
    if (before >= this.#minPoints - 1 || !meets(page.boxes, at, this.#shown)) return;
    const offset = leafOffset(page, i);
    this.#cells.push(cell);
    this.#ordinals.push(page.first + i);
    this.#offsets.push(this.source.featuresStart + offset);
    this.#lengths.push(leafEnd(page, i) - offset);
  }

  clustered(): Clustered {
    const found: number[][] = [[], [], [], [], []];
    const [cols, rows, counts, xs, ys] = found;
    this.#ranges.forEach(({ col0, row0, col1 }, r) => {
      const width = col1 - col0 + 1;
      const end = this.#starts[r + 1] ?? this.#counts.length;
      for (let cell = this.#starts[r]; cell < end; cell++) {
        const count = this.#counts[cell];
        if (count < this.#minPoints) continue;
        const col = col0 + ((cell - this.#starts[r]) % width);
        const row = row0 + Math.floor((cell - this.#starts[r]) / width);
        cols.push(col);
        rows.push(row);
        counts.push(count);
        xs.push(col + this.#xs[cell] / count);
        ys.push(row + this.#ys[cell] / count);
      }
    });
    const alone = this.#cells.map((cell, i) => (this.#counts[cell] < this.#minPoints ? i : -1)).filter(i => i >= 0);
    return {
      cols: Float64Array.from(cols),
      rows: Float64Array.from(rows),
      counts: Uint32Array.from(counts),
      xs: Float64Array.from(xs),
      ys: Float64Array.from(ys),
      singles: {
        ordinals: Float64Array.from(alone, i => this.#ordinals[i]),
        offsets: Float64Array.from(alone, i => this.#offsets[i]),
        lengths: Uint32Array.from(alone, i => this.#lengths[i]),
      },
      visited: this.visited,
    };
  }
}
