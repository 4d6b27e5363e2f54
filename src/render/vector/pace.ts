/** Long work beside others in one thread: it goes on for a few milliseconds at a time. */
import type { Rest } from './density.ts';

/** Between two turns of the event loop. */
const TURN_MS = 8;

export function restFor(signal?: AbortSignal): Rest {
  let since = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - since < TURN_MS) return;
    await new Promise(resolve => setImmediate(resolve));
    since = performance.now();
  };
}
