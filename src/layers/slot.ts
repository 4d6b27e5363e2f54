/** A layer with the count of requests that use it: retired, it closes its source when the last of them has ended. */
import type { Layer, Lease } from './types.ts';

export interface Slot {
  readonly layer: Layer;
  /** What the file and its options looked like when it was opened; null asks for another try at the next look. */
  readonly look: string | null;
  lease(): Lease;
  retire(): void;
  readonly leases: number;
}

export function createSlot(layer: Layer, look: string | null, dispose: () => void): Slot {
  let leases = 0;
  let retired = false;
  const settle = () => {
    if (retired && leases === 0) dispose();
  };
  return {
    layer,
    look,
    get leases() {
      return leases;
    },
    lease() {
      leases++;
      let held = true;
      return {
        layer,
        release() {
          if (!held) return;
          held = false;
          leases--;
          settle();
        },
      };
    },
    retire() {
      if (retired) return;
      retired = true;
      settle();
    },
  };
}
