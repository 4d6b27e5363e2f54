/**
 * Whose plan may walk an index now. A plan costs no data, but it is work of the main thread and holds what it has found so
 * far; a hundred walks that take turns of five milliseconds would all end late and hold a hundred times that. So a few
 * walk at once, of one layer fewer still, and the others wait as long as for a permit, first come first served: whoever left
 * is out of the queue, and who waited long is told so and may plan less, which newest first would give to nobody.
 */
import { type Problem, problem } from '../errors.ts';
import { ADMISSION_DEFAULTS, scheduleTimeout } from './settings.ts';

export interface TurnSettings {
  readonly atOnce?: number;
  readonly ofOneLayer?: number;
  readonly waitingMax?: number;
  readonly deadlineMs?: number;
  /** With less than this share of the deadline left nobody begins. */
  readonly deadlineShareMin?: number;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly schedule?: (ms: number, run: () => void) => () => void;
}

export interface TurnStats {
  readonly walking: number;
  readonly waiting: number;
  readonly done: number;
  readonly refused: number;
  readonly abandoned: number;
}

/** What a walk came to, and how long it waited for its turn. */
export interface Walked<T> {
  readonly value: T;
  readonly waitedMs: number;
}

export type Walk<T> = (waitedMs: number) => Promise<T> | T;

export interface Turns {
  /**
   * `spentMs`: what the request has waited elsewhere, which is taken off its deadline. `walk` is told how long it waited here.
   * Errors: overloaded, client-closed, draining; those of `walk`.
   */
  run<T>(layer: string, signal: AbortSignal, walk: Walk<T>, spentMs?: number): Promise<Walked<T>>;
  stats(): TurnStats;
  /** Refuses all who wait; walks under way end by themselves. */
  close(): void;
}

interface Waiter {
  readonly layer: string;
  /** When the request came: it may have waited elsewhere before. */
  readonly cameMs: number;
  begin(): void;
  reject(error: unknown): void;
}

const TICK_MS = 25;

export function createTurns(settings: TurnSettings = {}): Turns {
  return new WalkTurns(settings);
}

class WalkTurns implements Turns {
  #s;
  #walking = new Map<string, number>();
  #count = 0;
  /** In order of arrival. */
  #waiting: Waiter[] = [];
  #done = 0;
  #refused = 0;
  #abandoned = 0;
  #closed = false;
  #cancelTick: (() => void) | null = null;

  constructor(settings: TurnSettings) {
    const { deadlineMs, deadlineShareMin } = ADMISSION_DEFAULTS;
    this.#s = {
      ...{ atOnce: 8, ofOneLayer: 2, waitingMax: 512, deadlineMs, deadlineShareMin },
      ...{ now: () => performance.now(), random: Math.random, schedule: scheduleTimeout },
      ...settings,
    };
  }

  async run<T>(layer: string, signal: AbortSignal, walk: Walk<T>, spentMs = 0): Promise<Walked<T>> {
    const waitedMs =
      this.#waiting.length === 0 && this.#free(layer) ? this.#start(layer) : await this.#wait(layer, signal, spentMs);
    try {
      return { value: await walk(waitedMs), waitedMs };
    } finally {
      this.#end(layer);
    }
  }

  #free(layer: string): boolean {
    return this.#count < this.#s.atOnce && (this.#walking.get(layer) ?? 0) < this.#s.ofOneLayer;
  }

  #start(layer: string): 0 {
    this.#count++;
    this.#walking.set(layer, (this.#walking.get(layer) ?? 0) + 1);
    return 0;
  }

  #end(layer: string): void {
    this.#count--;
    this.#done++;
    const left = (this.#walking.get(layer) ?? 0) - 1;
    if (left === 0) this.#walking.delete(layer);
    else this.#walking.set(layer, left);
    this.#dispatch();
  }

  #wait(layer: string, signal: AbortSignal, spentMs: number): Promise<number> {
    if (this.#closed) return Promise.reject(problem('draining', 'the server takes no new work'));
    if (signal.aborted) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      const left = (): void => {
        this.#leave(waiter);
        this.#abandoned++;
        reject(gone());
      };
      const sinceMs = this.#s.now();
      const done = (): void => signal.removeEventListener('abort', left);
      const waiter: Waiter = {
        layer,
        cameMs: sinceMs - spentMs,
        begin: () => {
          done();
          this.#start(layer);
          resolve(this.#s.now() - sinceMs);
        },
        reject: error => {
          done();
          reject(error);
        },
      };
      const after = this.#waiting.findLastIndex(({ cameMs }) => cameMs <= waiter.cameMs);
      this.#waiting.splice(after + 1, 0, waiter);
      signal.addEventListener('abort', left, { once: true });
      // A layer that is free while another's walks are waited for need not wait with them.
      this.#dispatch();
      if (this.#waiting.length > this.#s.waitingMax) this.#refuse(waiter);
      this.#tickSoon();
    });
  }

  #leave(waiter: Waiter): void {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
  }

  #refuse(waiter: Waiter): void {
    this.#leave(waiter);
    this.#refused++;
    waiter.reject(this.#refusal());
  }

  #refusal(): Problem {
    const detail = `${this.#count} plans walk their indexes and ${this.#waiting.length} wait for that already`;
    const retryAfterSeconds = Math.max(1, Math.ceil(2 * (0.5 + this.#s.random())));
    return problem('overloaded', detail, { retryAfterSeconds, bottleneck: 'planning' });
  }

  #dispatch(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#leave(next);
      next.begin();
    }
  }

  #next(): Waiter | undefined {
    return this.#waiting.find(({ layer }) => this.#free(layer));
  }

  #tickSoon(): void {
    if (this.#cancelTick !== null || this.#waiting.length === 0) return;
    this.#cancelTick = this.#s.schedule(TICK_MS, () => {
      this.#cancelTick = null;
      const { deadlineMs, deadlineShareMin, now } = this.#s;
      const lastMs = now() - deadlineMs * (1 - deadlineShareMin);
      for (const waiter of this.#waiting.filter(({ cameMs }) => cameMs <= lastMs)) this.#refuse(waiter);
      this.#tickSoon();
    });
  }

  stats(): TurnStats {
    const [done, refused, abandoned] = [this.#done, this.#refused, this.#abandoned];
    return { walking: this.#count, waiting: this.#waiting.length, done, refused, abandoned };
  }

  close(): void {
    this.#closed = true;
    this.#cancelTick?.();
    for (const waiter of [...this.#waiting]) {
      this.#leave(waiter);
      waiter.reject(problem('draining', 'the server takes no new work'));
    }
  }
}

function gone(): Problem {
  return problem('client-closed', 'the client went away before its request was planned');
}
