/** Files of entries while an overview is made: the leaves as entries, and a step thinned out of the finer one. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { areaOf } from '../source/fgb/area.ts';
import { decodeFeature } from '../source/fgb/feature.ts';
import type { CellGrid } from '../source/fgb/lod.ts';
import type { FgbSource } from '../source/fgb/open.ts';
import { ENTRY, ENTRY_BYTES, GROUP } from '../source/fgb/overview-format.ts';
import { type LeafPage, leafEnd, leafOffset, STRIDE } from '../source/fgb/rtree.ts';

export interface EntryFile {
  readonly path: string;
  readonly entries: number;
  /** Bytes of the features that they stand for. */
  readonly featureBytes: number;
}

/** Entries read at a time: whole groups. */
const CHUNK_BYTES = GROUP * ENTRY_BYTES * 64;
/** An entry while it is thinned: itself, its cell, its share of a growing buffer. */
const HELD_BYTES = 300;
const FEATURES_READ_BYTES = 1024 * 1024;

export function* entriesIn({ path }: EntryFile): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const n = readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (n === 0) return;
      yield chunk.subarray(0, n);
    }
  } finally {
    closeSync(fd);
  }
}

/** All features that have a box, in tree order, each with its area. */
export async function leafEntries(
  source: FgbSource,
  path: string,
  progress: (done: number) => void,
): Promise<EntryFile> {
  const { tree } = source;
  if (!tree) return { path, entries: 0, featureBytes: 0 };
  const fd = openSync(path, 'wx');
  let entries = 0;
  let featureBytes = 0;
  try {
    for (let index = 0; index * tree.pageLeaves < tree.shape.count; index++) {
      const page = await tree.pages.load(index);
      const out = await pageEntries(source, page);
      writeSync(fd, out);
      entries += out.length / ENTRY_BYTES;
      for (let at = 0; at < out.length; at += ENTRY_BYTES) featureBytes += out.readUInt32LE(at + ENTRY.length);
      progress(page.first + page.count);
      await new Promise(resolve => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
  return { path, entries, featureBytes };
}

async function pageEntries(source: FgbSource, page: LeafPage): Promise<Buffer> {
  const out = Buffer.alloc(page.count * ENTRY_BYTES);
  let at = 0;
  for (let i = 0; i < page.count; ) {
    const first = i;
    const start = leafOffset(page, first);
    do i++;
    while (i < page.count && leafEnd(page, i) - start <= FEATURES_READ_BYTES);
    const raw = await source.bytes.read(source.featuresStart + start, leafEnd(page, i - 1) - start);
    for (let f = first; f < i; f++) {
      const box = page.boxes.subarray(f * STRIDE, f * STRIDE + 4);
      if (!(box[0] <= box[2] && box[1] <= box[3])) continue;
      const { geometry } = decodeFeature(raw, leafOffset(page, f) - start, source, NO_COLUMNS);
      for (let k = 0; k < 4; k++) out.writeDoubleLE(box[k], at + k * 8);
      out.writeBigUInt64LE(BigInt(leafOffset(page, f)), at + ENTRY.offset);
      out.writeBigUInt64LE(BigInt(page.first + f), at + ENTRY.ordinal);
      out.writeDoubleLE(areaOf(geometry, source.crs as string), at + ENTRY.area);
      out.writeUInt32LE(leafEnd(page, f) - leafOffset(page, f), at + ENTRY.length);
      out.writeUInt32LE(1, at + ENTRY.count);
      at += ENTRY_BYTES;
    }
  }
  return out.subarray(0, at);
}

const NO_COLUMNS: ReadonlySet<string> = Object.freeze(new Set<string>());

/** The entries of a coarser step: see selectCells, whose rule this is. Cells are shared out over passes that fit the memory. */
export function thin(finer: EntryFile, cells: CellGrid, path: string, memoryBytes: number): EntryFile {
  const passes = Math.max(1, Math.ceil((finer.entries * HELD_BYTES) / memoryBytes));
  const parts: EntryFile[] = [];
  for (let pass = 0; pass < passes; pass++) {
    parts.push(thinPass(finer, cells, passes === 1 ? path : `${path}.${pass}`, pass, passes));
  }
  if (passes > 1) merge(parts, path);
  const sum = (pick: (part: EntryFile) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return { path, entries: sum(part => part.entries), featureBytes: sum(part => part.featureBytes) };
}

/** Columns of a row stay below this, and rows within a quarter of it, at the steps that overviews have. */
const KEY_STRIDE = 2 ** 27;

function thinPass(finer: EntryFile, cells: CellGrid, path: string, pass: number, passes: number): EntryFile {
  let held = Buffer.alloc(CHUNK_BYTES);
  let n = 0;
  let featureBytes = 0;
  const rows = new Map<number, number>();
  const keep = (entry: Buffer): number => {
    if (n + ENTRY_BYTES > held.length) held = Buffer.concat([held, Buffer.alloc(held.length)]);
    entry.copy(held, n);
    featureBytes += entry.readUInt32LE(ENTRY.length);
    n += ENTRY_BYTES;
    return n - ENTRY_BYTES;
  };
  for (const chunk of entriesIn(finer)) {
    for (let at = 0; at < chunk.length; at += ENTRY_BYTES) {
      const entry = chunk.subarray(at, at + ENTRY_BYTES);
      const left = cells.col(entry.readDoubleLE(0));
      const right = cells.col(entry.readDoubleLE(16));
      const bottom = cells.row(entry.readDoubleLE(8));
      const top = cells.row(entry.readDoubleLE(24));
      if (right - left >= 1 || bottom - top >= 1) {
        if ((entry.readUInt32LE(ENTRY.ordinal) >>> 6) % passes === pass) keep(entry);
        continue;
      }
      const col = Math.floor((left + right) / 2);
      const row = Math.floor((bottom + top) / 2);
      if ((((col >> 6) * 31 + (row >> 6)) >>> 0) % passes !== pass) continue;
      const key = row * KEY_STRIDE + col;
      const known = rows.get(key);
      if (known === undefined) rows.set(key, keep(entry));
      else addTo(held, known, entry);
    }
  }
  const fd = openSync(path, 'wx');
  for (let at = 0; at < n; ) at += writeSync(fd, held, at, Math.min(n - at, 2 ** 24));
  closeSync(fd);
  return { path, entries: n / ENTRY_BYTES, featureBytes };
}

function addTo(held: Buffer, at: number, entry: Buffer): void {
  held.writeUInt32LE(held.readUInt32LE(at + ENTRY.count) + entry.readUInt32LE(ENTRY.count), at + ENTRY.count);
  held.writeDoubleLE(held.readDoubleLE(at + ENTRY.area) + entry.readDoubleLE(ENTRY.area), at + ENTRY.area);
}

/** Parts that are each in tree order, as one that is. */
function merge(parts: readonly EntryFile[], path: string): void {
  const heads = parts.map(part => new Cursor(entriesIn(part)));
  const fd = openSync(path, 'wx');
  let out: Buffer[] = [];
  for (;;) {
    let least: Cursor | null = null;
    for (const head of heads) if (head.entry && (!least || head.ordinal < least.ordinal)) least = head;
    if (least?.entry) {
      out.push(least.entry);
      least.next();
    }
    if (!least || out.length === 4096) {
      writeSync(fd, Buffer.concat(out));
      out = [];
    }
    if (!least) break;
  }
  closeSync(fd);
}

class Cursor {
  entry: Buffer | null = null;
  ordinal = -1;
  readonly #chunks: Generator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(chunks: Generator<Buffer>) {
    this.#chunks = chunks;
    this.next();
  }

  next(): void {
    if (this.#at === this.#chunk.length) {
      const { value, done } = this.#chunks.next();
      if (done) {
        this.entry = null;
        return;
      }
      this.#chunk = value;
      this.#at = 0;
    }
    this.entry = this.#chunk.subarray(this.#at, this.#at + ENTRY_BYTES);
    this.ordinal = Number(this.entry.readBigUInt64LE(ENTRY.ordinal));
    this.#at += ENTRY_BYTES;
  }
}
