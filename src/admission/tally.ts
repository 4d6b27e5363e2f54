/** What the gate counts, how fast bytes come back, and the words of a refusal. */
import { type Problem, problem } from '../errors.ts';
import type { Bottleneck, PermitClass, PermitRequest } from './types.ts';

type RefusalCode = 'overloaded' | 'too-large' | 'client-over-share';

export interface Counters {
  admitted: Record<PermitClass, number>;
  admittedAlone: number;
  waitedMsSum: number;
  refused: Record<RefusalCode, number>;
  refusedBy: Record<Bottleneck, number>;
  steppedDown: number;
  abandoned: number;
  growRefused: number;
}

export function createCounters(): Counters {
  return {
    admitted: { tile: 0, window: 0, bulk: 0 },
    admittedAlone: 0,
    waitedMsSum: 0,
    refused: { overloaded: 0, 'too-large': 0, 'client-over-share': 0 },
    refusedBy: { budget: 0, floor: 0, level: 0, client: 0, 'queue-count': 0, 'queue-bytes': 0 },
    steppedDown: 0,
    abandoned: 0,
    growRefused: 0,
  };
}

/** Bytes given back a second, smoothed over some seconds. */
export class DrainRate {
  #now: () => number;
  #atMs: number;
  #pending = 0;
  #rate = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#atMs = now();
  }

  add(bytes: number): void {
    this.#pending += bytes;
    this.#fold();
  }

  get bytesPerSecond(): number {
    this.#fold();
    return this.#rate;
  }

  #fold(): void {
    const elapsed = (this.#now() - this.#atMs) / 1000;
    if (elapsed < 0.1) return;
    const weight = 1 - Math.exp(-elapsed / 2);
    this.#rate += weight * (this.#pending / elapsed - this.#rate);
    this.#pending = 0;
    this.#atMs = this.#now();
  }
}

/**
 * When asking again can help: the time in which what is ahead drains, times U(0.5, 1.5). A fixed figure would make all
 * who were refused together come back together.
 */
export function retryAfterSeconds(ahead: number, bytesPerSecond: number, random: () => number, max: number): number {
  const drain = bytesPerSecond > 0 ? ahead / bytesPerSecond : 1;
  return Math.max(1, Math.ceil(Math.min(max, Math.max(1, drain)) * (0.5 + random())));
}

const WHY: Readonly<Record<Bottleneck, string>> = {
  budget: 'the bytes for requests are in use',
  floor: 'what is left is kept for other kinds of request',
  level: 'memory pressure lets only cached answers and some tiles through',
  client: 'this client holds or waits for its share of the memory',
  'queue-count': 'too many requests wait already',
  'queue-bytes': 'too many bytes are waited for already',
};

export interface RefusalContext {
  readonly budget: number;
  readonly held: number;
  readonly queued: number;
  readonly retryAfterSeconds: number;
}

/** Who has a lesser answer to fall back on has stepped down; anybody else was refused. */
export function countRefusal(counters: Counters, request: PermitRequest, bottleneck: Bottleneck): void {
  if (request.patienceMs !== undefined) counters.steppedDown++;
  else counters.refused[codeOf(bottleneck)]++;
  counters.refusedBy[bottleneck]++;
}

function codeOf(bottleneck: Bottleneck): 'overloaded' | 'client-over-share' {
  return bottleneck === 'client' ? 'client-over-share' : 'overloaded';
}

/** The Problem of a refusal that asking again can cure; it names the bottleneck. */
export function refusal(request: PermitRequest, bottleneck: Bottleneck, context: RefusalContext): Problem {
  const { budget, held, queued } = context;
  const detail =
    `no room for a ${request.class} of ${request.bytes} bytes: ${WHY[bottleneck]} ` +
    `(${held} of ${budget} bytes in flight, ${queued} waiting)`;
  return problem(codeOf(bottleneck), detail, {
    retryAfterSeconds: context.retryAfterSeconds,
    bottleneck,
    required: request.bytes,
  });
}

export function gone(): Problem {
  return problem('client-closed', 'the client went away before its request was admitted');
}
