/**
 * Features that a filter must be asked of before the grid of cells (lod.ts) can choose among them: all that meet the tile, and
 * those a cell beyond, where the first match of a cell at its edge may lie. The rule is the same, "the first of its cell",
 * but which feature that is, only reading them tells; so this says for each its cell, from the index alone.
 */
import { boxArea } from './area.ts';
import { cellRect, type DustRule } from './dust.ts';
import { expectGroups } from './far-pages.ts';
import { type CellGrid, KEY_STRIDE, loadPage, pageAt, widened } from './lod.ts';
import type { FgbSource } from './open.ts';
import { groupsMeeting, type LeafPage, leafEnd, leafOffset, meets, STRIDE } from './rtree.ts';
import { NO_CELL } from './taken.ts';

export interface Candidates {
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly ordinals: Float64Array;
  /** Number of the cell of each, NO_CELL where it is a cell or larger; null without a grid. */
  readonly cells: Uint32Array | null;
  /** 1 where it meets the tile, and not only its cell does. */
  readonly shows: Uint8Array;
  readonly cellCount: number;
  /** Areas of the candidates' boxes, and the cells in the layer's CRS, 4 numbers each; empty where nobody makes dust of them. */
  readonly areas: Float64Array;
  readonly rects: Float64Array;
  /** Bytes of all candidates; when these are above the limit, no more than that is told. */
  readonly bytes: number;
  /** Most bytes that can be drawn of them, one a cell. */
  readonly drawnBytes: number;
  readonly visited: number;
}

/** Candidates between two turns of the event loop: about 5 ms. */
const A_TURN = 50_000;

/**
 * `boxes`: the tile and its buffer; `narrow`: a cover of where matches can be, for the boxes that are asked for (with a
 * grid, a cell wider than the tile). Ends to collect, not to count, once there are more than `limitBytes`.
 */
export async function selectCandidates(
  source: FgbSource,
  boxes: Float64Array,
  grid: CellGrid | null,
  dust: DustRule | null,
  narrow: (boxes: Float64Array) => Float64Array,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Candidates> {
  const found = new Found(boxes, grid, dust);
  const asked = narrow(grid === null || boxes.length === 0 ? boxes : widened(boxes, grid));
  const { tree } = source;
  if (!tree || asked.length === 0) return found.candidates();
  const { nodeSize, count } = tree.shape;
  let page: LeafPage | undefined;
  let turn = A_TURN;
  const groups = groupsMeeting(tree, asked);
  await expectGroups(tree, groups, signal);
  for (const group of groups) {
    const first = group * nodeSize;
    const last = Math.min(count, first + nodeSize);
    if (!page || first < page.first || first >= page.first + page.count)
      page = pageAt(source, first) ?? (await loadPage(source, first, signal));
    for (let i = first - page.first; i < last - page.first; i++) {
      found.visited++;
      if (meets(page.boxes, i * STRIDE, asked)) found.take(source.featuresStart, page, i, limitBytes);
    }
    if (found.visited > turn) {
      turn = found.visited + A_TURN;
      signal?.throwIfAborted();
      await new Promise(resolve => setImmediate(resolve));
      page = undefined;
    }
  }
  return found.candidates();
}

class Found {
  visited = 0;
  readonly #boxes: Float64Array;
  readonly #grid: CellGrid | null;
  readonly #col0: number;
  readonly #row0: number;
  readonly #cells = new Map<number, number>();
  /** Largest candidate of each cell. */
  readonly #largest: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #ordinals: number[] = [];
  readonly #cellOf: number[] = [];
  readonly #shows: number[] = [];
  readonly #dust: DustRule | null;
  readonly #areas: number[] = [];
  readonly #rects: number[] = [];
  #bytes = 0;
  #aloneBytes = 0;

  constructor(boxes: Float64Array, grid: CellGrid | null, dust: DustRule | null) {
    this.#dust = dust;
    this.#boxes = boxes;
    this.#grid = grid;
    const col = grid === null ? 0 : Math.floor(grid.col(boxes[0]));
    const row = grid === null ? 0 : Math.floor(grid.row(boxes[3]));
    this.#col0 = Number.isFinite(col) ? col : 0;
    this.#row0 = Number.isFinite(row) ? row : 0;
  }

  take(base: number, page: LeafPage, i: number, limitBytes: number): void {
    const shows = meets(page.boxes, i * STRIDE, this.#boxes);
    const key = this.#keyOf(page.boxes, i * STRIDE);
    if (!shows && key === null) return;
    const offset = leafOffset(page, i);
    const length = leafEnd(page, i) - offset;
    this.#bytes += length;
    if (this.#bytes > limitBytes) return;
    let cell = NO_CELL;
    if (key === null) this.#aloneBytes += length;
    else {
      cell = this.#cells.get(key) ?? this.#newCell(key);
      this.#cells.set(key, cell);
      this.#largest[cell] = Math.max(this.#largest[cell], length);
    }
    this.#offsets.push(base + offset);
    this.#lengths.push(length);
    this.#ordinals.push(page.first + i);
    this.#cellOf.push(cell);
    this.#shows.push(shows ? 1 : 0);
    if (!this.#dust) return;
    const [minx, miny, maxx, maxy] = page.boxes.subarray(i * STRIDE, i * STRIDE + 4);
    this.#areas.push(boxArea(minx, miny, maxx, maxy, this.#dust.degrees));
  }

  #newCell(key: number): number {
    if (this.#dust && this.#grid) {
      const row = Math.round(key / KEY_STRIDE);
      const rect = new Float64Array(4);
      cellRect(this.#grid, key - row * KEY_STRIDE + this.#col0, row + this.#row0, this.#dust.degrees, rect);
      this.#rects.push(...rect);
    }
    return this.#largest.push(0) - 1;
  }

  /** As CellWalk of lod.ts has it; null: it stands for itself. */
  #keyOf(boxes: Float64Array, at: number): number | null {
    const grid = this.#grid;
    if (grid === null) return null;
    const left = grid.col(boxes[at]);
    const right = grid.col(boxes[at + 2]);
    const bottom = grid.row(boxes[at + 1]);
    const top = grid.row(boxes[at + 3]);
    if (right - left >= 1 || bottom - top >= 1) return null;
    const col = Math.floor((left + right) / 2);
    const row = Math.floor((bottom + top) / 2);
    return (row - this.#row0) * KEY_STRIDE + (col - this.#col0);
  }

  candidates(): Candidates {
    return {
      offsets: Float64Array.from(this.#offsets),
      lengths: Uint32Array.from(this.#lengths),
      ordinals: Float64Array.from(this.#ordinals),
      cells: this.#grid === null ? null : Uint32Array.from(this.#cellOf),
      shows: Uint8Array.from(this.#shows),
      cellCount: this.#largest.length,
      areas: Float64Array.from(this.#areas),
      rects: Float64Array.from(this.#rects),
      bytes: this.#bytes,
      drawnBytes: this.#aloneBytes + this.#largest.reduce((sum, length) => sum + length, 0),
      visited: this.visited,
    };
  }
}
