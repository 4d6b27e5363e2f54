/** A permit that is held: its bytes are on the ledger, and every change of them is told to the gate. */
import type { Booking } from '../memory/types.ts';
import type { Permit } from './types.ts';

export interface PermitEvents {
  resized(delta: number): void;
  mayGrow(extra: number): boolean;
  closed(held: number): void;
}

export class HeldPermit implements Permit {
  readonly waitedMs: number;
  #booking: Booking;
  #events: PermitEvents;
  #open = true;

  constructor(waitedMs: number, booking: Booking, events: PermitEvents) {
    this.waitedMs = waitedMs;
    this.#booking = booking;
    this.#events = events;
  }

  get bytes(): number {
    return this.#booking.bytes;
  }

  shrinkTo(bytes: number): void {
    const next = Math.ceil(bytes);
    if (!this.#open || !(next < this.bytes)) return;
    const delta = next - this.bytes;
    this.#booking.resize(next);
    this.#events.resized(delta);
  }

  /** `bytes` are those wanted on top of what is held. */
  grow(bytes: number): boolean {
    const extra = Math.ceil(bytes);
    if (!this.#open || !(extra >= 0) || !this.#events.mayGrow(extra)) return false;
    this.#booking.resize(this.bytes + extra);
    this.#events.resized(extra);
    return true;
  }

  release(): void {
    if (!this.#open) return;
    this.#open = false;
    const held = this.bytes;
    this.#booking.release();
    this.#events.closed(held);
  }
}
