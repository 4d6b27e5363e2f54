/**
 * Books and reality in one place. Admission decides on the books, because a burst outruns any sampler; reality corrects
 * the books here: what is really held beyond them (`unaccounted`) lowers the budget of new requests at once and gives it
 * back slowly, and the pressure drives the levels, which shed.
 */
import type { Budget } from './budget.ts';
import { CORRECTION_DEFAULTS, Correction } from './correction.ts';
import { createGauge, type Gauge, type GaugeSample } from './gauge.ts';
import { type BookKeeper, createLedger, type LedgerStats } from './ledger.ts';
import { CALM, LEVEL_DEFAULTS, type LevelSettings, type LevelState, nextLevel } from './levels.ts';
import type { Limit } from './limit.ts';
import { createShedder, type ShedStats } from './shed.ts';
import type { Booking, Level, Sheddable } from './types.ts';

export interface MemorySettings {
  readonly limit: Limit;
  readonly budget: Budget;
  readonly levels?: Partial<LevelSettings>;
  /** The default reads the real files every 25 ms. */
  readonly gauge?: Gauge;
  readonly ledger?: BookKeeper;
  readonly now?: () => number;
  /** Reads the limit again (a pod may be resized while it runs). */
  readonly readLimit?: () => Limit;
  /** Full garbage collection, where the launcher made it callable. */
  readonly collect?: (() => void) | undefined;
  readonly collectEveryMs?: number;
  readonly auditEveryMs?: number;
  /** Told of books that do not agree. */
  readonly onAuditFailure?: (error: unknown) => void;
  /** Share of a lowered budget that comes back each second. */
  readonly recoverShare?: number;
}

/** The books recomputed from scratch, now and then, in production too. */
export interface AuditStats {
  readonly runs: number;
  readonly failures: number;
  readonly lastFailure: string | null;
}

export interface MemoryStats {
  readonly level: Level;
  readonly drain: boolean;
  readonly sample: GaugeSample;
  readonly ledger: LedgerStats;
  readonly unaccounted: number;
  readonly audits: AuditStats;
  readonly budgetBytes: number;
  readonly cacheBytes: number;
  readonly shed: ShedStats;
  readonly changes: Readonly<Record<Level, number>>;
  readonly collections: number;
  readonly gaugeFailures: number;
  readonly limitSource: string;
}

export interface Memory {
  readonly ledger: BookKeeper;
  readonly gauge: Gauge;
  level(): Level;
  /** True when the pressure has been so high for so long that a planned exit is better than SIGKILL. */
  drain(): boolean;
  onLevel(callback: (level: Level, before: Level, sample: GaugeSample) => void): void;
  register(sheddable: Sheddable): () => void;
  /** Bytes that requests may hold now: the derived budget less what reality has eaten of it. */
  budgetBytes(): number;
  /** Bytes that the cache may hold now: it gives way before requests do. */
  cacheBytes(): number;
  /** Used − baseline − books. Grows with a leak; below zero while books are ahead of the pages that are touched. */
  unaccounted(): number;
  /** Bytes that are free below the critical mark. */
  headroom(): number;
  stats(): MemoryStats;
  close(): void;
}

export function createMemory(settings: MemorySettings): Memory {
  return new Controller(settings);
}

class Controller implements Memory {
  readonly ledger: BookKeeper;
  readonly gauge: Gauge;
  #budget: Budget;
  #limit: Limit;
  #settings: MemorySettings;
  #levelSettings: LevelSettings;
  #state: LevelState = CALM;
  #shedder;
  #heap: Booking;
  #workers: Booking;
  #now: () => number;
  #callbacks: ((level: Level, before: Level, sample: GaugeSample) => void)[] = [];
  #changes: Record<Level, number> = { normal: 0, warning: 0, critical: 0 };
  #correction: Correction;
  #collectedAtMs = Number.NEGATIVE_INFINITY;
  #collections = 0;
  #auditedAtMs: number;
  #audits = { runs: 0, failures: 0, lastFailure: null as string | null };
  #audited: Sheddable[] = [];

  constructor(settings: MemorySettings) {
    this.#settings = settings;
    this.#budget = settings.budget;
    this.#limit = settings.limit;
    this.#now = settings.now ?? (() => performance.now());
    this.#auditedAtMs = this.#now();
    const { recoverShare = CORRECTION_DEFAULTS.recoverShare } = settings;
    this.#correction = new Correction(settings.budget, this.#now(), { ...CORRECTION_DEFAULTS, recoverShare });
    this.#levelSettings = { ...LEVEL_DEFAULTS, ...settings.levels };
    this.#shedder = createShedder({
      now: this.#now,
      aim: this.#levelSettings.calmAt,
    });
    this.ledger = settings.ledger ?? createLedger();
    this.#workers = this.ledger.book('workers', this.#budget.workersBytes, 'idle render threads');
    this.#heap = this.ledger.book('heap', 0, 'heap beyond the baseline');
    this.gauge = settings.gauge ?? createGauge({ limit: settings.limit, now: this.#now });
    this.gauge.onSample(sample => this.#take(sample));
  }

  level(): Level {
    return this.#state.level;
  }

  drain(): boolean {
    return this.#state.drain;
  }

  onLevel(callback: (level: Level, before: Level, sample: GaugeSample) => void): void {
    this.#callbacks.push(callback);
  }

  register(sheddable: Sheddable): () => void {
    const forget = this.#shedder.register(sheddable);
    this.#audited.push(sheddable);
    return () => {
      forget();
      this.#audited = this.#audited.filter(one => one !== sheddable);
    };
  }

  budgetBytes(): number {
    return this.#correction.inflightBytes;
  }

  cacheBytes(): number {
    return this.#correction.cacheBytes;
  }

  #take(sample: GaugeSample): void {
    this.#followLimit();
    // maxOldSpace counts from zero, the baseline has a heap of its own: both figures of the budget.
    const baselineHeap =
      (this.#budget.maxOldSpaceMb + 3 * this.#budget.semiSpaceMb) * 2 ** 20 - this.#budget.heapAllowance;
    this.#heap.resize(Math.max(0, sample.heapCommitted - baselineHeap));
    const { inUse } = this.ledger;
    this.#correction.take({
      atMs: this.#now(),
      unaccounted: this.#unaccounted(sample),
      inUse,
      limit: sample.limit,
    });
    if (inUse.cache > this.cacheBytes()) this.#shedder.squeeze('cache', inUse.cache - this.cacheBytes());
    const before = this.#state.level;
    const { atMs, pressure, swap } = sample;
    const reading = { atMs, pressure, swap, heapShare: sample.heapUsed / sample.heapLimit };
    this.#state = nextLevel(this.#state, reading, this.#levelSettings);
    const { level } = this.#state;
    if (level !== before) {
      this.#changes[level]++;
      for (const callback of this.#callbacks) callback(level, before, sample);
    }
    this.#shedder.relieve(level, sample);
    this.#audit();
    if (level === 'critical') this.#collect(sample);
  }

  unaccounted(): number {
    return this.#unaccounted(this.gauge.last);
  }

  headroom(): number {
    const { used, limit } = this.gauge.last;
    return this.#levelSettings.criticalAt * limit - used;
  }

  /** Sums that were kept up to date for ever are wrong for ever after one forgotten step: so they are recomputed. */
  #audit(): void {
    const { auditEveryMs = 10_000, onAuditFailure } = this.#settings;
    if (this.#now() - this.#auditedAtMs < auditEveryMs) return;
    this.#auditedAtMs = this.#now();
    this.#audits.runs++;
    try {
      this.ledger.audit();
      for (const one of this.#audited) one.audit?.();
    } catch (error) {
      this.#audits.failures++;
      this.#audits.lastFailure = error instanceof Error ? error.message : String(error);
      onAuditFailure?.(error);
    }
  }

  #unaccounted(sample: GaugeSample): number {
    return sample.used - this.#budget.baseline - this.ledger.total;
  }

  /** A limit that is lowered while we run takes effect on the levels and on the budget with the next sample. */
  #followLimit(): void {
    const { readLimit } = this.#settings;
    if (readLimit === undefined) return;
    const limit = readLimit();
    if (limit.bytes === this.#limit.bytes && limit.cgroupBytes === this.#limit.cgroupBytes) return;
    this.#limit = limit;
    this.gauge.setLimit(limit);
  }

  /** A full collection blocks for 12–217 ms: once a minute at most, and only where dead buffers can be what presses. */
  #collect(sample: GaugeSample): void {
    const { collect, collectEveryMs = 60_000 } = this.#settings;
    if (collect === undefined || this.#now() - this.#collectedAtMs < collectEveryMs) return;
    const garbage = this.#unaccounted(sample);
    if (garbage < sample.limit * 0.05 && sample.heapUsed < sample.heapLimit * 0.7) return;
    this.#collectedAtMs = this.#now();
    this.#collections++;
    collect();
  }

  stats(): MemoryStats {
    const sample = this.gauge.last;
    return {
      level: this.#state.level,
      drain: this.#state.drain,
      sample,
      ledger: this.ledger.stats(),
      unaccounted: this.#unaccounted(sample),
      budgetBytes: this.budgetBytes(),
      cacheBytes: this.cacheBytes(),
      shed: this.#shedder.stats(),
      changes: { ...this.#changes },
      collections: this.#collections,
      audits: { ...this.#audits },
      gaugeFailures: this.gauge.failures,
      limitSource: this.#limit.source,
    };
  }

  close(): void {
    this.gauge.close();
    this.#heap.release();
    this.#workers.release();
  }
}
