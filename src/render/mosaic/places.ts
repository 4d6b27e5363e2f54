/** Values of mosaics at places: those of the members there, chosen as for a picture. */
import { problem } from '../../errors.ts';
import { SAMPLE_TYPES } from '../../kernels/samples.ts';
import type { Mosaic, RasterLayer } from '../../layers/types.ts';
import type { Cost, Plan } from '../../plan.ts';
import { planDerivation } from '../raster/derive.ts';
import { type PointAsk, type PointsAsk, type ProfileAsk, planPlaces, type Where } from '../raster/places.ts';
import { profileAlong } from '../raster/profile.ts';
import type { OutputGrid, PlacesAnswer, PointJob } from '../raster/types.ts';
import { membersMeeting, tooMany } from './members.ts';
import type { MosaicPlacesJob } from './types.ts';

/** A point outside of all members is an error; of many it is null. */
export async function planMosaicPoint(ask: PointAsk, signal: AbortSignal): Promise<Plan> {
  const { lon, lat, layer } = ask;
  const plan = await planAt(ask, Float64Array.of(lon, lat), { form: 'point', coordinates: [lon, lat] }, signal);
  if (plan.job === null) throw problem('outside-bounds', `${lon},${lat} is outside ${layer.id}`);
  return plan;
}

export function planMosaicPoints(ask: PointsAsk, signal: AbortSignal): Promise<Plan> {
  const coordinates = Float64Array.from(ask.coordinates.flat());
  return planAt(ask, coordinates, { form: 'points', coordinates }, signal);
}

export function planMosaicProfile(ask: ProfileAsk, signal: AbortSignal): Promise<Plan> {
  const { coordinates, distances } = profileAlong(ask.line, ask.samples, ask.coordCrs);
  return planAt(ask, coordinates, { form: 'profile', coordinates, distances }, signal);
}

interface Member {
  readonly id: string;
  readonly job: PointJob;
  readonly cost: Cost;
}

async function planAt(ask: Where, at: Float64Array, places: PlacesAnswer, signal: AbortSignal): Promise<Plan> {
  const { layer, params } = ask;
  const mosaic = layer.mosaic as Mosaic;
  const found: Member[] = [];
  let [first] = mosaic.members;
  for (const member of membersMeeting(mosaic, around(at, ask.coordCrs))) {
    signal.throwIfAborted();
    const planned = await planMember(member, ask, at, places, signal);
    if (!planned) continue;
    if (found.length === mosaic.maxAssets) throw tooMany(layer, mosaic, {});
    if (found.length === 0) first = member;
    found.push(planned);
  }
  if (found.length === 0 && places.form === 'point') return nowhere(layer);
  // Many places may all lie outside: then any member says what the bands are called.
  const lead = found[0] ?? ((await planPlaces({ ...ask, layer: first }, at, places, signal)) as unknown as Member);
  const { names, descriptions } = lead.job;
  const { type } = planDerivation(layer, params, null).product;
  const job: MosaicPlacesJob = {
    task: 'mosaic',
    kind: 'places',
    selection: mosaic.selection,
    members: found.length > 0 ? found.map(each => each.job) : [lead.job],
    integer: SAMPLE_TYPES[type].integer,
    places,
    names,
    descriptions,
  };
  const explain = { layer: layer.id, places: at.length / 2, pixelSelection: mosaic.selection };
  return {
    cost: costOf(found.length > 0 ? found : [lead]),
    job,
    explain: { ...explain, assets: found.map(({ id }) => id) },
    headers: {},
  };
}

async function planMember(
  member: RasterLayer,
  ask: Where,
  at: Float64Array,
  places: PlacesAnswer,
  signal: AbortSignal,
): Promise<Member | null> {
  const { job, cost } = await planPlaces({ ...ask, layer: member }, at, places, signal);
  const point = job as PointJob | null;
  return point?.reads.some(read => read !== null) ? { id: member.id, job: point, cost } : null;
}

/** All plans at once, one member's blocks and values. */
function costOf(members: readonly Member[]): Cost {
  const most = (of: (cost: Cost) => number) => Math.max(...members.map(({ cost }) => of(cost)));
  const sum = (of: (cost: Cost) => number) => members.reduce((all, { cost }) => all + of(cost), 0);
  return {
    inputBytes: sum(cost => cost.inputBytes),
    heldInputBytes: most(cost => cost.heldInputBytes ?? cost.inputBytes),
    decodedBytes: sum(cost => cost.decodedBytes),
    outputBytes: most(cost => cost.outputBytes),
  };
}

/** The box of all places. */
function around(at: Float64Array, crs: string): OutputGrid {
  let [minx, miny, maxx, maxy] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < at.length; i += 2) {
    [minx, maxx] = [Math.min(minx, at[i]), Math.max(maxx, at[i])];
    [miny, maxy] = [Math.min(miny, at[i + 1]), Math.max(maxy, at[i + 1])];
  }
  return { crs, originX: minx, originY: maxy, resX: maxx - minx, resY: maxy - miny, width: 1, height: 1 };
}

function nowhere(layer: RasterLayer): Plan {
  const cost = { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  return { cost, job: null, explain: { layer: layer.id, outside: true }, headers: {} };
}
