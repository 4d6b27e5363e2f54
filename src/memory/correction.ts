/**
 * What reality takes from the plan, and from whom. Bytes that are held but on no book (allocators, garbage, leaks) first
 * use up the safety and what the heap has not taken of its allowance; then the cache gives way, down to a floor, because
 * what it holds can be made again; then the requests. Lowered at once, raised slowly.
 */
import type { Budget } from './budget.ts';
import type { Account } from './types.ts';

export interface Reality {
  readonly atMs: number;
  /** Used − baseline − books. */
  readonly unaccounted: number;
  readonly inUse: Readonly<Record<Account, number>>;
  /** The limit by now; it may have been lowered while we run. */
  readonly limit: number;
}

export interface CorrectionSettings {
  /** Share of what was taken that comes back each second. */
  readonly recoverShare: number;
  /** Share of its bytes that the cache keeps whatever happens here. */
  readonly cacheFloor: number;
}

export const CORRECTION_DEFAULTS: CorrectionSettings = { recoverShare: 0.25, cacheFloor: 0.25 };

export class Correction {
  #budget: Budget;
  #settings: CorrectionSettings;
  #lost = 0;
  #atMs: number;

  constructor(budget: Budget, atMs: number, settings: CorrectionSettings = CORRECTION_DEFAULTS) {
    this.#budget = budget;
    this.#atMs = atMs;
    this.#settings = settings;
  }

  take({ atMs, unaccounted, inUse, limit }: Reality): void {
    const { heapAllowance, safety, line, limit: planned } = this.#budget;
    const untouched = Math.max(0, heapAllowance - inUse.heap);
    const lineLost = Math.max(0, line - limit * (line / planned));
    const excess = Math.max(0, unaccounted - safety - untouched) + lineLost;
    const seconds = Math.max(0, atMs - this.#atMs) / 1000;
    this.#atMs = atMs;
    if (excess >= this.#lost) this.#lost = excess;
    else this.#lost -= (this.#lost - excess) * Math.min(1, seconds * this.#settings.recoverShare);
  }

  get lost(): number {
    return this.#lost;
  }

  /** Bytes that the cache may hold now. */
  get cacheBytes(): number {
    return this.#budget.cacheBytes - this.#cacheGives();
  }

  /** Bytes that requests may hold now. */
  get inflightBytes(): number {
    return Math.max(0, this.#budget.inflightBytes - (this.#lost - this.#cacheGives()));
  }

  #cacheGives(): number {
    return Math.min(this.#lost, Math.floor(this.#budget.cacheBytes * (1 - this.#settings.cacheFloor)));
  }
}
