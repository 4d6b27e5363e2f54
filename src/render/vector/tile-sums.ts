/** Sums by tile, of many tiles: open addressing in typed arrays, 40 bytes a place and nothing for the garbage collector. */

/** What is summed, in this order. */
export const SUMS = ['counts', 'bytes', 'taken', 'takenBytes'] as const;

export class TileSums {
  readonly #keys: Float64Array;
  readonly #sums: Float64Array[];
  readonly #cells: Float64Array;
  readonly #mask: number;

  /** Room for so many tiles, and as many cells. */
  constructor(tiles: number) {
    const places = placesFor(tiles);
    this.#mask = places - 1;
    this.#keys = new Float64Array(places).fill(-1);
    this.#cells = new Float64Array(places).fill(-1);
    this.#sums = SUMS.map(() => new Float64Array(places));
  }

  static bytesFor(tiles: number): number {
    return placesFor(tiles) * (2 + SUMS.length) * 8;
  }

  reset(): void {
    this.#keys.fill(-1);
    this.#cells.fill(-1);
    for (const sums of this.#sums) sums.fill(0);
  }

  /** Where the sums of that tile are; the key is a whole number from 0 on. */
  placeOf(key: number): number {
    const at = this.#find(this.#keys, key);
    this.#keys[at] = key;
    return at;
  }

  add(place: number, which: number, value: number): void {
    this.#sums[which][place] += value;
  }

  get(key: number, which: number): number {
    return this.#sums[which][this.#find(this.#keys, key)];
  }

  /** False where the cell was seen before. */
  firstOf(cell: number): boolean {
    const at = this.#find(this.#cells, cell);
    const first = this.#cells[at] < 0;
    this.#cells[at] = cell;
    return first;
  }

  /** Keys of the n largest sums of that kind; of equal ones the lesser keys. */
  most(which: number, n: number): number[] {
    const sums = this.#sums[which];
    const found: { readonly key: number; readonly sum: number }[] = [];
    for (let at = 0; at < sums.length; at++) {
      const sum = sums[at];
      if (!(sum > 0) || (found.length === n && sum < found[n - 1].sum)) continue;
      found.push({ key: this.#keys[at], sum });
      found.sort((a, b) => b.sum - a.sum || a.key - b.key);
      if (found.length > n) found.pop();
    }
    return found.map(({ key }) => key);
  }

  #find(keys: Float64Array, key: number): number {
    let at = (Math.imul(key | 0, 0x9e3779b1) ^ Math.imul((key / 4294967296) | 0, 0x85ebca6b)) >>> 0;
    at = (at ^ (at >>> 15)) & this.#mask;
    while (keys[at] !== key && keys[at] >= 0) at = (at + 1) & this.#mask;
    return at;
  }
}

/** Half of them stay free. */
function placesFor(tiles: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, tiles) * 2));
}
