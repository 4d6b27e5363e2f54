/** Features by box or ordinal, from the index alone: where their bytes are, in file order, no more than a page of them. */
import { problem } from '../../errors.ts';
import type { BBox } from '../../tile.ts';
import { expectGroups } from './far-pages.ts';
import type { FgbSource } from './open.ts';
import { groupsMeeting, type LeafPage, leafEnd, leafOffset, meets, STRIDE, within } from './rtree.ts';

export interface FeaturePage {
  /** Place in the file, from 0. */
  readonly ordinals: Float64Array;
  /** Byte of the file at which each feature (its size prefix) begins, and its bytes. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  /** Features whose box meets the bbox, on all pages. */
  readonly matched: number;
  /** Where the next page begins; null on the last. */
  readonly nextOrdinal: number | null;
}

/** Pages between two turns of the event loop. */
const PAGES_A_TURN = 16;

/**
 * At most `limit` features from `startOrdinal` on whose box meets `bbox` (units of the layer's CRS; null: all).
 * `matched` is exact to the boxes: the geometry itself may still miss the bbox. A feature without geometry has no box, and
 * comes with the group of leaves that it is in, where that is inside the bbox whole.
 */
export async function queryFeatures(
  source: FgbSource,
  bbox: BBox | null,
  startOrdinal: number,
  limit: number,
  signal?: AbortSignal,
): Promise<FeaturePage> {
  const { tree } = source;
  const found: Collector = {
    ordinals: [],
    offsets: [],
    lengths: [],
    matched: 0,
    next: null,
    startOrdinal,
    limit,
    base: source.featuresStart,
  };
  if (tree && limit >= 0) {
    const box = tree.upper;
    const all = !bbox || (bbox[0] <= box[0] && bbox[1] <= box[1] && bbox[2] >= box[2] && bbox[3] >= box[3]);
    if (all) await takeAll(source, found, signal);
    else await takeMeeting(source, Float64Array.from(bbox), found, signal);
  }
  return {
    ordinals: Float64Array.from(found.ordinals),
    offsets: Float64Array.from(found.offsets),
    lengths: Uint32Array.from(found.lengths),
    matched: found.matched,
    nextOrdinal: found.next,
  };
}

/** How many features' boxes meet the boxes. `whole`: all leaves have a box, so a node inside counts by its place alone. */
export async function countMeeting(
  { tree }: Pick<FgbSource, 'tree'>,
  boxes: Float64Array,
  whole: boolean,
  signal?: AbortSignal,
): Promise<number> {
  if (!tree) return 0;
  const { nodeSize, count, levels } = tree.shape;
  let met = 0;
  const groups = groupsMeeting(tree, boxes);
  const inside = (group: number) => within(tree.upper, (levels[1].start + group) * STRIDE, boxes);
  await expectGroups(tree, groups, signal, whole ? inside : undefined);
  for (const group of groups) {
    const first = group * nodeSize;
    const last = Math.min(count, first + nodeSize);
    if (whole && inside(group)) {
      met += last - first;
      continue;
    }
    const index = Math.floor(first / tree.pageLeaves);
    const page = tree.pages.at(index) ?? (await tree.pages.load(index, signal));
    for (let i = first - page.first; i < last - page.first; i++) if (meets(page.boxes, i * STRIDE, boxes)) met++;
  }
  return met;
}

/** Where the feature of that place in the file is, and its box in the layer's CRS. Errors: feature-not-found. */
export async function featureAt(
  source: FgbSource,
  ordinal: number,
  signal?: AbortSignal,
): Promise<{ offset: number; length: number; box: BBox }> {
  const { tree } = source;
  if (!tree || !Number.isSafeInteger(ordinal) || ordinal < 0 || ordinal >= tree.shape.count) {
    throw problem('feature-not-found', `no feature ${ordinal}: the layer has ${source.count}`);
  }
  const index = Math.floor(ordinal / tree.pageLeaves);
  const page = tree.pages.at(index) ?? (await tree.pages.load(index, signal));
  const i = ordinal - page.first;
  const [minx, miny, maxx, maxy] = page.boxes.subarray(i * STRIDE, i * STRIDE + 4);
  const box = [minx, miny, maxx, maxy] as const;
  return { offset: source.featuresStart + leafOffset(page, i), length: leafEnd(page, i) - leafOffset(page, i), box };
}

interface Collector {
  readonly ordinals: number[];
  readonly offsets: number[];
  readonly lengths: number[];
  matched: number;
  next: number | null;
  readonly startOrdinal: number;
  readonly limit: number;
  readonly base: number;
}

function take(found: Collector, page: LeafPage, i: number): void {
  const ordinal = page.first + i;
  found.matched++;
  if (ordinal < found.startOrdinal || found.next !== null) return;
  if (found.ordinals.length >= found.limit) {
    found.next = ordinal;
    return;
  }
  const offset = leafOffset(page, i);
  found.ordinals.push(ordinal);
  found.offsets.push(found.base + offset);
  found.lengths.push(leafEnd(page, i) - offset);
}

async function takeAll(source: FgbSource, found: Collector, signal?: AbortSignal): Promise<void> {
  const tree = source.tree!;
  const { count } = tree.shape;
  const last = Math.min(count, found.startOrdinal + found.limit);
  for (let ordinal = found.startOrdinal; ordinal < last; ) {
    const index = Math.floor(ordinal / tree.pageLeaves);
    const page = tree.pages.at(index) ?? (await tree.pages.load(index, signal));
    for (; ordinal < last && ordinal < page.first + page.count; ordinal++) take(found, page, ordinal - page.first);
  }
  found.matched = count;
  found.next = last < count ? last : null;
}

async function takeMeeting(
  source: FgbSource,
  boxes: Float64Array,
  found: Collector,
  signal?: AbortSignal,
): Promise<void> {
  const tree = source.tree!;
  const { nodeSize, count, levels } = tree.shape;
  const groups = groupsMeeting(tree, boxes);
  const inside = (group: number) => within(tree.upper, (levels[1].start + group) * STRIDE, boxes);
  await expectGroups(tree, groups, signal, inside);
  let page: LeafPage | undefined;
  let turns = 0;
  for (let g = 0; g < groups.length; g++) {
    const first = groups[g] * nodeSize;
    const last = Math.min(count, first + nodeSize);
    // A group inside the box counts whole, and off the page needs no look at its leaves.
    const whole = inside(groups[g]);
    if (whole && (last <= found.startOrdinal || found.next !== null)) {
      found.matched += last - first;
      continue;
    }
    if (!page || first < page.first || first >= page.first + page.count) {
      const index = Math.floor(first / tree.pageLeaves);
      // Before the page is had: it is good only until the next wait.
      if (++turns % PAGES_A_TURN === 0) await new Promise(resolve => setImmediate(resolve));
      signal?.throwIfAborted();
      page = tree.pages.at(index) ?? (await tree.pages.load(index, signal));
    }
    for (let i = first - page.first; i < last - page.first; i++) {
      if (whole || meets(page.boxes, i * STRIDE, boxes)) take(found, page, i);
    }
  }
}
