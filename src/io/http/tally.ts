/**
 * What all threads together asked of other servers, in memory that they share: nothing is sent about it, and a thread that died
 * took nothing along. The outcomes are the codes of errors, so their number is bounded; no host and no URL is in it.
 */
import { REMOTE_CODES } from '../../errors.ts';

/** 'ok', codes of errors.ts, and 'other'. */
export const OUTCOMES = ['ok', ...REMOTE_CODES, 'source-changed', 'client-closed', 'draining', 'other'] as const;
/** Upper ends of the buckets of durations, seconds; the last is without end. */
export const REMOTE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const RETRIES = OUTCOMES.length;
const BYTES = RETRIES + 1;
const RUNNING = BYTES + 1;
const MICROSECONDS = RUNNING + 1;
const BUCKETS = MICROSECONDS + 1;
const SLOTS = BUCKETS + REMOTE_SECONDS.length + 1;

export interface RemoteTally {
  began(): void;
  /** `code`: of the error; null where the bytes came. */
  ended(code: string | null, bytes: number, seconds: number): void;
  retried(): void;
}

export interface RemoteCounts {
  /** Requests, by outcome; each try is one. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly retries: number;
  /** Of bodies that came whole. */
  readonly bytes: number;
  readonly running: number;
  readonly seconds: number;
  /** One more than REMOTE_SECONDS; each request is in one of them. */
  readonly buckets: readonly number[];
}

export function tallyBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * 8);
}

export function createRemoteTally(buffer: SharedArrayBuffer): RemoteTally {
  const slots = new BigInt64Array(buffer);
  const add = (slot: number, n: number): void => {
    Atomics.add(slots, slot, BigInt(n));
  };
  return {
    began: () => add(RUNNING, 1),
    ended(code, bytes, seconds) {
      add(RUNNING, -1);
      const outcome = OUTCOMES.indexOf((code ?? 'ok') as (typeof OUTCOMES)[number]);
      add(outcome < 0 ? OUTCOMES.length - 1 : outcome, 1);
      add(BYTES, bytes);
      add(MICROSECONDS, Math.round(seconds * 1e6));
      const bucket = REMOTE_SECONDS.findIndex(end => seconds <= end);
      add(BUCKETS + (bucket < 0 ? REMOTE_SECONDS.length : bucket), 1);
    },
    retried: () => add(RETRIES, 1),
  };
}

export function readTally(buffer: SharedArrayBuffer): RemoteCounts {
  const slots = new BigInt64Array(buffer);
  const at = (slot: number): number => Number(Atomics.load(slots, slot));
  return {
    outcomes: Object.fromEntries(OUTCOMES.map((name, slot) => [name, at(slot)])),
    retries: at(RETRIES),
    bytes: at(BYTES),
    running: at(RUNNING),
    seconds: at(MICROSECONDS) / 1e6,
    buckets: Array.from({ length: REMOTE_SECONDS.length + 1 }, (_, i) => at(BUCKETS + i)),
  };
}
