/**
 * Makes a shadow overview: each block of a level is read once, in the order of the file, and is gone before the next one; what
 * comes out is its finest level, and the coarser ones are made of that. It rests between blocks, for the tiles that its thread owes.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Bytes } from '../../io/bytes.ts';
import type { Files } from '../../io/files.ts';
import { createShrink, type Piece, type Shrink, type ShrinkSettings, shrinkBytes } from '../../kernels/shrink.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import type { FetchedBlock } from '../../source/tiff/blocks.ts';
import type { Rect } from '../raster/types.ts';
import { SHADOW_BLOCK, type ShadowLayout, type ShadowPart } from './layout.ts';
import { createMaskReader, type MaskReader, maskOf, readBlock } from './mask.ts';
import { type ShadowJob, sameGrid } from './plan.ts';
import { partView, rowWriter } from './store.ts';

export async function buildShadow(job: ShadowJob, files: Files, context: TaskContext): Promise<Painted> {
  const started = performance.now();
  const { layout, table, mask, shrink } = job;
  const body = new Uint8Array(layout.bytes);
  const file = files.open(table.level.ref);
  const maskFile = mask && files.open(mask.level.ref);
  try {
    const masks = mask && maskFile && createMaskReader(mask, maskFile, !sameGrid(mask.level, table.level));
    const settings = settingsOf(job, table.level, layout.parts[0], table.level.format.blockHeight);
    const into = createShrink({ ...settings, row: rowWriter(layout, layout.parts[0], body) });
    const encoded = new Uint8Array(table.lengths.reduce((most, length) => Math.max(most, length), 0));
    const largest = await readAll(job, { file, masks, context, encoded }, into);
    freeArray(encoded);
    for (let i = 1; i < layout.parts.length; i++) await shrinkAgain(job, i, body, context);
    const peakBytes = layout.bytes + shrinkBytes(settings) + 2 * largest;
    const { method } = shrink;
    const answer = { contentType: 'application/octet-stream', encoding: 'identity' as const, headers: { method } };
    return { body, ...answer, peakBytes, ms: performance.now() - started };
  } finally {
    file.close();
    maskFile?.close();
  }
}

function settingsOf(
  { shrink }: ShadowJob,
  from: { readonly width: number; readonly height: number },
  to: ShadowPart,
  pieceRows: number,
): Omit<ShrinkSettings, 'row'> {
  const { width, height } = from;
  return { ...shrink, width, height, outWidth: to.width, outHeight: to.height, pieceRows };
}

interface Reading {
  readonly file: Bytes;
  /** Where encoded blocks are read to, one after the other. */
  readonly encoded: Uint8Array;
  readonly masks: MaskReader | null;
  readonly context: TaskContext;
}

/** Answers with the bytes of the largest block. */
async function readAll(job: ShadowJob, reading: Reading, into: Shrink): Promise<number> {
  const { level, columns, rows } = job.table;
  const { blockWidth, blockHeight } = level.format;
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    const y = row * blockHeight;
    const height = Math.min(blockHeight, level.height - y);
    for (let column = 0; column < columns; column++) {
      reading.context.check();
      await turn();
      const x = column * blockWidth;
      const rect = { x, y, width: Math.min(blockWidth, level.width - x), height };
      largest = Math.max(largest, await addBlocks(job, reading, { column, row }, rect, into));
    }
    into.done(y + height);
  }
  return largest;
}

/** The block at a place, or one a plane. */
async function addBlocks(
  job: ShadowJob,
  { file, masks, encoded }: Reading,
  place: { readonly column: number; readonly row: number },
  rect: Rect,
  into: Shrink,
): Promise<number> {
  const { table, shrink } = job;
  const planar = table.level.format.planar === 2;
  const masked = masks ? await masks.valid(rect) : null;
  const beside = planar && shrink.alpha >= 0 ? await blockAt(job, file, place, shrink.alpha, encoded) : null;
  let bytes = 0;
  for (const plane of table.planes) {
    const block = plane === shrink.alpha && beside ? beside : await blockAt(job, file, place, plane, encoded);
    bytes = Math.max(bytes, block.data.byteLength);
    const alpha = beside ?? (shrink.alpha >= 0 ? block : null);
    const valid = masked ?? maskOf(block, alpha, planar ? 0 : shrink.alpha, rect);
    into.add(pieceOf(block, planar ? plane : 0, rect, valid));
    if (block !== beside) free(block);
  }
  if (beside) free(beside);
  return bytes;
}

function pieceOf(block: FetchedBlock, band: number, rect: Rect, valid: Uint8Array | null): Piece {
  return { ...rect, data: block.data, rowPixels: block.width, pixelSamples: block.samples, band, valid };
}

function free({ data, mask }: FetchedBlock): void {
  freeArray(data);
  if (mask) freeArray(mask);
}

async function blockAt(
  { table, shrink }: ShadowJob,
  file: Bytes,
  { column, row }: { readonly column: number; readonly row: number },
  plane: number,
  encoded: Uint8Array,
): Promise<FetchedBlock> {
  return readBlock(table, file, column, row, plane, shrink.nodata ?? 0, encoded);
}

/** A level out of the one before it. */
async function shrinkAgain(job: ShadowJob, index: number, body: Uint8Array, context: TaskContext): Promise<void> {
  const { layout, shrink } = job;
  const [from, to] = [layout.parts[index - 1], layout.parts[index]];
  const into = createShrink({ ...settingsOf(job, from, to, SHADOW_BLOCK), row: rowWriter(layout, to, body) });
  const held = partView(layout, from, body);
  for (let row = 0; row < from.down; row++) {
    context.check();
    await turn();
    const y = row * SHADOW_BLOCK;
    const height = Math.min(SHADOW_BLOCK, from.height - y);
    for (let column = 0; column < from.across; column++) {
      const x = column * SHADOW_BLOCK;
      const rect = { x, y, width: Math.min(SHADOW_BLOCK, from.width - x), height };
      const block = heldBlock(layout, from, body, held, row * from.across + column);
      into.add(pieceOf(block, 0, rect, maskOf(block, block, shrink.alpha, rect)));
    }
    into.done(y + height);
  }
}

/** A view, not a copy. */
function heldBlock(
  layout: ShadowLayout,
  part: ShadowPart,
  body: Uint8Array,
  held: FetchedBlock['data'],
  index: number,
): FetchedBlock {
  const pixels = SHADOW_BLOCK * SHADOW_BLOCK;
  const { samples } = layout;
  const maskAt = part.maskOffset + index * pixels;
  return {
    data: held.subarray(index * pixels * samples, (index + 1) * pixels * samples),
    mask: part.maskOffset < 0 ? null : body.subarray(maskAt, maskAt + pixels),
    width: SHADOW_BLOCK,
    height: SHADOW_BLOCK,
    samples,
    rest: null,
  };
}
