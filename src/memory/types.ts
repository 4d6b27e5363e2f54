/** The faces of memory/ that other rooms see. */

export const ACCOUNTS = ['cache', 'blocks', 'index', 'inflight', 'replies', 'sessions', 'workers', 'heap'] as const;
export type Account = (typeof ACCOUNTS)[number];

/** Bytes held on one account until released. release() twice is an error in tests, a no-op with a metric in production. */
export interface Booking {
  readonly account: Account;
  readonly bytes: number;
  /** Grows or shrinks to the new size. Never refuses: admission decides beforehand. */
  resize(bytes: number): void;
  release(): void;
}

export interface LedgerReader {
  readonly inUse: Readonly<Record<Account, number>>;
  readonly total: number;
}

export interface Ledger extends LedgerReader {
  book(account: Account, bytes: number, owner: string): Booking;
  /** Recomputes every sum from the live bookings; throws where the books do not agree. */
  audit(): void;
}

export type Level = 'normal' | 'warning' | 'critical';

/** Something that can give memory back when asked. Registered with memory/shed.ts; order is by `rank`, lowest first. */
export interface Sheddable {
  readonly name: string;
  readonly rank: number;
  /** Gives back at least `bytes` if it can (Infinity: all it can); answers with what it gave. */
  shed(bytes: number): number;
  /** Recomputes its own sums from scratch; throws where they do not agree. */
  audit?(): void;
}
