/** Hillshade, slope and contours of a surface, with titiler's formulas and defaults. */
import { colormap } from '../colormaps.ts';
import type { Samples } from '../samples.ts';
import type { Algorithm, Field, Parameter, Params } from './types.ts';

const BUFFER: Parameter = {
  default: 3,
  min: 0,
  max: 99,
  integer: true,
  description: 'Pixels around the picture that are read, so that neighbouring tiles agree.',
};
const EXAGGERATION: Parameter = { default: 1, min: 1e-6, max: 1e6, description: 'Heights are taken times this.' };
const RADIANS = Math.PI / 180;

/**
 * Differences a pixel down and to the right, as numpy.gradient takes them: half of the one across the neighbours, at the edge
 * the one to the neighbour. A neighbour without a value counts as level ground.
 */
function eachGradient(field: Field, exaggeration: number, use: (i: number, down: number, right: number) => void): void {
  const { samples, mask, width, height } = field;
  const at = (i: number, centre: number) => (mask[i] === 0 ? centre : (samples[i] as number));
  for (let y = 0, i = 0; y < height; y++) {
    const up = y > 0 ? width : 0;
    const below = y < height - 1 ? width : 0;
    const rows = (up > 0 ? 1 : 0) + (below > 0 ? 1 : 0);
    for (let x = 0; x < width; x++, i++) {
      if (mask[i] === 0) continue;
      const left = x > 0 ? 1 : 0;
      const after = x < width - 1 ? 1 : 0;
      const centre = samples[i] as number;
      const down = rows === 0 ? 0 : (at(i + below, centre) - at(i - up, centre)) / rows;
      const right = left + after === 0 ? 0 : (at(i + after, centre) - at(i - left, centre)) / (left + after);
      use(i, down * exaggeration, right * exaggeration);
    }
  }
}

export const hillshade: Algorithm = {
  title: 'Hillshade',
  description: 'Light from one side on a surface; slopes are taken a pixel, whatever its size.',
  inputBands: [1],
  outputBands: () => 1,
  outputType: () => 'uint8',
  parameters: {
    azimuth: { default: 45, min: 0, max: 360, integer: true, description: 'Where the light comes from, degrees.' },
    angle_altitude: { default: 45, min: -90, max: 90, description: 'How high it stands, degrees.' },
    buffer: BUFFER,
    z_exaggeration: EXAGGERATION,
  },
  range: null,
  margin: ({ buffer }) => buffer as number,
  apply(field, params, out) {
    const azimuth = (360 - (params.azimuth as number)) * RADIANS;
    const altitude = (params.angle_altitude as number) * RADIANS;
    const [sin, cos] = [Math.sin(altitude), Math.cos(altitude)];
    eachGradient(field, params.z_exaggeration as number, (i, down, right) => {
      // The sine and cosine of the slope's complement are the cosine and sine of the slope: no trigonometry for them.
      const steep = Math.hypot(down, right);
      const flat = 1 / Math.sqrt(1 + steep * steep);
      const aspect = Math.atan2(-down, right);
      const shaded = sin * flat + cos * steep * flat * Math.cos(azimuth - aspect);
      out[i] = Math.max(0, (255 * (shaded + 1)) / 2);
    });
  },
};

export const slope: Algorithm = {
  title: 'Slope',
  description: 'Steepness in degrees, by the size of a pixel in units of the CRS.',
  inputBands: [1],
  outputBands: () => 1,
  outputType: () => 'float32',
  parameters: { buffer: BUFFER, z_exaggeration: EXAGGERATION },
  range: [0, 90],
  margin: ({ buffer }) => buffer as number,
  apply(field, params, out) {
    const { resX, resY } = field;
    eachGradient(field, params.z_exaggeration as number, (i, down, right) => {
      // titiler divides the difference down by the width of a pixel and the other by its height; here each by its own.
      out[i] = Math.atan(Math.hypot(down / resY, right / resX)) / RADIANS;
    });
  },
};

const whole = (value: number, min: number, max: number, description: string): Parameter => ({
  default: value,
  min,
  max,
  integer: true,
  description,
});

export const contours: Algorithm = {
  title: 'Contours',
  description: 'Colours of height with a black line at each increment.',
  inputBands: [1],
  outputBands: () => 3,
  outputType: () => 'uint8',
  parameters: {
    increment: whole(35, 1, 999, 'Heights between two lines.'),
    thickness: whole(1, 0, 10, 'Heights that a line covers.'),
    minz: whole(-12_000, -99_999, 99_999, 'Height of the first colour.'),
    maxz: whole(8000, -99_999, 99_999, 'Height of the last colour.'),
  },
  range: null,
  margin: () => 0,
  apply({ samples }, params, out) {
    const table = colormap('terrain') as Uint8Array;
    const { increment, thickness, minz, maxz } = params as Readonly<Record<string, number>>;
    const step = increment as number;
    const span = (maxz as number) - (minz as number);
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i] as number;
      const share = Math.min(1, Math.max(0, (value - (minz as number)) / span));
      const rest = ((value % step) + step) % step;
      putColour(out, i * 3, table, rest < (thickness as number) ? -1 : Math.floor(1 + share * 254));
    }
  },
};

function putColour(out: Samples, at: number, table: Uint8Array, index: number): void {
  for (let c = 0; c < 3; c++) out[at + c] = index < 0 ? 0 : (table[index * 4 + c] as number);
}

/** Refuses what no single parameter shows. */
export function contoursFault({ minz, maxz }: Params): string | null {
  return (minz as number) < (maxz as number) ? null : `minz ${minz} is not below maxz ${maxz}`;
}
