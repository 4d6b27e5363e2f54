/** The session thread with its own memory on the books. */
import type { Booking } from '../memory/types.ts';
import { createSessionThread, type SessionThread } from './thread.ts';
import type { SessionsDeps } from './types.ts';

/** An idle thread's own memory, measured. */
const THREAD_BYTES = 12 << 20;

/** More than one booking only while one thread ends and the next begins. */
export function bookedThread({ ledger, settings }: SessionsDeps, onDeath: () => void): SessionThread {
  const bookings: Booking[] = [];
  return createSessionThread({
    heapMb: Math.ceil((settings.totalBytes * 2 + settings.featureBytesMax * 8) / (1 << 20)) + 32,
    queueMax: settings.queueMax,
    onStart: () => bookings.push(ledger.book('workers', THREAD_BYTES, 'session thread')),
    onStop: () => bookings.shift()?.release(),
    onDeath,
  });
}
