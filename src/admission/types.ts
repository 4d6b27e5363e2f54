/** The faces of admission/ that serve.ts sees. */
import type { Cost } from '../plan.ts';
import type { Correction } from './price.ts';

/** hits and health take no permit at all. */
export type PermitClass = 'tile' | 'window' | 'bulk';

export interface PermitRequest {
  readonly bytes: number;
  readonly class: PermitClass;
  /** Whose share it counts against: session id, API key or remote address. */
  readonly client: string;
  readonly signal: AbortSignal;
  /** Longest wait, where a lesser answer is tried after it (0: only what fits at once). Absent: the gate's own deadline. */
  readonly patienceMs?: number;
  /** Milliseconds that it has waited elsewhere: they are taken off its deadline here. */
  readonly waitedMs?: number;
  /** Parameters of the same question that would cost about this share of it: told where it is too large. */
  readonly fits?: (share: number) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
}

/** The right to hold bytes. Released exactly once, when the worker has acknowledged the end of the work. */
export interface Permit {
  readonly bytes: number;
  /** Milliseconds spent in the queue. */
  readonly waitedMs: number;
  shrinkTo(bytes: number): void;
  /** Asks for more; false where it does not fit (then the work must end with `overloaded`). */
  grow(bytes: number): boolean;
  release(): void;
}

export interface Admission {
  /** Errors: too-large, overloaded, client-over-share, client-closed. */
  acquire(request: PermitRequest): Promise<Permit>;
  /** The permit where it is to be had without waiting and nobody waits; null: ask for it as others do. Counts no refusal. */
  acquireNow(request: Pick<PermitRequest, 'bytes' | 'class' | 'client'>): Permit | null;
  /** Bytes to ask a permit for. Errors: none; what is above the ceiling is refused by acquire. */
  price(cost: Cost, op: string, layer: string): number;
  learn(op: string, layer: string, cost: Cost, peakBytes: number): void;
  corrections(): readonly Correction[];
  stats(): AdmissionStats;
  /** Refuses all who wait (`draining`); permits that are held stay valid. */
  close(): void;
}

export type AdmissionMode = 'enforce' | 'observe';

/** What held a request back: the budget itself, the floors of other classes, the level, its client's share of them or of the queue, the queue. */
export type Bottleneck = 'budget' | 'floor' | 'level' | 'client' | 'queue-count' | 'queue-bytes';

export interface AdmissionStats {
  readonly mode: AdmissionMode;
  readonly budgetBytes: number;
  /** Bytes of live permits, and how many there are, by class. */
  readonly heldBytes: Readonly<Record<PermitClass, number>>;
  readonly held: Readonly<Record<PermitClass, number>>;
  readonly queued: Readonly<Record<PermitClass, number>>;
  readonly queuedBytes: number;
  readonly admitted: Readonly<Record<PermitClass, number>>;
  /** Admitted beyond the budget because nothing else was in flight. */
  readonly admittedAlone: number;
  readonly waitedMsSum: number;
  /** Refusals by error code (in `observe` mode: what would have been refused, though it was admitted). */
  readonly refused: Readonly<Record<'overloaded' | 'too-large' | 'client-over-share', number>>;
  readonly refusedBy: Readonly<Record<Bottleneck, number>>;
  /** Left the queue for a lesser answer: neither refused nor abandoned. */
  readonly steppedDown: number;
  /** Left the queue because the client went away. */
  readonly abandoned: number;
  readonly growRefused: number;
  /** Bytes that come back a second, smoothed: what Retry-After is estimated from. */
  readonly drainBytesPerSecond: number;
}
