/**
 * Colour maps that a request brings (titiler's `colormap`): a colour for each of some values, or for intervals of values.
 * `{"1": "#ff0000", "2": [0, 255, 0, 128]}` or `[[[0, 10], "#ff0000"], [[10, 20], [0, 0, 255]]]`. A value that none of them
 * names is transparent.
 */
import { problem } from '../errors.ts';
import type { Samples } from './samples.ts';

export type Colour = readonly [number, number, number, number];

/** Plain data, so that it can be part of a cache key and go to a worker. */
export type ColourMap =
  | { readonly kind: 'values'; readonly entries: readonly (readonly [number, Colour])[] }
  /** From (included) to (excluded), in the order given: the last that holds a value counts. */
  | { readonly kind: 'intervals'; readonly entries: readonly (readonly [number, number, Colour])[] };

const LENGTH_MAX = 32_768;
const ENTRIES_MAX = 4096;

function fault(what: string): Error {
  return problem('bad-parameter', `colormap: ${what}`, { parameter: 'colormap' });
}

/** Throws bad-parameter, naming the entry that is wrong. */
export function parseColourMap(text: string): ColourMap {
  if (text.length > LENGTH_MAX) throw fault(`${text.length} characters; at most ${LENGTH_MAX} are taken`);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw fault(`it is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (Array.isArray(given)) return { kind: 'intervals', entries: bounded(given).map(intervalOf) };
  if (typeof given !== 'object' || given === null) throw fault('it is neither an object nor a list');
  const entries = bounded(Object.entries(given)).map(([key, colour]) => {
    const value = Number(key);
    if (key.trim() === '' || !Number.isFinite(value)) throw fault(`"${key}" is no number`);
    return [value, colourOf(colour, key)] as const;
  });
  return { kind: 'values', entries: entries.sort((a, b) => a[0] - b[0]) };
}

function bounded<T>(entries: readonly T[]): readonly T[] {
  if (entries.length === 0) throw fault('it is empty');
  if (entries.length > ENTRIES_MAX) throw fault(`${entries.length} entries; at most ${ENTRIES_MAX} are taken`);
  return entries;
}

function intervalOf(entry: unknown, i: number): readonly [number, number, Colour] {
  const [range, colour] = Array.isArray(entry) ? entry : [];
  if (!Array.isArray(range) || range.length !== 2 || !range.every(v => typeof v === 'number' && !Number.isNaN(v)))
    throw fault(`entry ${i + 1} is not [[from, to], colour]`);
  const [from, to] = range as [number, number];
  if (!(from < to)) throw fault(`entry ${i + 1}: ${from} is not below ${to}`);
  return [from, to, colourOf(colour, `entry ${i + 1}`)];
}

const HEX = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;

function colourOf(given: unknown, where: string): Colour {
  if (typeof given === 'string' && HEX.test(given)) {
    const digits = given.length <= 5 ? [...given.slice(1)].map(d => d + d).join('') : given.slice(1);
    const [r, g, b, a = 255] = (digits.match(/../g) as string[]).map(pair => Number.parseInt(pair, 16));
    return [r, g, b, a] as Colour;
  }
  const numbers = Array.isArray(given) ? given : [];
  if (numbers.length < 3 || numbers.length > 4 || !numbers.every(v => Number.isInteger(v) && v >= 0 && v <= 255))
    throw fault(`${where}: ${JSON.stringify(given)?.slice(0, 40)} is neither #rrggbb nor [r, g, b, a] of 0 to 255`);
  const [r, g, b, a = 255] = numbers as number[];
  return [r, g, b, a] as Colour;
}

/** 256 RGBA entries, where all values are bytes; else null, and colours go by value. */
export function tableOfMap(map: ColourMap): Uint8Array | null {
  if (map.kind !== 'values') return null;
  const table = new Uint8Array(1024);
  for (const [value, colour] of map.entries) {
    if (!Number.isInteger(value) || value < 0 || value > 255) return null;
    table.set(colour, value * 4);
  }
  return table;
}

/** One band of samples to RGBA; invalid pixels, and values without a colour, are transparent. */
export function colourValues(samples: Samples, mask: Uint8Array, map: ColourMap): Uint8Array {
  const out = new Uint8Array(samples.length * 4);
  const find = map.kind === 'values' ? finderOfValues(map.entries) : finderOfIntervals(map.entries);
  for (let i = 0; i < samples.length; i++) {
    const alpha = mask[i] as number;
    const colour = alpha === 0 ? undefined : find(samples[i] as number);
    if (!colour) continue;
    const at = i * 4;
    out[at] = colour[0];
    out[at + 1] = colour[1];
    out[at + 2] = colour[2];
    out[at + 3] = Math.min(alpha, colour[3]);
  }
  return out;
}

type Finder = (value: number) => Colour | undefined;

function finderOfValues(entries: readonly (readonly [number, Colour])[]): Finder {
  const colours = new Map(entries);
  return value => colours.get(value);
}

function finderOfIntervals(entries: readonly (readonly [number, number, Colour])[]): Finder {
  let last = entries[0] as readonly [number, number, Colour];
  const ordered = entries.every(
    ([from], i) => i === 0 || from >= (entries[i - 1] as readonly [number, number, Colour])[1],
  );
  return value => {
    // Neighbouring pixels are alike, and where intervals do not overlap it does not matter which is tried first.
    if (ordered && value >= last[0] && value < last[1]) return last[2];
    const found = entries.findLast(([from, to]) => value >= from && value < to);
    if (found) last = found;
    return found?.[2];
  };
}
