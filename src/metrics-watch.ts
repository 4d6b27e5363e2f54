/** Metrics of the leak watch and of the audits: what only shows over hours. */
import { Gauge, type Registry } from 'prom-client';
import { mirror } from './metrics-mirror.ts';

export interface WatchSources {
  /** Bytes an hour; undefined as long as too little is known. */
  trends(): {
    readonly unaccounted: number | undefined;
    readonly unaccountedLow: number | undefined;
    readonly session: number | undefined;
  };
  audits(): { readonly runs: number; readonly failures: number };
  repliesCut(): number;
  /** Turns of plans that walk an index. */
  planning(): { readonly done: number; readonly refused: number; readonly abandoned: number };
}

/** What only shows over hours: trends, and books that stopped to agree. */
export function registerWatch(registry: Registry, sources: WatchSources): void {
  const trend = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value() ?? Number.NaN);
      },
    });
  trend(
    'plimsoll_memory_unaccounted_trend_bytes_per_hour',
    'Theil–Sen slope of unaccounted memory; NaN as long as too little is known.',
    () => sources.trends().unaccounted,
  );
  trend(
    'plimsoll_memory_unaccounted_trend_low_bytes_per_hour',
    'Lower end of its 95 % interval: above zero it is a leak.',
    () => sources.trends().unaccountedLow,
  );
  trend(
    'plimsoll_session_trend_bytes_per_hour',
    'Theil–Sen slope of the bytes that one session holds.',
    () => sources.trends().session,
  );
  mirror(registry, 'plimsoll_memory_audits_total', 'Books recomputed from scratch, by result.', 'result', () => {
    const { runs, failures } = sources.audits();
    return { agree: runs - failures, differ: failures };
  });
  mirror(registry, 'plimsoll_plans_total', 'Plans that walk an index, by outcome.', 'outcome', () => {
    const { done, refused, abandoned } = sources.planning();
    return { done, refused, abandoned };
  });
  mirror(
    registry,
    'plimsoll_replies_cut_total',
    'Connections ended for taking their bytes too slowly.',
    'cause',
    () => ({
      slow: sources.repliesCut(),
    }),
  );
}
