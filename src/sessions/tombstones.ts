/** Names of what has ended, so that it is answered with 410 and not with 404 for a while. Bounded: oldest forgotten first. */

export type EndReason = 'deleted' | 'expired' | 'idle' | 'evicted' | 'crashed' | 'closed';

export interface Tombstones {
  add(id: string, reason: EndReason): void;
  get(id: string): EndReason | undefined;
  readonly size: number;
}

export function createTombstones(max: number): Tombstones {
  const ended = new Map<string, EndReason>();
  return {
    add(id, reason) {
      ended.delete(id);
      ended.set(id, reason);
      if (ended.size <= max) return;
      for (const oldest of ended.keys()) {
        ended.delete(oldest);
        return;
      }
    },
    get: id => ended.get(id),
    get size() {
      return ended.size;
    },
  };
}
