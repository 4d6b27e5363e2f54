/** What vector tiles take whose files other servers have, and how much of that is too much for one tile. */
import { type Problem, problem } from '../../errors.ts';
import { spansCost } from '../../io/http/spans.ts';
import { stagedBytes } from '../../io/staged.ts';
import type { Cost, Plan, RemoteRef } from '../../plan.ts';
import { overviewRemedy } from '../../source/fgb/overview-format.ts';
import type { VectorJobLayer } from './job.ts';

export interface FarCost {
  readonly requests: number;
  /** Bytes that are asked for. */
  readonly inputBytes: number;
  /** Most of them in memory while they come; and of the features, until the tile is done. */
  readonly comingBytes: number;
  readonly stagedBytes: number;
}

/** `drawnBytes`: most bytes of features that are kept of those that are asked for; null: all are. */
export function farCost(layer: VectorJobLayer, remote: RemoteRef, drawnBytes: number | null): FarCost {
  const { requests, bytes, heldBytes } = spansCost(layer, remote);
  const own = layer.lengths.reduce((sum, length) => sum + length, 0);
  const staged = stagedBytes(layer.lengths.length, drawnBytes ?? own, drawnBytes !== null);
  return { requests, inputBytes: bytes, comingBytes: heldBytes, stagedBytes: staged };
}

/** The cost of painting them out of memory, and of having them there. `inputBytes`: asked for or read, of all layers. */
export function withFar(cost: Cost, far: readonly FarCost[], inputBytes: number): Cost {
  if (far.length === 0) return cost;
  const coming = Math.max(...far.map(({ comingBytes }) => comingBytes));
  const staged = far.reduce((sum, each) => sum + each.stagedBytes, 0);
  return { ...cost, inputBytes, heldInputBytes: (cost.heldInputBytes ?? cost.inputBytes) + coming + staged };
}

interface Drawn {
  readonly job: VectorJobLayer;
  readonly far: FarCost | null;
  readonly refused: Problem | null;
}

/** Before it waits for memory, a tile that would take too many requests or bytes is told so: a thinner one may take few enough. */
export function farBound(layers: readonly Drawn[]): Pick<Plan, 'before'> {
  for (const { job, far, refused } of layers) {
    if (refused) return { before: () => Promise.reject(refused) };
    const { features } = job.ref.remote ?? {};
    if (!far || !features) continue;
    const { requestsMax, bytesMax } = features;
    if (far.requests <= requestsMax && far.inputBytes <= bytesMax) continue;
    return { before: () => Promise.reject(tooMany(job, far, requestsMax, bytesMax)) };
  }
  return {};
}

function tooMany({ id, ref, filter }: VectorJobLayer, far: FarCost, requestsMax: number, bytesMax: number): Error {
  const what = `${far.requests} requests for ${far.inputBytes} bytes of another server`;
  const limits = `${requestsMax} (remote.tileRequests) and ${bytesMax} (remote.tileBytes)`;
  return problem('too-large', `${id}: this tile would take ${what}; at most ${limits}`, {
    ...(far.inputBytes > bytesMax ? { limitBytes: bytesMax, neededBytes: far.inputBytes } : {}),
    requests: far.requests,
    ...(filter ? {} : { remedy: overviewRemedy(ref.href) }),
  });
}
