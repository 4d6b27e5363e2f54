/**
 * Where blocks are: TileOffsets and TileByteCounts. A table that is small is loaded whole at open and checked against the
 * file; a huge one is read in pages as blocks are asked for, a bounded number of which stay.
 */
import { problem } from '../../errors.ts';
import { numbersOf, type TagPlace, type TiffReader } from './ifd.ts';
import { TYPES } from './tags.ts';

export interface BlockRange {
  readonly offset: number;
  readonly length: number;
}

export interface BlockTable {
  range(index: number): BlockRange | Promise<BlockRange>;
  readonly residentBytes: number;
  /** The first block that does not lie inside the file, as a sentence; null where all do or the table is paged. */
  readonly complaint: string | null;
}

/** Blocks of a table that is kept whole: 12 bytes each. */
export const WHOLE_TABLE_BLOCKS = 65536;
const PAGE_BLOCKS = 4096;
const PAGES_KEPT = 16;
const ENTRY_BYTES = 12;

interface Span {
  readonly from: number;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

export interface TablePlaces {
  readonly offsets: TagPlace;
  /** Absent in old uncompressed files: every block then has its raw length. */
  readonly lengths: TagPlace | null;
  readonly blocks: number;
  /** Raw bytes of the block, when its length is not told or is overlong for uncompressed data; else null. */
  readonly rawBytes: ((index: number) => number) | null;
}

export async function openTable(tiff: TiffReader, places: TablePlaces): Promise<BlockTable> {
  if (places.blocks <= WHOLE_TABLE_BLOCKS) {
    const span = await loadSpan(tiff, places, 0, places.blocks);
    return {
      range: index => rangeIn(tiff, places, span, index),
      residentBytes: places.blocks * ENTRY_BYTES,
      complaint: firstComplaint(tiff, places, span),
    };
  }
  return pagedTable(tiff, places);
}

function pagedTable(tiff: TiffReader, places: TablePlaces): BlockTable {
  const pages = new Map<number, Span | Promise<Span>>();
  const load = async (page: number): Promise<Span> => {
    const from = page * PAGE_BLOCKS;
    try {
      const span = await loadSpan(tiff, places, from, Math.min(PAGE_BLOCKS, places.blocks - from));
      pages.set(page, span);
      return span;
    } catch (error) {
      // A failed read must not fail every later one.
      pages.delete(page);
      throw error;
    }
  };
  const range = (index: number): BlockRange | Promise<BlockRange> => {
    const page = Math.floor(index / PAGE_BLOCKS);
    let span = pages.get(page);
    pages.delete(page);
    span ??= load(page);
    pages.set(page, span);
    if (pages.size > PAGES_KEPT) pages.delete(pages.keys().next().value!);
    if (span instanceof Promise) return span.then(loaded => rangeIn(tiff, places, loaded, index));
    return rangeIn(tiff, places, span, index);
  };
  return { range, residentBytes: PAGES_KEPT * PAGE_BLOCKS * ENTRY_BYTES, complaint: null };
}

async function loadSpan(tiff: TiffReader, places: TablePlaces, from: number, count: number): Promise<Span> {
  const offsets = await loadPart(tiff, places.offsets, from, count);
  const lengths = places.lengths ? await loadPart(tiff, places.lengths, from, count) : null;
  const span = { from, offsets: Float64Array.from(offsets), lengths: new Uint32Array(count) };
  for (let i = 0; i < count; i++) {
    const raw = places.rawBytes?.(from + i);
    const told = lengths ? lengths[i] : offsets[i] === 0 ? 0 : raw!;
    // Uncompressed data is as long as it is; a longer count only means padding, and libtiff does not mind it.
    const length = raw === undefined ? told : Math.min(told, raw);
    span.lengths[i] = Math.min(length, 0xffffffff);
  }
  return span;
}

async function loadPart(tiff: TiffReader, place: TagPlace, from: number, count: number): Promise<number[]> {
  const { size } = TYPES[place.type];
  const view = await tiff.at(place.offset + from * size, count * size);
  return numbersOf(view, { ...place, count }, tiff.littleEndian);
}

function rangeIn(tiff: TiffReader, places: TablePlaces, span: Span, index: number): BlockRange {
  if (!(index >= 0 && index < places.blocks)) {
    throw problem('internal', `block ${index} of ${places.blocks} was asked for`);
  }
  const offset = span.offsets[index - span.from];
  const length = span.lengths[index - span.from];
  if (isSparse(offset, length)) return { offset: 0, length: 0 };
  const { size, href } = tiff.bytes.ref;
  if (!inside(offset, length, size)) {
    throw problem('corrupt-data', `${href}: block ${index} at byte ${offset}+${length} lies outside the file`);
  }
  return { offset, length };
}

/** GDAL writes both as 0; a length of 0 with an offset holds no data either. */
function isSparse(offset: number, length: number): boolean {
  return length === 0 || (offset === 0 && length === 0);
}

function inside(offset: number, length: number, size: number): boolean {
  return offset >= 8 && offset + length <= size;
}

function firstComplaint(tiff: TiffReader, places: TablePlaces, span: Span): string | null {
  const { size } = tiff.bytes.ref;
  for (let i = 0; i < places.blocks; i++) {
    const offset = span.offsets[i];
    const length = span.lengths[i];
    if (!isSparse(offset, length) && !inside(offset, length, size)) {
      return `block ${i} of ${places.blocks} is at byte ${offset}+${length} of a file of ${size} bytes`;
    }
  }
  return null;
}
