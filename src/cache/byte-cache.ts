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
import type { Entry, Segment, ZoomClass } from './segment.ts';
import { Shelf } from './shelf.ts';
import type { ByteCache, CacheHit, CacheOffer, CacheStats } from './types.ts';

export interface ByteCacheSettings {
  readonly maxBytes: number;
  /** Less than maxBytes where memory wants it back. */
  readonly roomBytes?: () => number;
  readonly ledger: Ledger;
  readonly segmentBytes?: number;
  readonly maxEntryBytes?: number;
  /** What shedding leaves. */
  readonly floorShare?: number;
  /** What z0–z5 may hold before they give way like all others. */
  readonly lowShare?: number;
  /** After shedding the cache may grow again by a segment each so many milliseconds. */
  readonly regrowMs?: number;
  readonly rank?: number;
  readonly now?: () => number;
}

/** An entry's record, its places in two maps, its header object. Measured: 476 bytes an entry, key and headers included. */
export const RECORD_BYTES = 400;

export function zoomClass(zoom: number | null): ZoomClass {
  if (zoom === null || zoom >= 12) return 'high';
  return zoom <= 5 ? 'low' : 'middle';
}

export function createByteCache(settings: ByteCacheSettings): ByteCache {
  return new SegmentCache(settings);
}

/** What an entry costs beside its body. Two bytes a character is the most V8 takes. */
export function overheadOf(key: string, { etag, headers }: Pick<CacheOffer, 'etag' | 'headers'>): number {
  let chars = key.length + etag.length;
  for (const [name, value] of Object.entries(headers)) chars += name.length + value.length + 32;
  return RECORD_BYTES + 2 * chars;
}

class SegmentCache implements ByteCache {
  readonly name = 'cache';
  readonly rank: number;
  #index = new QuickLRU<string, Entry>({ maxSize: Number.POSITIVE_INFINITY });
  #shelf: Shelf;
  #booking: Booking;
  #shedCap: number;
  #shedAtMs = 0;
  #s;
  #count = { hits: 0, staleHits: 0, misses: 0, evictions: 0, refused: 0, sheds: 0, shedEntries: 0, shedBytes: 0 };

  constructor(settings: ByteCacheSettings) {
    const segmentBytes = settings.segmentBytes ?? segmentBytesFor(settings.maxBytes);
    this.#s = {
      roomBytes: () => settings.maxBytes,
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
    this.#shelf = new Shelf({ ...this.#s, lost: entry => this.#lost(entry) });
  }

  #lost(entry: Entry): void {
    this.#index.delete(entry.key);
    this.#count.evictions++;
  }

  get(key: string, options?: { stale?: boolean }): CacheHit | undefined {
    const entry = this.#index.peek(key);
    const stale = entry !== undefined && entry.freshUntilMs <= this.#s.now();
    if (entry === undefined || (stale && options?.stale !== true)) {
      this.#count.misses++;
      return undefined;
    }
    this.#count[stale ? 'staleHits' : 'hits']++;
    entry.segment.touch(entry, ++this.#shelf.tick);
    return new CachedHit(entry, stale, segment => this.#unpinned(segment));
  }

  peek(key: string): CacheHit | undefined {
    const entry = this.#index.peek(key);
    if (entry === undefined || entry.freshUntilMs <= this.#s.now()) return undefined;
    return new CachedHit(entry, false, segment => this.#unpinned(segment));
  }

  offer(key: string, offer: CacheOffer): boolean {
    this.delete(key);
    const entry = this.#entryOf(key, offer);
    const fits = entry.length <= Math.min(this.#s.maxEntryBytes, this.#s.segmentBytes);
    const segment = fits ? this.#shelf.roomFor(entry, this.#cap()) : null;
    if (segment === null) this.#count.refused++;
    else {
      this.#shelf.put(segment, entry, offer.body);
      this.#index.set(key, entry);
    }
    this.#book();
    return segment !== null;
  }

  #entryOf(key: string, offer: CacheOffer): Entry {
    const { layer, etag, contentType, encoding, headers } = offer;
    return {
      ...{ key, layer, etag, contentType, encoding, headers },
      zoomClass: zoomClass(offer.zoom),
      freshUntilMs: this.#s.now() + (offer.freshForMs ?? Number.POSITIVE_INFINITY),
      overhead: overheadOf(key, offer),
      length: offer.body.length,
      segment: null as unknown as Segment,
      offset: 0,
      lastUse: ++this.#shelf.tick,
      hits: 0,
    };
  }

  /** maxBytes, or less for a while after shedding. */
  #cap(): number {
    const steps = Math.floor((this.#s.now() - this.#shedAtMs) / this.#s.regrowMs);
    return Math.min(this.#s.maxBytes, this.#s.roomBytes(), this.#shedCap + steps * this.#s.segmentBytes);
  }

  #unpinned(segment: Segment): void {
    this.#shelf.unpinned(segment);
    this.#book();
  }

  #book(): void {
    this.#booking.resize(this.#shelf.bytes);
  }

  delete(key: string): boolean {
    const entry = this.#index.peek(key);
    if (entry === undefined) return false;
    this.#index.delete(key);
    this.#shelf.remove(entry);
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
    for (const [key, entry] of this.#index.entriesAscending()) if (matches(entry)) keys.push(key);
    for (const key of keys) this.delete(key);
    return keys.length;
  }

  shed(bytes: number): number {
    const before = this.#shelf.bytes;
    const floor = this.#s.floorShare * this.#s.maxBytes;
    const evicted = this.#count.evictions;
    this.#shelf.shed(bytes, floor);
    this.#count.shedEntries += this.#count.evictions - evicted;
    this.#book();
    const given = before - this.#shelf.bytes;
    this.#shedCap = Math.min(this.#s.maxBytes, Math.max(this.#shelf.bytes, floor));
    this.#shedAtMs = this.#s.now();
    this.#count.sheds++;
    this.#count.shedBytes += given;
    return given;
  }

  stats(): CacheStats {
    const { segments, lingering, bytes, carried } = this.#shelf;
    const all = [...segments];
    return {
      ...this.#count,
      carried,
      bytes,
      entries: this.#index.size,
      bodyBytes: all.reduce((sum, segment) => sum + segment.fill, 0),
      maxBytes: this.#s.maxBytes,
      capBytes: this.#cap(),
      segments: segments.size + lingering.size,
      pinnedSegments: lingering.size + all.filter(segment => segment.pins > 0).length,
    };
  }

  audit(): void {
    let entries = 0;
    for (const segment of this.#shelf.segments) {
      entries += segment.entries.size;
      for (const entry of segment.entries) {
        const known = this.#index.peek(entry.key) === entry && entry.segment === segment;
        if (!known) throw new Error(`cache: ${entry.key} lies in a segment, and index or entry do not know`);
      }
    }
    if (entries !== this.#index.size) throw new Error(`cache: ${this.#index.size} indexed, ${entries} in segments`);
    const bytes = this.#shelf.recount();
    if (bytes !== this.#shelf.bytes) throw new Error(`cache: says ${this.#shelf.bytes} bytes, holds ${bytes}`);
    if (this.#booking.bytes !== bytes) throw new Error(`cache: booked ${this.#booking.bytes} bytes, holds ${bytes}`);
  }

  close(): void {
    for (const segment of [...this.#shelf.segments]) this.#shelf.drop(segment);
    this.#book();
  }
}
