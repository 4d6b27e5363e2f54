/** At most so many at once; the others wait in their order, and leave when they are told to. */
import { problem } from '../../errors.ts';

export interface Gate {
  /** Runs `work` when it is its turn. Errors: those of `work`; the signal's reason while it waits. */
  run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

export function createGate(most: number): Gate {
  const waiting = new Set<() => void>();
  let running = 0;
  const turn = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(enter);
        reject(signal?.reason ?? problem('client-closed', 'the client went away'));
      };
      const enter = () => {
        waiting.delete(enter);
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      waiting.add(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  return {
    async run(signal, work) {
      signal?.throwIfAborted();
      // The place of one that ends goes to one that waits, so it is not free in between.
      if (running >= most) await turn(signal);
      else running++;
      try {
        return await work();
      } finally {
        const [next] = waiting;
        if (next) next();
        else running--;
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
