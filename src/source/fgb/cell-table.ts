/**
 * The cells that a walk has met, by key: a number each, in the order in which they came, and how many features each has. What a Map
 * would do, in arrays that one walk after another uses: a Map a tile was a fifth of all that the main thread allocated.
 */

/** In place of a cell's number, where there is none. */
export const NONE = -1;

const FIRST_SLOTS = 1024;
/** Slots that stay for the next walk at most: 640 KB with what belongs to them. */
const SPARE_SLOTS = 65_536;

export class CellTable {
  /** Cells met. */
  size = 0;
  /** A cell's number and one more, where its key's hash says or in the next free slot; 0: free. Half of them at least are. */
  #slots = new Int32Array(0);
  /** Of each cell. */
  #keys = new Float64Array(0);
  #counts = new Uint32Array(0);
  /** The free slot of the key that was looked for last and not found. */
  #slot = 0;
  /** Neighbours in the file are neighbours on the ground: most keys are the one before. */
  #lastKey = Number.NaN;
  #lastCell = NONE;

  constructor() {
    this.#make(FIRST_SLOTS);
  }

  /** The key's cell, or NONE. `key`: a whole number below 2^53 in either direction. */
  find(key: number): number {
    if (key === this.#lastKey) return this.#lastCell;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(key) & mask;
    for (let cell = slots[slot] - 1; cell !== NONE; cell = slots[slot] - 1) {
      if (this.#keys[cell] === key) {
        this.#lastKey = key;
        this.#lastCell = cell;
        return cell;
      }
      slot = (slot + 1) & mask;
    }
    this.#slot = slot;
    return NONE;
  }

  /** Gives the key that was just looked for, and not found, the next number and one feature. */
  add(key: number): number {
    const cell = this.size++;
    this.#keys[cell] = key;
    this.#counts[cell] = 1;
    this.#slots[this.#slot] = cell + 1;
    if (2 * this.size === this.#slots.length) this.#grow();
    return cell;
  }

  count(cell: number, more: number): void {
    this.#counts[cell] += more;
  }

  countOf(cell: number): number {
    return this.#counts[cell];
  }

  /** For the next walk. */
  reset(): void {
    if (this.#slots.length > SPARE_SLOTS) this.#make(FIRST_SLOTS);
    else if (this.size > 0) this.#slots.fill(0);
    this.size = 0;
    this.#lastKey = Number.NaN;
  }

  #make(slots: number): void {
    this.#slots = new Int32Array(slots);
    this.#keys = new Float64Array(slots / 2);
    this.#counts = new Uint32Array(slots / 2);
  }

  #grow(): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#make(2 * this.#slots.length);
    this.#keys.set(keys);
    this.#counts.set(counts);
    const mask = this.#slots.length - 1;
    for (let cell = 0; cell < this.size; cell++) {
      let slot = hash(keys[cell]) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = cell + 1;
    }
  }
}

/** Of both halves of the number; keys of neighbours differ by one, or by a row. */
function hash(key: number): number {
  const mixed = Math.imul((key | 0) ^ Math.imul(Math.floor(key * 2 ** -32), 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
