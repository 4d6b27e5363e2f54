/**
 * Overviews in use: found beside the file, judged against it, and asked for what a box shows. A wrong one is never used: a stale
 * or broken one becomes a note, also where the damage shows only later, and the index is walked as if there were none.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { problem } from '../../errors.ts';
import { type Bytes, modifiedNs, openBytes, statRef } from '../../io/bytes.ts';
import type { Reason } from '../types.ts';
import type { Selection } from './lod.ts';
import {
  decodeHead,
  ENTRY,
  ENTRY_BYTES,
  GROUP,
  GROUP_BYTES,
  groupsOf,
  HEAD_BYTES,
  OVERVIEW_SUFFIX,
  type OverviewLevel,
  type OverviewMeta,
} from './overview-format.ts';
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

/** What an overview must match. */
export interface OverviewOf {
  readonly bytes: Bytes;
  readonly tree: PackedTree | null;
  readonly headerBytes: number;
  readonly crs: string | null;
}

/** Opens FILE.plo where it is there and fits the file as it is now. Never throws. */
export async function openOverview(of: OverviewOf, notes: Reason[], signal?: AbortSignal): Promise<OverviewSlot> {
  const path = of.bytes.ref.href + OVERVIEW_SUFFIX;
  const slot: OverviewSlot = { current: null, notes };
  if (!of.tree || !existsSync(path)) return slot;
  let bytes: Bytes | null = null;
  try {
    bytes = openBytes(statRef(path));
    const head = await bytes.read(0, Math.min(HEAD_BYTES, bytes.ref.size), signal);
    const meta = decodeHead(head, bytes.ref.size);
    const stale = await staleness(of, meta, bytes, signal);
    if (stale === null) {
      const groups = [];
      for (const level of meta.levels) groups.push(await readGroups(bytes, level, signal));
      const residentBytes = groups.reduce((sum, { byteLength }) => sum + byteLength, HEAD_BYTES);
      slot.current = { bytes, meta, groups, residentBytes };
      return slot;
    }
    notes.push(note('fgb-overview-stale', path, stale, of.bytes.ref.href));
  } catch (error) {
    notes.push(note('fgb-overview-corrupt', path, (error as Error).message, of.bytes.ref.href));
  }
  bytes?.close();
  return slot;
}

function note(code: string, path: string, why: string, file: string): Reason {
  return { code, detail: `${path} is not used: ${why}`, remedy: `plimsoll overview ${file}` };
}

/** Why the overview is not of this file, or null. */
async function staleness(
  of: OverviewOf,
  meta: OverviewMeta,
  overview: Bytes,
  signal?: AbortSignal,
): Promise<string | null> {
  const { ref } = of.bytes;
  if (meta.source.size !== ref.size) return `it was made of ${meta.source.size} bytes, the file has ${ref.size}`;
  const same = meta.source.modified === String(modifiedNs(ref));
  if (!same && modifiedNs(overview.ref) < modifiedNs(ref)) return 'the file is newer';
  if (meta.source.digest !== (await digestOf(of, signal))) return 'it was made of another file of the same size';
  if (meta.crs !== of.crs) return `it was made for ${meta.crs}, the layer is in ${of.crs}`;
  return null;
}

/** Of the header and of the index above its leaves, which change with the place of every feature. */
export async function digestOf({ bytes, tree, headerBytes }: OverviewOf, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update(await bytes.read(0, headerBytes, signal));
  if (tree) hash.update(new Uint8Array(tree.upper.buffer, tree.upper.byteOffset, tree.upper.byteLength));
  return hash.digest('hex');
}

async function readGroups(bytes: Bytes, level: OverviewLevel, signal?: AbortSignal): Promise<Float64Array> {
  const raw = await bytes.read(level.groupsAt, groupsOf(level) * GROUP_BYTES, signal);
  if (crc32(raw) !== level.groupsCrc) throw new Error(`the groups of its step ${level.step} are damaged`);
  const aligned = (raw.byteOffset & 7) === 0 ? raw : raw.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 3);
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
  const groups = overview.groups[which];
  const total = groupsOf(level);
  for (let g = 0; g < total; ) {
    if (!meets(groups, g * STRIDE, boxes)) {
      g++;
      continue;
    }
    let end = g + 1;
    while (end < total && end - g < GROUPS_A_READ && meets(groups, end * STRIDE, boxes)) end++;
    await readEntries(overview, which, g, end, boxes, found, signal);
    g = end;
  }
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

/** From now on the index is walked, and the verdict says why. */
export function abandon(slot: OverviewSlot, why: string, file: string): void {
  if (!slot.current) return;
  slot.notes.push(note('fgb-overview-corrupt', slot.current.bytes.ref.href, why, file));
  slot.current.bytes.close();
  slot.current = null;
}

async function readEntries(
  { bytes, meta, groups }: Overview,
  which: number,
  from: number,
  to: number,
  boxes: Float64Array,
  found: Entries,
  signal?: AbortSignal,
): Promise<void> {
  const { entriesAt, entries } = meta.levels[which];
  const last = Math.min(entries, to * GROUP);
  const raw = await bytes.read(entriesAt + from * GROUP * ENTRY_BYTES, (last - from * GROUP) * ENTRY_BYTES, signal);
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
