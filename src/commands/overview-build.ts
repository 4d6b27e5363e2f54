/**
 * Makes the overview of a FlatGeobuf file (source/fgb/overview-format.ts) in bounded memory: the leaves of the index become
 * entries in a file, each step of the ladder is thinned out of the finer one (which has all that it needs, since cells nest),
 * in as many passes as the memory asks for. The overview takes its name only when it is whole.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { problem } from '../errors.ts';
import { modifiedNs, statRef } from '../io/bytes.ts';
import type { VectorLayer } from '../layers/types.ts';
import { projectionOf } from '../render/vector/boxes.ts';
import { cellGrid } from '../render/vector/cells.ts';
import { defaultZooms } from '../render/vector/plan.ts';
import { recordCells } from '../render/vector/recorded.ts';
import { ladderOf } from '../render/vector/step.ts';
import { capsOf, cellsHere } from '../render/vector/zoom-cells.ts';
import { type FgbSource, openFgb } from '../source/fgb/open.ts';
import {
  ENTRY,
  ENTRY_BYTES,
  encodeHead,
  GROUP,
  GROUP_BYTES,
  HEAD_BYTES,
  OVERVIEW_SUFFIX,
  type OverviewLevel,
  type RecordedCells,
} from '../source/fgb/overview-format.ts';
import { digestOf } from '../source/fgb/overview-open.ts';
import { type TileMatrixSet, WEB_MERCATOR_QUAD } from '../tile.ts';
import { type EntryFile, entriesIn, leafEntries, thin } from './overview-thin.ts';

export interface BuildOptions {
  readonly crs: string | null;
  /** Bytes that sorting entries into cells may take. */
  readonly memoryBytes: number;
  /** Features are copied for the coarsest steps, up to this share of the file. */
  readonly share: number;
  readonly progress: (what: string, done: number, total: number) => void;
}

export interface Built {
  readonly path: string;
  /** null: every zoom shows all features, so there is nothing to prepare. */
  readonly bytes: number | null;
  readonly levels: readonly OverviewLevel[];
}

/** The coarsest step: fewer cells than this are walked in no time. */
const FIRST_STEP = 4;
const LAST_STEP = 24;
/** A step that takes more than this share of all features is hardly a selection. */
const ENTRIES_SHARE = 0.5;

/** Throws Problem where the file cannot be served, or changes while it is read. */
export async function buildOverview(file: string, options: BuildOptions): Promise<Built> {
  const ref = statRef(file);
  const source = await openFgb(ref, { ...(options.crs === null ? {} : { crs: options.crs }), overview: false });
  const path = file + OVERVIEW_SUFFIX;
  const folder = mkdtempSync(join(dirname(path), '.plimsoll-overview-'));
  try {
    if (!source.verdict.servable) throw problem('layer-not-servable', source.verdict.reasons[0].detail);
    const grid = WEB_MERCATOR_QUAD;
    const layer = layerOf(source);
    const cells = await cellsHere(layer, grid, capsOf({}));
    const steps = cells.steps.filter(step => step !== null);
    if (steps.length === 0) return { path, bytes: null, levels: [] };
    const finest = Math.min(LAST_STEP, Math.max(...steps));
    const { files, boxless } = await thinAll(source, grid, finest, folder, options);
    const temporary = join(folder, 'overview');
    const recorded = recordCells(layer, grid, capsOf({}), cells);
    const written = await assemble(source, grid, { files, boxless, recorded }, temporary, options);
    if (statRef(file).version !== ref.version) throw problem('source-changed', `${file} changed meanwhile`);
    renameSync(temporary, path);
    return { path, ...written };
  } finally {
    await source.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function layerOf(source: FgbSource): VectorLayer {
  const { verdict, lonLatBounds } = source;
  const named = { id: 'overview', title: '', description: null, version: '' };
  return { kind: 'vector', ...named, options: {}, verdict, lonLatBounds, ...defaultZooms(source), source };
}

interface StepFile extends EntryFile {
  readonly step: number;
}

/** Entry files of all steps, the coarsest first. */
async function thinAll(
  source: FgbSource,
  grid: TileMatrixSet,
  finest: number,
  folder: string,
  { memoryBytes, progress }: BuildOptions,
): Promise<{ files: StepFile[]; boxless: number }> {
  const leaves = await leafEntries(source, join(folder, 'leaves'), done =>
    progress('reading features', done, source.count),
  );
  const projection = projectionOf(source.crs as string, grid.crs);
  const files: StepFile[] = [];
  let finer: EntryFile = leaves;
  for (let step = finest; step >= Math.min(FIRST_STEP, finest); step--) {
    const cells = cellGrid(source, projection, grid, step);
    const thinned = thin(finer, cells, join(folder, `step${step}`), memoryBytes);
    if (finer !== leaves && finer.entries > source.count * ENTRIES_SHARE) rmSync(finer.path);
    progress('thinning', finest - step + 1, finest - FIRST_STEP + 1);
    finer = thinned;
    files.unshift({ ...thinned, step });
    await new Promise(resolve => setImmediate(resolve));
  }
  const kept = files.filter(({ entries }) => entries <= source.count * ENTRIES_SHARE);
  return { files: kept, boxless: source.count - leaves.entries };
}

interface Parts {
  readonly files: readonly StepFile[];
  readonly boxless: number;
  readonly recorded: RecordedCells;
}

async function assemble(
  source: FgbSource,
  grid: TileMatrixSet,
  { files, boxless, recorded }: Parts,
  path: string,
  { share, progress }: BuildOptions,
): Promise<{ bytes: number; levels: OverviewLevel[] }> {
  const fd = openSync(path, 'wx');
  try {
    const { ref, bytes, tree, headerBytes, crs } = source;
    const levels: OverviewLevel[] = [];
    let at = HEAD_BYTES;
    let copied = 0;
    for (const [i, file] of files.entries()) {
      copied += file.featureBytes;
      const level = writeLevel(fd, at, file, copied <= ref.size * share ? source : null);
      at = align(level.entriesAt + level.entries * ENTRY_BYTES + (level.featuresAt === null ? 0 : level.featureBytes));
      levels.push(level);
      progress('writing', i + 1, files.length);
    }
    const digest = await digestOf({ bytes, tree, headerBytes, crs });
    const made = { size: ref.size, modified: String(modifiedNs(ref)), digest };
    writeSync(
      fd,
      encodeHead({ source: made, crs: crs as string, grid: ladderOf(grid), boxless, levels, cells: recorded }),
      0,
      HEAD_BYTES,
      0,
    );
    fsyncSync(fd);
    return { bytes: at, levels };
  } finally {
    closeSync(fd);
  }
}

function align(at: number): number {
  return Math.ceil(at / 8) * 8;
}

/** `source`: its features are copied behind the entries; null: entries point into it. */
function writeLevel(fd: number, groupsAt: number, file: StepFile, source: FgbSource | null): OverviewLevel {
  const groups = Buffer.alloc(Math.ceil(file.entries / GROUP) * GROUP_BYTES);
  const entriesAt = groupsAt + groups.length;
  const featuresAt = entriesAt + file.entries * ENTRY_BYTES;
  let group = 0;
  let done = 0;
  let feature = 0;
  for (const chunk of entriesIn(file)) {
    if (source) feature = copyFeatures(fd, featuresAt, feature, chunk, source);
    for (let at = 0; at < chunk.length; at += GROUP * ENTRY_BYTES) {
      putGroup(groups, group++, chunk.subarray(at, Math.min(chunk.length, at + GROUP * ENTRY_BYTES)));
    }
    writeSync(fd, chunk, 0, chunk.length, entriesAt + done);
    done += chunk.length;
  }
  writeSync(fd, groups, 0, groups.length, groupsAt);
  return {
    step: file.step,
    entries: file.entries,
    groupsAt,
    groupsCrc: crc32(groups),
    entriesAt,
    featuresAt: source ? featuresAt : null,
    featureBytes: source ? feature : file.featureBytes,
  };
}

function putGroup(groups: Buffer, group: number, entries: Buffer): void {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    for (let i = 0; i < 4; i++) {
      const value = entries.readDoubleLE(at + i * 8);
      box[i] = i < 2 ? Math.min(box[i], value) : Math.max(box[i], value);
    }
  }
  box.forEach((value, i) => {
    groups.writeDoubleLE(value, group * GROUP_BYTES + i * 8);
  });
  groups.writeUInt32LE(crc32(entries), group * GROUP_BYTES + 32);
}

/** Copies the features of the entries, which from now on say where the copy is; answers where the next one goes. */
function copyFeatures(fd: number, start: number, from: number, entries: Buffer, source: FgbSource): number {
  const parts: Buffer[] = [];
  let at = from;
  for (let e = 0; e < entries.length; e += ENTRY_BYTES) {
    const feature = Buffer.alloc(entries.readUInt32LE(e + ENTRY.length));
    source.bytes.readInto?.(source.featuresStart + Number(entries.readBigUInt64LE(e + ENTRY.offset)), feature);
    entries.writeBigUInt64LE(BigInt(at), e + ENTRY.offset);
    entries.writeUInt32LE(crc32(feature), e + ENTRY.crc);
    parts.push(feature);
    at += feature.length;
    if (parts.length === GROUP) writeParts(fd, start + at, parts);
  }
  writeParts(fd, start + at, parts);
  return at;
}

/** Writes the parts so that they end at `end`, and forgets them. */
function writeParts(fd: number, end: number, parts: Buffer[]): void {
  const all = Buffer.concat(parts.splice(0));
  writeSync(fd, all, 0, all.length, end - all.length);
}
