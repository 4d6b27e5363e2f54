/** Names of what has ended, so that it is answered with 410 and not with 404 for a while. Bounded: oldest forgotten first. */

export type EndReason = 'deleted' | 'expired' | 'idle' | 'evicted' | 'crashed' | 'closed';

/** After the name of what has ended. */
export const END_SENTENCES: Readonly<Record<EndReason, string>> = {
  deleted: 'was deleted',
  expired: 'reached the end of its life',
  idle: 'was not used for too long',
  evicted: 'was ended to free memory',
  crashed: 'was lost when its thread died',
  closed: 'ended with the server',
};

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
