/**
 * The nouns that pass between the rooms, all plain data: a Plan says from the index alone what must be read, its Cost
 * is what admission prices, its Job is what a worker does, Painted is what comes back.
 */

/** What the plan knows of its memory need, in bytes, before a data byte is read. Input is exact, the rest are bounds. */
export interface Cost {
  /** Encoded bytes to read from sources, summed after coalescing (so gaps that are read count). */
  readonly inputBytes: number;
  /** Most of them that are in memory at once, where they are read one after the other; all where absent. */
  readonly heldInputBytes?: number;
  /** Bytes alive at once after decoding: blocks, geometry scratch, pixel buffers. */
  readonly decodedBytes: number;
  /** Upper bound of the body. */
  readonly outputBytes: number;
}

export function costBytes(cost: Cost): number {
  return (cost.heldInputBytes ?? cost.inputBytes) + cost.decodedBytes + cost.outputBytes;
}

/** A job of a worker: structured-clone-able, self-contained (it names its sources by BytesRef and carries what it needs). */
export interface Job {
  /** Key of the task table in workers/tasks.ts. */
  readonly task: string;
  /** It lasts, and rests between its steps: other jobs of its thread are done meanwhile. */
  readonly long?: boolean;
  /** Buffers in it that are handed over, not copied. */
  readonly lent?: readonly ArrayBuffer[];
}

export interface Plan {
  readonly cost: Cost;
  /** null: the plan already shows that there is nothing to draw; the operation says what an empty answer is. */
  readonly job: Job | null;
  /**
   * What must be before it is worth a permit: waits for it, or throws why the work is not done at all. Absent: nothing.
   */
  readonly before?: (signal: AbortSignal) => Promise<void>;
  /** True where nothing is left out that a finer plan would have: then a lesser plan is none. */
  readonly whole?: boolean;
  /** The job with bytes that are only taken once it has its permit. Absent: it is whole as it is. */
  readonly load?: () => Job;
  /** For `?explain=1`: counts, levels, blocks, ranges; JSON-able and small. */
  readonly explain: Readonly<Record<string, unknown>>;
  /** Parameters of the same question that would cost about this share of it. Absent: there are none. */
  readonly fits?: (share: number) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  /** Response headers that the plan already knows (X-Tile-Dropped …). */
  readonly headers: Readonly<Record<string, string>>;
  /** Jobs with equal affinity share decoded blocks, so they go to the same worker when it is not busy. */
  readonly affinity?: number;
}

/** Work that costs less than handing it to a thread would. */
export interface AtOnce {
  readonly plan: Plan;
  /** Under a permit for the plan's price. The body is lent: good until the next one is made. Errors: those of the job. */
  make(): Painted;
}

/** Body encodings, in the order in which the server prefers them. */
export const ENCODINGS = ['zstd', 'br', 'gzip', 'identity'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What a worker made. `body` owns its ArrayBuffer (it is transferred, never pooled). null: nothing to draw. */
export interface Painted {
  readonly body: Uint8Array | null;
  readonly contentType: string;
  readonly encoding: Encoding;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes the job really held at its peak, for the learned price; and its CPU-bound milliseconds. */
  readonly peakBytes: number;
  readonly ms: number;
}

/** How a worker or the main thread opens the bytes of a source again. */
export interface BytesRef {
  /** Absolute path; of a remote file its URL without the query. */
  readonly href: string;
  readonly size: number;
  /** Changes whenever the content may have: for files size, mtime in ns and inode. */
  readonly version: string;
  /** Present where another server has the file. */
  readonly remote?: RemoteRef;
  /** Present where it is no file: the bytes themselves, as far as the job wants them. */
  readonly chunks?: readonly Chunk[];
}

/** Bytes that go along with a job. */
export interface Chunk {
  readonly offset: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** How often the job will read it. */
  uses: number;
}

/** How a file of another server is asked for, and known again. Plain data. */
export interface RemoteRef {
  /** Whole, with a query that may be a signature: for requests only, never told of. */
  readonly url: string;
  /** Validators as they were sent; one of them is there. */
  readonly etag: string | null;
  readonly modified: string | null;
  /** Bytes that one job has in memory ahead of its decoding, unless a single block is larger. */
  readonly aheadBytes: number;
  /** Of vector files: how their features and their index are asked for. */
  readonly features?: FeatureReads;
}

export interface FeatureReads {
  /** Bytes between two features that are read rather than asked around. */
  readonly gapBytes: number;
  /** Most requests, and most bytes of them together, that one tile may take. */
  readonly requestsMax: number;
  readonly bytesMax: number;
  /** Bytes of index leaves that one request asks for where a walk goes through them in order. */
  readonly indexBytes: number;
}

/** Given to every task: cancellation without killing the thread, checked between blocks or every few hundred features. */
export interface TaskContext {
  /** True once the job was cancelled. Cheap: one Atomics.load. */
  cancelled(): boolean;
  /** Throws Problem('client-closed') once the job was cancelled. */
  check(): void;
}
