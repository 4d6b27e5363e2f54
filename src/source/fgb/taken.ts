/** The features that a walk over the index takes, as they come: growing arrays that one walk after another fills. */
import type { BytesRef } from '../../plan.ts';
import { CellTable } from './cell-table.ts';
import { type LeafPage, leafEnd, leafOffset } from './rtree.ts';

export interface Selection {
  /** Byte of the file, bytes, and place in the file of each feature taken, in file order. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly ordinals: Float64Array;
  /** The three arrays above, where nobody else has them. */
  readonly buffer?: ArrayBuffer;
  /** Features that meet the boxes and were left out by the grid. */
  readonly dropped: number;
  /** How many features each one taken stands for, itself among them; null where there is no grid. */
  readonly counts: Uint32Array | null;
  /** Index nodes looked at. */
  readonly visited: number;
  /** Where the features are in a file of their own (overview.ts): which, and the CRC-32 of the bytes of each. */
  readonly ref?: BytesRef;
  readonly crcs?: Uint32Array;
  /** Where cells are drawn as dust: of those taken that stand for more than themselves, the square and the sum (dust.ts). */
  readonly dust?: Dust;
}

/** A square for each feature taken, 4 numbers in the layer's CRS, and the area that it stands for; zeros where it is no dust. */
export interface Dust {
  readonly squares: Float64Array;
  readonly areas: Float64Array;
}

/** Cell of a feature that stands for itself alone. */
export const NO_CELL = 0xffffffff;
/** Features that spare arrays have room for at most: 1.5 MB. */
const SPARE_MAX = 65_536;

export class Taken {
  n = 0;
  dropped = 0;
  visited = 0;
  /** Of a walk over a grid: the cells, and how many features each has. */
  readonly cells = new CellTable();
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #ordinals = new Float64Array(1024);
  #cellOf = new Uint32Array(1024);

  get room(): number {
    return this.#offsets.length;
  }

  take(base: number, page: LeafPage, i: number, cell = NO_CELL): void {
    const { n } = this;
    if (n === this.#offsets.length) this.#grow();
    const offset = leafOffset(page, i);
    this.#cellOf[n] = cell;
    this.#offsets[n] = base + offset;
    this.#lengths[n] = leafEnd(page, i) - offset;
    this.#ordinals[n] = page.first + i;
    this.n = n + 1;
  }

  #grow(): void {
    const { n } = this;
    this.#offsets = enlarged(this.#offsets, new Float64Array(n * 2));
    this.#lengths = enlarged(this.#lengths, new Uint32Array(n * 2));
    this.#ordinals = enlarged(this.#ordinals, new Float64Array(n * 2));
    this.#cellOf = enlarged(this.#cellOf, new Uint32Array(n * 2));
  }

  /** `counted`: the walk was over a grid. */
  selection(counted = false): Selection {
    const { n, dropped, visited } = this;
    const buffer = new ArrayBuffer(n * 20);
    const offsets = new Float64Array(buffer, 0, n);
    const ordinals = new Float64Array(buffer, n * 8, n);
    const lengths = new Uint32Array(buffer, n * 16, n);
    offsets.set(this.#offsets.subarray(0, n));
    ordinals.set(this.#ordinals.subarray(0, n));
    lengths.set(this.#lengths.subarray(0, n));
    return {
      offsets,
      lengths,
      ordinals,
      buffer,
      dropped,
      visited,
      counts: counted ? this.#counts() : null,
    };
  }

  #counts(): Uint32Array {
    const counts = new Uint32Array(this.n);
    for (let i = 0; i < counts.length; i++) {
      const cell = this.#cellOf[i];
      counts[i] = cell === NO_CELL ? 1 : this.cells.countOf(cell);
    }
    return counts;
  }

  reset(): void {
    this.n = this.dropped = this.visited = 0;
    this.cells.reset();
  }
}

function enlarged<A extends Float64Array | Uint32Array>(from: A, into: A): A {
  into.set(from);
  return into;
}

/**
 * Arrays for the next walk. Fresh ones a tile are garbage outside the heap, which the collector pays for with a look at
 * all of it. A walk that fails just does not give its own back.
 */
export class SpareTaken {
  #spare: Taken | null = null;

  borrow(): Taken {
    const taken = this.#spare ?? new Taken();
    this.#spare = null;
    taken.reset();
    return taken;
  }

  giveBack(taken: Taken): void {
    if (taken.room <= SPARE_MAX) this.#spare = taken;
  }
}
