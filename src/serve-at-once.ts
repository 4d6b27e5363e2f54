/**
 * What costs less to answer than to hand to a thread: planned, priced, permitted and made within one turn of the loop, so that
 * nobody can ask for the same meanwhile and no layer can go. Where anything would have to be waited for, the question goes the
 * way of all others.
 */
import { type Identity, layerKeys } from './identity.ts';
import type { Layer } from './layers/types.ts';
import { type Made, type Reply, replyKept, replyPainted } from './reply.ts';
import type { Ask } from './serve.ts';
import type { Rooms } from './serve-rooms.ts';

/** Null: it goes the usual way. */
export function answerAtOnce<P>(
  ask: Ask<P>,
  identity: Identity,
  layers: readonly Layer[],
  rooms: Rooms,
  strict: boolean,
): Reply | null {
  const { operation, params, client } = ask;
  const { admission, ladder, observer } = rooms;
  const { name, class: kind } = operation;
  const ready = operation.atOnce?.(layers, params);
  if (!ready || (!strict && ladder.patience(kind) === null) || rooms.flight.flies(identity.key)) return null;
  const { plan } = ready;
  const subject = layers.map(({ id }) => id).join(',');
  const bytes = admission.price(plan.cost, name, subject);
  const permit = admission.acquireNow({ bytes, class: kind, client });
  if (!permit) return null;
  try {
    observer.waited(kind, 0);
    ladder.count('full');
    if (!strict) ladder.stood(kind);
    const painted = ready.make();
    admission.learn(name, subject, plan.cost, painted.peakBytes);
    observer.rendered(name, painted.ms);
    observer.planned(plan.headers);
    const work = { bytes, waitedMs: 0, renderMs: painted.ms };
    return answerOf(
      { painted: { ...painted, headers: plan.headers }, identity, degraded: false, work },
      ask,
      layers,
      rooms,
    );
  } finally {
    permit.release();
  }
}

/** Out of the cache, where that took it: what was made lies in lent memory. */
function answerOf<P>(made: Made, ask: Ask<P>, layers: readonly Layer[], rooms: Rooms): Reply {
  const { painted, identity, work } = made;
  const { contentType, encoding, headers, body } = painted;
  const taken = rooms.cache.offer(identity.key, {
    etag: identity.etag,
    contentType,
    encoding,
    headers,
    body: body ?? new Uint8Array(0),
    layer: layerKeys(layers),
    zoom: ask.operation.zoom?.(ask.params) ?? null,
  });
  const kept = taken ? rooms.cache.peek(identity.key) : undefined;
  if (kept) return replyKept(kept, work, layers, rooms);
  return replyPainted({ ...made, painted: { ...painted, body: body?.slice() ?? null } }, ask, layers, rooms);
}
