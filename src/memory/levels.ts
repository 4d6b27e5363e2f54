/**
 * From samples to a level, pure. A level is entered when three samples in a row are at or above its mark and left when
 * three in a row are below where it is left, so that neither one spike nor the relief that a level itself brings flips it.
 */
import type { Level } from './types.ts';

export interface LevelSettings {
  readonly warningAt: number;
  readonly criticalAt: number;
  /** Where warning is left, and how far below its mark critical is. */
  readonly calmAt: number;
  readonly hysteresis: number;
  /** Samples in a row that a change needs, either way. */
  readonly samples: number;
  /** Share of the V8 heap limit at which the heap alone makes it critical. */
  readonly heapCriticalAt: number;
  /** Swap beyond this makes it critical: a tile server that swaps is down already. */
  readonly swapBytes: number;
  /** At this pressure for `drainAfterMs` a planned exit is better than SIGKILL. */
  readonly drainAt: number;
  readonly drainAfterMs: number;
}

export const LEVEL_DEFAULTS: LevelSettings = {
  warningAt: 0.7,
  criticalAt: 0.85,
  calmAt: 0.62,
  hysteresis: 0.08,
  samples: 3,
  heapCriticalAt: 0.85,
  swapBytes: 4 * 2 ** 20,
  drainAt: 0.92,
  drainAfterMs: 2000,
};

export interface LevelReading {
  readonly atMs: number;
  readonly pressure: number;
  readonly heapShare: number;
  readonly swap: number;
}

export interface LevelState {
  readonly level: Level;
  /** Samples in a row at or above the warning and the critical mark, and below their leaving marks. */
  readonly aboveWarning: number;
  readonly aboveCritical: number;
  readonly belowWarning: number;
  readonly belowCritical: number;
  readonly drainSinceMs: number | null;
  /** True once the pressure has been at `drainAt` for `drainAfterMs`. */
  readonly drain: boolean;
}

export const CALM: LevelState = {
  level: 'normal',
  aboveWarning: 0,
  aboveCritical: 0,
  belowWarning: 0,
  belowCritical: 0,
  drainSinceMs: null,
  drain: false,
};

export function nextLevel(state: LevelState, reading: LevelReading, s: LevelSettings = LEVEL_DEFAULTS): LevelState {
  const forced = reading.swap > s.swapBytes || reading.heapShare >= s.heapCriticalAt;
  const { pressure } = reading;
  const criticalNow = forced || pressure >= s.criticalAt;
  const run = (count: number, holds: boolean): number => (holds ? Math.min(count + 1, s.samples) : 0);
  const aboveCritical = run(state.aboveCritical, criticalNow);
  const aboveWarning = run(state.aboveWarning, criticalNow || pressure >= s.warningAt);
  const belowCritical = run(state.belowCritical, !forced && pressure < s.criticalAt - s.hysteresis);
  const belowWarning = run(state.belowWarning, !forced && pressure < s.calmAt);
  const drainSinceMs = pressure < s.drainAt ? null : (state.drainSinceMs ?? reading.atMs);
  return {
    level: levelFrom(state.level, { aboveWarning, aboveCritical, belowWarning, belowCritical }, s.samples),
    aboveWarning,
    aboveCritical,
    belowWarning,
    belowCritical,
    drainSinceMs,
    drain: drainSinceMs !== null && reading.atMs - drainSinceMs >= s.drainAfterMs,
  };
}

type Runs = Pick<LevelState, 'aboveWarning' | 'aboveCritical' | 'belowWarning' | 'belowCritical'>;

function levelFrom(level: Level, runs: Runs, samples: number): Level {
  if (runs.aboveCritical >= samples) return 'critical';
  if (level === 'critical' && runs.belowCritical < samples) return 'critical';
  if (runs.belowWarning >= samples) return 'normal';
  if (level !== 'normal' || runs.aboveWarning >= samples) return 'warning';
  return 'normal';
}
