/** A gathered window onto the grid of a job, strip by strip: where its pixels lie, then what is there. */
import { floatAxes, placeFloats } from '../../kernels/floats.ts';
import { bilinearRow, nearestRow, type RowTarget } from '../../kernels/resample.ts';
import { areaRows } from '../../kernels/resample-area.ts';
import { bilinearAxes, bilinearTaps, markAxes, nearestAxes, nearestTaps } from '../../kernels/resample-axes.ts';
import { cubicRow } from '../../kernels/resample-cubic.ts';
import { placeRgb, rgbAxes, rgbCells, rgbRows } from '../../kernels/resample-rgb.ts';
import { type Limits, wideRow } from '../../kernels/resample-wide.ts';
import { type AreaKind, areaKind, kernelOf } from '../../kernels/resampling.ts';
import { SAMPLE_TYPES, type Samples } from '../../kernels/samples.ts';
import { axesOf, CELL, fillAxes, fillMap } from '../../kernels/warp.ts';
import { freeArray } from '../../memory/segments.ts';
import type { TaskContext } from '../../plan.ts';
import type { Gathered } from './gather.ts';
import { cornerMap, type GridMap, gridMap } from './geometry.ts';
import type { ImageJob, Part } from './types.ts';

interface Canvas {
  readonly out: Samples;
  readonly outMask: Uint8Array;
}

/** Pixels of the canvas that fall outside the window are left alone. */
export function resample(job: ImageJob, part: Part, window: Gathered, canvas: Canvas, context: TaskContext): void {
  const there = gridMap(job.grid, job.placement);
  const area = areaKind(job.resampling);
  if (area !== null) byArea(job, part, window, canvas, there, area, context);
  else if (there.separable && isNarrow(job) && window.weights === null)
    byAxes(job, part, window, canvas, there, context);
  else byRows(job, part, window, canvas, there, context);
}

/** Nearest, or the four pixels of plain bilinear. */
function isNarrow({ resampling, radiusX, radiusY }: ImageJob): boolean {
  return resampling === 'nearest' || (resampling === 'bilinear' && radiusX === 1 && radiusY === 1);
}

/** What is added to a level pixel position to be in the window. */
function shiftOf({ dx, dy, window }: Part): { dx: number; dy: number } {
  return { dx: dx - window.x, dy: dy - window.y };
}

function byAxes(
  { grid, resampling, choice }: ImageJob,
  part: Part,
  window: Gathered,
  canvas: Canvas,
  { map }: GridMap,
  context: TaskContext,
): void {
  const { width, height } = grid;
  const { dx, dy } = shiftOf(part);
  const axes = axesOf(map, width, height);
  const taps = resampling === 'nearest' ? nearestTaps : bilinearTaps;
  const across = taps(axes.xs, dx, window.width);
  const down = taps(axes.ys, dy, window.height);
  const rgb = resampling === 'nearest' ? null : placeRgb(window, canvas.out);
  const floats = resampling === 'nearest' ? null : placeFloats(window, canvas.out);
  for (let y0 = 0; y0 < height; y0 += CELL) {
    context.check();
    const target = { ...canvas, y0, y1: Math.min(y0 + CELL, height) };
    if (resampling === 'nearest') nearestAxes(window, across, down, target);
    else if (rgb && rgbAxes(rgb, across, down, target)) markAxes(across, down, target);
    else if (floats && floatAxes(floats, across, down, target)) markAxes(across, down, target);
    else bilinearAxes(window, across, down, target, SAMPLE_TYPES[choice.dtype].integer);
  }
}

function byRows(
  job: ImageJob,
  part: Part,
  window: Gathered,
  canvas: Canvas,
  there: GridMap,
  context: TaskContext,
): void {
  const { width, height } = job.grid;
  const axes = there.separable ? axesOf(there.map, width, height) : null;
  const xs = new Float64Array(width * Math.min(CELL, height));
  const ys = new Float64Array(xs.length);
  const { dx, dy } = shiftOf(part);
  const rgb = isNarrow(job) && job.resampling === 'bilinear' ? placeRgb(window, canvas.out) : null;
  for (let y0 = 0; y0 < height; y0 += CELL) {
    context.check();
    const y1 = Math.min(y0 + CELL, height);
    if (rgb && !axes && rgbCells(rgb, there.map, { width, y0, y1 }, { dx, dy }, canvas, there.maxError)) continue;
    if (axes) fillAxes(axes, { width, y0, y1 }, xs, ys);
    else fillMap(there.map, { width, y0, y1 }, xs, ys, there.maxError);
    const count = width * (y1 - y0);
    for (let i = 0; i < count; i++) {
      xs[i] += dx;
      ys[i] += dy;
    }
    const target = { ...canvas, at: y0 * width, count };
    if (rgb) rgbRows(rgb, xs, ys, target);
    else rows(job, window, xs, ys, target);
  }
  freeArray(xs);
  freeArray(ys);
}

function rows(job: ImageJob, window: Gathered, xs: Float64Array, ys: Float64Array, target: RowTarget): void {
  const { resampling, radiusX, radiusY, choice } = job;
  const { integer, min, max } = SAMPLE_TYPES[choice.dtype];
  const kernel = kernelOf(resampling);
  const plain = radiusX === 1 && radiusY === 1;
  const limits: Limits = { min, max };
  if (kernel === null) nearestRow(window, xs, ys, target);
  else if (plain && resampling === 'bilinear') bilinearRow(window, xs, ys, target, integer);
  else if (plain && resampling === 'cubic') cubicRow(window, xs, ys, target, integer, limits);
  else wideRow(window, xs, ys, target, integer, { x: radiusX, y: radiusY }, kernel, kernel.overshoots ? limits : null);
}

function byArea(
  { grid, choice }: ImageJob,
  part: Part,
  window: Gathered,
  canvas: Canvas,
  { map, maxError, separable }: GridMap,
  kind: AreaKind,
  context: TaskContext,
): void {
  const { width, height } = grid;
  const { dx, dy } = shiftOf(part);
  const corner = cornerMap(map);
  const columns = width + 1;
  const axes = separable ? axesOf(corner, columns, height + 1) : null;
  const xs = new Float64Array(columns * (Math.min(CELL, height) + 1));
  const ys = new Float64Array(xs.length);
  for (let y0 = 0; y0 < height; y0 += CELL) {
    context.check();
    const y1 = Math.min(y0 + CELL, height);
    const extent = { width: columns, y0, y1: y1 + 1 };
    if (axes) fillAxes(axes, extent, xs, ys);
    else fillMap(corner, extent, xs, ys, maxError);
    for (let i = 0; i < columns * (y1 + 1 - y0); i++) {
      xs[i] += dx;
      ys[i] += dy;
    }
    const target = { ...canvas, at: y0 * width, count: width * (y1 - y0) };
    areaRows(window, { xs, ys }, width, target, kind, SAMPLE_TYPES[choice.dtype].integer);
  }
  freeArray(xs);
  freeArray(ys);
}
