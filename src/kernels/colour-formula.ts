/**
 * Colour formulas in rio-color's language, which is what titiler takes: `gamma RGB 3.5 saturation 1.7 sigmoidal RGB 15 0.35`.
 * As in rio-tiler bytes are what goes from one operation to the next, cut off and not rounded; so gamma and sigmoidal are a
 * table of 256 values a band.
 */
import { problem } from '../errors.ts';
import { saturate } from './saturation.ts';

export type ColourOperation =
  | { readonly kind: 'curve'; readonly bands: readonly number[]; readonly table: Uint8Array }
  | { readonly kind: 'saturation'; readonly proportion: number };

const ARGUMENTS = { gamma: 1, sigmoidal: 2, saturation: 1 } as const;
type Name = keyof typeof ARGUMENTS;
const BANDS: Readonly<Record<string, number>> = { r: 0, g: 1, b: 2, 1: 0, 2: 1, 3: 2 };
const FORMULA_LENGTH_MAX = 1024;

/** Throws bad-parameter, naming the word that is wrong. `bands` of the picture decide what can be meant. */
export function parseColourFormula(text: string, bands: number): ColourOperation[] {
  if (text.length > FORMULA_LENGTH_MAX)
    throw fault(`${text.length} characters; at most ${FORMULA_LENGTH_MAX} are taken`);
  const words = text
    .replaceAll(',', ' ')
    .split(/\s+/)
    .filter(word => word !== '')
    .map(word => word.toLowerCase());
  const operations: ColourOperation[] = [];
  for (let i = 0; i < words.length; ) {
    const name = words[i++] as string;
    if (!Object.hasOwn(ARGUMENTS, name))
      throw fault(`"${name}" is no operation: there are ${Object.keys(ARGUMENTS).join(', ')}`);
    const meant = name === 'saturation' ? [] : bandsOf(name, words[i++], bands);
    const numbers: number[] = [];
    while (numbers.length < ARGUMENTS[name as Name]) numbers.push(numberOf(name, words[i++]));
    operations.push(operationOf(name as Name, meant, numbers, bands));
  }
  if (operations.length === 0) throw fault('it has no operation');
  return operations;
}

function fault(what: string): Error {
  return problem('bad-parameter', `color_formula: ${what}`, { parameter: 'color_formula' });
}

function bandsOf(name: string, word: string | undefined, bands: number): number[] {
  const meant = [...(word ?? '')].map(letter => BANDS[letter]);
  if (word === undefined || meant.some(band => band === undefined))
    throw fault(`${name} needs bands such as RGB, not "${word ?? ''}"`);
  const beyond = meant.find(band => (band as number) >= Math.min(3, bands));
  if (beyond !== undefined) throw fault(`${name} ${word}: the picture has ${bands} band${bands === 1 ? '' : 's'}`);
  return [...new Set(meant as number[])];
}

function numberOf(name: string, word: string | undefined): number {
  const value = Number(word ?? Number.NaN);
  if (!Number.isFinite(value)) throw fault(`${name} needs a number, not "${word ?? ''}"`);
  return value;
}

function operationOf(name: Name, bands: readonly number[], [a, b]: readonly number[], count: number): ColourOperation {
  const first = a as number;
  if (name === 'saturation') {
    if (count < 3) throw fault(`saturation needs three bands, the picture has ${count}`);
    return { kind: 'saturation', proportion: first };
  }
  if (name === 'gamma') {
    if (first <= 0) throw fault(`gamma must be above 0, not ${first}`);
    return { kind: 'curve', bands, table: tableOf(v => v ** (1 / first)) };
  }
  const bias = b as number;
  if (bias < 0 || bias > 1) throw fault(`the bias of sigmoidal lies between 0 and 1, not at ${bias}`);
  return { kind: 'curve', bands, table: tableOf(sigmoid(first, bias)) };
}

function tableOf(curve: (value: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => {
    const v = curve(i / 255) * 255;
    return v > 0 ? Math.min(255, v) : 0;
  });
}

/** Contrast above 0 bends the curve to an S about the bias, below 0 it does the reverse. */
function sigmoid(contrast: number, bias: number): (value: number) => number {
  const middle = bias === 0 ? Number.EPSILON : bias;
  if (contrast === 0) return v => v;
  const low = 1 / (1 + Math.exp(contrast * middle));
  const high = 1 / (1 + Math.exp(contrast * (middle - 1)));
  if (contrast > 0) return v => (1 / (1 + Math.exp(contrast * (middle - v))) - low) / (high - low);
  return v => (contrast * middle - Math.log(1 / (v * high - v * low + low) - 1)) / contrast;
}

/** In place, over interleaved bytes; what comes after the third band is left alone. */
export function applyColourFormula(pixels: Uint8Array, bands: number, operations: readonly ColourOperation[]): void {
  for (const operation of operations) {
    if (operation.kind === 'saturation') saturate(pixels, bands, operation.proportion);
    else
      for (const band of operation.bands)
        for (let i = band; i < pixels.length; i += bands) pixels[i] = operation.table[pixels[i] as number] as number;
  }
}
