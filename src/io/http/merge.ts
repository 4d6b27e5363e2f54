/** Which ranges are asked for together. Plans and readers must agree on it, so it is one pure function for both. */

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** One request: from the beginning of the first range to the end of the last. */
export interface MergedRange extends ByteRange {
  readonly ranges: readonly ByteRange[];
}

/** Bytes between two ranges that are read rather than asked around: a request costs more than they do. */
export const GAP_BYTES = 16_384;
/** So many requests fill what may be read ahead. */
const PARTS = 4;

/**
 * Ranges in the order in which they will be read; neighbours in it that are neighbours in the file are merged, up to a quarter of
 * what may be read ahead. Repeated ranges are asked for once, empty ones never.
 */
export function mergeRanges(ranges: Iterable<ByteRange>, aheadBytes: number): MergedRange[] {
  const merged: { offset: number; length: number; ranges: ByteRange[] }[] = [];
  const seen = new Set<number>();
  for (const range of ranges) {
    if (range.length === 0 || seen.has(range.offset)) continue;
    seen.add(range.offset);
    const last = merged.at(-1);
    const gap = last ? range.offset - last.offset - last.length : -1;
    const joined = last ? range.offset + range.length - last.offset : 0;
    if (last && gap >= 0 && gap <= GAP_BYTES && joined <= aheadBytes / PARTS) {
      last.length = joined;
      last.ranges.push(range);
    } else merged.push({ offset: range.offset, length: range.length, ranges: [range] });
  }
  return merged;
}

/**
 * What reading them takes at most: bytes asked for, and of them in memory at once. Some may not be asked for after all (their
 * blocks are decoded already), which may merge others: so gaps count wherever two ranges are that near.
 */
export function mergedCost(ranges: readonly ByteRange[], aheadBytes: number): { bytes: number; heldBytes: number } {
  let [bytes, largest, end] = [0, 0, -1];
  for (const { offset, length } of ranges) {
    const gap = end < 0 ? 0 : offset - end;
    bytes += length + (gap > 0 && gap <= GAP_BYTES ? gap : 0);
    largest = Math.max(largest, length);
    end = offset + length;
  }
  return { bytes, heldBytes: Math.min(bytes, Math.max(aheadBytes, largest)) };
}
