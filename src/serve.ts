/**
 * THE REQUEST PATH. http turns a URL into an Ask; everything a request goes through is on this screen:
 *
 *   layers → identity → 304 → cache → single flight → PLAN (index only) → PRICE → admission → render → cache → reply
 *
 * The rungs above the permit (304, hits) cost no memory worth booking and are never refused. Under strain there are two more,
 * a stale answer and a degraded one (ladder.ts), before the 503.
 */
import type { Permit, PermitClass } from './admission/types.ts';
import type { CacheHit } from './cache/types.ts';
import { Problem } from './errors.ts';
import { type Identity, identify, layerKeys, matches } from './identity.ts';
import type { Layer } from './layers/types.ts';
import type { AtOnce, Encoding, Job, Painted, Plan } from './plan.ts';
import { TRANSCODE } from './render/transcode.ts';
import {
  type Made,
  type Reply,
  replyExplained,
  replyHit,
  replyLesserHit,
  replyNotModified,
  replyPainted,
} from './reply.ts';
import { answerAtOnce } from './serve-at-once.ts';
import { otherEncoding } from './serve-encodings.ts';
import { inFlight } from './serve-flight.ts';
import { leaseAll, servable, waiting } from './serve-layers.ts';
import { type Planned, planOf } from './serve-plan.ts';
import type { Observer, Rooms } from './serve-rooms.ts';

/** One kind of work: what it costs to know (plan), who competes with it (class), what it is when there is nothing to draw. */
export interface Operation<P = unknown> {
  readonly name: string;
  readonly class: PermitClass;
  /** Part of every ETag: raise it when the same question gets another answer. */
  readonly revision: number;
  readonly compressible: boolean;
  /** Whether its plan walks much of an index: such plans take turns. */
  walks?(layers: readonly Layer[], params: P): boolean;
  /** What a plan needs and is made once for a layer: waited for before its turn, which others can use meanwhile. */
  prepare?(layers: readonly Layer[], params: P): Promise<void>;
  plan(layers: readonly Layer[], params: P, encoding: Encoding, signal: AbortSignal): Promise<Plan> | Plan;
  empty(params: P): Painted;
  /** The same for about a quarter of the bytes: a coarser grid, the next overview. Its headers say X-Tile-Degraded. */
  degrade?(layers: readonly Layer[], params: P, encoding: Encoding, signal: AbortSignal): Promise<Plan> | Plan;
  /** What is answered within this turn of the loop, where there is room for it. Null: it is planned. */
  atOnce?(layers: readonly Layer[], params: P): AtOnce | null;
  /** Where a job does not run in the render pool: layers of sessions have their own thread, ready blocks need none. */
  execute?(job: Job, signal: AbortSignal): Promise<Painted> | undefined;
  /** Told of every question, also of those that the cache answers: who is looked at is not idle. */
  asked?(layers: readonly string[]): void;
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
  /** Of the client's going away: made when somebody has to wait, which a hit never has. */
  readonly signal: () => AbortSignal;
  readonly explain: boolean;
  /** Full quality or an error: neither stale nor degraded. */
  readonly strict: boolean;
}

export type { Observer, Rooms };

export async function serve<P>(ask: Ask<P>, rooms: Rooms): Promise<Reply> {
  const layers = ask.layers.map(id => servable(rooms.catalogue, id));
  ask.operation.asked?.(ask.layers);
  if (ask.explain) return explain(ask, rooms);

  const identity = identify(ask, layers);
  if (ask.ifNoneMatch !== undefined && matches(ask.ifNoneMatch, identity.etag))
    return replyNotModified(identity.etag, layers, rooms);

  const hit = rooms.cache.get(identity.key);
  if (hit) return replyHit(hit, layers, rooms);

  const strict = ask.strict || layers.some(layer => layer.options.degrade === false);
  if (!strict && rooms.ladder.strained(ask.operation.class)) {
    const lesser = staleHit(ask, identity, layers, rooms) ?? rooms.cache.get(identity.degraded.key);
    if (lesser) return replyLesserHit(lesser, ask, layers, rooms);
  }
  const answered = answerAtOnce(ask, identity, layers, rooms, strict);
  if (answered) return answered;
  const flight = strict ? `${identity.key}|strict` : identity.key;
  try {
    const made = await inFlight(rooms.flight, flight, ask.client, ask.signal(), signal =>
      cold(ask, identity, rooms, strict, signal),
    );
    return replyPainted(made, ask, layers, rooms);
  } catch (error) {
    const last = strict || !isOverload(error) ? undefined : rooms.cache.get(identity.degraded.key, { stale: true });
    if (!last) throw error;
    return replyLesserHit(last, ask, layers, rooms);
  }
}

/** The answer of the file that was served before this one, while the new one's is made if there is room for that at once. */
function staleHit<P>(ask: Ask<P>, identity: Identity, layers: readonly Layer[], rooms: Rooms): CacheHit | undefined {
  const before = layers.map(layer => rooms.past.versionBefore(layer.id) ?? layer.version);
  const hit = before.every((version, i) => version === layers[i].version)
    ? undefined
    : rooms.cache.get(identify(ask, layers, before).key);
  if (!hit) return undefined;
  rooms.ladder.count('stale');
  const ignored = new AbortController().signal;
  rooms.flight.run(identity.key, ignored, signal => cold(ask, identity, rooms, 'at-once', signal)).catch(() => {});
  return hit;
}

function isOverload(error: unknown): boolean {
  return error instanceof Problem && error.code === 'overloaded';
}

/** What waiting, or asking for less, may help. */
function isRefusal(error: unknown): boolean {
  return isOverload(error) || (error instanceof Problem && error.code === 'client-over-share');
}

/** Nobody has this answer yet: plan, price, permit, render. Runs once for all who wait for the same identity. */
async function cold<P>(
  ask: Ask<P>,
  full: Identity,
  rooms: Rooms,
  quality: Quality,
  signal: AbortSignal,
): Promise<Made> {
  const { operation, params } = ask;
  const leases = leaseAll(rooms.catalogue, ask.layers);
  try {
    const layers = leases.map(lease => lease.layer);
    const known = otherEncoding(ask, full, rooms);
    const which = quality === false ? 'in-time' : 'full';
    const planned = known
      ? { plan: known, lesser: false, waitedMs: 0 }
      : await planOf(which, ask, layers, rooms, signal);
    const { plan } = planned;
    const admitted = plan.job ? await admit(ask, planned, layers, rooms, quality, signal) : null;
    const { headers } = admitted?.plan ?? plan;
    const painted = admitted ? await render(ask, admitted, rooms, signal) : operation.empty(params);
    const whole = { ...painted, headers: { ...headers, ...painted.headers } };
    rooms.observer.planned(whole.headers);
    const degraded = admitted?.degraded ?? false;
    const identity = degraded ? full.degraded : full;
    const stillServed = layers.every(({ id, version }) => rooms.catalogue.get(id)?.version === version);
    if (stillServed)
      rooms.cache.offer(identity.key, {
        etag: identity.etag,
        contentType: whole.contentType,
        encoding: whole.encoding,
        headers: whole.headers,
        // An empty tile is an answer worth keeping too: its body is empty, and so is the hit's.
        body: whole.body ?? new Uint8Array(0),
        layer: layerKeys(layers),
        zoom: operation.zoom?.(params) ?? null,
        ...(degraded ? { freshForMs: rooms.caching.degradedMs } : {}),
      });
    const work = admitted && {
      bytes: admitted.bytes,
      waitedMs: planned.waitedMs + admitted.permit.waitedMs,
      renderMs: painted.ms,
    };
    return { painted: whole, identity, degraded, work };
  } finally {
    for (const lease of leases) lease.release();
  }
}

/** What waiting does not help. */
const NEVER_FITS: readonly string[] = ['too-large', 'read-amplification'];

/** true: full or an error. false: degraded rather than an error. 'at-once': full, if it fits without waiting. */
type Quality = boolean | 'at-once';

interface Admitted {
  readonly plan: Plan;
  readonly permit: Permit;
  readonly degraded: boolean;
  /** Its price: the permit itself is back at 0 when the answer is told of. */
  readonly bytes: number;
}

/** A permit for the full plan or, where that is not to be had in time, for the degraded one. */
async function admit<P>(
  ask: Ask<P>,
  { plan: full, lesser: late, waitedMs }: Planned,
  layers: readonly Layer[],
  rooms: Rooms,
  quality: Quality,
  signal: AbortSignal,
): Promise<Admitted> {
  const { operation, client } = ask;
  const { ladder, admission } = rooms;
  const { class: kind, degrade } = operation;
  const price = (plan: Plan) => admission.price(plan.cost, operation.name, ask.layers.join(','));
  const sinceMs = performance.now() - waitedMs;
  const acquire = async (plan: Plan, bytes: number, degraded: boolean, patienceMs?: number): Promise<Admitted> => {
    await plan.before?.(signal);
    const patience = patienceMs === undefined ? {} : { patienceMs };
    const spent = { waitedMs: performance.now() - sinceMs };
    const request = { bytes, class: kind, client, signal, fits: plan.fits, ...spent, ...patience };
    const permit = await admission.acquire(request);
    rooms.observer.waited(kind, permit.waitedMs);
    ladder.count(degraded ? 'degraded' : 'full');
    return { plan, permit, degraded, bytes };
  };
  const bytes = price(full);
  if (late) return acquire(full, bytes, true);
  if (quality === 'at-once') return acquire(full, bytes, false, 0);
  if (quality || !degrade || full.job?.task === TRANSCODE) return acquire(full, bytes, false);
  const patienceMs = ladder.patience(kind);
  let refused: unknown;
  try {
    if (patienceMs !== null) {
      const admitted = await acquire(full, bytes, false, patienceMs);
      ladder.stood(kind);
      return admitted;
    }
  } catch (error) {
    // A map cannot ask for less than a tile: one that can never fit is thinned too, where a window is told what would.
    const never = operation.zoom && error instanceof Problem && NEVER_FITS.includes(error.code);
    if (!never && !isRefusal(error)) throw error;
    // A client over its share says nothing of the server.
    if (isOverload(error)) ladder.fell(kind);
    refused = error;
  }
  const spentMs = performance.now() - sinceMs;
  const { plan: lesser, ...planned } = await planOf('lesser', ask, layers, rooms, signal, spentMs);
  const lesserBytes = price(lesser);
  // What is as dear as the full answer would take its place in the queue for nothing: that waits for what is left of its time.
  if (lesser.job === null || lesserBytes >= bytes) {
    if (refused !== undefined && !isRefusal(refused)) throw refused;
    return acquire(full, bytes, false);
  }
  return acquire(lesser, lesserBytes, planned.lesser);
}

/** The permit is held until the worker has answered, also where the client left meanwhile. */
async function render<P>(
  { operation, layers }: Ask<P>,
  { plan, permit }: Admitted,
  rooms: Rooms,
  signal: AbortSignal,
): Promise<Painted> {
  const subject = layers.join(',');
  try {
    const job = waiting((plan.load?.() ?? plan.job) as Job, rooms.catalogue, layers);
    const elsewhere = job.task === TRANSCODE ? undefined : operation.execute?.(job, signal);
    const painted = await (elsewhere ?? rooms.pool.run(job, { signal, affinity: plan.affinity }));
    rooms.admission.learn(operation.name, subject, plan.cost, painted.peakBytes);
    rooms.observer.rendered(operation.name, painted.ms);
    return rooms.bodies.adopt(painted, operation.name);
  } finally {
    permit.release();
  }
}

/** `?explain=1`: the plan and its price, and not a byte of data read. */
async function explain<P>(ask: Ask<P>, rooms: Rooms): Promise<Reply> {
  const leases = leaseAll(rooms.catalogue, ask.layers);
  try {
    const layers = leases.map(lease => lease.layer);
    const { operation } = ask;
    const signal = ask.signal();
    const { plan } = await planOf('full', ask, layers, rooms, signal);
    const price = ({ cost, job }: Plan) =>
      job ? rooms.admission.price(cost, operation.name, ask.layers.join(',')) : 0;
    const lesser = plan.job && operation.degrade ? await planOf('lesser', ask, layers, rooms, signal) : null;
    return replyExplained(ask, plan, price(plan), lesser && price(lesser.plan));
  } finally {
    for (const lease of leases) lease.release();
  }
}
