/**
 * Rendered bodies on their way to clients. Each is booked once, however many clients wait for the same one, from the moment
 * that its permit ends until the last of them has been sent all of it; then its pages go back at once. A buffer that came
 * from another thread is on no garbage collector's account, so nothing would hurry to free it.
 */
import { freeArray } from './memory/segments.ts';
import type { Booking, Ledger } from './memory/types.ts';
import type { Painted } from './plan.ts';

export interface Bodies {
  /** Books what was painted before anybody holds it. Nobody does by the next turn of the loop: it is given up. */
  adopt(painted: Painted, owner: string): Painted;
  /** One client more; answers with what to call once its last byte has left. */
  hold(body: Uint8Array, owner: string): () => void;
}

/** Smaller ones may be shared constants (empty tiles) and are not worth the call. */
const FREED_BYTES_MIN = 65536;

interface Held {
  readonly booking: Booking;
  clients: number;
}

export function createBodies(ledger: Ledger): Bodies {
  const bodies = new WeakMap<Uint8Array, Held>();

  function book(body: Uint8Array, owner: string): Held {
    const held = { booking: ledger.book('replies', body.byteLength, owner), clients: 0 };
    bodies.set(body, held);
    return held;
  }

  function giveUp(body: Uint8Array, { booking }: Held): void {
    bodies.delete(body);
    booking.release();
    if (body.byteLength >= FREED_BYTES_MIN) freeArray(body);
  }

  return {
    adopt(painted, owner) {
      const { body } = painted;
      if (body === null || bodies.has(body)) return painted;
      const held = book(body, owner);
      setImmediate(() => {
        if (held.clients === 0 && bodies.get(body) === held) giveUp(body, held);
      });
      return painted;
    },
    hold(body, owner) {
      const held = bodies.get(body) ?? book(body, owner);
      held.clients++;
      let open = true;
      return () => {
        if (!open) return;
        open = false;
        if (--held.clients === 0) giveUp(body, held);
      };
    },
  };
}
