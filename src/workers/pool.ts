/**
 * The render threads. One piscina of one thread each, so that a job can be sent to the thread whose decoded blocks it
 * shares (piscina's common queue would hand it to whichever frees first).
 *
 * A running job is never ended by killing its thread (122 ms and a cold heap): its flag in shared memory is raised and
 * the job stops at its next check. run() settles only when the worker has answered, so whoever holds the bytes of the
 * job may release them then and not before.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { fromPlainProblem, type PlainProblem, Problem, problem } from '../errors.ts';
import type { Job, Painted } from '../plan.ts';
import type { WorkerSettings } from './tasks.ts';

export interface PoolOptions extends WorkerSettings {
  readonly threads: number;
  /** JS heap of one thread; native and buffer memory are the ledger's business. */
  readonly workerHeapMb: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly affinity?: number;
}

export interface PoolStats {
  readonly threads: number;
  readonly running: number;
  readonly queued: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly crashed: number;
}

export interface Pool {
  run(job: Job, options?: RunOptions): Promise<Painted>;
  stats(): PoolStats;
  close(): Promise<void>;
}

/** What goes to a worker and what comes back. */
export interface Envelope {
  readonly job: Job;
  /** Index of this job's flag in the shared array. */
  readonly slot: number;
  /** Of a long job: the thread is free for others as soon as it has begun, and the answer comes here. */
  readonly port?: MessagePort;
}
export type Answer =
  | { readonly ok: true; readonly painted: Painted }
  | { readonly ok: false; readonly problem: PlainProblem };

/** Jobs that can be under way at once; admission keeps the true number far lower. */
const FLAG_SLOTS = 4096;
/**
 * How many jobs longer than the shortest queue a job's home thread may have before affinity gives way: to a thread that would
 * soon be idle. One that is busy would only decode once more what home holds already.
 */
const AFFINITY_SLACK = 2;
/**
 * Jobs that a thread has, the one it is at among them: the next one lies there when it is done, where it would else wait for the main
 * thread to get round to it. 1 to 4: rate of vector tiles of z10–14 × 1.13, of warped tiles × 1.14, at the same CPU. All of them have
 * their permits.
 */
const IN_HAND = 4;

export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), 8));
}

export function createPool(options: PoolOptions): Pool {
  const flags = new Int32Array(new SharedArrayBuffer(FLAG_SLOTS * 4));
  const free = Array.from({ length: FLAG_SLOTS }, (_, i) => FLAG_SLOTS - 1 - i);
  const { threads, workerHeapMb, ...settings } = options;
  const filename = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url).href;
  const lanes = Array.from({ length: threads }, () => ({
    load: 0,
    piscina: new Piscina({
      filename,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: IN_HAND,
      maxQueue: FLAG_SLOTS,
      atomics: 'disabled',
      workerData: { flags: flags.buffer, settings },
      resourceLimits: { maxOldGenerationSizeMb: workerHeapMb, maxYoungGenerationSizeMb: 3 },
    }),
  }));
  const counts = { done: 0, failed: 0, cancelled: 0, crashed: 0 };

  const pick = (affinity: number | undefined) => {
    let least = lanes[0];
    for (const lane of lanes) if (lane.load < least.load) least = lane;
    if (affinity === undefined) return least;
    const home = lanes[(affinity >>> 0) % lanes.length];
    return least.load >= AFFINITY_SLACK || home.load - least.load <= AFFINITY_SLACK ? home : least;
  };

  const run = async (job: Job, { signal, affinity }: RunOptions = {}): Promise<Painted> => {
    if (signal?.aborted) throw problem('client-closed', 'cancelled before it was started');
    const slot = free.pop();
    if (slot === undefined) throw problem('overloaded', `${FLAG_SLOTS} jobs are under way`);
    const lane = pick(affinity);
    const cancel = () => Atomics.store(flags, slot, 1);
    signal?.addEventListener('abort', cancel, { once: true });
    lane.load++;
    try {
      const answer: Answer = await (job.long
        ? runLong(lane.piscina, job, slot)
        : lane.piscina.run({ job, slot } satisfies Envelope, lending(job)));
      if (!answer.ok) throw fromPlainProblem(answer.problem);
      counts.done++;
      return answer.painted;
    } catch (error) {
      throw failure(error, counts);
    } finally {
      lane.load--;
      signal?.removeEventListener('abort', cancel);
      Atomics.store(flags, slot, 0);
      free.push(slot);
    }
  };

  return {
    run,
    stats: () => ({
      threads,
      running: lanes.reduce((sum, lane) => sum + Math.min(1, lane.load), 0),
      queued: lanes.reduce((sum, lane) => sum + Math.max(0, lane.load - 1), 0),
      ...counts,
    }),
    close: async () => {
      await Promise.all(lanes.map(lane => lane.piscina.destroy()));
    },
  };
}

function lending({ lent }: Job): { transferList?: never } {
  return lent ? { transferList: lent as never } : {};
}

/** Begun like any job; what comes of it arrives at a port of its own, which closes where the thread dies. */
async function runLong(piscina: Piscina, job: Job, slot: number): Promise<Answer> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<Answer>((resolve, reject) => {
    port1.once('message', resolve);
    port1.once('close', () => reject(new Error('the thread ended before its answer')));
  });
  // Where it cannot even begin, that is the error.
  answer.catch(() => {});
  try {
    await piscina.run({ job, slot, port: port2 } satisfies Envelope, { transferList: [port2] as never });
    return await answer;
  } finally {
    port1.close();
  }
}

/** A thread that died (heap limit, native crash) is replaced by piscina; its job ends here and its bytes come back. */
function failure(error: unknown, counts: { failed: number; cancelled: number; crashed: number }): unknown {
  if (!(error instanceof Problem)) {
    counts.crashed++;
    return problem('worker-died', `a render worker died: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (error.code === 'client-closed') counts.cancelled++;
  else counts.failed++;
  return error;
}
