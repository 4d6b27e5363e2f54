/** Plans of values at places: one point, many, or those along a line. */
import { setImmediate as turn } from 'node:timers/promises';
import { transformer, xPeriod } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Plan } from '../../plan.ts';
import { chooseBands, scaling } from './bands.ts';
import { blockCount, gatherBytes, inputTogether, planRead } from './blocks.ts';
import { bandsTold, derivedBytes, planDerivation } from './derive.ts';
import { invertAffine, SNAP } from './geometry.ts';
import { profileAlong } from './profile.ts';
import { crsOf } from './read.ts';
import type { PlacesAnswer, PointJob, RasterParams, WindowRead } from './types.ts';
import { PLACE_BYTES } from './values.ts';

/** Bytes of JSON: a value, a place's two numbers and distance. */
const VALUE_JSON = 28;
const PLACE_JSON = 96;
/** What the plan of one place takes, here and in the worker. */
const READ_BYTES = 640;

/** Places are found where requests are answered: others are let in between so many coordinates. */
const TURN = 2048;

export interface Where {
  readonly layer: RasterLayer;
  readonly coordCrs: string;
  readonly params: RasterParams;
}

export interface PointAsk extends Where {
  readonly lon: number;
  readonly lat: number;
}

export interface PointsAsk extends Where {
  readonly coordinates: readonly (readonly [number, number])[];
}

export interface ProfileAsk extends Where {
  readonly line: readonly (readonly [number, number])[];
  readonly samples: number;
}

/** A point outside the raster is an error; of many it is null. */
export async function planPoint(ask: PointAsk, signal: AbortSignal): Promise<Plan> {
  const { lon, lat, layer } = ask;
  const plan = await planPlaces(ask, Float64Array.of(lon, lat), { form: 'point', coordinates: [lon, lat] }, signal);
  if (plan.job === null) throw problem('outside-bounds', `${lon},${lat} is outside ${layer.id}`);
  return plan;
}

export function planPoints(ask: PointsAsk, signal: AbortSignal): Promise<Plan> {
  const coordinates = Float64Array.from(ask.coordinates.flat());
  return planPlaces(ask, coordinates, { form: 'points', coordinates }, signal);
}

export function planProfile(ask: ProfileAsk, signal: AbortSignal): Promise<Plan> {
  const { coordinates, distances } = profileAlong(ask.line, ask.samples, ask.coordCrs);
  return planPlaces(ask, coordinates, { form: 'profile', coordinates, distances }, signal);
}

export async function planPlaces(
  ask: Where,
  at: Float64Array,
  places: PlacesAnswer,
  signal: AbortSignal,
): Promise<Plan> {
  const { layer, params } = ask;
  const { source } = layer;
  const derivation = planDerivation(layer, params, null);
  const choice = chooseBands(layer, params, derivation.wanted);
  const locate = locator(ask);
  const reads: (WindowRead | null)[] = [];
  for (let i = 0; i < at.length; i += 2) {
    if (i % TURN === TURN - 2) {
      await turn();
      signal.throwIfAborted();
    }
    const pixel = locate(at[i], at[i + 1]);
    reads.push(pixel && (await planRead(source, 0, { ...pixel, width: 1, height: 1 }, choice, null, signal)));
  }
  const found = reads.filter(read => read !== null);
  const told = bandsTold(layer, params, derivation);
  const each = Math.max(0, ...found.map(read => gatherBytes(read, source, choice))) + derivedBytes(derivation, 1);
  const job: PointJob = {
    task: 'raster',
    kind: 'point',
    choice,
    derive: derivation.derive,
    style: scaling(source, params, derivation.wanted),
    ...told,
    reads,
    order: byBlock(reads),
    places,
  };
  const explain = { layer: layer.id, bands: derivation.wanted, level: 0, places: reads.length, inside: found.length };
  const [first] = found;
  const pixel = places.form === 'point' && first ? { pixel: [first.window.x, first.window.y] } : {};
  return {
    cost: {
      ...inputTogether(job.order.flatMap(at => reads[at] ?? [])),
      decodedBytes: each + reads.length * (READ_BYTES + PLACE_BYTES),
      outputBytes: 256 + told.names.length * 256 + reads.length * (PLACE_JSON + VALUE_JSON * told.names.length),
    },
    job: found.length === 0 && places.form === 'point' ? null : job,
    explain: { ...explain, ...pixel, blocks: found.reduce((sum, read) => sum + blockCount(read), 0) },
    headers: {},
  };
}

/** Places of one block follow each other, so that it is decoded once. */
function byBlock(reads: readonly (WindowRead | null)[]): number[] {
  const key = (read: WindowRead) => {
    const { column, row } = read.blocks[0];
    return row * 2 ** 24 + column;
  };
  const keys = reads.map(read => (read ? key(read) : -1));
  return reads.map((_, i) => i).sort((a, b) => keys[a] - keys[b]);
}

/** Level 0 pixel of a place; null outside. */
function locator({ layer, coordCrs }: Where): (x: number, y: number) => { x: number; y: number } | null {
  const { source } = layer;
  const crs = crsOf(layer);
  const move = transformer(coordCrs, crs);
  const inverse = invertAffine(source.transform);
  const period = xPeriod(crs);
  const at = new Float64Array(2);
  return (lon, lat) => {
    if (!move.forward(lon, lat, at, 0)) return null;
    for (const turns of period === null ? [0] : [0, 1, -1]) {
      const east = at[0] + turns * (period ?? 0);
      const x = Math.floor(inverse[0] + east * inverse[1] + at[1] * inverse[2] + SNAP);
      const y = Math.floor(inverse[3] + east * inverse[4] + at[1] * inverse[5] + SNAP);
      if (x >= 0 && y >= 0 && x < source.width && y < source.height) return { x, y };
    }
    return null;
  };
}
