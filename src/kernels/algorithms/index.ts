/** The algorithms by titiler's names, and their parameters as a request gives them. */
import { problem } from '../../errors.ts';
import { nearestNames } from '../../nearest.ts';
import { terrainrgb, terrarium } from './heights.ts';
import * as pixels from './pixels.ts';
import { contours, contoursFault, hillshade, slope } from './terrain.ts';
import type { Algorithm, Parameter, Params } from './types.ts';

export type { Algorithm, Field, Params } from './types.ts';

export const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  hillshade,
  slope,
  contours,
  normalizedIndex: pixels.normalizedIndex,
  terrarium,
  terrainrgb,
  cast: pixels.cast,
  ceil: pixels.ceil,
  floor: pixels.floor,
  min: pixels.min,
  max: pixels.max,
  median: pixels.median,
  mean: pixels.mean,
  std: pixels.std,
  var: pixels.variance,
  sum: pixels.sum,
  grayscale: pixels.grayscale,
  bitonal: pixels.bitonal,
};

export const ALGORITHM_NAMES: readonly string[] = Object.keys(ALGORITHMS);

function fault(what: string): Error {
  return problem('bad-parameter', `algorithm_params: ${what}`, { parameter: 'algorithm_params' });
}

/** Every parameter with its value. Throws bad-parameter, naming what is wrong. `text` is JSON, or absent. */
export function algorithmParams(name: string, text: string | undefined): Params {
  const { parameters } = ALGORITHMS[name] as Algorithm;
  const given = text === undefined ? {} : objectOf(text);
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(parameters, key)) continue;
    const known = Object.keys(parameters);
    const [meant] = nearestNames(key, known, 1);
    throw fault(
      known.length === 0
        ? `${name} has none`
        : `${name} has no ${key}${meant ? `; ${meant} is meant?` : `: it has ${known.join(', ')}`}`,
    );
  }
  const params = Object.fromEntries(
    Object.entries(parameters).map(([key, parameter]) => [key, valueOf(key, parameter, given[key])]),
  );
  const contradiction = name === 'contours' ? contoursFault(params) : null;
  if (contradiction) throw fault(contradiction);
  return params;
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault(`it is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault('it is no JSON object');
  return value as Record<string, unknown>;
}

function valueOf(key: string, { default: fallback, min, max, integer }: Parameter, value: unknown): number | null {
  if (value === undefined || (value === null && fallback === null)) return fallback;
  if (typeof value !== 'number' || !(value >= min && value <= max) || (integer && !Number.isInteger(value)))
    throw fault(`${key} is ${integer ? 'an integer' : 'a number'} from ${min} to ${max}, not ${JSON.stringify(value)}`);
  return value;
}
