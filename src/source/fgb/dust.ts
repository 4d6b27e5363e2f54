/**
 * Area-preserving dust: a cell that has several small features is drawn as one square that has the sum of their areas, in the
 * middle of the cell, by way of the first of them. Nothing is left out, so a layer of complete coverage keeps its cover.
 *
 *   which cells there are, and what is small, is as in lod.ts; a cell with one small feature draws that feature;
 *   the square is the cell, scaled about its middle to the sum of the areas, never larger than the cell: so a tile that does not
 *   meet the cell has nothing of it, and one that does knows all its features, since the walk goes a cell beyond the tile.
 *
 * Areas are those of the boxes, times the layer's `fill`: what features are of their boxes, on average. To sum them every leaf
 * below the tile is looked at, where cells alone skip most of them.
 */
import { boxArea, Middle } from './area.ts';
import { expectGroups } from './far-pages.ts';
import { type CellGrid, KEY_STRIDE, loadPage, pageAt, widened } from './lod.ts';
import type { FgbSource } from './open.ts';
import { groupsMeeting, type LeafPage, leafEnd, leafOffset, meets, STRIDE } from './rtree.ts';
import type { Dust, Selection } from './taken.ts';

export interface DustRule {
  /** Areas are square metres of boxes in degrees; else the layer's units squared. */
  readonly degrees: boolean;
  /** Area of a feature, of the area of its box. */
  readonly fill: number;
}

/** Leaves between two turns of the event loop: 5 to 10 ms. */
const LEAVES_A_TURN = 50_000;

/** Ends early, with what it has, once more than `stopAfter` are taken. */
export async function selectDust(
  source: FgbSource,
  boxes: Float64Array,
  grid: CellGrid,
  rule: DustRule,
  signal?: AbortSignal,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<Selection> {
  const walk = new DustWalk(source, boxes, grid, rule);
  const { tree } = source;
  if (!tree || boxes.length === 0) return walk.selection(false);
  let page: LeafPage | undefined;
  let turn = LEAVES_A_TURN;
  const groups = groupsMeeting(tree, walk.wide);
  await expectGroups(tree, groups, signal);
  for (const group of groups) {
    if (walk.shown > stopAfter) return walk.selection(true);
    const first = group * tree.shape.nodeSize;
    if (!page || first < page.first || first >= page.first + page.count)
      page = pageAt(source, first) ?? (await loadPage(source, first, signal));
    walk.leaves(page, group);
    if (walk.visited > turn) {
      turn = walk.visited + LEAVES_A_TURN;
      signal?.throwIfAborted();
      await new Promise(resolve => setImmediate(resolve));
      page = undefined;
    }
  }
  return walk.selection(false);
}

/** The cell of that column and row in the layer's CRS, into `out`. Beyond the poles there is nothing. */
export function cellRect(grid: CellGrid, col: number, row: number, degrees: boolean, out: Float64Array): void {
  const inside = (y: number) => (degrees ? Math.max(-90, Math.min(90, y)) : y);
  out[0] = grid.x(col);
  out[1] = inside(grid.y(row + 1));
  out[2] = grid.x(col + 1);
  out[3] = inside(grid.y(row));
}

/** Scales the cell at rects[at…] about its middle to that area, at most to itself; writes it to squares[to…]. */
export function squareOf(
  rects: ArrayLike<number>,
  at: number,
  area: number,
  degrees: boolean,
  squares: Float64Array,
  to: number,
): void {
  const [minx, miny, maxx, maxy] = [rects[at], rects[at + 1], rects[at + 2], rects[at + 3]];
  const cell = boxArea(minx, miny, maxx, maxy, degrees);
  const half = (cell > 0 ? Math.min(1, Math.sqrt(area / cell)) : 0) / 2;
  const [x, y] = [(minx + maxx) / 2, (miny + maxy) / 2];
  squares[to] = x - (maxx - minx) * half;
  squares[to + 1] = y - (maxy - miny) * half;
  squares[to + 2] = x + (maxx - minx) * half;
  squares[to + 3] = y + (maxy - miny) * half;
}

/** Collects the features that stand for themselves or for a cell, in tree order. */
class DustWalk {
  visited = 0;
  /** Features and cells that are drawn at most. */
  shown = 0;
  readonly wide: Float64Array;
  readonly #source: FgbSource;
  readonly #boxes: Float64Array;
  readonly #grid: CellGrid;
  readonly #rule: DustRule;
  readonly #cells = new Map<number, number>();
  /** Of each feature that stands for itself or for its cell: where it is, and 1 where its own box meets the tile. */
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #ordinals: number[] = [];
  readonly #meets: number[] = [];
  /** Of the same: features of its cell, their boxes' areas, the cell. */
  readonly #tally: number[] = [];
  readonly #areas: number[] = [];
  readonly #rects: number[] = [];
  readonly #rect = new Float64Array(4);
  readonly #middle = new Middle();
  /** Of level 2, the last that was looked at. */
  #parent = -1;
  #parentKey: number | null = null;
  readonly #col0: number;
  readonly #row0: number;

  constructor(source: FgbSource, boxes: Float64Array, grid: CellGrid, rule: DustRule) {
    this.#source = source;
    this.#boxes = boxes;
    this.#grid = grid;
    this.#rule = rule;
    this.wide = widened(boxes, grid);
    const [col, row] = [Math.floor(grid.col(boxes[0])), Math.floor(grid.row(boxes[3]))];
    this.#col0 = Number.isFinite(col) ? col : 0;
    this.#row0 = Number.isFinite(row) ? row : 0;
  }

  leaves(page: LeafPage, group: number): void {
    const { shape, upper } = this.#source.tree!;
    const first = group * shape.nodeSize;
    const last = Math.min(shape.count, first + shape.nodeSize);
    this.visited += last - first;
    // Most groups lie in one cell whole: all theirs are small, and where they are needs no projecting.
    const node = (shape.levels[1].start + group) * STRIDE;
    const known = this.#parentCell(group) ?? this.#cellOf(upper, node, true);
    if (known !== null && this.#rule.degrees && this.#middle.reaches(upper[node + 1], upper[node + 3])) {
      this.#allInCell(known, page, first - page.first, last - page.first);
      return;
    }
    for (let i = first - page.first; i < last - page.first; i++) {
      const at = i * STRIDE;
      const { boxes } = page;
      if (known !== null && boxes[at] <= boxes[at + 2]) this.#inCell(known, page, i);
      else if (known === null && meets(boxes, at, this.wide)) {
        const key = this.#cellOf(boxes, at, false);
        if (key !== null) this.#inCell(key, page, i);
        else if (meets(boxes, at, this.#boxes)) this.#take(page, i, 0, 0);
      }
    }
  }

  /** Key of the cell of a small box, null where it is a cell or larger; `whole`: of one that lies in a cell whole, else null. */
  #cellOf(boxes: Float64Array, at: number, whole: boolean): number | null {
    const grid = this.#grid;
    const left = grid.col(boxes[at]);
    const right = grid.col(boxes[at + 2]);
    const bottom = grid.row(boxes[at + 1]);
    const top = grid.row(boxes[at + 3]);
    if (!(right - left < 1 && bottom - top < 1)) return null;
    if (whole && (Math.floor(left) !== Math.floor(right) || Math.floor(bottom) !== Math.floor(top))) return null;
    return (Math.floor((bottom + top) / 2) - this.#row0) * KEY_STRIDE + (Math.floor((left + right) / 2) - this.#col0);
  }

  /** Key of the cell that the node above the group lies in whole, and so the group; else null. */
  #parentCell(group: number): number | null {
    const { shape, upper } = this.#source.tree!;
    if (shape.levels.length < 3) return null;
    const parent = Math.floor(group / shape.nodeSize);
    if (parent !== this.#parent) {
      this.#parent = parent;
      this.#parentKey = this.#cellOf(upper, (shape.levels[2].start + parent) * STRIDE, true);
    }
    return this.#parentKey;
  }

  /** A group of one cell: its place is looked up once. */
  #allInCell(key: number, page: LeafPage, first: number, last: number): void {
    const { boxes } = page;
    let i = first;
    // What has no place is in no cell.
    while (i < last && !(boxes[i * STRIDE] <= boxes[i * STRIDE + 2])) i++;
    if (i === last) return;
    if (!this.#cells.has(key)) this.#inCell(key, page, i++);
    const cell = this.#cells.get(key) as number;
    let area = this.#areas[cell];
    let count = 0;
    for (; i < last; i++) {
      const at = i * STRIDE;
      if (!(boxes[at] <= boxes[at + 2])) continue;
      area += this.#middle.boxArea(boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]);
      count++;
    }
    this.#areas[cell] = area;
    this.#tally[cell] += count;
  }

  #inCell(key: number, page: LeafPage, i: number): void {
    const { boxes } = page;
    const at = i * STRIDE;
    const area = boxArea(boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3], this.#rule.degrees);
    const known = this.#cells.get(key);
    if (known !== undefined) {
      this.#tally[known]++;
      this.#areas[known] += area;
      return;
    }
    this.#cells.set(key, this.#tally.length);
    const row = Math.round(key / KEY_STRIDE);
    const col = key - row * KEY_STRIDE;
    this.#take(page, i, 1, area);
    const rect = this.#rect;
    cellRect(this.#grid, col + this.#col0, row + this.#row0, this.#rule.degrees, rect);
    for (let k = 0, to = this.#rects.length - 4; k < 4; k++) this.#rects[to + k] = rect[k];
    if (meets(rect, 0, this.#boxes)) this.shown++;
  }

  #take(page: LeafPage, i: number, tally: number, area: number): void {
    const offset = leafOffset(page, i);
    this.#offsets.push(this.#source.featuresStart + offset);
    this.#lengths.push(leafEnd(page, i) - offset);
    this.#ordinals.push(page.first + i);
    this.#meets.push(meets(page.boxes, i * STRIDE, this.#boxes) ? 1 : 0);
    this.#tally.push(tally);
    this.#areas.push(area);
    this.#rects.push(0, 0, 0, 0);
    if (tally === 0) this.shown++;
  }

  /** `all`: with what does not show, where it matters only that it is too much. */
  selection(all: boolean): Selection {
    const n = this.#tally.length;
    const squares = new Float64Array(n * 4);
    const areas = new Float64Array(n);
    const taken: number[] = [];
    for (let i = 0; i < n; i++) {
      let shows = this.#meets[i] === 1;
      if (this.#tally[i] > 1) {
        areas[i] = this.#areas[i] * this.#rule.fill;
        squareOf(this.#rects, i * 4, areas[i], this.#rule.degrees, squares, i * 4);
        shows = meets(squares, i * 4, this.#boxes);
      }
      if (shows || all) taken.push(i);
    }
    return {
      offsets: Float64Array.from(taken, i => this.#offsets[i]),
      lengths: Uint32Array.from(taken, i => this.#lengths[i]),
      ordinals: Float64Array.from(taken, i => this.#ordinals[i]),
      counts: Uint32Array.from(taken, i => Math.max(1, this.#tally[i])),
      dropped: 0,
      visited: this.visited,
      dust: dustAt({ squares, areas }, taken),
    };
  }
}

/** The dust of some of the features. */
export function dustAt({ squares, areas }: Dust, places: readonly number[]): Dust {
  return {
    squares: Float64Array.from({ length: places.length * 4 }, (_, i) => squares[places[i >> 2] * 4 + (i & 3)]),
    areas: Float64Array.from(places, i => areas[i]),
  };
}

/** What an overview has in boxes a cell wider than the tile, as what the tile draws. Its sums are of the true areas. */
export function dustOf(
  found: Selection & { readonly boxes: Float64Array; readonly areas: Float64Array },
  boxes: Float64Array,
  grid: CellGrid,
  degrees: boolean,
): Selection {
  const counts = found.counts as Uint32Array;
  const n = counts.length;
  const squares = new Float64Array(n * 4);
  const areas = new Float64Array(n);
  const taken: number[] = [];
  const rect = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    if (counts[i] > 1) {
      const [minx, miny, maxx, maxy] = found.boxes.subarray(i * 4, i * 4 + 4);
      const col = Math.floor((grid.col(minx) + grid.col(maxx)) / 2);
      const row = Math.floor((grid.row(miny) + grid.row(maxy)) / 2);
      cellRect(grid, col, row, degrees, rect);
      areas[i] = found.areas[i];
      squareOf(rect, 0, areas[i], degrees, squares, i * 4);
      if (meets(squares, i * 4, boxes)) taken.push(i);
    } else if (meets(found.boxes, i * 4, boxes)) taken.push(i);
  }
  const pick = (values: Float64Array) => Float64Array.from(taken, i => values[i]);
  return {
    offsets: pick(found.offsets),
    lengths: Uint32Array.from(taken, i => found.lengths[i]),
    ordinals: pick(found.ordinals),
    counts: Uint32Array.from(taken, i => counts[i]),
    ...(found.ref ? { ref: found.ref } : {}),
    ...(found.crcs ? { crcs: Uint32Array.from(taken, i => found.crcs?.[i] ?? 0) } : {}),
    dropped: 0,
    visited: found.visited,
    dust: dustAt({ squares, areas }, taken),
  };
}
