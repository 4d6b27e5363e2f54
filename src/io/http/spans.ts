/**
 * Which requests fetch the features of a job: neighbours in the file are asked for together, with what lies between them. Plans and
 * workers must agree on it, so it is one pure function for both.
 */
import type { RemoteRef } from '../../plan.ts';
import type { ByteRange } from './merge.ts';

/** Features in the order of the file: first byte and bytes of each. */
export interface Places {
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

/** One request, and the features that it is for: from … to − 1. */
export interface Span extends ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface SpansCost {
  readonly requests: number;
  /** With what lies between the features. */
  readonly bytes: number;
  /** Most of them that are in memory at once: what is asked for ahead, and the request that is taken apart. */
  readonly heldBytes: number;
}

/** So many requests fill what may be read ahead: see merge.ts. */
const PARTS = 4;
/** In place of `features`, for a ref that says nothing of them. */
const GAP_BYTES = 65_536;
const REQUESTS_MAX = 512;
/** The least that is tried where asking around every gap is too many requests. */
const GAP_BYTES_MIN = 4096;

/** Where that makes more requests than a tile may take, larger gaps are read along, as far as it helps. */
export function spansOf(places: Places, { aheadBytes, features }: RemoteRef): Span[] {
  const spanBytes = Math.floor(aheadBytes / PARTS);
  const { gapBytes = GAP_BYTES, requestsMax = REQUESTS_MAX } = features ?? {};
  let spans = merged(places, gapBytes, spanBytes);
  for (let gap = Math.max(GAP_BYTES_MIN, gapBytes * 2); spans.length > requestsMax && gap < spanBytes * 2; gap *= 2)
    spans = merged(places, gap, spanBytes);
  return spans;
}

/** A feature that is larger than a request's bytes is one of its own. */
function merged({ offsets, lengths }: Places, gapBytes: number, spanBytes: number): Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < offsets.length; ) {
    const offset = offsets[from];
    let end = offset + lengths[from];
    let to = from + 1;
    for (; to < offsets.length; to++) {
      const gap = offsets[to] - end;
      const next = offsets[to] + lengths[to];
      if (gap < 0 || gap > gapBytes || next - offset > spanBytes) break;
      end = next;
    }
    spans.push({ offset, length: end - offset, from, to });
    from = to;
  }
  return spans;
}

export function spansCost(places: Places, remote: RemoteRef): SpansCost {
  const spans = spansOf(places, remote);
  let [bytes, largest] = [0, 0];
  for (const { length } of spans) {
    bytes += length;
    if (length > largest) largest = length;
  }
  const heldBytes = Math.min(bytes, Math.max(remote.aheadBytes, largest) + largest);
  return { requests: spans.length, bytes, heldBytes };
}
