/** What the cache takes and gives. */
import type { Sheddable } from '../memory/types.ts';
import type { Encoding } from '../plan.ts';

export interface CacheOffer {
  /** Whose data it is, so that a swapped or dropped layer takes its entries along. */
  readonly layer: string;
  readonly etag: string;
  readonly contentType: string;
  readonly encoding: Encoding;
  readonly headers: Readonly<Record<string, string>>;
  /** Copied, never kept. Empty bodies are entries too. */
  readonly body: Uint8Array;
  /** null: not a tile; given up as early as the highest zooms. */
  readonly zoom: number | null;
  /** Fresh for ever where absent; degraded answers 15 s. */
  readonly freshForMs?: number;
}

/**
 * An answer out of the cache. The body is a view into a segment: good until the next turn of the event loop, or, when
 * pinned, until released. A reply pins until `finish` or `close`.
 */
export interface CacheHit {
  readonly etag: string;
  readonly contentType: string;
  readonly encoding: Encoding;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  /** Past its fresh time: only given to callers that asked for stale ones too. */
  readonly stale: boolean;
  readonly body: Buffer;
  pin(): void;
  /** Once for each pin(); more are ignored. */
  release(): void;
}

export interface CacheStats {
  readonly hits: number;
  readonly staleHits: number;
  readonly misses: number;
  readonly entries: number;
  /** All that the cache holds: whole segments, keys, headers and records. Never above `capBytes` after an offer. */
  readonly bytes: number;
  readonly bodyBytes: number;
  readonly maxBytes: number;
  /** Below maxBytes for a while after shedding. */
  readonly capBytes: number;
  readonly segments: number;
  readonly pinnedSegments: number;
  /** Entries that made way for others, and those that were carried over because they are in use. */
  readonly evictions: number;
  readonly carried: number;
  readonly refused: number;
  readonly sheds: number;
  /** Of the evictions: those of sheds. */
  readonly shedEntries: number;
  readonly shedBytes: number;
}

export interface ByteCache extends Sheddable {
  get(key: string, options?: { stale?: boolean }): CacheHit | undefined;
  /** A fresh entry, without counting as use. */
  peek(key: string): CacheHit | undefined;
  /** Copies the entry in. False: larger than one entry may be, or no room because all segments are being read. */
  offer(key: string, entry: CacheOffer): boolean;
  delete(key: string): boolean;
  deletePrefix(prefix: string): number;
  deleteLayer(layer: string): number;
  stats(): CacheStats;
  /** Recomputes every sum; throws where they disagree. */
  audit(): void;
  close(): void;
}
