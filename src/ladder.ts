/**
 * Full quality, a lesser answer, or none: on which rung a cold request stands.
 *
 *   304 ─► hit ─► stale ─► full ─► degraded ─► 503
 *
 * Calm: the full answer, waited for as long as leaves time for a lesser one. Strained (full answers failed to get their
 * permits three times in a row, or the memory level is up): only what fits at once is full. A level takes three samples to
 * enter and is left 8 points lower; strain takes three falls to enter, and three stands and a pause to leave, so that the
 * relief that degrading brings does not end it.
 */
import type { PermitClass } from './admission/types.ts';
import type { Level } from './memory/types.ts';

export interface LadderSettings {
  readonly level: () => Level;
  /** Longest wait for a full answer while calm. */
  readonly patienceMs: number;
  readonly samples?: number;
  readonly pauseMs?: number;
  readonly now?: () => number;
}

export interface Ladder {
  /** How long to wait for a full answer; null: ask for the lesser one at once. */
  patience(kind: PermitClass): number | null;
  /** Whether that is too long a wait for a turn to plan the full answer. */
  late(waitedMs: number): boolean;
  /** True while lesser and stale answers may come out of the cache. */
  strained(kind: PermitClass): boolean;
  /** A full answer got its permit; or did not in time. */
  stood(kind: PermitClass): void;
  fell(kind: PermitClass): void;
  /** Answers by rung since the start, for the metrics. */
  count(rung: Rung): void;
  stats(): Readonly<Record<Rung, number>> & { readonly strained: readonly PermitClass[] };
}

export type Rung = 'full' | 'degraded' | 'stale';

interface Strain {
  falls: number;
  stands: number;
  strained: boolean;
  lastFallMs: number;
}

const KINDS: readonly PermitClass[] = ['tile', 'window', 'bulk'];

export function createLadder({
  level,
  patienceMs,
  samples = 3,
  pauseMs = 2000,
  now = () => performance.now(),
}: LadderSettings): Ladder {
  const newStrain = (): Strain => ({ falls: 0, stands: 0, strained: false, lastFallMs: 0 });
  const strains = { tile: newStrain(), window: newStrain(), bulk: newStrain() };
  const counts = { full: 0, degraded: 0, stale: 0 };

  return {
    patience(kind) {
      const at = level();
      if (at === 'critical' || (at === 'warning' && kind !== 'tile')) return null;
      return at === 'warning' || strains[kind].strained ? 0 : patienceMs;
    },
    late: waitedMs => level() === 'critical' || waitedMs > patienceMs,
    strained: kind => strains[kind].strained || level() !== 'normal',
    stood(kind) {
      const strain = strains[kind];
      strain.falls = 0;
      strain.stands++;
      if (strain.stands >= samples && now() - strain.lastFallMs >= pauseMs) strain.strained = false;
    },
    fell(kind) {
      const strain = strains[kind];
      strain.stands = 0;
      strain.falls++;
      strain.lastFallMs = now();
      if (strain.falls >= samples) strain.strained = true;
    },
    count(rung) {
      counts[rung]++;
    },
    stats: () => ({ ...counts, strained: KINDS.filter(kind => strains[kind].strained) }),
  };
}
