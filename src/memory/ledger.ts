/**
 * The books: every byte the program means to hold, by account, with the owner's name. One integer sum per account is
 * kept up to date on each booking; `audit()` recomputes all of them from the live bookings and throws where they
 * disagree, so a forgotten or doubled entry cannot hide.
 */
import { ACCOUNTS, type Account, type Booking, type Ledger } from './types.ts';

export interface LedgerStats {
  readonly inUse: Readonly<Record<Account, number>>;
  readonly total: number;
  readonly peakTotal: number;
  readonly bookings: number;
  /** Releases of bookings that were released before: always a bug of the caller, never a wrong sum. */
  readonly doubleReleases: number;
}

export interface OwnerSum {
  readonly account: Account;
  readonly owner: string;
  readonly bytes: number;
  readonly bookings: number;
}

export interface BookKeeper extends Ledger {
  stats(): LedgerStats;
  /** What is held, summed by account and owner, largest first: for `/debug/memory`. Walks every booking. */
  owners(limit?: number): OwnerSum[];
}

export interface LedgerSettings {
  /** Tests: a second release throws. Production counts it. */
  readonly strict?: boolean;
}

export function createLedger(settings: LedgerSettings = {}): BookKeeper {
  return new Books(settings.strict === true);
}

function checked(bytes: number, owner: string): number {
  if (!(bytes >= 0) || bytes > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`${owner} books ${bytes} bytes: not a size`);
  }
  // Sums of whole numbers are exact, so audit() may compare with ===.
  return Math.ceil(bytes);
}

class Books implements BookKeeper {
  readonly inUse: Record<Account, number>;
  total = 0;
  #live = new Set<Entry>();
  #peak = 0;
  #doubleReleases = 0;
  #strict: boolean;

  constructor(strict: boolean) {
    this.#strict = strict;
    this.inUse = Object.fromEntries(ACCOUNTS.map(account => [account, 0])) as Record<Account, number>;
  }

  book(account: Account, bytes: number, owner: string): Booking {
    const entry = new Entry(this, account, owner);
    this.#live.add(entry);
    this.move(entry, checked(bytes, owner));
    return entry;
  }

  /** Only for Entry: sets its size and carries the difference into the sums. */
  move(entry: Entry, bytes: number): void {
    const delta = bytes - entry.bytes;
    entry.bytes = bytes;
    this.inUse[entry.account] += delta;
    this.total += delta;
    if (this.total > this.#peak) this.#peak = this.total;
  }

  /** Only for Entry. */
  close(entry: Entry): void {
    if (!this.#live.delete(entry)) {
      this.#doubleReleases++;
      if (this.#strict) throw new Error(`${entry.owner} released its ${entry.account} booking twice`);
      return;
    }
    this.move(entry, 0);
  }

  /** Only for Entry. */
  holds(entry: Entry): boolean {
    return this.#live.has(entry);
  }

  audit(): void {
    const sums = Object.fromEntries(ACCOUNTS.map(account => [account, 0])) as Record<Account, number>;
    let total = 0;
    for (const entry of this.#live) {
      sums[entry.account] += entry.bytes;
      total += entry.bytes;
    }
    for (const account of ACCOUNTS) {
      if (sums[account] !== this.inUse[account]) {
        throw new Error(`ledger: ${account} says ${this.inUse[account]} bytes, its bookings sum to ${sums[account]}`);
      }
    }
    if (total !== this.total) throw new Error(`ledger: total says ${this.total} bytes, the bookings sum to ${total}`);
  }

  stats(): LedgerStats {
    return {
      inUse: { ...this.inUse },
      total: this.total,
      peakTotal: this.#peak,
      bookings: this.#live.size,
      doubleReleases: this.#doubleReleases,
    };
  }

  owners(limit = 50): OwnerSum[] {
    const sums = new Map<string, { account: Account; owner: string; bytes: number; bookings: number }>();
    for (const { account, owner, bytes } of this.#live) {
      const key = `${account} ${owner}`;
      const sum = sums.get(key) ?? { account, owner, bytes: 0, bookings: 0 };
      sum.bytes += bytes;
      sum.bookings++;
      sums.set(key, sum);
    }
    return [...sums.values()].sort((a, b) => b.bytes - a.bytes).slice(0, limit);
  }
}

class Entry implements Booking {
  readonly account: Account;
  readonly owner: string;
  bytes = 0;
  #books: Books;

  constructor(books: Books, account: Account, owner: string) {
    this.#books = books;
    this.account = account;
    this.owner = owner;
  }

  resize(bytes: number): void {
    if (!this.#books.holds(this)) throw new Error(`${this.owner} resizes a ${this.account} booking it has released`);
    this.#books.move(this, checked(bytes, this.owner));
  }

  release(): void {
    this.#books.close(this);
  }
}
