/** Blocks into one window: interleaved samples of the wanted bands, and a weight a pixel that says how valid it is. */
import { lacksFloats } from '../../kernels/floats.ts';
import type { WindowPixels } from '../../kernels/resample.ts';
import { SAMPLE_TYPES, type Samples, workingArray } from '../../kernels/samples.ts';
import type { TaskContext } from '../../plan.ts';
import type { FetchedBlock } from '../../source/tiff/blocks.ts';
import type { BlockStore, LevelBlocks } from './store.ts';
import type { BandChoice, BlockRead, LevelRead, Rect, WindowRead } from './types.ts';
import type { AheadBytes } from './underway.ts';

export interface Gathered extends WindowPixels {
  readonly bytes: number;
}

interface Target {
  readonly samples: Samples;
  /** Null as long as every pixel is known to be valid. */
  weights: Uint8Array | null;
  readonly window: Rect;
  readonly choice: BandChoice;
}

export async function gather(
  read: WindowRead,
  choice: BandChoice,
  store: BlockStore,
  context: TaskContext,
  /** What was asked for ahead of several windows. */
  given?: AheadBytes,
): Promise<Gathered> {
  const fill = choice.nodata ?? 0;
  const ahead = given ?? store.ahead(blocksIn(read, fill), context);
  if (given || !ahead) return gatherFrom(read, choice, fill, store, context, ahead);
  try {
    return await gatherFrom(read, choice, fill, store, context, ahead);
  } finally {
    ahead.close();
  }
}

/** In the order in which they are gathered. */
export function blocksIn({ level, blocks, mask }: WindowRead, fill: number): LevelBlocks[] {
  return mask
    ? [
        { level, blocks, fill },
        { ...mask, fill: 0 },
      ]
    : [{ level, blocks, fill }];
}

async function gatherFrom(
  read: WindowRead,
  choice: BandChoice,
  fill: number,
  store: BlockStore,
  context: TaskContext,
  ahead: AheadBytes | undefined,
): Promise<Gathered> {
  const { window } = read;
  const pixels = window.width * window.height;
  const samples = workingArray(choice.dtype, pixels * choice.bands.length);
  // Where blocks are left out, or alpha decides, pixels start as invalid.
  const target: Target = {
    samples,
    weights: read.gaps || choice.alpha >= 0 ? new Uint8Array(pixels) : null,
    window,
    choice,
  };
  for (const place of read.blocks) {
    context.check();
    const found = store.block(read.level, place, { fill, rows: rowsOf(read.level, place, window), ahead });
    copyBlock(target, read.level, place, found instanceof Promise ? await found : found);
  }
  if (choice.premultiplied) undoPremultiply(target);
  if (read.mask) {
    for (const place of read.mask.blocks) {
      context.check();
      const found = store.block(read.mask.level, place, {
        fill: 0,
        rows: rowsOf(read.mask.level, place, window),
        ahead,
      });
      applyMask(target, read.mask.level, place, found instanceof Promise ? await found : found);
    }
  }
  applyLacks(target, read.mask || Number.isNaN(choice.nodata) ? null : choice.nodata);
  const { weights } = target;
  const bytes = samples.byteLength + (weights?.byteLength ?? 0);
  return { samples, bands: choice.bands.length, width: window.width, height: window.height, weights, bytes };
}

/** The part of a block that lies in the window. */
interface Overlap {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Block's corner in the level. */
  readonly left: number;
  readonly top: number;
}

function overlap({ format, width, height }: LevelRead, { column, row }: BlockRead, window: Rect): Overlap {
  const left = column * format.blockWidth;
  const top = row * format.blockHeight;
  return {
    left,
    top,
    x0: Math.max(left, window.x),
    y0: Math.max(top, window.y),
    x1: Math.min(left + format.blockWidth, width, window.x + window.width),
    y1: Math.min(top + format.blockHeight, height, window.y + window.height),
  };
}

/** Rows of a block down to the last that the window wants. */
function rowsOf(level: LevelRead, place: BlockRead, window: Rect): number {
  const { y1, top } = overlap(level, place, window);
  return Math.max(0, y1 - top);
}

function weightsOf(target: Target): Uint8Array {
  target.weights ??= new Uint8Array(target.window.width * target.window.height).fill(255);
  return target.weights;
}

function copyBlock(target: Target, level: LevelRead, place: BlockRead, block: FetchedBlock): void {
  const { window, choice, samples, weights } = target;
  const { x0, y0, x1, y1, left, top } = overlap(level, place, window);
  const run = x1 - x0;
  if (run <= 0 || y1 <= y0) return;
  const planar = level.format.planar === 2;
  const { bands } = choice;
  const whole = !planar && bands.length === block.samples && bands.every((band, i) => band === i);
  for (let y = y0; y < y1; y++) {
    const from = ((y - top) * block.width + (x0 - left)) * block.samples;
    const pixel = (y - window.y) * window.width + (x0 - window.x);
    if (whole) samples.set(block.data.subarray(from, from + run * block.samples), pixel * bands.length);
    else if (planar) copyPlane(block.data, from, samples, pixel, run, bands, place.plane);
    else copyBands(block.data, from, block.samples, samples, pixel * bands.length, run, bands);
    if (weights) copyWeights(block, from, weights, pixel, run, planar, choice, place.plane);
  }
  if (block.mask) applyBlockMask(target, block, { x0, y0, x1, y1, left, top });
}

function copyBands(
  from: FetchedBlock['data'],
  at: number,
  step: number,
  to: Samples,
  start: number,
  run: number,
  bands: readonly number[],
): void {
  const n = bands.length;
  for (let b = 0; b < n; b++) {
    const end = start + run * n;
    for (let s = at + bands[b], d = start + b; d < end; s += step, d += n) to[d] = from[s];
  }
}

/** A plane may be wanted more than once (bidx=1,1), or only as alpha. */
function copyPlane(
  from: FetchedBlock['data'],
  at: number,
  to: Samples,
  pixel: number,
  run: number,
  bands: readonly number[],
  plane: number,
): void {
  for (let b = 0; b < bands.length; b++) {
    if (bands[b] !== plane) continue;
    for (let i = 0, d = pixel * bands.length + b; i < run; i++, d += bands.length) to[d] = from[at + i];
  }
}

/** Read pixels are valid, or as valid as their alpha says. */
function copyWeights(
  block: FetchedBlock,
  from: number,
  weights: Uint8Array,
  pixel: number,
  run: number,
  planar: boolean,
  { alpha, dtype }: BandChoice,
  plane: number,
): void {
  if (alpha < 0) {
    weights.fill(255, pixel, pixel + run);
    return;
  }
  if (planar && plane !== alpha) return;
  const { integer, max } = SAMPLE_TYPES[dtype];
  const factor = integer ? 255 / max : 255;
  const step = planar ? 1 : block.samples;
  for (let i = 0, s = from + (planar ? 0 : alpha); i < run; i++, s += step) {
    const a = block.data[s] * factor;
    // Anything but nothing counts for something: 1 of 65535 is still drawn.
    weights[pixel + i] = a > 0 ? Math.min(255, Math.max(1, a + 0.5)) : 0;
  }
}

function applyBlockMask(target: Target, block: FetchedBlock, { x0, y0, x1, y1, left, top }: Overlap): void {
  const mask = block.mask as Uint8Array;
  const { window } = target;
  const weights = weightsOf(target);
  for (let y = y0; y < y1; y++) {
    let m = (y - top) * block.width + (x0 - left);
    let p = (y - window.y) * window.width + (x0 - window.x);
    for (let x = x0; x < x1; x++, m++, p++) if (mask[m] === 0) weights[p] = 0;
  }
}

function applyMask(target: Target, level: LevelRead, place: BlockRead, block: FetchedBlock): void {
  const { window } = target;
  const { x0, y0, x1, y1, left, top } = overlap(level, place, window);
  const weights = weightsOf(target);
  for (let y = y0; y < y1; y++) {
    let m = ((y - top) * block.width + (x0 - left)) * block.samples;
    let p = (y - window.y) * window.width + (x0 - window.x);
    for (let x = x0; x < x1; x++, m += block.samples, p++) if (block.data[m] === 0) weights[p] = 0;
  }
}

/** Most windows lack nothing: of float32 that is found out first. */
function applyLacks(target: Target, nodata: number | null): void {
  const { samples, choice } = target;
  if (samples instanceof Float32Array && !lacksFloats(samples, nodata)) return;
  if (nodata !== null) applyNodata(target, nodata);
  if (!SAMPLE_TYPES[choice.dtype].integer) applyNaN(target);
}

/**
 * Invalid where every band holds nodata: a black pixel in one band of a picture is a colour. Doubles are often float32
 * values that somebody widened, and their nodata was written with fewer digits: those compare as float32.
 */
function applyNodata(target: Target, value: number): void {
  const { samples, choice } = target;
  if (samples instanceof Float64Array && !Number.isSafeInteger(value))
    applyRoughNodata(target, samples, Math.fround(value));
  else applyExactNodata(target, samples, choice.bands.length, value);
}

function applyRoughNodata(target: Target, samples: Float64Array, nodata: number): void {
  const n = target.choice.bands.length;
  const weights = weightsOf(target);
  for (let p = 0, s = 0; s < samples.length; p++, s += n) {
    let b = 0;
    while (b < n && Math.fround(samples[s + b]) === nodata) b++;
    if (b === n) weights[p] = 0;
  }
}

function applyExactNodata(target: Target, samples: Samples, n: number, nodata: number): void {
  let { weights } = target;
  for (let p = 0, s = 0; s < samples.length; p++, s += n) {
    let b = 0;
    while (b < n && samples[s + b] === nodata) b++;
    if (b < n) continue;
    weights ??= weightsOf(target);
    weights[p] = 0;
  }
}

/** NaN is never a value, whatever the file says of nodata; one band without a value makes the pixel invalid. */
function applyNaN(target: Target): void {
  const { samples, choice } = target;
  const n = choice.bands.length;
  let { weights } = target;
  for (let s = 0; s < samples.length; s++) {
    if (!Number.isNaN(samples[s])) continue;
    weights ??= weightsOf(target);
    weights[(s / n) | 0] = 0;
  }
}

function undoPremultiply({ samples, weights, choice }: Target): void {
  if (!weights) return;
  const n = choice.bands.length;
  const { integer, max } = SAMPLE_TYPES[choice.dtype];
  for (let p = 0, s = 0; p < weights.length; p++, s += n) {
    const alpha = weights[p];
    if (alpha === 0 || alpha === 255) continue;
    for (let b = 0; b < n; b++) {
      const v = (samples[s + b] * 255) / alpha;
      samples[s + b] = integer ? Math.min(max, Math.round(v)) : v;
    }
  }
}
