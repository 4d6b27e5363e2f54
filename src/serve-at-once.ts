/**
 * What costs less to answer than to hand to a thread: planned, priced, permitted and made within one turn of the loop, so that
 * nobody can ask for the same meanwhile and no layer can go. Where anything would have to be waited for, the question goes the
 * way of all others.
 */
import { type Identity, layerKeys } from './identity.ts';
import type { Layer } from './layers/types.ts';
import type { Made } from './reply.ts';
import type { Ask } from './serve.ts';
import type { Rooms } from './serve-rooms.ts';

/** Null: it goes the usual way. */
export function madeAtOnce<P>(
  { operation, params, client }: Ask<P>,
  identity: Identity,
  layers: readonly Layer[],
  rooms: Rooms,
  strict: boolean,
): Made | null {
  const { admission, ladder, observer, cache } = rooms;
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
    const whole = { ...painted, headers: { ...plan.headers, ...painted.headers } };
    observer.planned(whole.headers);
    cache.offer(identity.key, {
      etag: identity.etag,
      contentType: whole.contentType,
      encoding: whole.encoding,
      headers: whole.headers,
      body: whole.body ?? new Uint8Array(0),
      layer: layerKeys(layers),
      zoom: operation.zoom?.(params) ?? null,
    });
    return { painted: whole, identity, degraded: false, work: { bytes, waitedMs: 0, renderMs: painted.ms } };
  } finally {
    permit.release();
  }
}
