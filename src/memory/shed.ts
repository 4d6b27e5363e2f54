/**
 * Asks those that can give memory back, lowest rank first, until the wish is met. Relief is bounded: at most one round in
 * `everyMs`, because freed pages take a moment to show and a second round on the same figures would take too much.
 */
import type { GaugeSample } from './gauge.ts';
import type { Level, Sheddable } from './types.ts';

export interface ShedStats {
  readonly rounds: number;
  readonly askedBytes: number;
  readonly givenBytes: number;
  readonly byName: Readonly<Record<string, number>>;
  /** Sheddables that threw: passed over, never fatal. */
  readonly failures: number;
}

export interface ShedSettings {
  readonly everyMs?: number;
  readonly now?: () => number;
  /** Pressure that a round aims for. */
  readonly aim?: number;
}

export interface Shedder {
  /** Answers with what takes it out again. */
  register(sheddable: Sheddable): () => void;
  /** Sheds what this level and sample call for; answers with the bytes given back. */
  relieve(level: Level, sample: GaugeSample): number;
  /** Asks for `bytes` now, whatever the level. */
  shed(bytes: number): number;
  /** Asks one by its name, at the pace of relieve(). */
  squeeze(name: string, bytes: number): number;
  stats(): ShedStats;
}

export const SHED_EVERY_MS = 200;
/** The mark at which `warning` is left. */
export const SHED_AIM = 0.62;

export function createShedder(settings: ShedSettings = {}): Shedder {
  const now = settings.now ?? (() => performance.now());
  const everyMs = settings.everyMs ?? SHED_EVERY_MS;
  const aim = settings.aim ?? SHED_AIM;
  const ranked: Sheddable[] = [];
  const given = new Map<string, number>();
  let lastMs = Number.NEGATIVE_INFINITY;
  let rounds = 0;
  let askedBytes = 0;
  let failures = 0;

  function shed(bytes: number): number {
    rounds++;
    if (Number.isFinite(bytes)) askedBytes += bytes;
    let sum = 0;
    for (const one of ranked) {
      if (sum >= bytes) break;
      sum += ask(one, bytes - sum);
    }
    return sum;
  }

  function ask(one: Sheddable, bytes: number): number {
    try {
      const got = one.shed(bytes);
      given.set(one.name, (given.get(one.name) ?? 0) + got);
      return got;
    } catch {
      failures++;
      return 0;
    }
  }

  function squeeze(name: string, bytes: number): number {
    if (now() - lastMs < everyMs) return 0;
    lastMs = now();
    rounds++;
    askedBytes += bytes;
    return ranked.filter(one => one.name === name).reduce((sum, one) => sum + ask(one, bytes), 0);
  }

  function relieve(level: Level, sample: GaugeSample): number {
    if (level === 'normal' || now() - lastMs < everyMs) return 0;
    lastMs = now();
    // Critical: everything down to each one's own floor. Warning: what leads back below the mark.
    if (level === 'critical') return shed(Number.POSITIVE_INFINITY);
    const over = Math.ceil((sample.pressure - aim) * sample.limit);
    return over > 0 ? shed(over) : 0;
  }

  return {
    register(sheddable) {
      ranked.push(sheddable);
      ranked.sort((a, b) => a.rank - b.rank);
      return () => {
        const at = ranked.indexOf(sheddable);
        if (at >= 0) ranked.splice(at, 1);
      };
    },
    relieve,
    shed,
    squeeze,
    stats: () => ({ rounds, askedBytes, givenBytes: sumOf(given), byName: Object.fromEntries(given), failures }),
  };
}

function sumOf(given: ReadonlyMap<string, number>): number {
  return [...given.values()].reduce((a, b) => a + b, 0);
}
