/**
 * The leak watch: the trend of what is on no book, and of the bytes that a session holds; and photographs of all figures
 * under a label, to be compared. Everything it keeps is bounded, and none of it is more than numbers.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { problem } from '../../errors.ts';
import type { OwnerSum } from '../ledger.ts';
import type { Memory } from '../memory.ts';
import { type Slope, Trend, type TrendSettings } from './trend.ts';

export interface Snapshot {
  readonly label: string;
  readonly at: string;
  /** Every figure by its path, such as `ledger.cache` or `heap.old_space`. */
  readonly figures: Readonly<Record<string, number>>;
  readonly owners: readonly OwnerSum[];
}

export interface Difference {
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
  /** What changed, the largest change first. */
  readonly changes: readonly {
    readonly figure: string;
    readonly from: number;
    readonly to: number;
    readonly by: number;
  }[];
}

export interface LeakWatch {
  trends(): { readonly unaccounted: Slope | null; readonly bytesPerSession: Slope | null };
  take(label: string): Snapshot;
  list(): readonly Snapshot[];
  /** `now` is the present without being kept. Errors: not-found. */
  difference(from: string, to: string): Difference;
}

export interface LeakSettings {
  readonly memory: Memory;
  /** Sessions that live and their bytes. */
  readonly sessions: () => { readonly sessions: number; readonly bytes: number };
  /** More figures for the photographs. */
  readonly figures?: () => Readonly<Record<string, number>>;
  readonly snapshotsMax?: number;
  readonly ownersMax?: number;
  readonly trend?: Partial<TrendSettings>;
}

export function createLeakWatch(settings: LeakSettings): LeakWatch {
  const { memory, sessions, snapshotsMax = 16, ownersMax = 20 } = settings;
  const unaccounted = new Trend(settings.trend);
  const bytesPerSession = new Trend(settings.trend);
  const kept = new Map<string, Snapshot>();
  memory.gauge.onSample(({ atMs }) => {
    unaccounted.add(atMs, memory.unaccounted());
    const held = sessions();
    if (held.sessions > 0) bytesPerSession.add(atMs, held.bytes / held.sessions);
  });

  function photograph(label: string): Snapshot {
    const figures = { ...figuresOf(memory), ...prefixed('sessions', sessions()), ...settings.figures?.() };
    return { label, at: new Date().toISOString(), figures, owners: memory.ledger.owners(ownersMax) };
  }

  function known(label: string): Snapshot {
    if (label === 'now') return photograph('now');
    const snapshot = kept.get(label);
    if (snapshot) return snapshot;
    const labels = [...kept.keys()].join(', ') || 'none';
    throw problem('not-found', `no snapshot is labelled ${label}; there are: ${labels}, and now`);
  }

  return {
    trends: () => ({ unaccounted: unaccounted.slope(), bytesPerSession: bytesPerSession.slope() }),
    take(label) {
      const snapshot = photograph(label);
      kept.delete(label);
      kept.set(label, snapshot);
      if (kept.size > snapshotsMax) kept.delete(kept.keys().next().value as string);
      return snapshot;
    },
    list: () => [...kept.values()],
    difference: (from, to) => differenceOf(known(from), known(to)),
  };
}

function figuresOf(memory: Memory): Record<string, number> {
  const { sample, unaccounted, budgetBytes, ledger } = memory.stats();
  const { atMs: _at, limit: _limit, pressure: _pressure, ...gauge } = sample;
  const spaces = getHeapSpaceStatistics().map(space => [`heap.${space.space_name}`, space.space_used_size] as const);
  return {
    unaccounted,
    budgetBytes,
    ...prefixed('gauge', gauge),
    ...prefixed('ledger', ledger.inUse),
    'ledger.total': ledger.total,
    'ledger.bookings': ledger.bookings,
    ...Object.fromEntries(spaces),
  };
}

export function prefixed(prefix: string, figures: object): Record<string, number> {
  const numbers = Object.entries(figures).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(numbers.map(([name, value]) => [`${prefix}.${name}`, value as number]));
}

function differenceOf(from: Snapshot, to: Snapshot): Difference {
  const names = [...new Set([...Object.keys(from.figures), ...Object.keys(to.figures)])];
  const changes = names
    .map(figure => {
      const [before, after] = [from.figures[figure] ?? 0, to.figures[figure] ?? 0];
      return { figure, from: before, to: after, by: after - before };
    })
    .filter(({ by }) => by !== 0)
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  return { from: from.label, to: to.label, seconds: (Date.parse(to.at) - Date.parse(from.at)) / 1000, changes };
}
