/**
 * Who allocated what is still alive, by sampling (one allocation in 512 KiB: nothing that could be measured under load),
 * and how many objects there are of a constructor. A heap snapshot would tell more, and needs as much memory as the heap
 * again at the moment when there is none: it is not offered.
 */
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { problem } from '../../errors.ts';

export interface Site {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  /** Estimated from the samples. */
  readonly bytes: number;
}

export interface ObjectCount {
  readonly constructor: string;
  readonly objects: number;
}

export interface AllocationSettings {
  readonly samplingIntervalBytes: number;
  readonly sitesMax: number;
  readonly secondsMax: number;
  /** Free bytes below which nothing here begins. */
  readonly headroomBytes: number;
}

export const ALLOCATION_DEFAULTS: AllocationSettings = {
  samplingIntervalBytes: 512 * 1024,
  sitesMax: 25,
  secondsMax: 60,
  headroomBytes: 16 * 2 ** 20,
};

interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

/** What can be asked for: bounded in number, so that the walk itself needs little. Object and Array are not. */
const CONSTRUCTORS: Readonly<Record<string, new (...args: never[]) => object>> = {
  AbortController,
  AbortSignal,
  ArrayBuffer,
  Buffer: Buffer as unknown as new () => object,
  Error,
  Float64Array,
  Map,
  Promise,
  Set,
  SharedArrayBuffer,
  Uint8Array,
  WeakMap,
};

export class Allocations {
  #s: AllocationSettings;
  #headroom: () => number;
  #busy = false;

  /** `headroom`: bytes between what is used and where the level becomes critical. */
  constructor(headroom: () => number, settings: Partial<AllocationSettings> = {}) {
    this.#headroom = headroom;
    this.#s = { ...ALLOCATION_DEFAULTS, ...settings };
  }

  /** Sites of what was allocated during the next seconds and still lives at their end. Errors: overloaded. */
  async sites(seconds: number): Promise<readonly Site[]> {
    this.#begin();
    this.#busy = true;
    const session = new Session();
    session.connect();
    try {
      const samplingInterval = this.#s.samplingIntervalBytes;
      await session.post('HeapProfiler.startSampling', { samplingInterval });
      await sleep(Math.min(seconds, this.#s.secondsMax) * 1000);
      const { profile } = await session.post('HeapProfiler.stopSampling');
      return topSites(profile.head as ProfileNode, this.#s.sitesMax);
    } finally {
      session.disconnect();
      this.#busy = false;
    }
  }

  /** Collects garbage first and walks the heap: the server stands still for up to a fifth of a second. Errors: bad-parameter, overloaded. */
  count(names: readonly string[]): readonly ObjectCount[] {
    const asked = names.length === 0 ? Object.keys(CONSTRUCTORS) : names;
    const unknown = asked.find(name => !Object.hasOwn(CONSTRUCTORS, name));
    if (unknown !== undefined) {
      throw problem('bad-parameter', `class: ${unknown} is none of ${Object.keys(CONSTRUCTORS).join(', ')}`);
    }
    this.#begin();
    const counts = asked.map(name => ({
      constructor: name,
      objects: queryObjects(CONSTRUCTORS[name] as never, { format: 'count' }) as number,
    }));
    return counts.sort((a, b) => b.objects - a.objects);
  }

  #begin(): void {
    if (this.#busy) throw problem('overloaded', 'allocations are being sampled already', { retryAfterSeconds: 10 });
    const free = this.#headroom();
    if (free >= this.#s.headroomBytes) return;
    throw problem('overloaded', `${free} bytes are free; looking at memory begins at ${this.#s.headroomBytes}`, {
      retryAfterSeconds: 30,
    });
  }
}

function topSites(head: ProfileNode, max: number): Site[] {
  const sums = new Map<string, Site>();
  const visit = ({ callFrame, selfSize, children }: ProfileNode): void => {
    const { functionName, url, lineNumber } = callFrame;
    if (selfSize > 0) {
      const key = `${functionName} ${url}:${lineNumber}`;
      const bytes = (sums.get(key)?.bytes ?? 0) + selfSize;
      sums.set(key, { function: functionName || '(anonymous)', file: url, line: lineNumber + 1, bytes });
    }
    for (const child of children) visit(child);
  };
  visit(head);
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes).slice(0, max);
}
