/** The place of a feature whose id is an attribute. FlatGeobuf has no index of attributes: the file is gone through once. */
import type { Permit } from '../../admission/types.ts';
import { problem } from '../../errors.ts';
import type { Cost, Painted } from '../../plan.ts';
import { fgbOf, type ItemsAsk, planItems, streamItems } from './stream.ts';
import type { ItemsJob } from './task.ts';

/** Larger files are not gone through for one feature. */
const FIND_BYTES_MAX = 256 << 20;

interface FindDeps<M extends { readonly signal: AbortSignal }> {
  run(job: ItemsJob, signal: AbortSignal): Promise<Painted>;
  admit(cost: Cost, meta: M): Promise<Permit>;
  readonly meta: M;
}

/** Errors: feature-not-found, too-large. */
export async function findById<M extends { readonly signal: AbortSignal }>(
  ask: ItemsAsk,
  id: number,
  deps: FindDeps<M>,
): Promise<number> {
  const { layer } = ask;
  const column = layer.options.idColumn as string;
  const { size, remote } = fgbOf(layer).ref;
  const limitBytes = Math.min(FIND_BYTES_MAX, remote?.features?.bytesMax ?? FIND_BYTES_MAX);
  if (size > limitBytes) {
    throw problem(
      'too-large',
      `${layer.id}: its ids are the attribute ${column}, and ${size} bytes would have to be read for one of them`,
      {
        limitBytes,
      },
    );
  }
  const { signal } = deps.meta;
  // The first match is not written (limit 0), so its ordinal comes back as the next one.
  const filter = { cql: null, equals: [{ column, value: id }], time: null };
  const plan = await planItems({ ...ask, filter, properties: [], limit: 0 }, signal);
  const permit = await deps.admit(plan.cost, deps.meta);
  try {
    const grow = () => true;
    const found = streamItems({ ...plan, counting: false }, { run: deps.run, grow, signal });
    let step = await found.next();
    while (!step.done) step = await found.next();
    if (step.value.next === null)
      throw problem('feature-not-found', `${layer.id} has no feature with ${column} = ${id}`);
    return step.value.next;
  } finally {
    permit.release();
  }
}
