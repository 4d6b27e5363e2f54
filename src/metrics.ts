/**
 * Every metric's name and help, in one place. Rooms keep plain counters and know nothing of this file; it reads them at
 * scrape. Labels are routes, accounts and outcomes, never z/x/y: the number of series is bounded (about 400).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { ACCOUNTS } from './memory/types.ts';
import { gaugesIn, mirror } from './metrics-mirror.ts';
import { type RemoteSources, registerRemote } from './metrics-remote.ts';
import { registerShadows, type ShadowSources } from './metrics-shadows.ts';
import { registerWatch, type WatchSources } from './metrics-watch.ts';

/** What the rooms tell at scrape. */
export interface MetricSources extends WatchSources, ShadowSources, RemoteSources {
  limitBytes(): number;
  lineBytes(): number;
  budget(): Readonly<Record<string, number>>;
  ledger(): Readonly<Record<string, number>>;
  gauge(): { rss: number; used: number; workingSet: number; swap: number; unaccounted: number; external: number };
  /** 0 normal, 1 warning, 2 critical. */
  level(): number;
  cache(): {
    hits: number;
    misses: number;
    entries: number;
    bytes: number;
    maxBytes: number;
    evictions: number;
    shedEntries: number;
  };
  ladder(): { rungs: Readonly<Record<string, number>>; strained: Readonly<Record<string, number>> };
  admission(): { inUse: number; budget: number; queued: number; outcomes: Readonly<Record<string, number>> };
  pool(): {
    threads: number;
    running: number;
    queued: number;
    done: number;
    failed: number;
    cancelled: number;
    crashed: number;
  };
  flight(): { running: number; shared: number };
  layers(): Readonly<Record<string, number>>;
  sessions(): { sessions: number; layers: number; bytes: number; evicted: number };
  dropped(): number;
}

export interface Metrics {
  http(route: string, method: string, status: number, seconds: number): void;
  waited(permitClass: string, seconds: number): void;
  rendered(operation: string, seconds: number): void;
  scrape(): Promise<{ contentType: string; body: string }>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'plimsoll_http_requests_total',
    help: 'Responses by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'plimsoll_http_request_duration_seconds',
    help: 'Time from the first byte of the request to the last of the response.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers: [registry],
  });
  const waits = new Histogram({
    name: 'plimsoll_admission_wait_seconds',
    help: 'Time that admitted work waited for its permit.',
    labelNames: ['class'],
    buckets: SECONDS,
    registers: [registry],
  });
  const renders = new Histogram({
    name: 'plimsoll_render_seconds',
    help: 'Time a worker spent on a job, by kind of work.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers: [registry],
  });
  registerMemory(registry, sources);
  registerWork(registry, sources);
  registerHoldings(registry, sources);
  registerWatch(registry, sources);
  registerShadows(registry, sources);
  registerRemote(registry, sources);
  // Finding a series by its labels takes longer than counting.
  const request = memo((_, route: string, method: string, status: number) =>
    requests.labels({ route, method, status }),
  );
  const duration = memo(route => durations.labels({ route }));
  const wait = memo(permitClass => waits.labels({ class: permitClass }));
  const render = memo(operation => renders.labels({ operation }));
  return {
    http: (route, method, status, seconds) => {
      request(`${route} ${method} ${status}`, route, method, status).inc();
      duration(route).observe(seconds);
    },
    waited: (permitClass, seconds) => wait(permitClass).observe(seconds),
    rendered: (operation, seconds) => render(operation).observe(seconds),
    scrape: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** As many as there are series. */
function memo<A extends unknown[], T>(make: (key: string, ...args: A) => T): (key: string, ...args: A) => T {
  const made = new Map<string, T>();
  return (key, ...args) => {
    const known = made.get(key) ?? make(key, ...args);
    made.set(key, known);
    return known;
  };
}

function registerMemory(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const gauge = gaugesIn(registry);
  gauge(
    'plimsoll_memory_limit_bytes',
    'The limit everything is derived from: cgroup, flag or physical memory.',
    sources.limitBytes,
  );
  gauge('plimsoll_memory_line_bytes', 'The load line: what the books together may reach.', sources.lineBytes);
  gauge('plimsoll_memory_rss_bytes', 'Resident set of the process.', () => sources.gauge().rss);
  gauge(
    'plimsoll_memory_used_bytes',
    'Memory the kernel cannot take back (anon, shmem, kernel, sockets): what admission watches.',
    () => sources.gauge().used,
  );
  gauge(
    'plimsoll_memory_working_set_bytes',
    "The kubelet's working set: usage less inactive page cache.",
    () => sources.gauge().workingSet,
  );
  gauge('plimsoll_memory_swap_bytes', 'Swap in use by the group.', () => sources.gauge().swap);
  gauge(
    'plimsoll_memory_unaccounted_bytes',
    'Used memory that is on no book: allocator, heap growth, leaks.',
    () => sources.gauge().unaccounted,
  );
  gauge(
    'plimsoll_memory_external_bytes',
    'Memory outside the JS heap that the main thread accounts for (ArrayBuffers among it).',
    () => sources.gauge().external,
  );
  gauge('plimsoll_memory_level', 'Memory level: 0 normal, 1 warning, 2 critical.', sources.level);
  new Gauge({
    name: 'plimsoll_ledger_bytes',
    help: 'Bytes booked, by account.',
    labelNames: ['account'],
    registers,
    collect() {
      for (const account of ACCOUNTS) this.set({ account }, sources.ledger()[account] ?? 0);
    },
  });
  new Gauge({
    name: 'plimsoll_budget_bytes',
    help: 'The division of the limit, by part.',
    labelNames: ['part'],
    registers,
    collect() {
      for (const [part, bytes] of Object.entries(sources.budget())) this.set({ part }, bytes);
    },
  });
}

function registerWork(registry: Registry, sources: MetricSources): void {
  const gauge = gaugesIn(registry);
  gauge('plimsoll_admission_budget_bytes', 'Bytes that work in flight may hold now.', () => sources.admission().budget);
  gauge('plimsoll_admission_in_use_bytes', 'Bytes that work in flight holds.', () => sources.admission().inUse);
  gauge('plimsoll_admission_queue_length', 'Requests that wait for memory.', () => sources.admission().queued);
  mirror(
    registry,
    'plimsoll_admission_outcomes_total',
    'Requests for a permit, by outcome.',
    'outcome',
    () => sources.admission().outcomes,
  );
  mirror(
    registry,
    'plimsoll_rung_total',
    'Cold answers by quality: full, degraded, or stale from the cache.',
    'rung',
    () => sources.ladder().rungs,
  );
  gauge('plimsoll_strained', '1 while full answers fail to get memory in time.', () =>
    Math.max(0, ...Object.values(sources.ladder().strained)),
  );
  gauge('plimsoll_workers', 'Render threads.', () => sources.pool().threads);
  gauge('plimsoll_workers_running', 'Render threads at work.', () => sources.pool().running);
  gauge('plimsoll_workers_queue_length', 'Jobs that wait for a render thread.', () => sources.pool().queued);
  mirror(registry, 'plimsoll_jobs_total', 'Render jobs, by outcome.', 'outcome', () => {
    const { done, failed, cancelled, crashed } = sources.pool();
    return { done, failed, cancelled, crashed };
  });
  gauge(
    'plimsoll_flights',
    'Answers being made now, each for one or more waiting requests.',
    () => sources.flight().running,
  );
  mirror(registry, 'plimsoll_flights_shared_total', 'Requests that joined an answer under way.', 'kind', () => ({
    joined: sources.flight().shared,
  }));
}

function registerHoldings(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const gauge = gaugesIn(registry);
  gauge('plimsoll_cache_bytes', 'Bytes in the reply cache, keys and records included.', () => sources.cache().bytes);
  gauge('plimsoll_cache_max_bytes', 'Budget of the reply cache.', () => sources.cache().maxBytes);
  gauge('plimsoll_cache_entries', 'Replies in the cache.', () => sources.cache().entries);
  mirror(registry, 'plimsoll_cache_requests_total', 'Cache look-ups, by result.', 'result', () => ({
    hit: sources.cache().hits,
    miss: sources.cache().misses,
  }));
  mirror(
    registry,
    'plimsoll_cache_evictions_total',
    'Replies that left the cache: for room, or shed under pressure.',
    'cause',
    () => {
      const { evictions, shedEntries } = sources.cache();
      return { room: evictions - shedEntries, shed: shedEntries };
    },
  );
  new Gauge({
    name: 'plimsoll_layers',
    help: 'Layers of the catalogue, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, n] of Object.entries(sources.layers())) this.set({ kind }, n);
    },
  });
  gauge('plimsoll_sessions', 'Sessions that live.', () => sources.sessions().sessions);
  gauge('plimsoll_session_layers', 'Layers of all sessions.', () => sources.sessions().layers);
  gauge('plimsoll_session_bytes', 'Bytes of all session layers.', () => sources.sessions().bytes);
  mirror(registry, 'plimsoll_sessions_evicted_total', 'Sessions ended under memory pressure.', 'cause', () => ({
    pressure: sources.sessions().evicted,
  }));
  mirror(
    registry,
    'plimsoll_tile_features_dropped_total',
    'Features left out of vector tiles by the level of detail.',
    'kind',
    () => ({ cell: sources.dropped() }),
  );
}
