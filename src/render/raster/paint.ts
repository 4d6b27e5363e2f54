/** The painter of a worker: gathers the windows of a job, resamples them onto its grid, and encodes what comes out. */
import { createFiles, type Files } from '../../io/files.ts';
import { configureSharp } from '../../kernels/codecs/index.ts';
import type { Range } from '../../kernels/colour.ts';
import { clearOutside } from '../../kernels/coverage.ts';
import { createPngWriter } from '../../kernels/png-strips.ts';
import { workingArray } from '../../kernels/samples.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { productOf } from './derive.ts';
import {
  type Canvas,
  COLOURS,
  CONTENT_TYPES,
  encodeCanvas,
  encodingBytes,
  picturePixels,
  stripChannels,
} from './encode.ts';
import { gather } from './gather.ts';
import { positionBytes } from './geometry.ts';
import { paintPass } from './pass.ts';
import { resample } from './resample.ts';
import { paintStatistics } from './scan.ts';
import { type BlockStore, createBlockStore } from './store.ts';
import type { ImageJob, RasterJob, Strips } from './types.ts';
import { paintPoint, toldRanges, valueRanges } from './values.ts';

export interface RasterPainterSettings {
  /** Decoded blocks that this worker keeps, bytes. */
  readonly blockCacheBytes?: number;
  readonly openFilesMax?: number;
  /** Value ranges of files that were computed for a default stretch. */
  readonly rangesMax?: number;
  /** Files of this machine only, where absent. */
  readonly files?: Files;
}

/** What other work on rasters has of a painter: decoded blocks, and the value ranges of files. */
export interface Workshop {
  readonly store: BlockStore;
  rangesOf(job: ImageJob, context: TaskContext): Promise<readonly Range[]>;
}

export interface RasterPainter {
  paint(job: RasterJob, context: TaskContext): Promise<Painted>;
  /** Other work on the same decoded blocks. */
  withStore(work: (store: BlockStore, workshop: Workshop) => Promise<Painted>): Promise<Painted>;
  /** Bytes kept between jobs. */
  readonly heldBytes: number;
  close(): void;
}

const DEFAULTS = { blockCacheBytes: 32 << 20, openFilesMax: 32, rangesMax: 256 } as const;

interface Studio {
  readonly store: BlockStore;
  readonly ranges: Map<string, readonly Range[]>;
  readonly rangesMax: number;
}

export function createRasterPainter(settings: RasterPainterSettings = {}): RasterPainter {
  const limits = { ...DEFAULTS, files: createFiles(null), ...settings };
  configureSharp();
  const studio: Studio = { store: createBlockStore(limits), ranges: new Map(), rangesMax: limits.rangesMax };
  const workshop: Workshop = { store: studio.store, rangesOf: (job, context) => stretchOf(job, studio, context) };
  return {
    async paint(job, context) {
      const started = performance.now();
      const keepBytes = job.kind === 'image' ? (job.strips?.keepBytes ?? 0) : 0;
      studio.store.enter(keepBytes);
      try {
        const painted = await paintAny(job, studio, context);
        return { ...painted, ms: performance.now() - started };
      } finally {
        studio.store.leave(keepBytes);
      }
    },
    async withStore(work) {
      const started = performance.now();
      studio.store.enter();
      try {
        return { ...(await work(studio.store, workshop)), ms: performance.now() - started };
      } finally {
        studio.store.leave();
      }
    },
    get heldBytes() {
      return studio.store.heldBytes;
    },
    close: () => studio.store.close(),
  };
}

function paintAny(job: RasterJob, studio: Studio, context: TaskContext): Promise<Painted> {
  switch (job.kind) {
    case 'image':
      return paintImage(job, studio, context);
    case 'pass':
      return paintPass(job, studio.store, context);
    case 'point':
      return paintPoint(job, studio.store, context);
    case 'statistics':
      return paintStatistics(job, studio.store, context);
  }
}

async function paintImage(job: ImageJob, studio: Studio, context: TaskContext): Promise<Painted> {
  const { choice, style, shown } = job;
  const found = job.stretch ? await stretchOf(job, studio, context) : null;
  if (job.strips) return paintStrips(job, job.strips, found, studio.store, context);
  const { canvas: read, gathered } = await paintCanvas(job, studio.store, context);
  context.check();
  const readBytes = read.samples.byteLength + read.mask.byteLength;
  const canvas = productOf(read, job.grid, job, shown);
  if (job.cutline) clearOutside(job.cutline, shown, canvas);
  const ranges = style.rescale ?? found;
  const nodata = canvas.samples === read.samples ? choice.nodata : null;
  const { body, headers } = await encodeCanvas(canvas, shown, style, nodata, ranges);
  const { samples, mask } = canvas;
  const product = { ...choice, bands: new Array(canvas.bands).fill(0), dtype: canvas.type };
  const encoding = encodingBytes(style, mask.length, product, found !== null, body.length) + body.length;
  const made = samples === read.samples ? 0 : samples.byteLength + mask.byteLength;
  const peakBytes = readBytes + Math.max(gathered, made + encoding);
  freeArray(samples);
  freeArray(mask);
  return {
    body,
    contentType: CONTENT_TYPES[style.format],
    encoding: 'identity',
    headers: { ...headers, ...toldRanges(found, ranges) },
    peakBytes,
    ms: 0,
  };
}

/** From the top down: a strip is painted, encoded and gone before the next one is begun. */
async function paintStrips(
  job: ImageJob,
  { list, alpha, keepBytes }: Strips,
  found: readonly Range[] | null,
  store: BlockStore,
  context: TaskContext,
): Promise<Painted> {
  const { grid, choice, style } = job;
  const ranges = style.rescale ?? found;
  const channels = stripChannels(style, choice, alpha);
  const writer = createPngWriter(grid.width, grid.height, COLOURS[channels]);
  let peakBytes = 0;
  for (const strip of list) {
    context.check();
    const painting = await paintCanvas({ ...job, grid: strip.grid, parts: strip.parts }, store, context);
    const { byteLength } = painting.canvas.samples;
    const canvas = productOf(painting.canvas, strip.grid, job, strip.grid);
    if (job.cutline) clearOutside(job.cutline, strip.grid, canvas, strip.y);
    const pixels = picturePixels(canvas, style, ranges, alpha);
    writer.add(pixels);
    const { samples, mask } = canvas;
    const encoding = encodingBytes(style, mask.length, choice, found !== null, pixels.length);
    peakBytes = Math.max(peakBytes, byteLength + mask.byteLength + Math.max(painting.gathered, encoding));
    for (const array of new Set([pixels, samples, mask])) freeArray(array);
  }
  const body = writer.finish();
  const { png: contentType } = CONTENT_TYPES;
  return {
    body,
    contentType,
    encoding: 'identity',
    headers: toldRanges(found, ranges),
    peakBytes: peakBytes + keepBytes + body.length,
    ms: 0,
  };
}

/** The canvas in the raster's own values, before any colour. */
export async function paintCanvas(
  job: ImageJob,
  store: BlockStore,
  context: TaskContext,
): Promise<{ canvas: Canvas; gathered: number }> {
  const { grid, choice } = job;
  const pixels = grid.width * grid.height;
  const bands = choice.bands.length;
  if (isWindow(job)) return paintWindow(job, store, context);
  const samples = workingArray(choice.dtype, pixels * bands);
  const mask = new Uint8Array(pixels);
  let gathered = 0;
  for (const part of job.parts) {
    const window = await gather(part, choice, store, context);
    gathered = Math.max(gathered, window.bytes + positionBytes(grid));
    resample(job, part, window, { out: samples, outMask: mask }, context);
    // Now, not at some garbage collection: the next job's buffers would come on top of these.
    freeArray(window.samples);
    if (window.weights) freeArray(window.weights);
  }
  return { canvas: { samples, bands, type: choice.dtype, mask }, gathered };
}

/** The grid is one window of a level as it is: nothing to resample. */
function isWindow({ aligned, parts, grid }: ImageJob): boolean {
  if (!aligned || parts.length !== 1) return false;
  const { window } = parts[0];
  return window.width === grid.width && window.height === grid.height;
}

async function paintWindow(
  { parts, choice }: ImageJob,
  store: BlockStore,
  context: TaskContext,
): Promise<{ canvas: Canvas; gathered: number }> {
  const { samples, bands, weights } = await gather(parts[0], choice, store, context);
  const mask = weights ?? new Uint8Array(samples.length / bands).fill(255);
  // What is invalid is nothing in a canvas, whatever the file holds there.
  if (weights) for (let i = 0; i < mask.length; i++) if (mask[i] === 0) samples.fill(0, i * bands, (i + 1) * bands);
  return { canvas: { samples, bands, type: choice.dtype, mask }, gathered: 0 };
}

/** Computed once a file and choice of bands, then remembered. */
async function stretchOf(
  job: ImageJob,
  { store, ranges, rangesMax }: Studio,
  context: TaskContext,
): Promise<readonly Range[]> {
  const { choice, derive, style } = job;
  const { ref } = (job.stretch ?? [])[0].level;
  const making = JSON.stringify([derive, style.scales, style.offsets, style.percentiles]);
  const key = `${ref.version} ${ref.href} ${choice.bands.join()} ${choice.nodata} ${choice.alpha} ${making}`;
  const known = ranges.get(key);
  if (known) return known;
  const found = await valueRanges(job, store, context);
  if (ranges.size >= rangesMax) ranges.delete(ranges.keys().next().value as string);
  ranges.set(key, found);
  return found;
}
