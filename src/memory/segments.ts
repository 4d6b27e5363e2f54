/**
 * Segments: large array buffers that go back to the operating system when freed with `transfer(0)`, at once and without
 * garbage collection. Small buffers never do (glibc keeps their pages), which is why caches hold segments, not buffers.
 */

export const SEGMENT_BYTES_MAX = 4 * 2 ** 20;
/** glibc maps allocations from its threshold up (128 KiB at least); below it a segment would come from the heap. */
export const SEGMENT_BYTES_MIN = 256 * 2 ** 10;

/** The largest power of two that still gives a cache of this size eight segments. */
export function segmentBytesFor(cacheBytes: number): number {
  const eighth = 2 ** Math.floor(Math.log2(Math.max(1, cacheBytes / 8)));
  return Math.max(SEGMENT_BYTES_MIN, Math.min(SEGMENT_BYTES_MAX, eighth));
}

export interface SegmentCheck {
  readonly segmentBytes?: number;
  readonly segments?: number;
  readonly rss?: () => number;
  /** Waits for the pages to show as gone. */
  readonly settle?: () => Promise<void>;
}

/**
 * True where freed segments come back. First a 20 MiB buffer is taken and freed untouched: that is what moves glibc's
 * threshold in an unpinned process, and sooner or later a request would have done the same.
 */
export async function segmentReturns(check: SegmentCheck = {}): Promise<boolean> {
  const { segmentBytes = SEGMENT_BYTES_MAX, rss = () => process.memoryUsage.rss() } = check;
  const count = check.segments ?? Math.max(2, Math.floor((8 * 2 ** 20) / segmentBytes));
  const settle = check.settle ?? (() => new Promise(done => setTimeout(done, 20)));
  freeBuffer(new ArrayBuffer(20 * 2 ** 20));
  const segments = Array.from({ length: count }, () => {
    const buffer = new ArrayBuffer(segmentBytes);
    new Uint8Array(buffer).fill(1);
    return buffer;
  });
  const held = rss();
  for (const buffer of segments) freeBuffer(buffer);
  await settle();
  return held - rss() >= 0.5 * count * segmentBytes;
}

/** Gives a buffer's pages back now instead of at some garbage collection. Every view of it is empty from here on. */
export function freeBuffer(buffer: ArrayBuffer): void {
  buffer.transfer(0);
}

/** The same for an array that owns its whole buffer; a view of something larger is left alone. */
export function freeArray(array: ArrayBufferView): void {
  const { buffer, byteLength } = array;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) freeBuffer(buffer);
}

/** What to tell an operator where segments do not come back. */
export function segmentsStay(segmentBytes: number): string {
  return (
    `freed cache segments of ${segmentBytes} bytes do not go back to the operating system: the allocator keeps them, and ` +
    'shedding the cache will lower no memory use. Start through `plimsoll serve` without PLIMSOLL_RELAUNCH=0, or set ' +
    `MALLOC_MMAP_THRESHOLD_=${mmapThresholdFor(segmentBytes)} and MALLOC_ARENA_MAX=2 (glibc) before the process starts, or ` +
    'preload jemalloc with MALLOC_CONF=background_thread:true,dirty_decay_ms:0,muzzy_decay_ms:0 (docs/memory.md)'
  );
}

/** Buffers from this size on are mapped, and unmapped when freed: segments must be among them. */
export function mmapThresholdFor(segmentBytes: number): number {
  return Math.min(2 ** 20, segmentBytes);
}
