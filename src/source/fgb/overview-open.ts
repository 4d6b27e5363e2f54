/** Overviews found beside their file, and judged against it. One that is stale or broken is never used: the verdict says why. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Problem } from '../../errors.ts';
import { type Bytes, modifiedNs, openBytes, statRef } from '../../io/bytes.ts';
import type { BytesRef } from '../../plan.ts';
import type { Reason } from '../types.ts';
import type { OverviewSlot } from './overview.ts';
import {
  decodeHead,
  GROUP_BYTES,
  groupsOf,
  HEAD_BYTES,
  OVERVIEW_SUFFIX,
  type OverviewLevel,
  type OverviewMeta,
} from './overview-format.ts';
import type { PackedTree } from './rtree.ts';

/** What an overview must match. */
export interface OverviewOf {
  readonly bytes: Bytes;
  readonly tree: PackedTree | null;
  readonly headerBytes: number;
  readonly crs: string | null;
}

/** FILE.plo of a file of this machine. Other servers' files have it where whoever opens them says. */
export function besideFile({ href, remote }: BytesRef): () => Promise<Bytes | null> {
  const path = href + OVERVIEW_SUFFIX;
  return async () => (remote || !existsSync(path) ? null : openBytes(statRef(path)));
}

/** Opens FILE.plo where it is there and fits the file as it is now. Errors: those of asking another server whether it is there. */
export async function openOverview(
  of: OverviewOf,
  beside: () => Promise<Bytes | null>,
  signal?: AbortSignal,
): Promise<OverviewSlot> {
  const path = of.bytes.ref.href + OVERVIEW_SUFFIX;
  const notes: Reason[] = [];
  const slot: OverviewSlot = { current: null, notes };
  if (!of.tree) return slot;
  let bytes: Bytes | null = null;
  try {
    bytes = await beside();
    if (!bytes) return slot;
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
    if (of.bytes.ref.remote && isRemote(error)) throw error;
    notes.push(note('fgb-overview-corrupt', path, (error as Error).message, of.bytes.ref.href));
  }
  bytes?.close();
  return slot;
}

/** It is there or not, and only another look will tell. */
function isRemote(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'source-changed' || error.code.startsWith('remote-'));
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
  if (isNewer(ref, overview.ref, meta)) return 'the file is newer';
  if (meta.source.digest !== (await digestOf(of, signal))) return 'it was made of another file of the same size';
  if (meta.crs !== of.crs) return `it was made for ${meta.crs}, the layer is in ${of.crs}`;
  return null;
}

/** Other servers keep seconds, and not the time at which the file was made: an overview is put there after its file. */
function isNewer(file: BytesRef, overview: BytesRef, { source }: OverviewMeta): boolean {
  if (file.remote) return Date.parse(overview.remote?.modified ?? '') < Date.parse(file.remote.modified ?? '');
  return source.modified !== String(modifiedNs(file)) && modifiedNs(overview) < modifiedNs(file);
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

/** From now on the index is walked, and the verdict says why. */
export function abandon(slot: OverviewSlot, why: string, file: string): void {
  if (!slot.current) return;
  slot.notes.push(note('fgb-overview-corrupt', slot.current.bytes.ref.href, why, file));
  slot.current.bytes.close();
  slot.current = null;
}
