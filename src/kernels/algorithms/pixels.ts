/** Algorithms that look at one pixel at a time: an index of two bands, a figure of all bands, roundings, grays. */
import type { Samples, SampleType } from '../samples.ts';
import type { Algorithm, Field } from './types.ts';

const NOTHING = { parameters: {}, margin: () => 0 } as const;

export const normalizedIndex: Algorithm = {
  ...NOTHING,
  title: 'Normalized difference index',
  description: '(second − first) ÷ (second + first), between −1 and 1.',
  inputBands: [2],
  outputBands: () => 1,
  outputType: () => 'float32',
  range: [-1, 1],
  apply({ samples }, _params, out, mask) {
    for (let i = 0; i < out.length; i++) {
      const [a, b] = [samples[i * 2] as number, samples[i * 2 + 1] as number];
      const value = (b - a) / (b + a);
      out[i] = value;
      if (!Number.isFinite(value)) mask[i] = 0;
    }
  },
};

/** One figure of all bands of a pixel. */
function across(
  title: string,
  description: string,
  outputType: (type: SampleType) => SampleType,
  figure: (values: Float64Array) => number,
): Algorithm {
  return {
    ...NOTHING,
    title,
    description,
    inputBands: null,
    outputBands: () => 1,
    outputType,
    range: null,
    apply({ samples, bands }, _params, out, mask) {
      const values = new Float64Array(bands);
      for (let i = 0, s = 0; i < out.length; i++) {
        for (let b = 0; b < bands; b++) values[b] = samples[s++] as number;
        const value = figure(values);
        out[i] = value;
        if (!Number.isFinite(value)) mask[i] = 0;
      }
    },
  };
}

const same = (type: SampleType): SampleType => type;
const double = (): SampleType => 'float64';

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** With one degree of freedom less, as titiler has it; of one band there is none. */
function varianceOf(values: Float64Array): number {
  const mean = sumOf(values) / values.length;
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / (values.length - 1);
}

function medianOf(values: Float64Array): number {
  values.sort();
  const half = values.length >> 1;
  return values.length % 2 ? (values[half] as number) : ((values[half - 1] as number) + (values[half] as number)) / 2;
}

export const min = across('Minimum', 'The least of the bands.', same, values => Math.min(...values));
export const max = across('Maximum', 'The greatest of the bands.', same, values => Math.max(...values));
export const median = across('Median', 'The median of the bands.', double, medianOf);
export const mean = across('Mean', 'The mean of the bands.', double, values => sumOf(values) / values.length);
export const std = across('Standard deviation', 'Of the bands, of a sample.', double, v => Math.sqrt(varianceOf(v)));
export const variance = across('Variance', 'Of the bands, of a sample.', double, varianceOf);
export const sum = across('Sum', 'The sum of the bands.', double, sumOf);

/** Values as bytes; NumPy's cast wraps around, here what lies beyond is clamped. */
function rounding(title: string, description: string, round: (value: number) => number): Algorithm {
  return {
    ...NOTHING,
    title,
    description,
    inputBands: null,
    outputBands: bands => bands,
    outputType: () => 'uint8',
    range: null,
    apply({ samples }, _params, out) {
      for (let i = 0; i < out.length; i++) out[i] = Math.min(255, Math.max(0, round(samples[i] as number)));
    },
  };
}

export const cast = rounding('Cast', 'Values cut off to bytes.', Math.trunc);
export const ceil = rounding('Ceiling', 'Values rounded up to bytes.', Math.ceil);
export const floor = rounding('Floor', 'Values rounded down to bytes.', Math.floor);

/** ITU-R BT.601 luma. */
function lumaOf({ samples, bands }: Field, i: number): number {
  if (bands === 1) return samples[i] as number;
  const s = i * bands;
  return ((samples[s] as number) * 299 + (samples[s + 1] as number) * 587 + (samples[s + 2] as number) * 114) / 1000;
}

export const grayscale: Algorithm = {
  ...NOTHING,
  title: 'Grayscale',
  description: 'The luma (ITU-R BT.601) of red, green and blue.',
  inputBands: [3, 4],
  outputBands: () => 1,
  outputType: same,
  range: null,
  apply(field, _params, out) {
    for (let i = 0; i < out.length; i++) out[i] = lumaOf(field, i);
  },
};

export const bitonal: Algorithm = {
  ...NOTHING,
  title: 'Bitonal',
  description: 'White where the luma is above 127, else black.',
  inputBands: [1, 3],
  outputBands: () => 1,
  outputType: () => 'uint8',
  range: null,
  apply(field, _params, out: Samples) {
    for (let i = 0; i < out.length; i++) out[i] = lumaOf(field, i) > 127 ? 255 : 0;
  },
};
