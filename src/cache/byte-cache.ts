/**
 * Encoded answers under a true byte budget. Bodies lie in segments, because only whole segments go back to the operating
 * system; quick-lru is the index from key to entry.
 *
 *   key ─► quick-lru ─► entry ─► segment ┌─────────┬──────┬───────────────┬ ─ ─ ─ ┐
 *                                        │ body    │ body │ body          │ free    one open segment per zoom class
 *                                        └─────────┴──────┴───────────────┴ ─ ─ ─ ┘
 *
 * Room is made by giving up one segment: the one unused longest, high zooms counting as older than they are, z0–z5 after
 * all others. Its entries that were hit since they came are carried over. The index never evicts by itself (its size is
 * unbounded): quick-lru's own eviction counts entries, holds up to twice its size, and is silent on deletes.
 */
import QuickLRU from 'quick-lru';
import { segmentBytesFor } from '../memory/segments.ts';
import type { Booking, Ledger } from '../memory/types.ts';
import { CachedHit } from './hit.ts';
import { type Entry, Segment, type ZoomClass } from './segment.ts';
import type { ByteCache, CacheHit, CacheOffer, CacheStats } from './types.ts';

export interface ByteCacheSettings {
  readonly maxBytes: number;
  readonly ledger: Ledger;
  readonly segmentBytes?: number;
  readonly maxEntryBytes?: number;
  /** What shedding leaves. */
  readonly floorShare?: number;
  /** The most that z0–z5 may take from the rest. */
  readonly lowShare?: number;
  /** After shedding the cache may grow again by a segment each so many milliseconds. */
  readonly regrowMs?: number;
  readonly rank?: number;
  readonly now?: () => number;
}

/** An entry's record, its places in two maps, and a header object: measured by heap difference, rounded up. */
export const RECORD_BYTES = 512;
const AGE_WEIGHT: Readonly<Record<ZoomClass, number>> = { low: 1, middle: 2, high: 4 };

export function zoomClass(zoom: number | null): ZoomClass {
  if (zoom === null || zoom >= 12) return 'high';
  return zoom <= 5 ? 'low' : 'middle';
}

export function createByteCache(settings: ByteCacheSettings): ByteCache {
  return new SegmentCache(settings);
}

function overheadOf(key: string, offer: CacheOffer): number {
  let chars = key.length + offer.etag.length;
  for (const [name, value] of Object.entries(offer.headers)) chars += name.length + value.length + 32;
  // Two bytes a character is the most V8 takes.
  return RECORD_BYTES + 2 * chars;
}

class SegmentCache implements ByteCache {
  readonly name = 'cache';
  readonly rank: number;
  #index = new QuickLRU<string, Entry>({ maxSize: Number.POSITIVE_INFINITY });
  #segments = new Set<Segment>();
  /** Dropped but still read by somebody. */
  #lingering = new Set<Segment>();
  #open: Record<ZoomClass, Segment | null> = { low: null, middle: null, high: null };
  #booking: Booking;
  #bytes = 0;
  #tick = 0;
  #shedCap: number;
  #shedAtMs = 0;
  #s;
  #count = { hits: 0, staleHits: 0, misses: 0, evictions: 0, carried: 0, refused: 0, sheds: 0, shedBytes: 0 };

  constructor(settings: ByteCacheSettings) {
    const segmentBytes = settings.segmentBytes ?? segmentBytesFor(settings.maxBytes);
    this.#s = {
      maxEntryBytes: segmentBytes,
      floorShare: 0.25,
      lowShare: 0.5,
      regrowMs: 1000,
      now: () => performance.now(),
      ...settings,
      segmentBytes,
    };
    this.rank = settings.rank ?? 10;
    this.#shedCap = settings.maxBytes;
    this.#booking = settings.ledger.book('cache', 0, 'cache segments');
  }

  get(key: string, options?: { stale?: boolean }): CacheHit | undefined {
    const entry = this.#index.peek(key);
    const stale = entry !== undefined && entry.freshUntilMs <= this.#s.now();
    if (entry === undefined || (stale && options?.stale !== true)) {
      this.#count.misses++;
      return undefined;
    }
    this.#count[stale ? 'staleHits' : 'hits']++;
    entry.lastUse = ++this.#tick;
    entry.hits++;
    entry.segment.lastUse = this.#tick;
    return new CachedHit(entry, stale, segment => this.#unpinned(segment));
  }

  offer(key: string, offer: CacheOffer): boolean {
    this.delete(key);
    const { length } = offer.body;
    const entry = this.#entryOf(key, offer);
    const fits = length <= Math.min(this.#s.maxEntryBytes, this.#s.segmentBytes);
    const segment = fits ? this.#roomFor(entry) : null;
    if (segment === null) {
      this.#count.refused++;
      this.#book();
      return false;
    }
    segment.append(entry, offer.body);
    this.#bytes += entry.overhead;
    this.#index.set(key, entry);
    this.#book();
    return true;
  }

  #entryOf(key: string, offer: CacheOffer): Entry {
    const { layer, etag, contentType, encoding, headers } = offer;
    return {
      ...{ key, layer, etag, contentType, encoding, headers },
      zoomClass: zoomClass(offer.zoom),
      freshUntilMs: this.#s.now() + (offer.freshForMs ?? Number.POSITIVE_INFINITY),
      overhead: overheadOf(key, offer),
      length: offer.body.length,
      segment: undefined as unknown as Segment,
      offset: 0,
      lastUse: ++this.#tick,
      hits: 0,
    };
  }

  /** maxBytes, or less for a while after shedding. */
  #cap(): number {
    const steps = Math.floor((this.#s.now() - this.#shedAtMs) / this.#s.regrowMs);
    return Math.min(this.#s.maxBytes, this.#shedCap + steps * this.#s.segmentBytes);
  }

  /** The open segment of the entry's class with room for it, after others gave way; null where none can. */
  #roomFor(entry: Entry): Segment | null {
    const kind = entry.zoomClass;
    const cap = this.#cap();
    // Each turn gives up or opens one segment, so there are at most twice as many turns as segments.
    for (let turns = 2 * this.#segments.size + 2; turns > 0; turns--) {
      const open = this.#open[kind];
      const opening = open?.takes(entry.length) !== true;
      const over = this.#bytes + entry.overhead + (opening ? this.#s.segmentBytes : 0) > cap;
      if (!opening && !over) return open;
      if (over) {
        if (!this.#giveWay(kind, opening)) return null;
      } else this.#openSegment(kind);
    }
    return null;
  }

  #openSegment(kind: ZoomClass): void {
    const segment = new Segment(kind, this.#s.segmentBytes);
    this.#segments.add(segment);
    this.#open[kind] = segment;
    this.#bytes += segment.capacity;
  }

  /** Gives up one segment: compacted in place where its class needs a segment anyway, else freed. */
  #giveWay(kind: ZoomClass, opening: boolean): boolean {
    const victim = this.#victim(kind, segment => segment.pins === 0);
    if (victim === null) return false;
    if (opening && victim.zoomClass === kind) {
      this.#compact(victim);
      this.#open[kind] = victim;
    } else this.#drop(victim);
    return true;
  }

  #victim(kind: ZoomClass | null, may: (segment: Segment) => boolean): Segment | null {
    let low = 0;
    for (const segment of this.#segments) if (segment.zoomClass === 'low') low += segment.capacity;
    const lowGivesWay = kind === 'low' && low >= this.#s.lowShare * this.#s.maxBytes;
    let victim: Segment | null = null;
    let best = -1;
    for (const segment of this.#segments) {
      if (!may(segment)) continue;
      const isLow = segment.zoomClass === 'low';
      const age = (this.#tick - segment.lastUse + 1) * AGE_WEIGHT[segment.zoomClass];
      // Class before age: below 2^40 ages never reach the next class.
      const score = age + (isLow === lowGivesWay ? 2 ** 40 : 0);
      if (score > best) {
        best = score;
        victim = segment;
      }
    }
    return victim;
  }

  /** Those worth carrying over: hit since they came and still fresh, the latest first, at most half a segment. */
  #survivors(segment: Segment): Set<Entry> {
    const now = this.#s.now();
    const hot = [...segment.entries].filter(entry => entry.hits > 0 && entry.freshUntilMs > now);
    hot.sort((a, b) => b.lastUse - a.lastUse);
    const chosen = new Set<Entry>();
    let bytes = 0;
    let overhead = 0;
    for (const entry of hot) {
      bytes += entry.length;
      overhead += entry.overhead;
      if (bytes > segment.capacity / 2 || overhead > segment.capacity / 8) break;
      chosen.add(entry);
    }
    return chosen;
  }

  #compact(segment: Segment): void {
    const survivors = this.#survivors(segment);
    for (const entry of segment.entries) if (!survivors.has(entry)) this.#evict(entry);
    segment.compact(survivors);
    this.#count.carried += survivors.size;
  }

  #evict(entry: Entry): void {
    this.#index.delete(entry.key);
    this.#bytes -= entry.overhead;
    this.#count.evictions++;
  }

  /** Takes a segment out, its hot entries moving to open segments where these have room. */
  #drop(segment: Segment): void {
    this.#segments.delete(segment);
    if (this.#open[segment.zoomClass] === segment) this.#open[segment.zoomClass] = null;
    const survivors = this.#survivors(segment);
    for (const entry of segment.entries) {
      const open = survivors.has(entry) ? this.#open[entry.zoomClass] : null;
      if (open?.takes(entry.length) !== true) {
        this.#evict(entry);
        continue;
      }
      open.append(entry, new Uint8Array(segment.buffer, entry.offset, entry.length));
      entry.hits = 0;
      this.#count.carried++;
    }
    segment.entries.clear();
    if (segment.pins > 0) this.#lingering.add(segment);
    else this.#free(segment);
  }

  #free(segment: Segment): void {
    this.#bytes -= segment.capacity;
    segment.free();
  }

  #unpinned(segment: Segment): void {
    if (!this.#lingering.delete(segment)) return;
    this.#free(segment);
    this.#book();
  }

  #book(): void {
    this.#booking.resize(this.#bytes);
  }

  delete(key: string): boolean {
    const entry = this.#index.peek(key);
    if (entry === undefined) return false;
    this.#index.delete(key);
    this.#bytes -= entry.overhead;
    const { segment } = entry;
    segment.remove(entry);
    // A full segment whose last entry went holds nothing; the open one is about to be filled.
    if (segment.entries.size === 0 && this.#open[segment.zoomClass] !== segment) this.#drop(segment);
    this.#book();
    return true;
  }

  deletePrefix(prefix: string): number {
    return this.#deleteWhere(entry => entry.key.startsWith(prefix));
  }

  deleteLayer(layer: string): number {
    return this.#deleteWhere(entry => entry.layer === layer);
  }

  #deleteWhere(matches: (entry: Entry) => boolean): number {
    const keys: string[] = [];
    for (const segment of this.#segments) {
      for (const entry of segment.entries) if (matches(entry)) keys.push(entry.key);
    }
    for (const key of keys) this.delete(key);
    return keys.length;
  }

  shed(bytes: number): number {
    const before = this.#bytes;
    const floor = this.#s.floorShare * this.#s.maxBytes;
    const met = (): boolean => before - this.#bytes >= bytes || this.#bytes <= floor;
    for (const may of [(segment: Segment) => segment.pins === 0, () => true]) {
      while (!met()) {
        const victim = this.#victim(null, may);
        if (victim === null) break;
        this.#drop(victim);
      }
    }
    this.#book();
    this.#shedCap = Math.max(this.#bytes, Math.min(floor, this.#s.maxBytes));
    this.#shedAtMs = this.#s.now();
    this.#count.sheds++;
    this.#count.shedBytes += before - this.#bytes;
    return before - this.#bytes;
  }

  stats(): CacheStats {
    let bodyBytes = 0;
    let pinned = this.#lingering.size;
    for (const segment of this.#segments) {
      bodyBytes += segment.fill;
      if (segment.pins > 0) pinned++;
    }
    return {
      ...this.#count,
      entries: this.#index.size,
      bytes: this.#bytes,
      bodyBytes,
      maxBytes: this.#s.maxBytes,
      capBytes: this.#cap(),
      segments: this.#segments.size + this.#lingering.size,
      pinnedSegments: pinned,
    };
  }

  audit(): void {
    let bytes = 0;
    let entries = 0;
    for (const segment of this.#lingering) bytes += segment.capacity;
    for (const segment of this.#segments) {
      bytes += segment.capacity;
      let overhead = 0;
      for (const entry of segment.entries) {
        if (entry.segment !== segment) throw new Error(`cache: ${entry.key} is listed in a segment it is not in`);
        if (this.#index.peek(entry.key) !== entry) throw new Error(`cache: ${entry.key} is in a segment, not indexed`);
        overhead += entry.overhead;
        entries++;
      }
      if (overhead !== segment.overhead) throw new Error(`cache: overhead says ${segment.overhead}, is ${overhead}`);
      bytes += overhead;
    }
    if (entries !== this.#index.size) throw new Error(`cache: ${this.#index.size} indexed, ${entries} in segments`);
    if (bytes !== this.#bytes) throw new Error(`cache: says ${this.#bytes} bytes, holds ${bytes}`);
    if (this.#booking.bytes !== bytes) throw new Error(`cache: booked ${this.#booking.bytes} bytes, holds ${bytes}`);
  }

  close(): void {
    for (const segment of [...this.#segments]) this.#drop(segment);
    this.#book();
  }
}
