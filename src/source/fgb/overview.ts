/** Overviews in use, asked for what a box shows; how one comes to be in use: overview-open.ts. Damage may show only here. */
import { crc32 } from 'node:zlib';
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import type { Reason } from '../types.ts';
import type { Selection } from './lod.ts';
import { ENTRY, ENTRY_BYTES, GROUP, groupsOf, type OverviewLevel, type OverviewMeta } from './overview-format.ts';
import { countMeeting } from './query.ts';
import { meets, NODE_BYTES, type PackedTree, STRIDE } from './rtree.ts';

/** The ladder of cells for which a selection is wanted: that of a grid of tiles over a layer (render/vector/cells.ts). */
export interface Ladder {
  readonly crs: string;
  readonly originX: number;
  readonly originY: number;
  readonly side: number;
}

/** What a level has in the boxes: a Selection, the CRC-32 of each feature's bytes, and the areas. */
export interface OverviewSelection extends Selection {
  readonly boxes: Float64Array;
  readonly areas: Float64Array;
}

export interface Overview {
  readonly bytes: Bytes;
  readonly meta: OverviewMeta;
  readonly residentBytes: number;
  /** Boxes of each level's groups, STRIDE doubles a group, as they lie in the file. */
  readonly groups: readonly Float64Array[];
}

/** What the file has beside it: an overview, or why there is none in use. */
export interface OverviewSlot {
  current: Overview | null;
  /** Told once, in the verdict. */
  readonly notes: Reason[];
}

/** The finest level that is no finer than `step`, for that ladder; −1 where there is none. */
export function levelFor({ meta }: Overview, ladder: Ladder, step: number): number {
  const { crs, originX, originY, side } = meta.grid;
  const same = crs === ladder.crs && originX === ladder.originX && originY === ladder.originY && side === ladder.side;
  if (!same) return -1;
  let best = -1;
  meta.levels.forEach((level, i) => {
    if (level.step <= step && (best < 0 || level.step > meta.levels[best].step)) best = i;
  });
  return best;
}

/** Groups that are read together, at most: 288 KiB. */
const GROUPS_A_READ = 64;
/** Such reads of another server that are under way together. */
const READS_AT_ONCE = 4;

/**
 * The entries of the level whose box meets the boxes. Throws corrupt-data where the overview is damaged: then `abandon` it.
 * `dropped` is exact, by the index of the file itself.
 */
export async function selectFromOverview(
  source: OverviewSource,
  overview: Overview,
  which: number,
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<OverviewSelection> {
  const level = overview.meta.levels[which];
  const found = new Entries(source, level);
  // Another server is asked for a few at once.
  const coming: { from: number; to: number; raw: Promise<Uint8Array> }[] = [];
  const most = overview.bytes.readInto ? 1 : READS_AT_ONCE;
  const next = async () => {
    const read = coming.shift();
    if (read) takeEntries(overview, which, read.from, read.to, await read.raw, boxes, found);
  };
  let left = overview.bytes.ref.remote?.features?.bytesMax ?? Number.POSITIVE_INFINITY;
  for (const [from, to] of runsOf(overview.groups[which], groupsOf(level), boxes)) {
    left -= (to - from) * GROUP * ENTRY_BYTES;
    if (left < 0)
      throw problem('too-large', `${overview.bytes.ref.href}: a tile would read too much of it (remote.tileBytes)`);
    const raw = readEntries(overview, which, from, to, signal);
    // Told when it is its turn, or not at all.
    raw.catch(() => {});
    coming.push({ from, to, raw });
    if (coming.length >= most) await next();
  }
  while (coming.length > 0) await next();
  const exact = overview.meta.boxless === 0;
  const meeting = await countMeeting(source, boxes, exact, signal);
  return found.selection(meeting, overview);
}

interface OverviewSource {
  readonly tree: PackedTree | null;
  readonly featuresStart: number;
  readonly bytes: Bytes;
  readonly count: number;
}

/** First and last of neighbouring groups that meet the boxes, no more than are read together. */
function* runsOf(groups: Float64Array, total: number, boxes: Float64Array): Generator<[number, number]> {
  for (let g = 0; g < total; ) {
    if (!meets(groups, g * STRIDE, boxes)) {
      g++;
      continue;
    }
    let end = g + 1;
    while (end < total && end - g < GROUPS_A_READ && meets(groups, end * STRIDE, boxes)) end++;
    yield [g, end];
    g = end;
  }
}

function readEntries(
  { bytes, meta }: Overview,
  which: number,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { entriesAt, entries } = meta.levels[which];
  const last = Math.min(entries, to * GROUP);
  return bytes.read(entriesAt + from * GROUP * ENTRY_BYTES, (last - from * GROUP) * ENTRY_BYTES, signal);
}

function takeEntries(
  { groups }: Overview,
  which: number,
  from: number,
  to: number,
  raw: Uint8Array,
  boxes: Float64Array,
  found: Entries,
): void {
  const words = new Uint32Array(groups[which].buffer, groups[which].byteOffset, groups[which].length * 2);
  for (let g = from; g < to; g++) {
    const at = (g - from) * GROUP * ENTRY_BYTES;
    const part = raw.subarray(at, Math.min(raw.length, at + GROUP * ENTRY_BYTES));
    if (crc32(part) !== words[g * (NODE_BYTES / 4) + 8]) found.broken(`entries ${g * GROUP} and on are damaged`);
    found.take(part, boxes);
  }
}

/** Collects entries, each checked: rising ordinals, ranges inside the file that has the features. */
class Entries {
  readonly #level: OverviewLevel;
  readonly #source: OverviewSource;
  readonly #limit: number;
  readonly #rows: number[] = [];
  #last = -1;

  constructor(source: OverviewSource, level: OverviewLevel) {
    this.#source = source;
    this.#level = level;
    const inSource = source.bytes.ref.size - source.featuresStart;
    this.#limit = level.featuresAt === null ? inSource : level.featureBytes;
  }

  broken(why: string): never {
    throw problem('corrupt-data', `step ${this.#level.step}: ${why}`);
  }

  take(raw: Uint8Array, boxes: Float64Array): void {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let at = 0; at < raw.length; at += ENTRY_BYTES) {
      const box = [0, 8, 16, 24].map(i => view.getFloat64(at + i, true));
      const offset = Number(view.getBigUint64(at + ENTRY.offset, true));
      const ordinal = Number(view.getBigUint64(at + ENTRY.ordinal, true));
      const length = view.getUint32(at + ENTRY.length, true);
      if (ordinal <= this.#last || ordinal >= this.#source.count) this.broken(`feature ${ordinal} is out of order`);
      if (length < 8 || offset + length > this.#limit) this.broken(`feature ${ordinal} lies outside the file`);
      this.#last = ordinal;
      if (!meets(Float64Array.from(box), 0, boxes)) continue;
      const [area, count] = [view.getFloat64(at + ENTRY.area, true), view.getUint32(at + ENTRY.count, true)];
      this.#rows.push(...box, offset, ordinal, length, count, view.getUint32(at + ENTRY.crc, true), area);
    }
  }

  selection(meeting: number, { bytes }: Overview): OverviewSelection {
    const n = this.#rows.length / ROW;
    const column = (i: number, plus = 0) =>
      Float64Array.from({ length: n }, (_, row) => this.#rows[row * ROW + i] + plus);
    const { featuresAt } = this.#level;
    const own = featuresAt === null ? {} : { ref: bytes.ref, crcs: Uint32Array.from(column(8)) };
    return {
      offsets: column(4, featuresAt ?? this.#source.featuresStart),
      ordinals: column(5),
      lengths: Uint32Array.from(column(6)),
      counts: Uint32Array.from(column(7)),
      areas: column(9),
      boxes: Float64Array.from({ length: n * 4 }, (_, i) => this.#rows[(i >> 2) * ROW + (i & 3)]),
      dropped: meeting - n,
      visited: n,
      ...own,
    };
  }
}

/** Numbers a row of Entries: box, offset, ordinal, length, count, CRC-32, area. */
const ROW = 10;
