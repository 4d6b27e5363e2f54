/**
 * Which features a tile draws, from the index alone: all that meet it, or at a low zoom of a dense layer one for each cell
 * of a grid. The grid is the level of detail:
 *
 *   a feature whose box is a cell or larger is always taken; any other is taken if it is the first, in tree order, whose
 *   box centre falls in its cell; a subtree whose box lies within one cell that is taken already is skipped whole.
 *
 * The rule knows only the cell and the order, so tiles agree in each other's buffers and what is left out is counted
 * exactly. Cells are square in the grid of tiles (not in degrees), so boxes are projected: two logarithms a small box.
 */
import type { FgbSource } from './open.ts';
import { groupsMeeting, type LeafPage, leafEnd, leafOffset, meets, STRIDE, within } from './rtree.ts';

export interface Selection {
  /** Byte of the file, bytes, and place in the file of each feature taken, in file order. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly ordinals: Float64Array;
  /** Features that meet the boxes and were left out by the grid. */
  readonly dropped: number;
  /** Index nodes looked at. */
  readonly visited: number;
}

/** Cells in the plane of the tiles: position = (project(x), project(y)) × scale. */
export interface CellGrid {
  /** Layer units to cells. */
  col(x: number): number;
  row(y: number): number;
}

/** Nodes between two turns of the event loop: about 5 ms. */
const NODES_A_TURN = 100_000;
/** A cell's key: rows and columns of one tile and its buffer stay far below this. */
const KEY_STRIDE = 2 ** 26;

class Taken {
  offsets = new Float64Array(1024);
  lengths = new Uint32Array(1024);
  ordinals = new Float64Array(1024);
  n = 0;
  dropped = 0;
  visited = 0;

  take(base: number, page: LeafPage, i: number): void {
    if (this.n === this.offsets.length) this.#grow();
    const offset = leafOffset(page, i);
    this.offsets[this.n] = base + offset;
    this.lengths[this.n] = leafEnd(page, i) - offset;
    this.ordinals[this.n++] = page.first + i;
  }

  #grow(): void {
    const size = this.n * 2;
    const offsets = new Float64Array(size);
    offsets.set(this.offsets);
    this.offsets = offsets;
    const lengths = new Uint32Array(size);
    lengths.set(this.lengths);
    this.lengths = lengths;
    const ordinals = new Float64Array(size);
    ordinals.set(this.ordinals);
    this.ordinals = ordinals;
  }

  selection(): Selection {
    const { n, dropped, visited } = this;
    return {
      offsets: this.offsets.slice(0, n),
      lengths: this.lengths.slice(0, n),
      ordinals: this.ordinals.slice(0, n),
      dropped,
      visited,
    };
  }
}

/** Every feature whose box meets one of the boxes (4 numbers each, layer units). */
export async function selectAll(source: FgbSource, boxes: Float64Array, signal?: AbortSignal): Promise<Selection> {
  const taken = new Taken();
  const { tree } = source;
  if (!tree) return taken.selection();
  const { nodeSize, count, levels } = tree.shape;
  const groups = groupsMeeting(tree, boxes);
  let page: LeafPage | undefined;
  for (const group of groups) {
    const first = group * nodeSize;
    const last = Math.min(count, first + nodeSize);
    if (!page || first < page.first || first >= page.first + page.count) page = await pageOf(source, first, signal);
    const whole = within(tree.upper, (levels[1].start + group) * STRIDE, boxes);
    taken.visited += last - first;
    for (let i = first - page.first; i < last - page.first; i++) {
      if (whole || meets(page.boxes, i * STRIDE, boxes)) taken.take(source.featuresStart, page, i);
    }
  }
  return taken.selection();
}

/** One a cell, and all that are a cell or larger. Ends early, with what it has, once more than `stopAfter` are taken. */
export async function selectCells(
  source: FgbSource,
  boxes: Float64Array,
  grid: CellGrid,
  signal?: AbortSignal,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<Selection> {
  const taken = new Taken();
  const { tree } = source;
  if (!tree) return taken.selection();
  const walk = new CellWalk(source, boxes, grid, taken);
  let page: LeafPage | undefined;
  let turn = NODES_A_TURN;
  for (;;) {
    const group = walk.nextGroup();
    if (group < 0 || taken.n > stopAfter) return taken.selection();
    const first = group * tree.shape.nodeSize;
    if (!page || first < page.first || first >= page.first + page.count) page = await pageOf(source, first, signal);
    walk.leaves(page, group);
    if (taken.visited > turn) {
      turn = taken.visited + NODES_A_TURN;
      signal?.throwIfAborted();
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}

async function pageOf(source: FgbSource, ordinal: number, signal?: AbortSignal): Promise<LeafPage> {
  const { pages, pageLeaves } = source.tree!;
  const index = Math.floor(ordinal / pageLeaves);
  return pages.at(index) ?? (await pages.load(index, signal));
}

/** Depth first, in tree order; stops at each group of leaves so that its page can be fetched. */
class CellWalk {
  readonly #source: FgbSource;
  readonly #boxes: Float64Array;
  readonly #grid: CellGrid;
  readonly #taken: Taken;
  readonly #cells = new Set<number>();
  /** Levels and places of nodes still to look at, the next on top. */
  readonly #stack: number[] = [];

  constructor(source: FgbSource, boxes: Float64Array, grid: CellGrid, taken: Taken) {
    this.#source = source;
    this.#boxes = boxes;
    this.#grid = grid;
    this.#taken = taken;
    this.#stack.push(0, source.tree!.shape.levels.length - 1);
  }

  /** The next level-1 node whose leaves must be looked at; −1 at the end. */
  nextGroup(): number {
    const { shape, upper } = this.#source.tree!;
    const { levels, nodeSize } = shape;
    while (this.#stack.length > 0) {
      const level = this.#stack.pop() as number;
      const place = this.#stack.pop() as number;
      const at = (levels[level].start + place) * STRIDE;
      this.#taken.visited++;
      if (!meets(upper, at, this.#boxes)) continue;
      if (this.#covered(upper, at)) {
        this.#taken.dropped += this.#leavesBelow(level, place);
        continue;
      }
      if (level === 1) return place;
      const first = place * nodeSize;
      const size = levels[level - 1].end - levels[level - 1].start;
      for (let child = Math.min(size, first + nodeSize) - 1; child >= first; child--)
        this.#stack.push(child, level - 1);
    }
    return -1;
  }

  leaves(page: LeafPage, group: number): void {
    const { nodeSize, count } = this.#source.tree!.shape;
    const first = group * nodeSize;
    const last = Math.min(count, first + nodeSize);
    const { boxes } = page;
    this.#taken.visited += last - first;
    for (let i = first - page.first; i < last - page.first; i++) {
      const at = i * STRIDE;
      if (!meets(boxes, at, this.#boxes)) continue;
      const left = this.#grid.col(boxes[at]);
      const right = this.#grid.col(boxes[at + 2]);
      const bottom = this.#grid.row(boxes[at + 1]);
      const top = this.#grid.row(boxes[at + 3]);
      if (right - left >= 1 || Math.abs(top - bottom) >= 1 || this.#first((left + right) / 2, (bottom + top) / 2)) {
        this.#taken.take(this.#source.featuresStart, page, i);
      } else this.#taken.dropped++;
    }
  }

  #first(col: number, row: number): boolean {
    const key = Math.floor(row) * KEY_STRIDE + Math.floor(col);
    if (this.#cells.has(key)) return false;
    this.#cells.add(key);
    return true;
  }

  /** True where the node lies within one cell that is taken. */
  #covered(nodes: Float64Array, at: number): boolean {
    const col = Math.floor(this.#grid.col(nodes[at]));
    if (col !== Math.floor(this.#grid.col(nodes[at + 2]))) return false;
    const row = Math.floor(this.#grid.row(nodes[at + 1]));
    return row === Math.floor(this.#grid.row(nodes[at + 3])) && this.#cells.has(row * KEY_STRIDE + col);
  }

  /** A whole node of level l stands for nodeSize^l leaves, the last of a level for the rest. */
  #leavesBelow(level: number, place: number): number {
    const { nodeSize, count } = this.#source.tree!.shape;
    const span = nodeSize ** level;
    return Math.min(count, (place + 1) * span) - place * span;
  }
}
