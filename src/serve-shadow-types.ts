/** What the room of shadow overviews is given, and what it is to others. */
import type { Admission } from './admission/controller.ts';
import type { HeldShadow, ShadowState } from './layers/types.ts';
import type { Ledger, Level, Sheddable } from './memory/types.ts';
import type { RasterSource } from './source/types.ts';
import type { Pool } from './workers/pool.ts';

export interface ShadowSettings {
  /** Of all of them together; 0: there are none. */
  readonly maxBytes: number;
  /** Most that making one may take. */
  readonly ceilingBytes: number;
  /** Make them when files are opened, as far as there is room, not when first asked. */
  readonly warmUp: boolean;
  /** Longest that a request waits for one. */
  readonly waitMs: number;
  readonly now?: () => number;
}

export interface ShadowRooms extends ShadowSettings {
  readonly admission: Admission;
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly level: () => Level;
  /** What the cache and the shadows may hold together now. */
  readonly roomBytes: () => number;
  /** A file of which none can be made, and why. */
  readonly failed: (id: string, error: unknown) => void;
}

export interface ShadowStats {
  readonly files: Readonly<Record<ShadowState, number>>;
  readonly heldBytes: number;
  readonly maxBytes: number;
  readonly built: number;
  readonly failed: number;
  readonly shed: number;
}

export interface Shadows {
  /** Null: the file needs none, or none fits. `cap`: pixels that a pixel may take to decode. */
  of(id: string, source: RasterSource, cap: number | undefined): HeldShadow | null;
  readonly heldBytes: number;
  readonly sheddable: Sheddable;
  /** Keeps to its share of what the cache may hold now. */
  trim(): void;
  /** What was given up is made again. */
  calm(): void;
  stats(): ShadowStats;
  /** Ends what is being made, and lets go of all. */
  close(): Promise<void>;
}

/** Such errors pass by themselves: the next that asks tries again. */
export const PASSING: ReadonlySet<string> = new Set([
  'overloaded',
  'client-over-share',
  'draining',
  'worker-died',
  'client-closed',
  'read-failed',
  'source-changed',
]);
