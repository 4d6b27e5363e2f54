/**
 * Where output pixels lie in the source. The exact way there (a projection a pixel) is dear, so it is taken at nine points of
 * each cell, and between them goes the parabola through them, as long as that misses the truth by less than `maxError` source
 * pixels: a cell that misses more is divided, down to single pixels, which are exact. So poles and discontinuities
 * cost more but are never wrong. A plan walks the same cells as the painter, so it knows exactly what will be touched.
 */

/** From output pixels (0,0 = top left corner) to source pixels; false where there is no image. */
export type PixelMap = (x: number, y: number, out: Float64Array, at: number) => boolean;

export interface Extent {
  readonly width: number;
  readonly y0: number;
  readonly y1: number;
}

/** x, y of the source at a cell's left edge, middle and right edge, in its top, its middle and its bottom row of points. */
export type Patch = Float64Array;

export interface CellSink {
  /** Pixels x0 ≤ x < x1, y0 ≤ y < y1. */
  cell(x0: number, y0: number, x1: number, y1: number, patch: Patch): void;
  /** One pixel, exact at its centre. */
  pixel(x: number, y: number, sourceX: number, sourceY: number): void;
}

/** Height of the first cells, output pixels. */
export const CELL = 32;

/** And their width: a strip of them is as wide as the picture, and few need more points. */
const WIDE = 2 * CELL;

/**
 * Error a cell may have, source pixels. GDAL allows itself 0.125; here nearest is to pick the pixel that the exact way picks, and
 * what is enlarged twenty times to be right in every output pixel.
 */
export const MAX_ERROR = 0.0002;

interface Walk {
  readonly map: PixelMap;
  readonly sink: CellSink;
  readonly maxError: number;
  readonly probe: Float64Array;
}

/** y0 of the extent must be a multiple of CELL, so that any strip of an image sees the same cells as the whole. */
export function walkCells(map: PixelMap, extent: Extent, sink: CellSink, maxError = MAX_ERROR): void {
  const { width, y0, y1 } = extent;
  const walk: Walk = { map, sink, maxError, probe: new Float64Array(2) };
  const columns = Math.ceil(width / WIDE);
  const points = (2 * columns + 1) * 2;
  let top = new Float64Array(points);
  const middle = new Float64Array(points);
  let bottom = new Float64Array(points);
  const patch = new Float64Array(18);
  nodes(walk, top, width, y0);
  for (let y = y0; y < y1; y += CELL) {
    const next = Math.min(y + CELL, y1);
    nodes(walk, middle, width, (y + next) / 2);
    nodes(walk, bottom, width, next);
    for (let c = 0; c < columns; c++) {
      for (let i = 0; i < 6; i++) {
        patch[i] = top[c * 4 + i];
        patch[i + 6] = middle[c * 4 + i];
        patch[i + 12] = bottom[c * 4 + i];
      }
      visit(walk, c * WIDE, y, Math.min((c + 1) * WIDE, width), next, patch);
    }
    const used = top;
    top = bottom;
    bottom = used;
  }
}

/** Of a row of cells: their edges and middles. */
function nodes(walk: Walk, row: Float64Array, width: number, y: number): void {
  for (let i = 0; i < row.length; i += 4) {
    const x = Math.min((i / 4) * WIDE, width);
    node(walk, x, y, row, i);
    if (i + 2 < row.length) node(walk, (x + Math.min(x + WIDE, width)) / 2, y, row, i + 2);
  }
}

function node({ map }: Walk, x: number, y: number, out: Float64Array, at: number): void {
  if (!map(x, y, out, at)) out[at] = out[at + 1] = Number.NaN;
}

function visit(walk: Walk, x0: number, y0: number, x1: number, y1: number, patch: Patch): void {
  const missing = countMissing(patch);
  if (missing === 0 && accurate(walk, x0, y0, x1, y1, patch)) {
    walk.sink.cell(x0, y0, x1, y1, patch);
  } else if (x1 - x0 <= 1 && y1 - y0 <= 1) {
    const { probe } = walk;
    if (walk.map(x0 + 0.5, y0 + 0.5, probe, 0)) walk.sink.pixel(x0, y0, probe[0], probe[1]);
  } else if (missing < 9 || !emptyInside(walk, x0, y0, x1, y1)) {
    divide(walk, x0, y0, x1, y1);
  }
}

/** In two where it is twice as long as wide, or in four. */
function divide(walk: Walk, x0: number, y0: number, x1: number, y1: number): void {
  const [width, height] = [x1 - x0, y1 - y0];
  const xs = width > 1 && 2 * width > height ? [x0, (x0 + x1) >> 1, x1] : [x0, x1];
  const ys = height > 1 && 2 * height > width ? [y0, (y0 + y1) >> 1, y1] : [y0, y1];
  const patch = new Float64Array(18);
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < xs.length; i++) {
      for (let k = 0; k < 9; k++) {
        const x = xs[i] + ((xs[i + 1] - xs[i]) * (k % 3)) / 2;
        const y = ys[j] + ((ys[j + 1] - ys[j]) * Math.floor(k / 3)) / 2;
        node(walk, x, y, patch, k * 2);
      }
      visit(walk, xs[i], ys[j], xs[i + 1], ys[j + 1], patch);
    }
  }
}

function countMissing(patch: Patch): number {
  let n = 0;
  for (let i = 0; i < 18; i += 2) if (!(Number.isFinite(patch[i]) && Number.isFinite(patch[i + 1]))) n++;
  return n;
}

/**
 * The truth against the parabolas where they are furthest from a curve of the third degree, on both sides: what bends too much in
 * x and what does in y may make up for each other at one of the two, but not at both.
 */
function accurate(walk: Walk, x0: number, y0: number, x1: number, y1: number, patch: Patch): boolean {
  if (walk.maxError === Infinity) return true;
  return (
    near(walk, x0, y0, x1, y1, patch, FURTHEST, FURTHEST) && near(walk, x0, y0, x1, y1, patch, FURTHEST, 1 - FURTHEST)
  );
}

/** Where t(t − ½)(t − 1) is largest. */
const FURTHEST = 0.5 - Math.sqrt(1 / 12);

function near(
  { map, probe, maxError }: Walk,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  patch: Patch,
  u: number,
  v: number,
): boolean {
  if (!map(x0 + (x1 - x0) * u, y0 + (y1 - y0) * v, probe, 0)) return false;
  return (
    Math.abs(patchAt(patch, 0, u, v) - probe[0]) <= maxError && Math.abs(patchAt(patch, 1, u, v) - probe[1]) <= maxError
  );
}

/** x (axis 0) or y (1) at a share of the cell's width and height. */
export function patchAt(patch: Patch, axis: 0 | 1, u: number, v: number): number {
  const left = parabola(patch[axis], patch[axis + 6], patch[axis + 12], v);
  const middle = parabola(patch[axis + 2], patch[axis + 8], patch[axis + 14], v);
  return parabola(left, middle, parabola(patch[axis + 4], patch[axis + 10], patch[axis + 16], v), u);
}

/** Through a at 0, b at ½ and c at 1; made of differences, which keep their digits. */
function parabola(a: number, b: number, c: number, t: number): number {
  return a + t * (steepness(a, b, c) + t * bend(a, b, c));
}

function steepness(a: number, b: number, c: number): number {
  return 4 * (b - a) - (c - a);
}

function bend(a: number, b: number, c: number): number {
  return 2 * (a - b + (c - b));
}

/** No corner has an image; looks at nine points inside before it believes that nothing else has one. */
function emptyInside({ map, probe }: Walk, x0: number, y0: number, x1: number, y1: number): boolean {
  for (let j = 1; j <= 3; j++) {
    for (let i = 1; i <= 3; i++) {
      if (map(x0 + ((x1 - x0) * i) / 4, y0 + ((y1 - y0) * j) / 4, probe, 0)) return false;
    }
  }
  return true;
}

/**
 * The same where x of the source depends on the column only and y on the row only (north-up rasters in web mercator,
 * degrees and other cylindrical systems): exact for every pixel, at width + height projections.
 */
export function axesOf(map: PixelMap, width: number, height: number): { xs: Float64Array; ys: Float64Array } {
  const xs = new Float64Array(width).fill(Number.NaN);
  const ys = new Float64Array(height).fill(Number.NaN);
  const at = new Float64Array(2);
  for (let i = 0; i < width; i++) if (map(i + 0.5, height / 2, at, 0)) xs[i] = at[0];
  for (let j = 0; j < height; j++) if (map(width / 2, j + 0.5, at, 0)) ys[j] = at[1];
  return { xs, ys };
}

/** Writes the source position of every pixel centre of the rows y0 ≤ y < y1, row by row; NaN where there is none. */
export function fillMap(map: PixelMap, extent: Extent, xs: Float64Array, ys: Float64Array, maxError = MAX_ERROR): void {
  const { width, y0, y1 } = extent;
  const count = width * (y1 - y0);
  xs.fill(Number.NaN, 0, count);
  ys.fill(Number.NaN, 0, count);
  const sink: CellSink = {
    pixel(x, y, sourceX, sourceY) {
      xs[(y - y0) * width + x] = sourceX;
      ys[(y - y0) * width + x] = sourceY;
    },
    cell(cx0, cy0, cx1, cy1, patch) {
      for (let y = cy0; y < cy1; y++) {
        const v = (y + 0.5 - cy0) / (cy1 - cy0);
        const at = (y - y0) * width + cx0;
        fillRow(patch, 0, v, xs, at, cx1 - cx0);
        fillRow(patch, 1, v, ys, at, cx1 - cx0);
      }
    },
  };
  walkCells(map, extent, sink, maxError);
}

function fillRow(patch: Patch, axis: 0 | 1, v: number, out: Float64Array, at: number, count: number): void {
  const a = parabola(patch[axis], patch[axis + 6], patch[axis + 12], v);
  const b = parabola(patch[axis + 2], patch[axis + 8], patch[axis + 14], v);
  const c = parabola(patch[axis + 4], patch[axis + 10], patch[axis + 16], v);
  const first = steepness(a, b, c) / count;
  const second = bend(a, b, c) / (count * count);
  for (let i = 0.5; i < count; i++, at++) out[at] = a + i * (first + i * second);
}

export function fillAxes(
  axes: { readonly xs: Float64Array; readonly ys: Float64Array },
  { width, y0, y1 }: Extent,
  xs: Float64Array,
  ys: Float64Array,
): void {
  for (let y = y0; y < y1; y++) {
    xs.set(axes.xs, (y - y0) * width);
    ys.fill(axes.ys[y], (y - y0) * width, (y - y0 + 1) * width);
  }
}
