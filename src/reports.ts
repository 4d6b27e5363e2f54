/** What the rooms' plain counters look like from outside: metric sources, /memory, /debug/memory, readiness. */
import type { Admission } from './admission/controller.ts';
import type { Turns } from './admission/turns.ts';
import type { Permit, PermitClass } from './admission/types.ts';
import type { Flight } from './cache/flight.ts';
import type { ByteCache } from './cache/types.ts';
import type { RemoteCounts } from './io/http/tally.ts';
import type { Ladder } from './ladder.ts';
import type { CatalogueRoom } from './layers/catalogue.ts';
import type { Remotes } from './layers/remote-types.ts';
import { lacksOverviews } from './layers/report.ts';
import type { Budget } from './memory/budget.ts';
import { createLeakWatch, type LeakWatch, prefixed } from './memory/leak/watch.ts';
import type { Limit } from './memory/limit.ts';
import type { Memory } from './memory/memory.ts';
import type { MetricSources } from './metrics.ts';
import type { Cost, Painted } from './plan.ts';
import { vectorLayerFields } from './render/vector/fields.ts';
import type { Bodies } from './reply-bodies.ts';
import type { Shadows } from './serve-shadow-types.ts';
import type { Sessions } from './sessions/types.ts';
import type { Pool } from './workers/pool.ts';

export interface ReportInput {
  readonly memory: Memory;
  readonly admission: Admission;
  readonly turns: Turns;
  readonly ladder: Ladder;
  readonly cache: ByteCache;
  readonly flight: Flight;
  readonly pool: Pool;
  readonly bodies: Bodies;
  readonly catalogue: CatalogueRoom;
  readonly sessions: Sessions | null;
  readonly shadows: Shadows;
  readonly remotes: Remotes;
  /** Requests to other servers, of all threads. */
  counts(): RemoteCounts;
  readonly budget: Budget;
  readonly limit: Limit;
  draining(): boolean;
  rehearsing(): boolean;
}

export interface StreamMeta {
  readonly op: string;
  readonly layer: string;
  readonly client: string;
  readonly signal: AbortSignal;
  readonly class: PermitClass;
  readonly waitedMs?: number;
}

export interface Reports {
  /** A plan's headers, for the count of features that the level of detail left out. */
  planned(headers: Readonly<Record<string, string>>): void;
  readonly sources: MetricSources;
  notReady(): string | null;
  memory(): Record<string, unknown>;
  debugMemory(): Record<string, unknown>;
  readonly leak: LeakWatch;
  fieldsOf(id: string): Readonly<Record<string, string>>;
  admit(admission: Admission): (cost: Cost, meta: StreamMeta) => Promise<Permit>;
  /** Tells the price book what a batch of features held, and hands it on. */
  learn(admission: Admission): (cost: Cost, layer: string, batch: Painted) => Painted;
}

const LEVELS = { normal: 0, warning: 1, critical: 2 } as const;
/** Kubernetes should scale out, not flap: readiness goes only when the level stays critical. */
const READY_GRACE_MS = 5_000;

export function createReports(input: ReportInput): Reports {
  const { memory, admission, catalogue } = input;
  const counts = { dropped: 0, criticalSince: Number.POSITIVE_INFINITY };
  memory.onLevel(level => {
    counts.criticalSince = level === 'critical' ? performance.now() : Number.POSITIVE_INFINITY;
  });
  const leak = watchFor(input);
  return {
    sources: sourcesOf(input, counts, leak),
    leak,
    planned: headers => {
      counts.dropped += Number(headers['x-tile-dropped'] ?? 0);
    },
    notReady: () => {
      if (input.draining()) return 'draining';
      if (input.rehearsing()) return 'painting its first tiles';
      if (memory.drain()) return 'memory has been above the last line for too long';
      return performance.now() - counts.criticalSince > READY_GRACE_MS ? 'memory level is critical' : null;
    },
    memory: () => memoryDocument(input),
    debugMemory: () => ({
      ...memoryDocument(input),
      budget: input.budget,
      memory: memory.stats(),
      trends: leak.trends(),
      replies: input.bodies.stats(),
      owners: memory.ledger.owners(),
      admission: admission.stats(),
      planning: input.turns.stats(),
      ladder: input.ladder.stats(),
      corrections: admission.corrections(),
      cache: input.cache.stats(),
      pool: input.pool.stats(),
      catalogue: catalogue.stats(),
      shadows: input.shadows.stats(),
      remote: { ...input.remotes.stats(), threads: input.counts() },
    }),
    fieldsOf: id => {
      const layer = catalogue.get(id);
      if (layer?.kind === 'session') return layer.fields;
      return layer?.kind === 'vector' ? vectorLayerFields(layer.source, layer.options) : {};
    },
    admit: gate => (cost, meta) => {
      const { op, layer, ...who } = meta;
      return gate.acquire({ bytes: gate.price(cost, op, layer), ...who });
    },
    learn: gate => (cost, layer, batch) => {
      gate.learn('items', layer, cost, batch.peakBytes);
      return batch;
    },
  };
}

function watchFor({ memory, cache, pool, catalogue, sessions }: ReportInput): LeakWatch {
  const held = () => {
    const stats = sessions?.stats();
    return { sessions: stats?.sessions ?? 0, bytes: stats?.bytes ?? 0 };
  };
  const figures = () => ({
    ...prefixed('cache', cache.stats()),
    ...prefixed('pool', pool.stats()),
    ...prefixed('catalogue', catalogue.stats()),
  });
  return createLeakWatch({ memory, sessions: held, figures });
}

function memoryDocument({ memory, limit, budget }: ReportInput): Record<string, unknown> {
  const { sample } = memory.stats();
  const { limit: limitNow, used, rss } = sample;
  return {
    limit: limitNow,
    line: budget.line,
    used,
    rss,
    level: memory.level(),
    source: limit.source,
    accounts: memory.ledger.inUse,
    booked: memory.ledger.total,
  };
}

function sourcesOf(input: ReportInput, counts: { dropped: number }, leak: LeakWatch): MetricSources {
  const { memory, cache, admission, ladder, pool, flight, catalogue, sessions, budget } = input;
  return {
    limitBytes: () => memory.gauge.last.limit,
    lineBytes: () => budget.line,
    budget: () => {
      const {
        cacheBytes,
        blocksBytes,
        indexBytes,
        sessionsBytes,
        inflightBytes,
        heapAllowance,
        workersBytes,
        baseline,
        safety,
      } = budget;
      return {
        baseline,
        workers: workersBytes,
        heap: heapAllowance,
        safety,
        cache: cacheBytes,
        blocks: blocksBytes,
        index: indexBytes,
        sessions: sessionsBytes,
        inflight: inflightBytes,
      };
    },
    ledger: () => memory.ledger.inUse,
    gauge: () => ({ ...memory.gauge.last, unaccounted: memory.unaccounted() }),
    trends: () => {
      const { unaccounted, bytesPerSession } = leak.trends();
      return { unaccounted: unaccounted?.perHour, unaccountedLow: unaccounted?.low, session: bytesPerSession?.perHour };
    },
    audits: () => memory.stats().audits,
    repliesCut: () => input.bodies.stats().cut,
    planning: () => input.turns.stats(),
    level: () => LEVELS[memory.level()],
    cache: () => cache.stats(),
    admission: () => {
      const { budgetBytes, heldBytes, queued, admitted, refused, abandoned } = admission.stats();
      const outcomes = { admitted: sum(admitted), ...refused, abandoned };
      return { inUse: sum(heldBytes), budget: budgetBytes, queued: sum(queued), outcomes };
    },
    ladder: () => {
      const { strained, ...rungs } = ladder.stats();
      return { rungs, strained: Object.fromEntries(strained.map(kind => [kind, 1])) };
    },
    pool: () => pool.stats(),
    flight: () => {
      const { flying, joined } = flight.stats();
      return { running: flying, shared: joined };
    },
    layers: () => {
      const kinds: Record<string, number> = { vector: 0, raster: 0, session: catalogue.stats().sessions, refused: 0 };
      for (const layer of catalogue.list()) kinds[layer.verdict.servable ? layer.kind : 'refused']++;
      return kinds;
    },
    sessions: () => {
      const stats = sessions?.stats();
      if (!stats) return { sessions: 0, layers: 0, bytes: 0, evicted: 0 };
      return { ...stats, evicted: stats.ended.evicted };
    },
    dropped: () => counts.dropped,
    remote: () => ({ ...input.counts(), files: input.remotes.stats().files }),
    shadows: () => ({ ...input.shadows.stats(), lacking: catalogue.list().filter(lacksOverviews).length }),
  };
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
