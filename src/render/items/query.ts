/** Candidates of a page of items, from the index alone: one box, or the two halves of one that crosses the antimeridian. */
import type { FgbSource } from '../../source/fgb/open.ts';
import { type FeaturePage, queryFeatures } from '../../source/fgb/query.ts';
import type { BBox } from '../../tile.ts';

/** Ordinals of one half that are held at a time while the halves are merged. */
const MERGE_PAGE = 8192;

/** null: every feature; no box: none. Features that meet both boxes come once. */
export async function queryBoxes(
  source: FgbSource,
  boxes: readonly BBox[] | null,
  from: number,
  limit: number,
  signal: AbortSignal,
): Promise<FeaturePage> {
  if (boxes === null) return queryFeatures(source, null, from, limit, signal);
  if (boxes.length === 1) return queryFeatures(source, boxes[0], from, limit, signal);
  return mergeHalves(source, boxes, from, limit, signal);
}

interface Place {
  readonly ordinal: number;
  readonly offset: number;
  readonly length: number;
}

async function mergeHalves(
  source: FgbSource,
  boxes: readonly BBox[],
  from: number,
  limit: number,
  signal: AbortSignal,
): Promise<FeaturePage> {
  const halves = boxes.map(box => walk(source, box, signal));
  const heads = await Promise.all(halves.map(half => half.next()));
  const found: Place[] = [];
  let matched = 0;
  let nextOrdinal: number | null = null;
  for (;;) {
    let first: Place | null = null;
    for (const head of heads) if (!head.done && (!first || head.value.ordinal < first.ordinal)) first = head.value;
    if (!first) break;
    matched++;
    if (first.ordinal >= from) {
      if (found.length < limit) found.push(first);
      else nextOrdinal ??= first.ordinal;
    }
    for (let i = 0; i < heads.length; i++) {
      const { done, value } = heads[i];
      if (!done && value.ordinal === first.ordinal) heads[i] = await halves[i].next();
    }
  }
  return {
    ordinals: Float64Array.from(found, place => place.ordinal),
    offsets: Float64Array.from(found, place => place.offset),
    lengths: Uint32Array.from(found, place => place.length),
    matched,
    nextOrdinal,
  };
}

async function* walk(source: FgbSource, box: BBox, signal: AbortSignal): AsyncGenerator<Place, undefined> {
  for (let at: number | null = 0; at !== null; ) {
    const page: FeaturePage = await queryFeatures(source, box, at, MERGE_PAGE, signal);
    for (let i = 0; i < page.ordinals.length; i++) {
      yield { ordinal: page.ordinals[i], offset: page.offsets[i], length: page.lengths[i] };
    }
    at = page.nextOrdinal;
  }
}
