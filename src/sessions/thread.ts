/**
 * The main thread's end of the session thread. It starts with the first upload and ends when it holds nothing more, so a
 * server without sessions pays nothing. Questions wait here, not in the thread's mailbox: one that was cancelled
 * meanwhile is never asked.
 */
import { Worker } from 'node:worker_threads';
import { fromPlainProblem, type PlainProblem, problem } from '../errors.ts';
import type { Encoding, Painted } from '../plan.ts';
import type { SessionLimits, SessionSummary } from './geojson.ts';
import type { Drilled } from './held.ts';
import type { IndexOptions } from './tile-index.ts';

/** Hands a body over and asks what is in it; `put` or `drop` of the same key follows. */
export interface ScanQuestion {
  readonly op: 'scan';
  /** Another for each upload; tiles are asked for by it. */
  readonly key: string;
  readonly body: Uint8Array;
}
export interface PutQuestion {
  readonly op: 'put';
  readonly key: string;
  /** Of the layer in its tiles. */
  readonly name: string;
  readonly limits: PutLimits;
  readonly options: IndexOptions;
}
export interface PutLimits extends SessionLimits {
  /** Of one zoom of its tiles while they are cut. */
  readonly splitBytesMax: number;
}
export interface TileQuestion {
  readonly op: 'tile';
  readonly key: string;
  readonly z: number;
  readonly x: number;
  readonly y: number;
  readonly encoding: Encoding;
  /** What drill-downs may leave in all layers together. */
  readonly drilledBytesMax: number;
}
export interface DropQuestion {
  readonly op: 'drop';
  readonly keys: readonly string[];
}
export type Question = ScanQuestion | PutQuestion | TileQuestion | DropQuestion;

export interface ScanAnswer {
  readonly features: number;
  readonly largestBytes: number;
}
export interface PutAnswer {
  readonly baseBytes: number;
  readonly splitBytes: number;
  readonly summary: SessionSummary;
}
export interface TileAnswer {
  readonly painted: Painted;
  readonly drilled: Drilled;
}
export type Value = ScanAnswer | PutAnswer | TileAnswer | null;
export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: Value }
  | { readonly id: number; readonly ok: false; readonly problem: PlainProblem };

export interface SessionThread {
  ask(question: ScanQuestion, signal?: AbortSignal): Promise<ScanAnswer>;
  ask(question: PutQuestion, signal?: AbortSignal): Promise<PutAnswer>;
  ask(question: TileQuestion, signal?: AbortSignal): Promise<TileAnswer>;
  ask(question: DropQuestion): Promise<null>;
  /** Ends the thread; questions under way fail with worker-died. The next question starts another. */
  stop(): Promise<void>;
  readonly running: boolean;
}

export interface ThreadOptions {
  /** JS heap of the thread: the last resort, since quotas come first. */
  readonly heapMb: number;
  readonly queueMax: number;
  /** The thread died by itself: all that it held is lost. */
  onDeath(error: Error): void;
  onStart?(): unknown;
  onStop?(): unknown;
}

interface Waiting {
  readonly id: number;
  readonly question: Question;
  readonly signal: AbortSignal | undefined;
  resolve(value: Value): void;
  reject(error: Error): void;
}

export function createSessionThread(options: ThreadOptions): SessionThread {
  return new Thread(options);
}

class Thread implements SessionThread {
  #options: ThreadOptions;
  #worker: Worker | null = null;
  #queue: Waiting[] = [];
  #asked: Waiting | null = null;
  #nextId = 1;
  /** Threads that were told to stop and have not ended yet. */
  #stopping: Promise<void> = Promise.resolve();

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  ask(question: ScanQuestion, signal?: AbortSignal): Promise<ScanAnswer>;
  ask(question: PutQuestion, signal?: AbortSignal): Promise<PutAnswer>;
  ask(question: TileQuestion, signal?: AbortSignal): Promise<TileAnswer>;
  ask(question: DropQuestion): Promise<null>;
  ask(question: Question, signal?: AbortSignal): Promise<Value> {
    if (question.op === 'drop' && !this.#worker) return Promise.resolve(null);
    if (question.op !== 'drop' && this.#queue.length >= this.#options.queueMax) {
      return Promise.reject(problem('overloaded', `${this.#queue.length} requests wait for session layers`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ id: this.#nextId++, question, signal, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#asked) {
      const next = this.#queue.shift();
      if (!next) return;
      if (next.signal?.aborted) {
        next.reject(problem('client-closed', 'cancelled before it was started'));
        continue;
      }
      this.#asked = next;
      const { id, question } = next;
      const transfer = question.op === 'scan' && ownsBuffer(question.body) ? [question.body.buffer as ArrayBuffer] : [];
      this.#start().postMessage({ id, question }, transfer);
    }
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      name: 'plimsoll-sessions',
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb, maxYoungGenerationSizeMb: 8 },
    });
    worker.on('message', (answer: Answer) => this.#answered(worker, answer));
    worker.on('error', error => this.#died(worker, error as Error));
    worker.on('exit', code => this.#died(worker, new Error(`the session thread ended with code ${code}`)));
    // A session must not keep a draining server alive.
    worker.unref();
    this.#worker = worker;
    this.#options.onStart?.();
    return worker;
  }

  #answered(worker: Worker, answer: Answer): void {
    const asked = this.#asked;
    if (worker !== this.#worker || asked?.id !== answer.id) return;
    this.#asked = null;
    if (answer.ok) asked.resolve(answer.value);
    else asked.reject(fromPlainProblem(answer.problem));
    this.#pump();
  }

  #died(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    this.#options.onStop?.();
    this.#options.onDeath(error);
    this.#failAll(`the session thread died: ${error.message}`);
  }

  #failAll(why: string): void {
    const waiting = this.#asked ? [this.#asked, ...this.#queue] : this.#queue;
    this.#asked = null;
    this.#queue = [];
    for (const { reject } of waiting) reject(problem('worker-died', why));
  }

  stop(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return this.#stopping;
    this.#worker = null;
    this.#failAll('the session thread was stopped');
    const stopped = worker.terminate().then(() => this.#options.onStop?.());
    this.#stopping = Promise.all([this.#stopping, stopped]).then(() => {});
    return this.#stopping;
  }
}

function ownsBuffer(body: Uint8Array): boolean {
  return body.buffer instanceof ArrayBuffer && body.byteOffset === 0 && body.buffer.byteLength === body.byteLength;
}
