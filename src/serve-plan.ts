/** Plans of requests, in their turn where they walk far in an index; of lesser quality where that turn came late. */
import type { Layer } from './layers/types.ts';
import type { Plan } from './plan.ts';
import type { Ask } from './serve.ts';
import type { Rooms } from './serve-rooms.ts';

/** A plan, and how long it waited for its turn. */
export interface Planned {
  readonly plan: Plan;
  /** True where it is the lesser one and leaves something out. */
  readonly lesser: boolean;
  readonly waitedMs: number;
}

/** `full`: the full plan. `lesser`: the lesser one. `in-time`: the full one, or the lesser one where its turn came late. */
export type Which = 'full' | 'lesser' | 'in-time';

/** `spentMs`: what the request has waited before. Errors: overloaded, client-closed; those of the plan. */
export async function planOf<P>(
  which: Which,
  { operation, layers: ids, params, encoding }: Ask<P>,
  layers: readonly Layer[],
  { turns, ladder }: Rooms,
  signal: AbortSignal,
  spentMs = 0,
): Promise<Planned> {
  const { degrade } = operation;
  const walk = async (waitedMs: number) => {
    const lessens = which === 'lesser' || (which === 'in-time' && ladder.late(waitedMs));
    if (degrade && lessens) {
      const plan = await degrade(layers, params, encoding, signal);
      if (plan.whole) return { plan, lesser: false };
      // With nothing left to draw it would be no answer.
      if (which === 'lesser' || plan.job !== null) return { plan, lesser: true };
    }
    return { plan: await operation.plan(layers, params, encoding, signal), lesser: false };
  };
  await operation.prepare?.(layers, params);
  if (!operation.walks?.(layers, params)) return { ...(await walk(0)), waitedMs: 0 };
  const { value, waitedMs } = await turns.run(ids.join(), signal, walk, spentMs);
  return { ...value, waitedMs };
}
