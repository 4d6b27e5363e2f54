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
  for (const range of distinct(ranges)) {
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

/** Of them what is needed of each: from the first range that is to the last. */
export function neededRanges(merged: readonly MergedRange[], needed: (range: ByteRange) => boolean): MergedRange[] {
  return merged.flatMap(({ ranges }) => {
    const kept = ranges.filter(needed);
    const [first, last] = [kept[0], kept.at(-1)];
    if (!first || !last) return [];
    return { offset: first.offset, length: last.offset + last.length - first.offset, ranges: kept };
  });
}

/**
 * What reading them takes at most: bytes asked for, and of them in memory at once. It holds for every run of them too (a picture
 * is painted in strips), whose parts begin elsewhere: so each gap counts that some part could span.
 */
export function mergedCost(ranges: Iterable<ByteRange>, aheadBytes: number): { bytes: number; heldBytes: number } {
  let [bytes, largest, end] = [0, 0, Number.POSITIVE_INFINITY];
  for (const { offset, length } of distinct(ranges)) {
    const gap = offset - end;
    bytes += length + (gap > 0 && gap <= GAP_BYTES ? gap : 0);
    largest = Math.max(largest, length);
    end = offset + length;
  }
  return { bytes, heldBytes: Math.min(bytes, Math.max(aheadBytes, largest)) };
}

function* distinct(ranges: Iterable<ByteRange>): Generator<ByteRange> {
  const seen = new Set<number>();
  for (const range of ranges) {
    if (range.length === 0 || seen.has(range.offset)) continue;
    seen.add(range.offset);
    yield range;
  }
}
