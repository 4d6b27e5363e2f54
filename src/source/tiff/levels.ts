/** Directories → levels: which is the image, which are overviews, which are masks, and where the blocks of each are. */

import type { Level } from '../types.ts';
import { type Geometry, geometryOf } from './format.ts';
import { type Directory, one, type TagPlace, type TiffReader } from './ifd.ts';
import { type Findings, refusal } from './reasons.ts';
import { type BlockRange, type BlockTable, openTable } from './tables.ts';
import { TAG } from './tags.ts';

/** What one decoded block may take, unless the operator allows more. */
export const BLOCK_BYTES_MAX = 32 * 1024 * 1024;
/** Uncompressed strips larger than this are read in parts of about this size: rows are where they are. */
const SPLIT_BYTES = 512 * 1024;
/** Blocks a level may have: beyond, indices would lose precision long before memory does. */
const BLOCKS_MAX = 2 ** 40;

const REDUCED = 1;
const PAGE = 2;
const MASK = 4;

export interface OpenLevel extends Level {
  readonly residentBytes: number;
}

/** One directory with the file it is in. */
export interface Image {
  readonly tiff: TiffReader;
  readonly directory: Directory;
}

export interface Sorted {
  readonly overviews: readonly Image[];
  readonly masks: readonly Image[];
}

/** Sorts all but the main image. `external`: in an .ovr every directory that is no mask is an overview. */
export function sortImages(images: readonly Image[], external: boolean, findings: Findings): Sorted {
  const overviews: Image[] = [];
  const masks: Image[] = [];
  for (const image of images) {
    const kind = one(image.directory, TAG.NewSubfileType, 0);
    if (kind & MASK) masks.push(image);
    else if (kind & REDUCED || external) overviews.push(image);
    else {
      const page = kind & PAGE ? 'a page' : 'an image of its own';
      findings.note('tiff-pages-ignored', `directory ${image.directory.index} is ${page}; only the first is served`);
    }
  }
  return { overviews, masks };
}

/** Null where a reason was found. */
export async function openLevel(
  image: Image,
  mask: OpenLevel | null,
  blockBytesMax: number,
  findings: Findings,
): Promise<OpenLevel | null> {
  const { tiff, directory } = image;
  const geometry = geometryOf(directory, tiff.littleEndian, findings);
  if (!geometry) return null;
  const places = placesOf(directory, geometry, findings);
  if (!places) return null;
  const split = splitStrips(geometry);
  const format = { ...geometry.format, blockHeight: geometry.format.blockHeight / split };
  const decodedBlockBytes = decodedBytes(format.blockWidth, format.blockHeight, geometry);
  if (decodedBlockBytes > blockBytesMax) {
    const detail = `a block of ${format.blockWidth}×${format.blockHeight} decodes to ${decodedBlockBytes} bytes, more than ${blockBytesMax}`;
    findings.reason('tiff-block-too-large', `directory ${directory.index}: ${detail}`);
    return null;
  }
  const table = await openTable(tiff, places);
  if (table.complaint) findings.reason('tiff-offset-past-eof', `directory ${directory.index}: ${table.complaint}`);
  return {
    width: geometry.width,
    height: geometry.height,
    format,
    blocksAcross: Math.ceil(geometry.width / format.blockWidth),
    blocksDown: Math.ceil(geometry.height / format.blockHeight),
    decodedBlockBytes,
    blockRange: split === 1 ? table.range : splitRange(table, geometry, split),
    mask,
    ref: tiff.bytes.ref,
    residentBytes: table.residentBytes,
  };
}

/** Bytes after decoding: float16 widens to 4, bits to a byte, 64-bit integers to doubles of as many bytes. */
function decodedBytes(blockWidth: number, blockHeight: number, { format }: Geometry): number {
  const size = format.dtype === 'float16' ? 4 : Math.max(1, format.bits / 8);
  return blockWidth * blockHeight * size * (format.planar === 1 ? format.samples : 1);
}

function rowBytesOf({ format, width }: Geometry): number {
  return Math.ceil((width * (format.planar === 1 ? format.samples : 1) * format.bits) / 8);
}

function placesOf(directory: Directory, geometry: Geometry, findings: Findings) {
  const { format, width, height } = geometry;
  const tiled = format.layout === 'tile';
  const offsets =
    directory.tables.get(tiled ? TAG.TileOffsets : TAG.StripOffsets) ?? directory.tables.get(TAG.StripOffsets);
  const lengths =
    directory.tables.get(tiled ? TAG.TileByteCounts : TAG.StripByteCounts) ?? directory.tables.get(TAG.StripByteCounts);
  const across = Math.ceil(width / format.blockWidth);
  const down = Math.ceil(height / format.blockHeight);
  const blocks = across * down * (format.planar === 2 ? format.samples : 1);
  const where = `directory ${directory.index}`;
  if (!offsets || (!lengths && format.compression !== 1)) {
    findings.reason('tiff-table-missing', `${where} has no table of its ${blocks} blocks`);
    return null;
  }
  const short = shorter(offsets, lengths);
  if (blocks > BLOCKS_MAX || short < blocks) {
    findings.reason('tiff-table-short', `${where} has ${blocks} blocks but its tables have ${short} entries`);
    return null;
  }
  return { offsets, lengths: lengths ?? null, blocks, rawBytes: rawBytesOf(geometry, down) };
}

function shorter(offsets: TagPlace, lengths: TagPlace | undefined): number {
  return lengths ? Math.min(offsets.count, lengths.count) : offsets.count;
}

/** Length of an uncompressed block from the geometry alone; null for compressed data. */
function rawBytesOf(geometry: Geometry, down: number): ((index: number) => number) | null {
  const { format, height } = geometry;
  if (format.compression !== 1) return null;
  if (format.layout === 'tile') {
    const samples = format.planar === 1 ? format.samples : 1;
    const raw = Math.ceil((format.blockWidth * samples * format.bits) / 8) * format.blockHeight;
    return () => raw;
  }
  const row = rowBytesOf(geometry);
  return index => row * Math.min(format.blockHeight, height - (index % down) * format.blockHeight);
}

/** In how many parts each strip is read. 1 for all but large uncompressed strips. */
function splitStrips(geometry: Geometry): number {
  const { format } = geometry;
  if (format.compression !== 1 || format.layout !== 'strip') return 1;
  const row = rowBytesOf(geometry);
  const rows = format.blockHeight;
  if (row * rows <= SPLIT_BYTES) return 1;
  // Parts must be equal, so that a block's place follows from its index: the fewest parts that divide the rows.
  for (let parts = Math.ceil((row * rows) / SPLIT_BYTES); parts < rows; parts++) if (rows % parts === 0) return parts;
  return rows;
}

function splitRange(table: BlockTable, geometry: Geometry, split: number) {
  const { format, height } = geometry;
  const row = rowBytesOf(geometry);
  const part = format.blockHeight / split;
  const partsDown = Math.ceil(height / part);
  const stripsDown = Math.ceil(height / format.blockHeight);
  const within = (strip: BlockRange, index: number): BlockRange => {
    const down = index % partsDown;
    const skip = (down % split) * part * row;
    const length = Math.min(part, height - down * part) * row;
    if (strip.length === 0) return strip;
    // Too short a strip: the decoder says so when it is read.
    return { offset: strip.offset + skip, length: Math.max(1, Math.min(length, strip.length - skip)) };
  };
  return (index: number): BlockRange | Promise<BlockRange> => {
    const plane = Math.floor(index / partsDown);
    const strip = table.range(plane * stripsDown + Math.floor((index % partsDown) / split));
    return strip instanceof Promise ? strip.then(range => within(range, index)) : within(strip, index);
  };
}

/** Coarser levels of the same image with their masks, finest first. What does not fit the main image is left out with a note. */
export async function openOverviews(
  base: OpenLevel,
  { overviews, masks }: Sorted,
  blockBytesMax: number,
  findings: Findings,
): Promise<OpenLevel[]> {
  const levels: OpenLevel[] = [];
  for (const image of overviews) {
    const width = one(image.directory, TAG.ImageWidth, 0);
    const height = one(image.directory, TAG.ImageLength, 0);
    const ignore = (why: string) =>
      findings.note('tiff-overview-ignored', `the overview of ${width}×${height} is not used: ${why}`);
    const mask = base.mask ? await openMask(masks, width, height, blockBytesMax, findings) : null;
    const level = await openLevel(image, mask, blockBytesMax, findings);
    if (!level) continue;
    if (width > base.width || height > base.height || width * height >= base.width * base.height) ignore('not smaller');
    else if (level.format.samples !== base.format.samples) ignore(`${level.format.samples} samples a pixel`);
    else if (level.format.dtype !== base.format.dtype) ignore(`its samples are ${level.format.dtype}`);
    else if (base.mask && !mask) ignore('the image has a mask, it has none');
    else levels.push(level);
  }
  return levels.sort((a, b) => b.width * b.height - a.width * a.height);
}

/** The mask of that size, if there is one. */
export async function openMask(
  masks: readonly Image[],
  width: number,
  height: number,
  blockBytesMax: number,
  findings: Findings,
): Promise<OpenLevel | null> {
  for (const image of masks) {
    const { directory, tiff } = image;
    if (one(directory, TAG.ImageWidth, 0) !== width || one(directory, TAG.ImageLength, 0) !== height) continue;
    const level = await openLevel(image, null, blockBytesMax, findings);
    if (level && level.format.dtype === 'uint8') return level;
    findings.reason('tiff-mask-unsupported', `the mask in directory ${directory.index} cannot be read`);
    if (!level) return null;
    throw refusal('tiff-mask-unsupported', `the mask holds ${level.format.dtype}`, tiff.bytes.ref.href);
  }
  return null;
}
