/**
 * Rendered bodies on their way to clients. Each is booked once, however many clients wait for the same one, from the moment
 * that its permit ends until the last of them has been sent all of it; then its pages go back at once. A buffer that came
 * from another thread is on no garbage collector's account, so nothing would hurry to free it.
 *
 * Who takes too long loses its connection: a body is a loan, and clients that read slowly, or not at all, would otherwise
 * hold the whole budget for as long as they like. While replies hold much of it, the loan is shorter.
 */
import { freeArray } from './memory/segments.ts';
import type { Booking, Ledger } from './memory/types.ts';
import type { Painted } from './plan.ts';

export interface SentReply {
  /** The last byte has left, or the connection is gone. */
  release(): void;
  /** How the connection is ended where the client takes too long. */
  onLate(cut: () => void): void;
}

export interface Bodies {
  /** Books what was painted before anybody holds it. Nobody does by the next turn of the loop: it is given up. */
  adopt(painted: Painted, owner: string): Painted;
  /** One client more. */
  hold(body: Uint8Array, client: string): SentReply;
  /** Bytes that a client has yet to take. */
  bytesOf(client: string): number;
  /** Ends what is late by now. `budget`: bytes that requests and replies may hold together. */
  sweep(budget: number): void;
  stats(): { readonly open: number; readonly cut: number };
}

export interface BodySettings {
  /** Time that every reply has, whatever its size. */
  readonly graceMs: number;
  /** What a client must take beyond that, in bytes a second. */
  readonly drainRate: number;
  /** The same while replies hold more than `crowdedShare` of the budget. */
  readonly crowdedDrainRate: number;
  readonly crowdedShare: number;
  readonly now: () => number;
}

export const BODY_DEFAULTS: BodySettings = {
  graceMs: 5_000,
  drainRate: 32 * 1024,
  crowdedDrainRate: 256 * 1024,
  crowdedShare: 0.5,
  now: () => performance.now(),
};

/** Smaller ones may be shared constants (empty tiles) and are not worth the call. */
const FREED_BYTES_MIN = 8192;

interface Held {
  readonly booking: Booking;
  clients: number;
}

interface Loan {
  readonly sinceMs: number;
  readonly bytes: number;
  cut: (() => void) | null;
}

export function createBodies(ledger: Ledger, settings: Partial<BodySettings> = {}): Bodies {
  return new LentBodies(ledger, { ...BODY_DEFAULTS, ...settings });
}

class LentBodies implements Bodies {
  #ledger: Ledger;
  #s: BodySettings;
  #bodies = new WeakMap<Uint8Array, Held>();
  #loans = new Set<Loan>();
  #clients = new Map<string, number>();
  #cut = 0;

  constructor(ledger: Ledger, settings: BodySettings) {
    this.#ledger = ledger;
    this.#s = settings;
  }

  adopt(painted: Painted, owner: string): Painted {
    const { body } = painted;
    if (body === null || this.#bodies.has(body)) return painted;
    const held = this.#book(body, owner);
    setImmediate(() => {
      if (held.clients === 0 && this.#bodies.get(body) === held) this.#giveUp(body, held);
    });
    return painted;
  }

  hold(body: Uint8Array, client: string): SentReply {
    const held = this.#bodies.get(body) ?? this.#book(body, 'reply');
    const loan: Loan = { sinceMs: this.#s.now(), bytes: body.byteLength, cut: null };
    held.clients++;
    this.#loans.add(loan);
    this.#owe(client, loan.bytes);
    return {
      onLate: cut => {
        loan.cut = cut;
      },
      release: () => {
        if (!this.#loans.delete(loan)) return;
        this.#owe(client, -loan.bytes);
        if (--held.clients === 0) this.#giveUp(body, held);
      },
    };
  }

  bytesOf(client: string): number {
    return this.#clients.get(client) ?? 0;
  }

  sweep(budget: number): void {
    const { graceMs, drainRate, crowdedDrainRate, crowdedShare, now } = this.#s;
    const crowded = this.#ledger.inUse.replies > crowdedShare * budget;
    const rate = crowded ? crowdedDrainRate : drainRate;
    for (const loan of this.#loans) {
      if (loan.cut === null || now() - loan.sinceMs < graceMs + (1000 * loan.bytes) / rate) continue;
      this.#cut++;
      loan.cut();
      loan.cut = null;
    }
  }

  stats(): { open: number; cut: number } {
    return { open: this.#loans.size, cut: this.#cut };
  }

  #book(body: Uint8Array, owner: string): Held {
    const held = { booking: this.#ledger.book('replies', body.byteLength, owner), clients: 0 };
    this.#bodies.set(body, held);
    return held;
  }

  #giveUp(body: Uint8Array, { booking }: Held): void {
    this.#bodies.delete(body);
    booking.release();
    if (body.byteLength >= FREED_BYTES_MIN) freeArray(body);
  }

  /** A client that owes nothing is forgotten, or the map would grow with every address that ever asked. */
  #owe(client: string, delta: number): void {
    const bytes = this.bytesOf(client) + delta;
    if (bytes === 0) this.#clients.delete(client);
    else this.#clients.set(client, bytes);
  }
}
