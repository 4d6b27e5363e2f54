/** What serve.ts gives back to http: status, headers, body, and what must happen when the last byte has left. */
import type { CacheHit } from './cache/types.ts';
import { type Identity, matches } from './identity.ts';
import type { Layer } from './layers/types.ts';
import type { Painted, Plan } from './plan.ts';
import type { Bodies } from './reply-bodies.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** 'hit', 'miss', 'revalidated' … for metrics and the Server-Timing header. */
  readonly outcome: 'hit' | 'miss' | 'not-modified' | 'explain' | 'stale' | 'degraded';
  /** Called once, at `finish` or `close` of the response: until then the bytes are pinned and booked. */
  release(): void;
  /** Takes how to end the connection, for a client that does not take its bytes in time. */
  readonly onLate?: (cut: () => void) => void;
}

const nothing = () => {};

/** How long others may keep an answer. */
export interface Caching {
  /** Seconds, where the layer does not say. */
  readonly maxAge: number;
  /** Seconds for which a cache may serve an answer that is too old while it fetches the next. */
  readonly staleWhileRevalidate: number;
  /** Life of a degraded answer. */
  readonly degradedMs: number;
}

interface CachingRoom {
  readonly caching: Caching;
}

export function replyNotModified(etag: string, layers: readonly Layer[], rooms: CachingRoom): Reply {
  const headers = { etag, ...caching(layers, rooms), vary: 'accept-encoding' };
  return { status: 304, headers, body: null, outcome: 'not-modified', release: nothing };
}

export function replyHit(hit: CacheHit, layers: readonly Layer[], rooms: CachingRoom): Reply {
  if (hit.length === 0) {
    const headers = { ...hit.headers, etag: hit.etag, ...caching(layers, rooms) };
    return { status: 204, headers, body: null, outcome: 'hit', release: nothing };
  }
  hit.pin();
  return {
    status: 200,
    headers: bodyHeaders(hit, hit.etag, caching(layers, rooms)),
    body: hit.body,
    outcome: 'hit',
    release: () => hit.release(),
  };
}

/** What was just made, out of the cache that took it. */
export function replyKept(hit: CacheHit, work: Work | null, layers: readonly Layer[], rooms: CachingRoom): Reply {
  const reply = replyHit(hit, layers, rooms);
  return { ...reply, headers: { ...reply.headers, ...costHeaders(work) }, outcome: 'miss' };
}

/** A stale or degraded answer out of the cache: what it is, and short-lived. */
export function replyLesserHit(
  hit: CacheHit,
  { ifNoneMatch }: { readonly ifNoneMatch: string | undefined },
  layers: readonly Layer[],
  rooms: CachingRoom,
): Reply {
  const outcome = 'x-tile-degraded' in hit.headers ? 'degraded' : 'stale';
  const brief = shortLived(layers, rooms);
  if (matches(ifNoneMatch, hit.etag)) {
    const headers = { etag: hit.etag, ...brief, vary: 'accept-encoding' };
    return { status: 304, headers, body: null, outcome: 'not-modified', release: nothing };
  }
  const reply = replyHit(hit, layers, rooms);
  return { ...reply, headers: { ...reply.headers, ...brief }, outcome };
}

export interface Made {
  readonly painted: Painted;
  readonly identity: Identity;
  readonly degraded: boolean;
  /** What it cost; null: nothing had to be rendered. */
  readonly work: Work | null;
}

export interface Work {
  /** What the gate reserved for it. */
  readonly bytes: number;
  readonly waitedMs: number;
  readonly renderMs: number;
}

function costHeaders(work: Work | null): Record<string, string> {
  if (work === null) return {};
  const timing = `wait;dur=${work.waitedMs.toFixed(1)}, render;dur=${work.renderMs.toFixed(1)}`;
  return { 'x-plimsoll-cost': String(work.bytes), 'server-timing': timing };
}

/** Booked until it has been sent, also where the cache took a copy. */
export function replyPainted(
  { painted, identity, degraded, work }: Made,
  { client }: { readonly client: string },
  layers: readonly Layer[],
  rooms: CachingRoom & { readonly bodies: Bodies },
): Reply {
  const life = degraded ? shortLived(layers, rooms) : caching(layers, rooms);
  const outcome = degraded ? 'degraded' : 'miss';
  if (painted.body === null) {
    const headers = { ...painted.headers, etag: identity.etag, ...life, ...costHeaders(work) };
    return { status: 204, headers, body: null, outcome, release: nothing };
  }
  const sent = rooms.bodies.hold(painted.body, client);
  const headers = { ...bodyHeaders(painted, identity.etag, life), ...costHeaders(work) };
  return { status: 200, headers, body: painted.body, outcome, ...sent };
}

interface Explained {
  readonly operation: { readonly name: string };
  readonly layers: readonly string[];
}

export function replyExplained(ask: Explained, plan: Plan, priceBytes: number, degradedBytes: number | null): Reply {
  const { operation, layers } = ask;
  const answer = {
    operation: operation.name,
    layers,
    empty: plan.job === null,
    cost: plan.cost,
    priceBytes,
    /** The price of the degraded answer; null where there is none. */
    degradedPriceBytes: degradedBytes,
    plan: plan.explain,
  };
  const headers = { ...plan.headers, 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status: 200, headers, body: Buffer.from(JSON.stringify(answer)), outcome: 'explain', release: nothing };
}

interface Bodied {
  readonly contentType: string;
  readonly encoding: string;
  readonly headers: Readonly<Record<string, string>>;
}

function bodyHeaders(bodied: Bodied, etag: string, life: Record<string, string>): Record<string, string> {
  const headers: Record<string, string> = {
    ...life,
    ...bodied.headers,
    'content-type': bodied.contentType,
    etag,
    vary: 'accept-encoding',
  };
  if (bodied.encoding !== 'identity') headers['content-encoding'] = bodied.encoding;
  return headers;
}

/** The shortest life of the layers asked for, each its own or the usual one. Session layers belong to one dashboard: no shared cache may keep them. */
function caching(layers: readonly Layer[], { caching: settings }: CachingRoom): Record<string, string> {
  let maxAge = Number.POSITIVE_INFINITY;
  let scope = 'public';
  for (const layer of layers) {
    maxAge = Math.min(maxAge, layer.options.maxAge ?? settings.maxAge);
    if (layer.kind === 'session') {
      scope = 'private';
      maxAge = 0;
    }
  }
  if (maxAge === 0) return { 'cache-control': `${scope}, no-cache` };
  const { staleWhileRevalidate } = settings;
  const stale = staleWhileRevalidate > 0 ? `, stale-while-revalidate=${staleWhileRevalidate}` : '';
  return { 'cache-control': `${scope}, max-age=${maxAge}${stale}` };
}

/** Jittered by a third, or all who were given the answer in one bad second would come back in another. */
function shortLived(layers: readonly Layer[], { caching: { degradedMs } }: CachingRoom): Record<string, string> {
  const scope = layers.some(layer => layer.kind === 'session') ? 'private' : 'public';
  const seconds = Math.max(1, Math.round((degradedMs / 1000) * (1 + (Math.random() * 2 - 1) / 3)));
  return { 'cache-control': `${scope}, max-age=${seconds}` };
}
