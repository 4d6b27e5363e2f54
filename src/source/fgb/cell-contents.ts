/** What lies in one cell of a grid: counted from the index alone, a part of it listed. */
import { type Places, wideOf } from './clusters.ts';
import type { CellGrid } from './lod.ts';
import type { FgbSource } from './open.ts';
import { type LeafPage, leafEnd, leafOffset, STRIDE } from './rtree.ts';
import { allPlaced, TreeWalk, walkTree } from './tree-walk.ts';

/** What is in one cell: how many points, the box around them in layer units, and some of them in file order. */
export interface CellContents {
  readonly count: number;
  /** minx, miny, maxx, maxy; null where there is none. */
  readonly box: readonly [number, number, number, number] | null;
  /** From the `offset`-th on, at most `limit`. */
  readonly places: Places;
  readonly visited: number;
}

export async function cellContents(
  source: FgbSource,
  grid: CellGrid,
  cell: readonly [col: number, row: number],
  { offset, limit }: { readonly offset: number; readonly limit: number },
  signal?: AbortSignal,
): Promise<CellContents> {
  const placed = source.tree !== null && (await allPlaced(source));
  const walk = new ContentsWalk(source, grid, cell, offset, limit, placed);
  if (source.tree) await walkTree(walk, source, signal);
  return walk.contents();
}

class ContentsWalk extends TreeWalk {
  readonly #grid: CellGrid;
  readonly #col: number;
  readonly #row: number;
  readonly #offset: number;
  readonly #limit: number;
  readonly #placed: boolean;
  readonly #box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  readonly #ordinals: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  #count = 0;

  constructor(
    source: FgbSource,
    grid: CellGrid,
    [col, row]: readonly [number, number],
    offset: number,
    limit: number,
    placed: boolean,
  ) {
    super(source, wideOf(grid, [{ col0: col, row0: row, col1: col, row1: row }]));
    this.#grid = grid;
    this.#col = col;
    this.#row = row;
    this.#offset = offset;
    this.#limit = limit;
    this.#placed = placed;
  }

  #holds(x: number, y: number): boolean {
    return Math.floor(this.#grid.col(x)) === this.#col && Math.floor(this.#grid.row(y)) === this.#row;
  }

  protected override whole(nodes: Float64Array, at: number, count: number): boolean {
    if (!this.#placed) return false;
    // Those that are wanted are looked at one by one.
    if (this.#count + count > this.#offset && this.#ordinals.length < this.#limit) return false;
    if (!this.#holds(nodes[at], nodes[at + 1]) || !this.#holds(nodes[at + 2], nodes[at + 3])) return false;
    this.#count += count;
    this.#grow(nodes, at);
    return true;
  }

  protected override leaf(page: LeafPage, i: number): void {
    const at = i * STRIDE;
    if (!this.#holds(page.boxes[at], page.boxes[at + 1])) return;
    this.#grow(page.boxes, at);
    if (this.#count++ < this.#offset || this.#ordinals.length >= this.#limit) return;
    const offset = leafOffset(page, i);
    this.#ordinals.push(page.first + i);
    this.#offsets.push(this.source.featuresStart + offset);
    this.#lengths.push(leafEnd(page, i) - offset);
  }

  #grow(boxes: Float64Array, at: number): void {
    const box = this.#box;
    box[0] = Math.min(box[0], boxes[at]);
    box[1] = Math.min(box[1], boxes[at + 1]);
    box[2] = Math.max(box[2], boxes[at + 2]);
    box[3] = Math.max(box[3], boxes[at + 3]);
  }

  contents(): CellContents {
    return {
      count: this.#count,
      box: this.#count > 0 ? this.#box : null,
      places: {
        ordinals: Float64Array.from(this.#ordinals),
        offsets: Float64Array.from(this.#offsets),
        lengths: Uint32Array.from(this.#lengths),
      },
      visited: this.visited,
    };
  }
}
