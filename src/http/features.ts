/** OGC API Features: /collections/{id}/items and one feature. A page is streamed in batches under one permit. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Turns } from '../admission/turns.ts';
import type { Permit, PermitClass } from '../admission/types.ts';
import { problem } from '../errors.ts';
import { matches } from '../identity.ts';
import type { Catalogue, VectorLayer } from '../layers/types.ts';
import { type Cost, costBytes, type Job, type Painted } from '../plan.ts';
import { findById } from '../render/items/find.ts';
import {
  featureCost,
  fgbOf,
  type ItemsAsk,
  type ItemsPlan,
  type ItemsResult,
  jobOf,
  planItems,
  streamItems,
} from '../render/items/stream.ts';
import { featureAt } from '../source/fgb/query.ts';
import { clientOf } from './context.ts';
import { format, type ItemsLimits, itemsAsk, outputCrs } from './features-params.ts';
import { collectionUrl, registerOgc, vectorOf } from './ogc.ts';
import { clientSignal, clip, flag, queryOf } from './params.ts';
import { GZIP_BYTES, holder, sendStream } from './streaming.ts';

export interface FeaturesDeps extends ItemsLimits {
  readonly catalogue: Catalogue;
  publicUrl(request: FastifyRequest): string;
  admit(
    cost: Cost,
    meta: { op: string; layer: string; client: string; signal: AbortSignal; class: PermitClass; waitedMs?: number },
  ): Promise<Permit>;
  /** What admit() would ask for. */
  price(cost: Cost, op: string, layer: string): number;
  /** Tells the price book what a batch held, and hands it on. */
  learn(cost: Cost, layer: string, batch: Painted): Painted;
  /** A page's plan walks the index for all that its box meets. */
  readonly turns: Turns;
  /** The render pool. */
  run(job: Job, signal: AbortSignal): Promise<Painted>;
}

interface ItemsRoute {
  Params: { id: string };
}
interface FeatureRoute {
  Params: { id: string; featureId: string };
}

const GEOJSON = 'application/geo+json; charset=utf-8';
/** Of the request URL and the layer version; raise it when the same question gets another answer. */
const REVISION = 1;

export function registerFeatures(app: FastifyInstance, deps: FeaturesDeps): void {
  registerOgc(app, deps);
  app.get<ItemsRoute>('/collections/:id/items', (request, reply) => answerItems(deps, request, reply));
  app.get<FeatureRoute>('/collections/:id/items/:featureId', (request, reply) => answerFeature(deps, request, reply));
}

async function answerItems(
  deps: FeaturesDeps,
  request: FastifyRequest<ItemsRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const layer = vectorOf(deps.catalogue, request.params.id);
  const query = queryOf(request);
  const ask = itemsAsk(query, layer, deps);
  const signal = clientSignal(request, reply.raw);
  const explained = flag(query, 'explain', false);
  if (!explained && unchanged(request, reply, layer)) return reply.code(304).send();
  const lease = deps.catalogue.lease(layer.id);
  const held = holder(() => lease.release());
  try {
    const { value: plan, waitedMs } = await deps.turns.run(layer.id, signal, () => planItems(ask, signal));
    const cost = { ...plan.cost, outputBytes: plan.cost.outputBytes + GZIP_BYTES };
    if (explained) {
      held.release();
      return reply
        .header('cache-control', 'no-store')
        .send(explainJson(plan, cost, deps.price(cost, 'items', layer.id)));
    }
    reply.header('content-type', GEOJSON).header('content-crs', `<${ask.crs.uri}>`);
    if (request.method === 'HEAD') {
      held.release();
      return reply.send();
    }
    const permit = await deps.admit(cost, {
      op: 'items',
      layer: layer.id,
      client: clientOf(request),
      signal,
      class: 'bulk',
      waitedMs,
    });
    held.also(() => permit.release());
    reply
      .header('x-plimsoll-cost', permit.bytes)
      .header('server-timing', `wait;dur=${(waitedMs + permit.waitedMs).toFixed(1)}`);
    const pages = new Pages(deps.publicUrl(request), request, layer);
    return await sendStream(request, reply, collectionText(plan, deps, permit, pages, signal), held);
  } catch (error) {
    held.release();
    throw error;
  }
}

async function* collectionText(
  plan: ItemsPlan,
  deps: FeaturesDeps,
  permit: Permit,
  pages: Pages,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const grow = (cost: Cost) =>
    costBytes(cost) <= Math.max(permit.bytes, costBytes(plan.cost)) || permit.grow(costBytes(cost) - permit.bytes);
  const run = async (job: Job) => deps.learn(plan.cost, plan.ask.layer.id, await deps.run(job, signal));
  const features = streamItems(plan, { run, grow, signal });
  const head = '{"type":"FeatureCollection","features":[';
  let step = await features.next();
  yield Buffer.from(head);
  for (; !step.done; step = await features.next()) yield step.value;
  yield Buffer.from(`],${JSON.stringify(pages.closing(step.value)).slice(1)}`);
}

function explainJson({ explain, ask }: ItemsPlan, cost: Cost, priceBytes: number): Record<string, unknown> {
  return {
    operation: 'items',
    layers: [ask.layer.id],
    empty: explain['features'] === 0,
    cost,
    priceBytes,
    plan: explain,
  };
}

/** A weak ETag of version and URL: the same page again costs no read. `timeStamp` differs, so it cannot be strong. */
function unchanged(request: FastifyRequest, reply: FastifyReply, layer: VectorLayer): boolean {
  const etag = `"${createHash('sha1').update(`${REVISION}|${layer.version}|${request.url}`).digest('base64url')}"`;
  reply.header('etag', `W/${etag}`).header('cache-control', 'public, no-cache').header('vary', 'accept-encoding');
  return matches(request.headers['if-none-match'], etag);
}

/** Members of the collection beside its features. */
class Pages {
  #base: string;
  #path: string;
  #search: string;
  #layer: VectorLayer;

  constructor(base: string, request: FastifyRequest, layer: VectorLayer) {
    this.#base = base;
    this.#path = `${collectionUrl(base, layer)}/items`;
    this.#search = new URL(request.url, 'http://localhost').search;
    this.#layer = layer;
  }

  closing({ returned, matched, next }: ItemsResult): Record<string, unknown> {
    const links = [
      { rel: 'self', type: 'application/geo+json', href: `${this.#path}${this.#search}` },
      {
        rel: 'alternate',
        type: 'application/json',
        title: 'Vector tiles (TileJSON)',
        href: `${this.#base}/tiles/${encodeURIComponent(this.#layer.id)}`,
      },
      { rel: 'collection', type: 'application/json', href: collectionUrl(this.#base, this.#layer) },
      ...(next === null ? [] : [{ rel: 'next', type: 'application/geo+json', href: this.#next(next) }]),
    ];
    const numberMatched = matched === null ? {} : { numberMatched: matched };
    return { ...numberMatched, numberReturned: returned, timeStamp: new Date().toISOString(), links };
  }

  #next(ordinal: number): string {
    const params = new URLSearchParams(this.#search);
    params.set('cursor', String(ordinal));
    return `${this.#path}?${params}`;
  }
}

async function answerFeature(
  deps: FeaturesDeps,
  request: FastifyRequest<FeatureRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const layer = vectorOf(deps.catalogue, request.params.id);
  const query = queryOf(request);
  const unknown = Object.keys(query).find(name => name !== 'f' && name !== 'crs');
  if (unknown !== undefined)
    throw problem('unknown-parameter', `"${clip(unknown)}" is no parameter of a single feature`, {
      parameter: clip(unknown),
    });
  format(query);
  const crs = outputCrs(query, layer);
  if (unchanged(request, reply, layer)) return reply.code(304).send();
  const signal = clientSignal(request, reply.raw);
  const lease = deps.catalogue.lease(layer.id);
  const held = holder(() => lease.release());
  try {
    const ask: ItemsAsk = {
      layer,
      boxes: null,
      filter: { cql: null, equals: [], time: null },
      properties: null,
      crs,
      from: 0,
      limit: 1,
    };
    const id = featureIdOf(layer, request.params.featureId);
    const meta = { op: 'feature', layer: layer.id, client: clientOf(request), signal, class: 'bulk' as const };
    const ordinal = layer.options.idColumn === undefined ? id - 1 : await findById(ask, id, { ...deps, meta });
    const { offset, length } = await featureAt(fgbOf(layer), ordinal, signal);
    const permit = await deps.admit(featureCost(ask, length), meta);
    held.also(() => permit.release());
    const base = collectionUrl(deps.publicUrl(request), layer);
    const links = [
      { rel: 'self', type: 'application/geo+json', href: `${base}/items/${id}` },
      { rel: 'collection', type: 'application/json', href: base },
    ];
    const batch = {
      ordinals: Float64Array.of(ordinal),
      offsets: Float64Array.of(offset),
      lengths: Uint32Array.of(length),
    };
    const { body } = await deps.run(jobOf(ask, batch, 1, { links }), signal);
    if (!body) throw problem('feature-not-found', `${layer.id} has no feature ${id}`);
    reply.raw.once('finish', held.release).once('close', held.release);
    return reply
      .header('content-type', GEOJSON)
      .header('content-crs', `<${ask.crs.uri}>`)
      .send(Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength));
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Without an id column ids count from 1, in file order. */
function featureIdOf(layer: VectorLayer, text: string): number {
  const id = Number(text);
  const least = layer.options.idColumn === undefined ? 1 : 0;
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(id) || id < least) {
    throw problem('feature-not-found', `${layer.id} has no feature "${clip(text)}": ids are integers from ${least}`);
  }
  return id;
}
