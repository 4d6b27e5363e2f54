/**
 * THE REQUEST PATH. http turns a URL into an Ask; everything a request goes through is on this screen:
 *
 *   layers → identity → 304 → cache → single flight → PLAN (index only) → PRICE → admission → render → cache → reply
 *
 * The rungs above the permit (304, hits) cost no memory worth booking and are never refused.
 */
import type { Admission } from './admission/controller.ts';
import type { PermitClass } from './admission/types.ts';
import type { Flight } from './cache/flight.ts';
import type { ByteCache } from './cache/types.ts';
import { problem } from './errors.ts';
import { type Identity, identify, matches } from './identity.ts';
import type { Catalogue, Layer, Lease } from './layers/types.ts';
import type { Ledger } from './memory/types.ts';
import { ENCODINGS, type Encoding, type Job, type Painted, type Plan } from './plan.ts';
import { planTranscode, TRANSCODE } from './render/transcode.ts';
import { type Reply, replyExplained, replyHit, replyNotModified, replyPainted } from './reply.ts';
import type { Pool } from './workers/pool.ts';

/** One kind of work: what it costs to know (plan), who competes with it (class), what it is when there is nothing to draw. */
export interface Operation<P = unknown> {
  readonly name: string;
  readonly class: PermitClass;
  /** Part of every ETag: raise it when the same question gets another answer. */
  readonly revision: number;
  readonly compressible: boolean;
  plan(layers: readonly Layer[], params: P, encoding: Encoding, signal: AbortSignal): Promise<Plan> | Plan;
  empty(params: P): Painted;
  /** Where the job does not run in the render pool (session layers live in a thread of their own). */
  execute?(job: Job, signal: AbortSignal): Promise<Painted>;
  /** Zoom, for the order of eviction; windows have none. */
  zoom?(params: P): number;
}

export interface Ask<P = unknown> {
  readonly operation: Operation<P>;
  readonly layers: readonly string[];
  /** Validated and canonical: equal questions have equal JSON. */
  readonly params: P;
  readonly encoding: Encoding;
  readonly ifNoneMatch: string | undefined;
  readonly client: string;
  readonly signal: AbortSignal;
  readonly explain: boolean;
}

export interface Rooms {
  readonly catalogue: Catalogue;
  readonly cache: ByteCache;
  readonly flight: Flight;
  readonly admission: Admission;
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly observer: Observer;
}

/** Told of what passes, for the metrics; changes nothing. */
export interface Observer {
  planned(headers: Readonly<Record<string, string>>): void;
  waited(permitClass: PermitClass, ms: number): void;
  rendered(operation: string, ms: number): void;
}

export async function serve<P>(ask: Ask<P>, rooms: Rooms): Promise<Reply> {
  const layers = ask.layers.map(id => servable(rooms.catalogue, id));
  if (ask.explain) return explain(ask, rooms);

  const identity = identify(ask, layers);
  if (ask.ifNoneMatch !== undefined && matches(ask.ifNoneMatch, identity.etag))
    return replyNotModified(identity, layers);

  const hit = rooms.cache.get(identity.key);
  if (hit) return replyHit(hit, layers);

  const painted = await rooms.flight.run(identity.key, ask.signal, signal => cold(ask, identity, rooms, signal));
  return replyPainted(painted, identity, layers, rooms);
}

/** Nobody has this answer yet: plan, price, permit, render. Runs once for all who wait for the same identity. */
async function cold<P>(ask: Ask<P>, identity: Identity, rooms: Rooms, signal: AbortSignal): Promise<Painted> {
  const { operation, params } = ask;
  const leases = leaseAll(rooms.catalogue, ask.layers);
  try {
    const layers = leases.map(lease => lease.layer);
    const plan = otherEncoding(ask, identity, rooms) ?? (await operation.plan(layers, params, ask.encoding, signal));
    rooms.observer.planned(plan.headers);
    const painted = plan.job ? await render(ask, plan, rooms, signal) : operation.empty(params);
    const whole = { ...painted, headers: { ...plan.headers, ...painted.headers } };
    rooms.cache.offer(identity.key, {
      etag: identity.etag,
      contentType: whole.contentType,
      encoding: whole.encoding,
      headers: whole.headers,
      // An empty tile is an answer worth keeping too: its body is empty, and so is the hit's.
      body: whole.body ?? new Uint8Array(0),
      layer: ask.layers.join(','),
      zoom: operation.zoom?.(params) ?? null,
    });
    return whole;
  } finally {
    for (const lease of leases) lease.release();
  }
}

/** The permit is held until the worker has answered, also where the client left meanwhile. */
async function render<P>(ask: Ask<P>, plan: Plan, rooms: Rooms, signal: AbortSignal): Promise<Painted> {
  const { operation, client } = ask;
  const subject = ask.layers.join(',');
  const bytes = rooms.admission.price(plan.cost, operation.name, subject);
  const permit = await rooms.admission.acquire({ bytes, class: operation.class, client, signal });
  rooms.observer.waited(operation.class, permit.waitedMs);
  try {
    const job = plan.job as Job;
    const elsewhere = job.task === TRANSCODE ? undefined : operation.execute?.(job, signal);
    const painted = await (elsewhere ?? rooms.pool.run(job, { signal, affinity: plan.affinity }));
    rooms.admission.learn(operation.name, subject, plan.cost, painted.peakBytes);
    rooms.observer.rendered(operation.name, painted.ms);
    return painted;
  } finally {
    permit.release();
  }
}

/** The same answer is cached in another encoding: to compress it again is far cheaper than to render it again. */
function otherEncoding<P>({ operation, encoding }: Ask<P>, identity: Identity, { cache }: Rooms): Plan | undefined {
  if (!operation.compressible) return undefined;
  for (const from of ENCODINGS) {
    const hit = from === encoding ? undefined : cache.peek(identity.encoded(from));
    if (hit && hit.length > 0) return planTranscode(hit, encoding);
  }
  return undefined;
}

/** `?explain=1`: the plan and its price, and not a byte of data read. */
async function explain<P>(ask: Ask<P>, rooms: Rooms): Promise<Reply> {
  const leases = leaseAll(rooms.catalogue, ask.layers);
  try {
    const layers = leases.map(lease => lease.layer);
    const plan = await ask.operation.plan(layers, ask.params, ask.encoding, ask.signal);
    const priceBytes = plan.job ? rooms.admission.price(plan.cost, ask.operation.name, ask.layers.join(',')) : 0;
    return replyExplained(ask, plan, priceBytes);
  } finally {
    for (const lease of leases) lease.release();
  }
}

function servable(catalogue: Catalogue, id: string): Layer {
  const layer = catalogue.get(id);
  if (!layer) {
    catalogue.lease(id).release(); // throws the error that names the nearest ids, or says that the session ended
    throw problem('layer-not-found', `no layer is called ${id}`);
  }
  if (!layer.verdict.servable) {
    const [first] = layer.verdict.reasons;
    throw problem('layer-not-servable', `${id}: ${first?.detail ?? 'not servable'}`, {
      reasons: layer.verdict.reasons,
    });
  }
  return layer;
}

function leaseAll(catalogue: Catalogue, ids: readonly string[]): Lease[] {
  const leases: Lease[] = [];
  try {
    for (const id of ids) leases.push(catalogue.lease(id));
    return leases;
  } catch (error) {
    for (const lease of leases) lease.release();
    throw error;
  }
}
