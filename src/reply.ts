/** What serve.ts gives back to http: status, headers, body, and what must happen when the last byte has left. */
import type { CacheHit } from './cache/types.ts';
import type { Identity } from './identity.ts';
import type { Layer } from './layers/types.ts';
import type { Ledger } from './memory/types.ts';
import type { Painted, Plan } from './plan.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** 'hit', 'miss', 'revalidated' … for metrics and the Server-Timing header. */
  readonly outcome: 'hit' | 'miss' | 'not-modified' | 'explain';
  /** Called once, at `finish` or `close` of the response: until then the bytes are pinned and booked. */
  release(): void;
}

const nothing = () => {};

export function replyNotModified(identity: Identity, layers: readonly Layer[]): Reply {
  const headers = { etag: identity.etag, ...caching(layers), vary: 'accept-encoding' };
  return { status: 304, headers, body: null, outcome: 'not-modified', release: nothing };
}

export function replyHit(hit: CacheHit, layers: readonly Layer[]): Reply {
  if (hit.length === 0) {
    const headers = { ...hit.headers, etag: hit.etag, ...caching(layers) };
    return { status: 204, headers, body: null, outcome: 'hit', release: nothing };
  }
  hit.pin();
  return {
    status: 200,
    headers: bodyHeaders(hit, hit.etag, layers),
    body: hit.body,
    outcome: 'hit',
    release: () => hit.release(),
  };
}

/** A body that the cache took is booked there; one that it did not take is booked here until it has been sent. */
export function replyPainted(
  painted: Painted,
  identity: Identity,
  layers: readonly Layer[],
  rooms: { ledger: Ledger },
): Reply {
  if (painted.body === null) {
    const headers = { ...painted.headers, etag: identity.etag, ...caching(layers) };
    return { status: 204, headers, body: null, outcome: 'miss', release: nothing };
  }
  const booking = rooms.ledger.book('replies', painted.body.byteLength, identity.key);
  const headers = bodyHeaders(painted, identity.etag, layers);
  return { status: 200, headers, body: painted.body, outcome: 'miss', release: () => booking.release() };
}

interface Explained {
  readonly operation: { readonly name: string };
  readonly layers: readonly string[];
}

export function replyExplained(ask: Explained, plan: Plan, priceBytes: number): Reply {
  const { operation, layers } = ask;
  const answer = {
    operation: operation.name,
    layers,
    empty: plan.job === null,
    cost: plan.cost,
    priceBytes,
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

function bodyHeaders(bodied: Bodied, etag: string, layers: readonly Layer[]): Record<string, string> {
  const headers: Record<string, string> = {
    ...caching(layers),
    ...bodied.headers,
    'content-type': bodied.contentType,
    etag,
    vary: 'accept-encoding',
  };
  if (bodied.encoding !== 'identity') headers['content-encoding'] = bodied.encoding;
  return headers;
}

/** The shortest life of the layers asked for. Session layers belong to one dashboard: no shared cache may keep them. */
function caching(layers: readonly Layer[]): Record<string, string> {
  let maxAge = DEFAULT_MAX_AGE;
  let scope = 'public';
  for (const layer of layers) {
    if (layer.options.maxAge !== undefined) maxAge = Math.min(maxAge, layer.options.maxAge);
    if (layer.kind === 'session') {
      scope = 'private';
      maxAge = 0;
    }
  }
  return { 'cache-control': maxAge > 0 ? `${scope}, max-age=${maxAge}` : `${scope}, no-cache` };
}

/** Seconds. A tile's content is pinned by its ETag, so asking again is cheap; an hour keeps a session of panning quiet. */
const DEFAULT_MAX_AGE = 3600;
