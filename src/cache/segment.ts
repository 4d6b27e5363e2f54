/**
 * One segment: an array buffer that is only appended to, and the entries whose bodies lie in it. A body is never moved or
 * overwritten while somebody reads it: readers pin the segment, and a segment that is dropped while pinned is freed by
 * its last reader.
 */
import { freeBuffer } from '../memory/segments.ts';
import type { Encoding } from '../plan.ts';

/** Low zooms are asked for by everybody and cost the most to make: they are given up last. */
export type ZoomClass = 'low' | 'middle' | 'high';

export interface Entry {
  readonly key: string;
  readonly layer: string;
  readonly etag: string;
  readonly contentType: string;
  readonly encoding: Encoding;
  readonly headers: Readonly<Record<string, string>>;
  readonly zoomClass: ZoomClass;
  readonly freshUntilMs: number;
  /** Key, headers and records: what the entry costs beside its body. */
  readonly overhead: number;
  readonly length: number;
  segment: Segment;
  offset: number;
  /** Tick of the last hit, and the hits since the entry was last copied. */
  lastUse: number;
  hits: number;
}

/** Records of its entries that a segment may have beside its bodies, bytes. */
export function overheadMax({ capacity }: { readonly capacity: number }): number {
  return capacity / 4;
}

export class Segment {
  readonly zoomClass: ZoomClass;
  readonly capacity: number;
  readonly entries = new Set<Entry>();
  buffer: ArrayBuffer;
  fill = 0;
  /** Sum of the entries' overheads. */
  overhead = 0;
  pins = 0;
  /** Sum of the entries' last uses. */
  #uses = 0;
  /** Changes whenever bodies move or go, so that a hit knows that its place is no longer its own. */
  epoch = 0;

  constructor(zoomClass: ZoomClass, capacity: number) {
    this.zoomClass = zoomClass;
    this.capacity = capacity;
    this.buffer = new ArrayBuffer(capacity);
  }

  /** Whether a body of this length can be appended. */
  takes(length: number): boolean {
    return this.fill + length <= this.capacity && this.overhead <= overheadMax(this);
  }

  append(entry: Entry, body: Uint8Array): void {
    new Uint8Array(this.buffer, this.fill, body.length).set(body);
    entry.segment = this;
    entry.offset = this.fill;
    this.fill += body.length;
    this.add(entry);
  }

  add(entry: Entry): void {
    this.entries.add(entry);
    this.overhead += entry.overhead;
    this.#uses += entry.lastUse;
  }

  remove(entry: Entry): void {
    if (!this.entries.delete(entry)) return;
    this.overhead -= entry.overhead;
    this.#uses -= entry.lastUse;
  }

  touch(entry: Entry, tick: number): void {
    this.#uses += tick - entry.lastUse;
    entry.lastUse = tick;
    entry.hits++;
  }

  /**
   * When its entries were used last, on average. Not the latest use: one entry that everybody asks for would keep a
   * segment of dead ones, where it can be carried over alone.
   */
  get lastUse(): number {
    return this.entries.size === 0 ? 0 : this.#uses / this.entries.size;
  }

  free(): void {
    this.epoch++;
    freeBuffer(this.buffer);
  }

  /**
   * Moves `survivors` to the front and forgets the rest, so that the segment can be appended to again: eviction without
   * giving pages back and asking for them again, and without a second segment to copy into.
   */
  compact(survivors: ReadonlySet<Entry>): void {
    const bytes = new Uint8Array(this.buffer);
    const ordered = [...survivors].sort((a, b) => a.offset - b.offset);
    this.epoch++;
    this.entries.clear();
    this.overhead = 0;
    this.fill = 0;
    this.#uses = 0;
    for (const entry of ordered) {
      bytes.copyWithin(this.fill, entry.offset, entry.offset + entry.length);
      entry.offset = this.fill;
      entry.hits = 0;
      this.fill += entry.length;
      this.add(entry);
    }
  }
}
