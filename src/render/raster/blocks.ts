/** From a window of a level to the blocks that must be read for it, with their places in the file. */
import { mergedCost, mergeRanges } from '../../io/http/merge.ts';
import { workingBytes } from '../../kernels/samples.ts';
import { placeOf } from '../../source/tiff/blocks.ts';
import type { Level, RasterSource } from '../../source/types.ts';
import type { BandChoice, BlockRead, BlockTable, LevelRead, Rect, WindowRead } from './types.ts';

/** Blocks wanted, as row × blocksAcross + column. */
export type BlockSet = ReadonlySet<number>;

export function blocksOf(level: Level, window: Rect): Set<number> {
  const { blockWidth, blockHeight } = level.format;
  const out = new Set<number>();
  const lastRow = Math.floor((window.y + window.height - 1) / blockHeight);
  const lastColumn = Math.floor((window.x + window.width - 1) / blockWidth);
  for (let row = Math.floor(window.y / blockHeight); row <= lastRow; row++) {
    for (let column = Math.floor(window.x / blockWidth); column <= lastColumn; column++) {
      out.add(row * level.blocksAcross + column);
    }
  }
  return out;
}

export async function planRead(
  source: RasterSource,
  index: number,
  window: Rect,
  choice: BandChoice,
  wanted: BlockSet | null,
  signal: AbortSignal,
): Promise<WindowRead> {
  const level = source.levels[index];
  const all = blocksOf(level, window);
  const chosen = wanted ?? all;
  const planes =
    level.format.planar === 1 ? [0] : [...new Set([...choice.bands, ...(choice.alpha >= 0 ? [choice.alpha] : [])])];
  const blocks = await locate(level, chosen, planes, signal);
  const { mask } = level;
  return {
    level: levelRead(level, index),
    window,
    blocks,
    gaps: chosen.size < all.size,
    mask: mask
      ? {
          level: levelRead(mask, index),
          blocks: await locate(mask, maskBlocks(level, mask, window, wanted), [0], signal),
        }
      : null,
  };
}

/** The mask may be cut into other blocks than the image; then all of the window's are read. */
function maskBlocks(level: Level, mask: Level, window: Rect, wanted: BlockSet | null): BlockSet {
  const same =
    mask.format.blockWidth === level.format.blockWidth && mask.format.blockHeight === level.format.blockHeight;
  return same && wanted ? wanted : blocksOf(mask, window);
}

function levelRead(level: Level, index: number): LevelRead {
  const { width, height, format, ref } = level;
  return { index, width, height, format, ref };
}

async function locate(
  level: Level,
  wanted: BlockSet,
  planes: readonly number[],
  signal: AbortSignal,
): Promise<BlockRead[]> {
  const { blocksAcross, blocksDown } = level;
  const out: BlockRead[] = [];
  for (const plane of planes) {
    for (const block of [...wanted].sort((a, b) => a - b)) {
      signal.throwIfAborted();
      const found = placeOf(level, plane * blocksAcross * blocksDown + block);
      out.push(found instanceof Promise ? await found : found);
    }
  }
  return out;
}

/** Where the blocks of a rectangle are, however many: two numbers a block. */
export async function tableOf(
  level: Level,
  index: number,
  { x, y, width, height }: Rect,
  planes: readonly number[],
  signal: AbortSignal,
): Promise<BlockTable> {
  const { format, blocksAcross, blocksDown } = level;
  const column = Math.floor(x / format.blockWidth);
  const row = Math.floor(y / format.blockHeight);
  const columns = Math.floor((x + width - 1) / format.blockWidth) - column + 1;
  const rows = Math.floor((y + height - 1) / format.blockHeight) - row + 1;
  const offsets = new Float64Array(planes.length * rows * columns);
  const lengths = new Float64Array(offsets.length);
  let at = 0;
  for (const plane of planes) {
    for (let r = row; r < row + rows; r++) {
      signal.throwIfAborted();
      for (let c = column; c < column + columns; c++, at++) {
        const found = placeOf(level, (plane * blocksDown + r) * blocksAcross + c);
        const place = found instanceof Promise ? await found : found;
        offsets[at] = place.offset;
        lengths[at] = place.length;
      }
    }
  }
  return { level: levelRead(level, index), column, row, columns, rows, planes, offsets, lengths };
}

/** Encoded bytes of all blocks. In a file of this machine each is read for itself, so nothing is read between them. */
export function inputBytes(read: WindowRead): number {
  const blocks = allBlocks(read);
  const { remote } = read.level.ref;
  if (remote) return mergedCost(blocks, remote.aheadBytes).bytes;
  return blocks.reduce((sum, { length }) => sum + length, 0);
}

/** Blocks are read one after the other: the largest is all that is held, and what is read ahead from another server. */
export function heldInputBytes(reads: readonly WindowRead[]): number {
  let most = 0;
  for (const read of reads) {
    const blocks = allBlocks(read);
    const { remote } = read.level.ref;
    if (remote) most = Math.max(most, mergedCost(blocks, remote.aheadBytes).heldBytes);
    else for (const { length } of blocks) most = Math.max(most, length);
  }
  return most;
}

/** Requests to another server, where none of the blocks is decoded yet. */
export function requestsOf(reads: readonly WindowRead[]): number {
  return reads.reduce((sum, read) => {
    const { remote } = read.level.ref;
    return sum + (remote ? mergeRanges(allBlocks(read), remote.aheadBytes).length : 0);
  }, 0);
}

/** The same of windows that one job asks for ahead all together, in their order. */
export function inputTogether(reads: readonly WindowRead[]): { inputBytes: number; heldInputBytes: number } {
  const remote = reads[0]?.level.ref.remote;
  if (!remote) {
    return {
      inputBytes: reads.reduce((sum, read) => sum + inputBytes(read), 0),
      heldInputBytes: heldInputBytes(reads),
    };
  }
  const { bytes, heldBytes } = mergedCost(reads.flatMap(allBlocks), remote.aheadBytes);
  return { inputBytes: bytes, heldInputBytes: heldBytes };
}

function allBlocks({ blocks, mask }: WindowRead): readonly BlockRead[] {
  return mask ? [...blocks, ...mask.blocks] : blocks;
}

export function blockCount(read: WindowRead): number {
  return read.blocks.length + (read.mask?.blocks.length ?? 0);
}

/**
 * Bytes alive while a window is gathered: the window, a weight a pixel, one block decoded (twice: codecs may change its
 * form) and its encoded bytes are part of the input.
 */
export function gatherBytes(read: WindowRead, source: RasterSource, choice: BandChoice): number {
  const pixels = read.window.width * read.window.height;
  const level = source.levels[read.level.index];
  const block = Math.max(level.decodedBlockBytes, level.mask?.decodedBlockBytes ?? 0);
  return pixels * (choice.bands.length * workingBytes(choice.dtype) + 1) + 2 * block;
}
