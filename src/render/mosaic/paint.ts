/** The painter of mosaics: a member is painted, its values are taken into what is kept, and it is gone before the next. */
import type { Range } from '../../kernels/colour.ts';
import { clearOutside } from '../../kernels/coverage.ts';
import {
  addTo,
  createSums,
  fill,
  isOrdered,
  meanOf,
  type Picture,
  type PixelSelection,
  type Sums,
  takeExtreme,
} from '../../kernels/pixel-selection.ts';
import { workingArray } from '../../kernels/samples.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { productOf } from '../raster/derive.ts';
import { CONTENT_TYPES, encodeCanvas, encodingBytes } from '../raster/encode.ts';
import { paintCanvas, type Workshop } from '../raster/paint.ts';
import type { OutputGrid } from '../raster/types.ts';
import { placesJson, placesValues, toldRanges } from '../raster/values.ts';
import type { MosaicImageJob, MosaicJob, MosaicPlacesJob } from './types.ts';

const PLAIN = { scales: null, offsets: null } as const;

export function paintMosaic(job: MosaicJob, workshop: Workshop, context: TaskContext): Promise<Painted> {
  return job.kind === 'image' ? paintImage(job, workshop, context) : paintPlaces(job, workshop, context);
}

async function paintImage(job: MosaicImageJob, workshop: Workshop, context: TaskContext): Promise<Painted> {
  const { style, grid, shown, cutline } = job;
  const found = job.ranging ? await rangesOf(job, workshop, context) : null;
  const { picture, peak } = await paintMembers(job, workshop, context);
  const heldBytes = picture.samples.byteLength + picture.mask.byteLength;
  const canvas = productOf(picture, grid, { derive: job.derive, style: PLAIN }, shown);
  if (cutline) clearOutside(cutline, shown, canvas);
  const ranges = style.rescale ?? found;
  // The members are unscaled already.
  const done = { ...style, ...PLAIN };
  const { body, headers } = await encodeCanvas(canvas, shown, done, job.nodata, ranges);
  const { samples, mask } = canvas;
  const choice = { ...job.members[0].job.choice, bands: new Array(canvas.bands).fill(0), dtype: canvas.type };
  const encoding = encodingBytes(done, mask.length, choice, found !== null, body.length) + body.length;
  const made = samples === picture.samples ? 0 : samples.byteLength + mask.byteLength;
  freeArray(samples);
  freeArray(mask);
  return {
    body,
    contentType: CONTENT_TYPES[style.format],
    encoding: 'identity',
    headers: { ...headers, ...toldRanges(found, ranges) },
    peakBytes: Math.max(peak, heldBytes + made + encoding),
    ms: 0,
  };
}

/** From the lowest low to the highest high of the files that are looked at, band by band. */
async function rangesOf(
  { ranging }: MosaicImageJob,
  { rangesOf: of }: Workshop,
  context: TaskContext,
): Promise<Range[]> {
  const all: Range[] = [];
  for (const file of ranging ?? []) {
    context.check();
    for (const [band, [low, high]] of (await of(file, context)).entries())
      all[band] = all[band] ? [Math.min(all[band][0], low), Math.max(all[band][1], high)] : [low, high];
  }
  return all;
}

async function paintMembers(
  { members, grid, selection }: MosaicImageJob,
  { store }: Workshop,
  context: TaskContext,
): Promise<{ picture: Picture; peak: number }> {
  const keeper = keeperOf(selection, grid);
  let peak = 0;
  for (const { row, job } of members) {
    context.check();
    const { canvas, gathered } = await paintCanvas(job, store, context);
    const readBytes = canvas.samples.byteLength + canvas.mask.byteLength;
    const values = productOf(canvas, job.grid, job, job.grid);
    const madeBytes = values.samples === canvas.samples ? 0 : values.samples.byteLength;
    peak = Math.max(peak, keeper.bytes() + readBytes + Math.max(gathered, madeBytes));
    if (keeper.take(values, row)) break;
  }
  return { picture: keeper.done(), peak };
}

/** What is kept of the members so far. */
interface Keeper {
  /** Rows from `row` on, whose picture is its own from now on. True: no other can change anything any more. */
  take(values: Picture, row: number): boolean;
  done(): Picture;
  bytes(): number;
}

type Size = Pick<OutputGrid, 'width' | 'height'>;

function keeperOf(selection: PixelSelection, size: Size): Keeper {
  return selection === 'mean' ? meanKeeper(size) : pictureKeeper(selection, size);
}

function pictureKeeper(selection: Exclude<PixelSelection, 'mean'>, { width, height }: Size): Keeper {
  let kept: Picture | null = null;
  const pixels = width * height;
  const put = (into: Picture, values: Picture): boolean => {
    if (isOrdered(selection)) return fill(into, values) === 0;
    takeExtreme(into, values, selection === 'highest' ? 1 : -1);
    return false;
  };
  return {
    take(values, row) {
      if (kept === null && values.mask.length === pixels) {
        kept = values;
        return isOrdered(selection) && values.mask.every(mask => mask === 255);
      }
      const { bands, type, mask } = values;
      kept ??= { samples: workingArray(type, pixels * bands), bands, type, mask: new Uint8Array(pixels) };
      const full = put(rowsFrom(kept, row * width, mask.length), values) && kept.mask.every(known => known === 255);
      freePicture(values);
      return full;
    },
    done: () => kept as Picture,
    bytes: () => (kept ? kept.samples.byteLength + kept.mask.byteLength : 0),
  };
}

/** A view of some of its pixels. */
function rowsFrom({ samples, bands, type, mask }: Picture, from: number, count: number): Picture {
  const to = from + count;
  return { samples: samples.subarray(from * bands, to * bands), bands, type, mask: mask.subarray(from, to) };
}

function meanKeeper({ width, height }: Size): Keeper {
  let sums: Sums | null = null;
  return {
    take(values, row) {
      sums ??= createSums(width * height, values.bands, values.type);
      addTo(sums, values, row * width);
      freePicture(values);
      return false;
    },
    done() {
      const picture = meanOf(sums as Sums);
      freeArray((sums as Sums).sums);
      freeArray((sums as Sums).counts);
      return picture;
    },
    bytes: () => (sums ? sums.sums.byteLength + sums.counts.byteLength + sums.mask.byteLength : 0),
  };
}

function freePicture({ samples, mask }: Picture): void {
  freeArray(samples);
  freeArray(mask);
}

type Row = (number | null)[];

async function paintPlaces(job: MosaicPlacesJob, { store }: Workshop, context: TaskContext): Promise<Painted> {
  const { members, selection, integer } = job;
  let all: Row[] = [];
  let counts: number[][] = [];
  let bytes = 0;
  for (const member of members) {
    context.check();
    const { values, bytes: read } = await placesValues(member, store, context);
    bytes = Math.max(bytes, read);
    if (all.length === 0) {
      all = values;
      counts = values.map(row => row.map(value => (value === null ? 0 : 1)));
    } else for (const [at, row] of values.entries()) takeRow(selection, all[at], row, counts[at]);
  }
  if (selection === 'mean') for (const [at, row] of all.entries()) meanRow(row, counts[at], integer);
  return placesJson(job, all, bytes);
}

function takeRow(selection: PixelSelection, into: Row, from: Row, counts: number[]): void {
  const first = selection === 'first' || selection === 'last';
  if (first && into.some(value => value !== null)) return;
  for (const [band, value] of from.entries()) {
    if (value === null) continue;
    const known = into[band];
    if (known === null || first) into[band] = value;
    else if (selection === 'mean') into[band] = known + value;
    else into[band] = selection === 'highest' ? Math.max(known, value) : Math.min(known, value);
    counts[band]++;
  }
}

function meanRow(row: Row, counts: readonly number[], integer: boolean): void {
  for (const [band, sum] of row.entries()) {
    if (sum === null) continue;
    const mean = sum / counts[band];
    row[band] = integer ? Math.trunc(mean) : mean;
  }
}
