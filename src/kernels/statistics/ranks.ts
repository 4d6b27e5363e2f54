/**
 * Values at given ranks, exactly, of more values than are kept: their bits, in an order that is theirs, are looked at 16 at a time,
 * one pass over all values each. After the first pass it is known which first 16 bits a rank's value has, and so on.
 */

const BUCKETS = 65_536;
export const RANK_BYTES = BUCKETS * 8;

export interface Ranks {
  readonly passes: number;
  add(value: number, weight: number): void;
  /** After each pass; `shares` of the whole weight, the ranks. */
  endPass(shares: readonly number[]): void;
  /** After the last pass, in the order of the shares. */
  readonly values: readonly number[];
}

interface Search {
  /** The first 16 × pass bits of the value. */
  prefix: number;
  last: number;
  /** Weight that is still to be passed within them. */
  rest: number;
}

/** `wide`: doubles that no float32 holds; four passes, not two. */
export function createRanks(wide: boolean): Ranks {
  const words = wide ? 4 : 2;
  const double = new Float64Array(1);
  const single = new Float32Array(1);
  const bits = wide ? new Uint16Array(double.buffer) : new Uint16Array(single.buffer);
  const word = new Uint16Array(words);
  let pass = 0;
  let searches: Search[] = [];
  let buckets = new Map<number, Float64Array>([[0, new Float64Array(BUCKETS)]]);

  /** Most significant word first; negative numbers have all bits turned, the others the sign's, so that order is numeric. */
  function take(value: number): void {
    if (wide) double[0] = value + 0;
    else single[0] = value + 0;
    const negative = bits[words - 1] >= 0x8000;
    for (let i = 0; i < words; i++) word[i] = negative ? ~bits[words - 1 - i] : bits[words - 1 - i];
    if (!negative) word[0] |= 0x8000;
  }

  function prefix(): number {
    let key = 0;
    for (let i = 0; i < pass; i++) key = key * BUCKETS + word[i];
    return key;
  }

  /** `key`: all words but the last, as prefix() has them. */
  function valueOf(key: number, last: number): number {
    word[words - 1] = last;
    for (let i = words - 2, rest = key; i >= 0; i--, rest = Math.floor(rest / BUCKETS)) word[i] = rest % BUCKETS;
    const negative = word[0] < 0x8000;
    for (let i = 0; i < words; i++) bits[words - 1 - i] = negative ? ~word[i] : i === 0 ? word[i] & 0x7fff : word[i];
    return wide ? double[0] : single[0];
  }

  return {
    passes: words,
    add(value, weight) {
      take(value);
      const bucket = buckets.get(prefix());
      if (bucket) bucket[word[pass]] += weight;
    },
    endPass(shares) {
      if (pass === 0) {
        const whole = (buckets.get(0) as Float64Array).reduce((sum, weight) => sum + weight, 0);
        searches = shares.map(share => ({ prefix: 0, last: 0, rest: share * whole }));
      }
      for (const search of searches) {
        const bucket = buckets.get(search.prefix) as Float64Array;
        let [at, last] = [0, 0];
        // The first value up to which at least the share lies; of rounding only the last one that occurs is left.
        for (; at < BUCKETS; at++) {
          if (bucket[at] === 0) continue;
          last = at;
          if (bucket[at] >= search.rest) break;
          search.rest -= bucket[at];
        }
        search.last = at < BUCKETS ? at : last;
        // The last word stays apart: four of them are more than a double counts.
        if (pass < words - 1) search.prefix = search.prefix * BUCKETS + search.last;
      }
      pass++;
      buckets = new Map(searches.map(({ prefix: key }) => [key, new Float64Array(pass < words ? BUCKETS : 0)]));
    },
    get values() {
      return searches.map(({ prefix: key, last }) => valueOf(key, last));
    },
  };
}
