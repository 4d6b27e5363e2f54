/** Turns of requests to other servers: so many in all, and of one host half of them, so that a slow one leaves room for others. */
import { createGate, type Gate } from './gate.ts';

export interface HostGates {
  /** Errors: those of `work`; the signal's reason while it waits. */
  run<T>(host: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  stats(): { readonly running: number; readonly waiting: number };
}

export function createHostGates(most: number): HostGates {
  const all = createGate(most);
  const hosts = new Map<string, Gate>();
  return {
    async run(host, signal, work) {
      const own = hosts.get(host) ?? createGate(Math.ceil(most / 2));
      hosts.set(host, own);
      try {
        return await own.run(signal, () => all.run(signal, work));
      } finally {
        if (own.running === 0 && own.waiting === 0) hosts.delete(host);
      }
    },
    stats: () => ({
      running: all.running,
      waiting: all.waiting + [...hosts.values()].reduce((sum, { waiting }) => sum + waiting, 0),
    }),
  };
}
