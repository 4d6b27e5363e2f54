/** The layers that a question names: looked up, refused, and held while it is answered. */
import { problem } from './errors.ts';
import type { Catalogue, Layer, Lease } from './layers/types.ts';
import type { Job } from './plan.ts';

/** Errors: layer-not-found, session-gone, layer-not-servable. */
export function servable(catalogue: Catalogue, id: string): Layer {
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

/** All or none. */
export function leaseAll(catalogue: Catalogue, ids: readonly string[]): Lease[] {
  const leases: Lease[] = [];
  try {
    for (const id of ids) leases.push(catalogue.lease(id));
    return leases;
  } catch (error) {
    for (const lease of leases) lease.release();
    throw error;
  }
}

/** True where another server has the file of one of them. */
export function isFar(catalogue: Catalogue, ids: readonly string[]): boolean {
  return ids.some(id => {
    const layer = catalogue.get(id);
    return layer !== undefined && 'source' in layer && layer.source.ref.remote !== undefined;
  });
}

/** A job that waits for other servers must not keep others waiting for its thread. */
export function waiting(job: Job, catalogue: Catalogue, ids: readonly string[]): Job {
  return isFar(catalogue, ids) ? { ...job, long: true } : job;
}
