/** Values told apart, up to a number of them: a hash table of doubles with open addressing, and a plain array for small integers. */
import type { SampleType } from '../samples.ts';
import type { Distribution } from './types.ts';

/** Different values of a band that are counted one by one. Integers of 8 and 16 bits have no more than 65,536, and all of them are. */
export const DISTINCT_MAX = 16_384;
const SLOTS = DISTINCT_MAX * 2;
export const DISTINCT_BYTES = SLOTS * 24;

export interface Counter {
  add(value: number, weight: number): void;
  /** null: there were too many. */
  readonly distribution: Distribution | null;
}

/** Smallest value and number of values of a type whose values all have their own place; null for wider types. */
export function smallRange(type: SampleType): { readonly low: number; readonly size: number } | null {
  switch (type) {
    case 'uint8':
      return { low: 0, size: 256 };
    case 'int8':
      return { low: -128, size: 256 };
    case 'uint16':
      return { low: 0, size: 65_536 };
    case 'int16':
      return { low: -32_768, size: 65_536 };
    default:
      return null;
  }
}

export function createSmallCounter({ low, size }: { readonly low: number; readonly size: number }): Counter {
  const counts = new Float64Array(size);
  const weights = new Float64Array(size);
  return {
    add(value, weight) {
      counts[value - low]++;
      weights[value - low] += weight;
    },
    get distribution() {
      const used = counts.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
      const out = { values: new Float64Array(used), counts: new Float64Array(used), weights: new Float64Array(used) };
      for (let i = 0, at = 0; i < size; i++) {
        if (counts[i] === 0) continue;
        out.values[at] = i + low;
        out.counts[at] = counts[i];
        out.weights[at++] = weights[i];
      }
      return out;
    },
  };
}

export function createDistinctCounter(): Counter {
  const keys = new Float64Array(SLOTS);
  const counts = new Float64Array(SLOTS);
  const weights = new Float64Array(SLOTS);
  const one = new Float64Array(1);
  const halves = new Uint32Array(one.buffer);
  let used = 0;
  let full = false;
  let [last, lastAt] = [Number.NaN, -1];

  function place(value: number): number {
    // Zero has two signs and is one value.
    one[0] = value + 0;
    let h = Math.imul(halves[0] ^ Math.imul(halves[1], 0x9e3779b1), 0x85ebca6b);
    h ^= h >>> 15;
    let at = h & (SLOTS - 1);
    while (counts[at] !== 0 && keys[at] !== value) at = (at + 1) & (SLOTS - 1);
    return at;
  }

  return {
    add(value, weight) {
      if (full) return;
      const at = value === last ? lastAt : place(value);
      if (counts[at] === 0) {
        if (used === DISTINCT_MAX) {
          full = true;
          return;
        }
        used++;
        keys[at] = value + 0;
      }
      counts[at]++;
      weights[at] += weight;
      [last, lastAt] = [value, at];
    },
    get distribution() {
      if (full) return null;
      const places: number[] = [];
      for (let at = 0; at < SLOTS; at++) if (counts[at] > 0) places.push(at);
      places.sort((a, b) => keys[a] - keys[b]);
      return {
        values: Float64Array.from(places, at => keys[at]),
        counts: Float64Array.from(places, at => counts[at]),
        weights: Float64Array.from(places, at => weights[at]),
      };
    },
  };
}
