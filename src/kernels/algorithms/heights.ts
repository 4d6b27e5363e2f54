/** Heights written into the three bands of a picture, for terrain in map libraries: Terrarium and Terrain-RGB. */
import { rint } from '../rint.ts';
import type { Algorithm, Field, Parameter, Params } from './types.ts';

const NODATA: Parameter = {
  default: null,
  min: -99_999,
  max: 99_999,
  description: 'Height of pixels without a value, which are then opaque.',
};

/** `encode` gives the 24-bit number of a height. */
function writeHeights(
  { samples, mask }: Field,
  { nodata_height }: Params,
  out: { [index: number]: number },
  outMask: Uint8Array,
  encode: (height: number) => number,
): void {
  for (let i = 0, d = 0; i < samples.length; i++, d += 3) {
    const valid = mask[i] !== 0;
    if (!valid && nodata_height === null) continue;
    if (!valid) outMask[i] = 255;
    const number = encode(valid ? (samples[i] as number) : (nodata_height as number));
    out[d] = (number >>> 16) & 255;
    out[d + 1] = (number >>> 8) & 255;
    out[d + 2] = number & 255;
  }
}

const clamp = (value: number, max: number): number => Math.min(max, Math.max(0, value));

export const terrarium: Algorithm = {
  title: 'Terrarium',
  description: 'Heights as (red × 256 + green + blue ÷ 256) − 32768 metres.',
  inputBands: [1],
  outputBands: () => 3,
  outputType: () => 'uint8',
  parameters: { nodata_height: NODATA },
  range: null,
  margin: () => 0,
  apply: (field, params, out, mask) =>
    writeHeights(field, params, out, mask, height => Math.floor(clamp(height + 32_768, 65_535) * 256)),
};

export const terrainrgb: Algorithm = {
  title: 'Terrain-RGB',
  description: 'Heights as baseval + (red × 65536 + green × 256 + blue) × interval metres.',
  inputBands: [1],
  outputBands: () => 3,
  outputType: () => 'uint8',
  parameters: {
    interval: { default: 0.1, min: 1e-6, max: 1, description: 'Metres a step.' },
    baseval: { default: -10_000, min: -99_999, max: 99_999, description: 'Height of step 0, metres.' },
    nodata_height: NODATA,
  },
  range: null,
  margin: () => 0,
  apply(field, params, out, mask) {
    const { baseval, interval } = params as Readonly<Record<string, number>>;
    const encode = (height: number) => clamp(rint((height - (baseval as number)) / (interval as number)), 0xffffff);
    writeHeights(field, params, out, mask, encode);
  },
};
