/** A hit: the place of a body at the moment it was found. */
import type { Encoding } from '../plan.ts';
import type { Entry, Segment } from './segment.ts';
import type { CacheHit } from './types.ts';

export class CachedHit implements CacheHit {
  readonly stale: boolean;
  #entry: Entry;
  // The entry may be carried to another segment while this one is being read.
  #segment: Segment;
  #offset: number;
  #epoch: number;
  #pins = 0;
  #unpinned: (segment: Segment) => void;

  constructor(entry: Entry, stale: boolean, unpinned: (segment: Segment) => void) {
    this.#entry = entry;
    this.#segment = entry.segment;
    this.#offset = entry.offset;
    this.#epoch = entry.segment.epoch;
    this.#unpinned = unpinned;
    this.stale = stale;
  }

  get etag(): string {
    return this.#entry.etag;
  }

  get contentType(): string {
    return this.#entry.contentType;
  }

  get encoding(): Encoding {
    return this.#entry.encoding;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#entry.headers;
  }

  get length(): number {
    return this.#entry.length;
  }

  get body(): Buffer {
    this.#intact();
    return Buffer.from(this.#segment.buffer, this.#offset, this.#entry.length);
  }

  pin(): void {
    this.#intact();
    this.#pins++;
    this.#segment.pins++;
  }

  release(): void {
    if (this.#pins === 0) return;
    this.#pins--;
    if (--this.#segment.pins === 0) this.#unpinned(this.#segment);
  }

  /** A hit that was kept over a turn without a pin would show another tile's bytes: rather fail. */
  #intact(): void {
    if (this.#segment.epoch !== this.#epoch) throw new Error('a cache hit was read after its segment was given up');
  }
}
