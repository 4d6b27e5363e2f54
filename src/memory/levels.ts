/**
 * From samples to a level, pure. A level is entered when three samples in a row are at or above its mark and left when
 * three in a row are below where it is left, so that neither one spike nor the relief that a level itself brings flips it.
 * The heap is counted with its garbage, which V8 lets grow up to its limit before it collects: what stays at the mark for longer
 * than V8 takes from one collection to the next there, is alive.
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
  /** Share of the V8 heap limit at which the heap alone makes it critical, after so many samples in a row. */
  readonly heapCriticalAt: number;
  readonly heapSamples: number;
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
  heapSamples: 10,
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
  /** Samples in a row with the heap at its mark. */
  readonly aboveHeap: number;
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
  aboveHeap: 0,
  drainSinceMs: null,
  drain: false,
};

export function nextLevel(state: LevelState, reading: LevelReading, s: LevelSettings = LEVEL_DEFAULTS): LevelState {
  const { pressure } = reading;
  const run = (count: number, holds: boolean, max = s.samples): number => (holds ? Math.min(count + 1, max) : 0);
  const aboveHeap = run(state.aboveHeap, reading.heapShare >= s.heapCriticalAt, s.heapSamples);
  const forced = reading.swap > s.swapBytes || aboveHeap >= s.heapSamples;
  const criticalNow = forced || pressure >= s.criticalAt;
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
    aboveHeap,
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
