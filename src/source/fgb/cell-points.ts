/** Every point of ranges of cells, from the index, for whoever must read them: counts alone do not tell which match, or what they have. */
import type { CellRange, Places } from './clusters.ts';
import { wideOf } from './clusters.ts';
import type { CellGrid } from './lod.ts';
import type { FgbSource } from './open.ts';
import { type LeafPage, leafEnd, leafOffset, meets, STRIDE } from './rtree.ts';
import { TreeWalk, walkTree } from './tree-walk.ts';

/** In the order of the file. */
export interface CellPoints extends Places {
  /** Where they are, two numbers each, in layer units. */
  readonly xy: Float64Array;
  /** Of all of them; when these are above the limit, no more than that is told. */
  readonly bytes: number;
  readonly largest: number;
  readonly visited: number;
}

/** `narrow`: a cover of where points are wanted, for the boxes of the cells. Ends to collect, not to count, above `limitBytes`. */
export async function cellPoints(
  source: FgbSource,
  grid: CellGrid,
  ranges: readonly CellRange[],
  narrow: (boxes: Float64Array) => Float64Array,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<CellPoints> {
  const boxes = narrow(wideOf(grid, ranges));
  const walk = new PointsWalk(source, grid, ranges, boxes, limitBytes);
  if (source.tree && boxes.length > 0) await walkTree(walk, source, signal);
  return walk.points();
}

class PointsWalk extends TreeWalk {
  readonly #grid: CellGrid;
  readonly #ranges: readonly CellRange[];
  readonly #boxes: Float64Array;
  readonly #limitBytes: number;
  readonly #ordinals: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #xy: number[] = [];
  #bytes = 0;
  #largest = 0;

  constructor(
    source: FgbSource,
    grid: CellGrid,
    ranges: readonly CellRange[],
    boxes: Float64Array,
    limitBytes: number,
  ) {
    super(source, boxes);
    this.#grid = grid;
    this.#ranges = ranges;
    this.#boxes = boxes;
    this.#limitBytes = limitBytes;
  }

  protected override whole(nodes: Float64Array, at: number): boolean {
    return !meets(nodes, at, this.#boxes);
  }

  protected override leaf(page: LeafPage, i: number): void {
    const x = page.boxes[i * STRIDE];
    const y = page.boxes[i * STRIDE + 1];
    const col = Math.floor(this.#grid.col(x));
    const row = Math.floor(this.#grid.row(y));
    if (!this.#ranges.some(r => col >= r.col0 && col <= r.col1 && row >= r.row0 && row <= r.row1)) return;
    const offset = leafOffset(page, i);
    const length = leafEnd(page, i) - offset;
    this.#bytes += length;
    if (this.#bytes > this.#limitBytes) return;
    this.#largest = Math.max(this.#largest, length);
    this.#ordinals.push(page.first + i);
    this.#offsets.push(this.source.featuresStart + offset);
    this.#lengths.push(length);
    this.#xy.push(x, y);
  }

  points(): CellPoints {
    return {
      ordinals: Float64Array.from(this.#ordinals),
      offsets: Float64Array.from(this.#offsets),
      lengths: Uint32Array.from(this.#lengths),
      xy: Float64Array.from(this.#xy),
      bytes: this.#bytes,
      largest: this.#largest,
      visited: this.visited,
    };
  }
}
