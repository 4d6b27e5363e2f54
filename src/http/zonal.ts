/** Statistics of a raster in each feature of a vector layer: /zonal, streamed a line a zone. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Permit } from '../admission/types.ts';
import { problem } from '../errors.ts';
import type { RasterLayer } from '../layers/types.ts';
import { oneFile } from '../operations.ts';
import { costBytes } from '../plan.ts';
import { layerColumns } from '../render/columns.ts';
import { layerBoxes } from '../render/layer-boxes.ts';
import { defaultBands } from '../render/raster/bands.ts';
import { checkZones, countZones, planZonal, type ZonalAsk, type ZonalBatch } from '../render/zonal/plan.ts';
import { csvHeader, zonalType } from '../render/zonal/text.ts';
import { clientOf } from './context.ts';
import type { FeaturesDeps } from './features.ts';
import { propertiesOf } from './features-params.ts';
import { collectionOf, vectorOf } from './ogc.ts';
import { clientSignal, flag, integer, oneOf, type Query, queryOf, text, toBBox } from './params.ts';
import { rasterParams } from './raster-params.ts';
import { GZIP_BYTES, holder, sendStream } from './streaming.ts';

export const ZONAL_FORMATS = ['ndjson', 'csv'] as const;

export function registerZonal(app: FastifyInstance, deps: FeaturesDeps): void {
  app.get('/zonal', (request, reply) => answerZonal(deps, request, reply));
}

async function answerZonal(deps: FeaturesDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = queryOf(request);
  const ask = zonalAsk(query, deps);
  const signal = clientSignal(request, reply.raw);
  reply.header('cache-control', 'no-store');
  const leases = [deps.catalogue.lease(ask.zones.id), deps.catalogue.lease(ask.raster.id)];
  const held = holder(() => {
    for (const lease of leases) lease.release();
  });
  try {
    const batches = planZonal(ask, signal);
    const first = await batches.next();
    if (flag(query, 'explain', false)) {
      const explained = explainJson(ask, first.value ?? null, await countZones(ask, signal));
      held.release();
      return reply.send(explained);
    }
    reply.header('content-type', zonalType(ask.format));
    const cost = first.value?.cost ?? { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
    const permit = await deps.admit(
      { ...cost, outputBytes: cost.outputBytes + GZIP_BYTES },
      { op: 'zonal', layer: ask.raster.id, client: clientOf(request), signal, class: 'bulk' },
    );
    held.also(() => permit.release());
    reply.header('x-plimsoll-cost', permit.bytes).header('server-timing', `wait;dur=${permit.waitedMs.toFixed(1)}`);
    return await sendStream(request, reply, lines(ask, first, batches, permit, deps, signal), held);
  } catch (error) {
    held.release();
    throw error;
  }
}

/** A batch is planned when the one before it has been worked off; the permit grows to the dearest. */
async function* lines(
  ask: ZonalAsk,
  first: IteratorResult<ZonalBatch, void>,
  rest: AsyncGenerator<ZonalBatch, void>,
  permit: Permit,
  deps: FeaturesDeps,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (ask.format === 'csv') {
    const names = ask.properties ?? layerColumns(ask.zones).map(({ name }) => name);
    yield Buffer.from(csvHeader(names, defaultBands(ask.raster, ask.params, null), ask.categorical));
  }
  for (let step = first; !step.done; step = await rest.next()) {
    signal.throwIfAborted();
    const { job, cost } = step.value;
    const missing = costBytes(cost) + GZIP_BYTES - permit.bytes;
    if (missing > 0 && !permit.grow(missing)) throw problem('overloaded', 'no memory for the next zones');
    const { body } = await deps.run(job, signal);
    if (body) yield body;
  }
}

function zonalAsk(query: Query, deps: FeaturesDeps): ZonalAsk {
  const zones = vectorOf(deps.catalogue, named(query, 'zones'));
  checkZones(zones);
  const raster = rasterNamed(deps, named(query, 'raster'));
  const box = text(query, 'bbox');
  return {
    zones,
    raster,
    boxes: box === undefined ? null : layerBoxes(toBBox('bbox', box.split(','), { wraps: true }), 'OGC:CRS84', zones),
    properties: propertiesOf(query, zones),
    params: rasterParams(query, raster),
    categorical: flag(query, 'categorical', false),
    format: oneOf('f', text(query, 'f') ?? 'ndjson', ZONAL_FORMATS),
    from: integer(query, 'cursor', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0,
    limit: integer(query, 'limit', { min: 1, max: Number.MAX_SAFE_INTEGER }) ?? Number.POSITIVE_INFINITY,
  };
}

function named(query: Query, name: string): string {
  const id = text(query, name);
  if (id === undefined) throw problem('bad-parameter', `${name}: names no layer; give the id of one of /layers`);
  return id;
}

function rasterNamed({ catalogue }: FeaturesDeps, id: string): RasterLayer {
  const layer = collectionOf(catalogue, id);
  if (layer.kind !== 'raster') throw problem('wrong-kind', `${id} is a ${layer.kind} layer, not a raster`);
  return oneFile(layer);
}

function explainJson(ask: ZonalAsk, batch: ZonalBatch | null, zones: number): Record<string, unknown> {
  const windows = batch?.job.zones.reduce(
    (sum, { parts }) => sum + parts.reduce((n, part) => n + part.windows.length, 0),
    0,
  );
  return {
    operation: 'zonal',
    layers: [ask.zones.id, ask.raster.id],
    empty: batch === null,
    cost: batch?.cost ?? null,
    priceBytes: batch ? costBytes(batch.cost) : 0,
    plan: { zones, firstBatch: { zones: batch?.job.zones.length ?? 0, windows: windows ?? 0 } },
  };
}
