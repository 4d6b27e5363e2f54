/**
 * Which features a tile draws, from the index alone: all that meet it, or at a low zoom of a dense layer one for each cell
 * of a grid. The grid is the level of detail:
 *
 *   a feature whose box is a cell or larger is always taken; any other is taken if it is the first, in tree order, whose
 *   box centre falls in its cell; a subtree whose box lies within one cell that is taken already is skipped whole.
 *
 * The rule knows only the cell and the order, so tiles agree in each other's buffers and what is left out is counted
 * exactly. For that the walk goes a cell beyond the tile, where the first of a cell at the edge may lie. Cells are square in
 * the grid of tiles (not in degrees), so boxes are projected: two logarithms a small box.
 */

import { NONE } from './cell-table.ts';
import { expectGroups, expectLeaves } from './far-pages.ts';
import { type Nearly, nearly } from './nearly.ts';
import type { FgbSource } from './open.ts';
import { groupsMeeting, type LeafPage, meets, STRIDE, within } from './rtree.ts';
import { type Selection, Taken } from './taken.ts';

export type { Selection } from './taken.ts';

/** Cells in the plane of the tiles: position = (project(x), project(y)) × scale. Rows count from the top. */
export interface CellGrid {
  /** Layer units to cells. */
  col(x: number): number;
  row(y: number): number;
  /** Rows take logarithms. */
  readonly curved?: boolean;
  /** And back. */
  x(col: number): number;
  y(row: number): number;
}

/** Nodes between two turns of the event loop: 5 to 10 ms at low zooms, where most boxes are projected. */
const NODES_A_TURN = 16_000;
/** A cell's key: columns from the first box stay below this, and rows below 2^22, at every zoom. */
export const KEY_STRIDE = 2 ** 31;
/**
 * Every feature whose box meets one of the boxes (4 numbers each, layer units). Ends early, with what it has, once more than
 * `stopAfter` are taken.
 */
export async function selectAll(
  source: FgbSource,
  boxes: Float64Array,
  signal?: AbortSignal,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<Selection> {
  const { tree } = source;
  if (!tree) return new Taken().selection();
  const { nodeSize, count, levels } = tree.shape;
  const groups = groupsMeeting(tree, boxes);
  await expectGroups(tree, groups, signal);
  const taken = source.taken.borrow();
  let page: LeafPage | undefined;
  for (const group of groups) {
    if (taken.n > stopAfter) break;
    const first = group * nodeSize;
    const last = Math.min(count, first + nodeSize);
    if (!page || first < page.first || first >= page.first + page.count)
      page = pageAt(source, first) ?? (await loadPage(source, first, signal));
    const whole = within(tree.upper, (levels[1].start + group) * STRIDE, boxes);
    taken.visited += last - first;
    for (let i = first - page.first; i < last - page.first; i++) {
      if (whole || meets(page.boxes, i * STRIDE, boxes)) taken.take(source.featuresStart, page, i);
    }
  }
  const selection = taken.selection();
  source.taken.giveBack(taken);
  return selection;
}

/** One a cell, and all that are a cell or larger. Ends early, with what it has, once more than `stopAfter` are taken. */
export async function selectCells(
  source: FgbSource,
  boxes: Float64Array,
  grid: CellGrid,
  signal?: AbortSignal,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<Selection> {
  const { tree } = source;
  if (!tree) return new Taken().selection();
  const wide = widened(boxes, grid);
  await expectLeaves(tree, wide, signal);
  const taken = source.taken.borrow();
  const walk = new CellWalk(source, boxes, wide, grid, taken);
  let page: LeafPage | undefined;
  let turn = NODES_A_TURN;
  for (;;) {
    const group = walk.nextGroup();
    if (group < 0 || taken.n > stopAfter) {
      const selection = taken.selection(true);
      source.taken.giveBack(taken);
      return selection;
    }
    const first = group * tree.shape.nodeSize;
    if (!page || first < page.first || first >= page.first + page.count)
      page = pageAt(source, first) ?? (await loadPage(source, first, signal));
    walk.leaves(page, group);
    if (taken.visited > turn) {
      turn = taken.visited + NODES_A_TURN;
      signal?.throwIfAborted();
      await new Promise(resolve => setImmediate(resolve));
      page = undefined;
    }
  }
}

/** Good until the next wait: see PageCache. */
export function pageAt(source: FgbSource, ordinal: number): LeafPage | undefined {
  const { pages, pageLeaves } = source.tree!;
  return pages.at(Math.floor(ordinal / pageLeaves));
}

export function loadPage(source: FgbSource, ordinal: number, signal?: AbortSignal): Promise<LeafPage> {
  const { pages, pageLeaves } = source.tree!;
  return pages.load(Math.floor(ordinal / pageLeaves), signal);
}

/** The boxes, out to whole cells and one more: all cells, whole, whose features may meet them. */
export function widened(boxes: Float64Array, grid: CellGrid): Float64Array {
  const wide = new Float64Array(boxes.length);
  for (let b = 0; b < boxes.length; b += 4) {
    wide[b] = Math.min(boxes[b], grid.x(Math.floor(grid.col(boxes[b])) - 1));
    wide[b + 1] = Math.min(boxes[b + 1], grid.y(Math.floor(grid.row(boxes[b + 1])) + 2));
    wide[b + 2] = Math.max(boxes[b + 2], grid.x(Math.floor(grid.col(boxes[b + 2])) + 2));
    wide[b + 3] = Math.max(boxes[b + 3], grid.y(Math.floor(grid.row(boxes[b + 3])) - 1));
  }
  return wide;
}

/** How far off rows may be, cells, before it is not worth it. */
const NEAR_CELLS = 0.01;
/** In place of a row. */
const LARGE = Number.POSITIVE_INFINITY;
/** Columns on either side of the first box in which a feature that meets the widened ones may have its middle. */
const MARGIN = 16;

/** Small keys are kept without a number object each. */
function strideOf(wide: Float64Array, grid: CellGrid): number {
  if (wide.length !== 4) return KEY_STRIDE;
  const cols = grid.col(wide[2]) - grid.col(wide[0]) + MARGIN;
  const rows = grid.row(wide[1]) - grid.row(wide[3]) + MARGIN;
  return cols * rows < 2 ** 29 ? 2 * Math.ceil(cols) : KEY_STRIDE;
}

/** Depth first, in tree order; stops at each group of leaves so that its page can be fetched. */
class CellWalk {
  readonly #source: FgbSource;
  readonly #boxes: Float64Array;
  readonly #wide: Float64Array;
  readonly #grid: CellGrid;
  readonly #taken: Taken;
  readonly #col0: number;
  readonly #row0: number;
  /** Columns that a key has room for. */
  readonly #stride: number;
  /** Rows without logarithms; null: they are straight, or too many for it. */
  readonly #near: Nearly | null;
  /** Levels and places of nodes still to look at, the next on top. */
  readonly #stack: number[] = [];

  /** `wide`: the boxes, out to whole cells and one more. */
  constructor(source: FgbSource, boxes: Float64Array, wide: Float64Array, grid: CellGrid, taken: Taken) {
    this.#source = source;
    this.#boxes = boxes;
    this.#wide = wide;
    this.#grid = grid;
    this.#taken = taken;
    const col = Math.floor(grid.col(boxes[0]));
    const row = Math.floor(grid.row(boxes[3]));
    this.#col0 = Number.isFinite(col) ? col : 0;
    this.#row0 = Number.isFinite(row) ? row : 0;
    this.#stride = strideOf(this.#wide, grid);
    const [, south, , north] = this.#wide;
    this.#near = grid.curved && boxes.length === 4 ? nearly(grid.row, south, north, NEAR_CELLS) : null;
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
      if (!meets(upper, at, this.#wide)) continue;
      if (this.#covered(upper, at, level, place)) continue;
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
    const grid = this.#grid;
    const { cells } = this.#taken;
    this.#taken.visited += last - first;
    for (let i = first - page.first; i < last - page.first; i++) {
      const at = i * STRIDE;
      if (!meets(boxes, at, this.#wide)) continue;
      const left = grid.col(boxes[at]);
      const right = grid.col(boxes[at + 2]);
      const row = right - left >= 1 ? LARGE : this.#rowOf(boxes[at + 1], boxes[at + 3]);
      const shows = meets(boxes, at, this.#boxes);
      if (row === LARGE) {
        if (shows) this.#taken.take(this.#source.featuresStart, page, i);
        continue;
      }
      const key = this.#key(Math.floor((left + right) / 2), row);
      const known = cells.find(key);
      if (known !== NONE) {
        cells.count(known, 1);
        if (shows) this.#taken.dropped++;
        continue;
      }
      const cell = cells.add(key);
      if (shows) this.#taken.take(this.#source.featuresStart, page, i, cell);
    }
  }

  #key(col: number, row: number): number {
    return (row - this.#row0) * this.#stride + (col - this.#col0);
  }

  /** The row of the middle between two latitudes, or LARGE where they are a cell apart: always what the grid itself says. */
  #rowOf(south: number, north: number): number {
    const near = this.#near;
    if (near !== null && south >= near.from && north <= near.to) {
      const bottom = near.at(south);
      const top = near.at(north);
      const middle = (bottom + top) / 2;
      const row = Math.floor(middle);
      const { error } = near;
      const sure = middle - row > error && row + 1 - middle > error && Math.abs(bottom - top - 1) > 2 * error;
      if (sure) return bottom - top >= 1 ? LARGE : row;
    }
    const bottom = this.#grid.row(south);
    const top = this.#grid.row(north);
    return bottom - top >= 1 ? LARGE : Math.floor((bottom + top) / 2);
  }

  /** True where the node lies within one cell that is taken, and all its features show in the tile, or none. */
  #covered(nodes: Float64Array, at: number, level: number, place: number): boolean {
    const col = Math.floor(this.#grid.col(nodes[at]));
    if (col !== Math.floor(this.#grid.col(nodes[at + 2]))) return false;
    const row = Math.floor(this.#grid.row(nodes[at + 1]));
    if (row !== Math.floor(this.#grid.row(nodes[at + 3]))) return false;
    const cell = this.#taken.cells.find(this.#key(col, row));
    if (cell === NONE) return false;
    const all = within(nodes, at, this.#boxes);
    if (!all && meets(nodes, at, this.#boxes)) return false;
    const leaves = this.#leavesBelow(level, place);
    this.#taken.cells.count(cell, leaves);
    if (all) this.#taken.dropped += leaves;
    return true;
  }

  /** A whole node of level l stands for nodeSize^l leaves, the last of a level for the rest. */
  #leavesBelow(level: number, place: number): number {
    const { nodeSize, count } = this.#source.tree!.shape;
    const span = nodeSize ** level;
    return Math.min(count, (place + 1) * span) - place * span;
  }
}
