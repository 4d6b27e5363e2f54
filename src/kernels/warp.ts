/**
 * Where output pixels lie in the source. The exact way there (a projection a pixel) is dear, so it is taken at the
 * corners of cells, and between them it is interpolated as long as that misses the truth by less than `maxError` source
 * pixels: a cell that misses more is quartered, down to single pixels, which are exact. So poles and discontinuities
 * cost more but are never wrong. A plan walks the same cells as the painter, so it knows exactly what will be touched.
 */

/** From output pixels (0,0 = top left corner) to source pixels; false where there is no image. */
export type PixelMap = (x: number, y: number, out: Float64Array, at: number) => boolean;

export interface Extent {
  readonly width: number;
  readonly y0: number;
  readonly y1: number;
}

export interface CellSink {
  /** Pixels x0 ≤ x < x1, y0 ≤ y < y1; corners is x, y of the source at (x0,y0), (x1,y0), (x0,y1), (x1,y1). */
  cell(x0: number, y0: number, x1: number, y1: number, corners: Float64Array): void;
  /** One pixel, exact at its centre. */
  pixel(x: number, y: number, sourceX: number, sourceY: number): void;
}

/** Side of the first cells, output pixels. 256 px tiles get the 9 × 9 control points that are known to be enough. */
export const CELL = 32;

/** Interpolation error a cell may have, source pixels: far below the 0.125 that GDAL allows itself. */
export const MAX_ERROR = 0.04;

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
  const columns = Math.ceil(width / CELL);
  const top = new Float64Array((columns + 1) * 2);
  const bottom = new Float64Array((columns + 1) * 2);
  const corners = new Float64Array(8);
  nodes(walk, top, width, y0);
  for (let y = y0; y < y1; y += CELL) {
    const next = Math.min(y + CELL, y1);
    nodes(walk, bottom, width, next);
    for (let c = 0; c < columns; c++) {
      corners.set(top.subarray(c * 2, c * 2 + 4), 0);
      corners.set(bottom.subarray(c * 2, c * 2 + 4), 4);
      visit(walk, c * CELL, y, Math.min((c + 1) * CELL, width), next, corners);
    }
    top.set(bottom);
  }
}

function nodes({ map }: Walk, row: Float64Array, width: number, y: number): void {
  for (let i = 0; i < row.length; i += 2) {
    if (!map(Math.min((i / 2) * CELL, width), y, row, i)) row[i] = row[i + 1] = Number.NaN;
  }
}

function visit(walk: Walk, x0: number, y0: number, x1: number, y1: number, c: Float64Array): void {
  const missing = countMissing(c);
  if (missing === 0 && accurate(walk, x0, y0, x1, y1, c)) {
    walk.sink.cell(x0, y0, x1, y1, c);
  } else if (x1 - x0 <= 1 && y1 - y0 <= 1) {
    const { probe } = walk;
    if (walk.map(x0 + 0.5, y0 + 0.5, probe, 0)) walk.sink.pixel(x0, y0, probe[0], probe[1]);
  } else if (missing < 4 || !emptyInside(walk, x0, y0, x1, y1)) {
    quarter(walk, x0, y0, x1, y1);
  }
}

function quarter(walk: Walk, x0: number, y0: number, x1: number, y1: number): void {
  const xs = x1 - x0 > 1 ? [x0, (x0 + x1) >> 1, x1] : [x0, x1];
  const ys = y1 - y0 > 1 ? [y0, (y0 + y1) >> 1, y1] : [y0, y1];
  const c = new Float64Array(8);
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < xs.length; i++) {
      for (let k = 0; k < 4; k++) {
        if (!walk.map(xs[i + (k & 1)], ys[j + (k >> 1)], c, k * 2)) c[k * 2] = c[k * 2 + 1] = Number.NaN;
      }
      visit(walk, xs[i], ys[j], xs[i + 1], ys[j + 1], c);
    }
  }
}

function countMissing(c: Float64Array): number {
  let n = 0;
  for (let i = 0; i < 8; i += 2) if (!(Number.isFinite(c[i]) && Number.isFinite(c[i + 1]))) n++;
  return n;
}

/**
 * The truth at the centre and on the top and left edges against what interpolation says there. Not at the middles of the edges:
 * where a cell lies evenly about the equator, what bends there bends back, and the middle is right while the rest is not. So far
 * from the middle a bend is seen with 0.84 of its height.
 */
function accurate(walk: Walk, x0: number, y0: number, x1: number, y1: number, c: Float64Array): boolean {
  if (walk.maxError === Infinity) return true;
  return (
    near(walk, x0, y0, x1, y1, c, 0.5, 0.5, 1) &&
    near(walk, x0, y0, x1, y1, c, OFF_MIDDLE, 0, SEEN) &&
    near(walk, x0, y0, x1, y1, c, 0, OFF_MIDDLE, SEEN)
  );
}

const OFF_MIDDLE = 0.3;
const SEEN = 4 * OFF_MIDDLE * (1 - OFF_MIDDLE);

function near(
  { map, probe, maxError }: Walk,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  c: Float64Array,
  u: number,
  v: number,
  share: number,
): boolean {
  if (!map(x0 + (x1 - x0) * u, y0 + (y1 - y0) * v, probe, 0)) return false;
  const x = (c[0] * (1 - u) + c[2] * u) * (1 - v) + (c[4] * (1 - u) + c[6] * u) * v;
  const y = (c[1] * (1 - u) + c[3] * u) * (1 - v) + (c[5] * (1 - u) + c[7] * u) * v;
  return Math.abs(x - probe[0]) <= maxError * share && Math.abs(y - probe[1]) <= maxError * share;
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
    cell(cx0, cy0, cx1, cy1, c) {
      const w = cx1 - cx0;
      const h = cy1 - cy0;
      for (let y = cy0; y < cy1; y++) {
        const v = (y + 0.5 - cy0) / h;
        const left = c[0] + (c[4] - c[0]) * v;
        const leftY = c[1] + (c[5] - c[1]) * v;
        const stepX = (c[2] + (c[6] - c[2]) * v - left) / w;
        const stepY = (c[3] + (c[7] - c[3]) * v - leftY) / w;
        let at = (y - y0) * width + cx0;
        for (let i = 0.5; i < w; i++, at++) {
          xs[at] = left + stepX * i;
          ys[at] = leftY + stepY * i;
        }
      }
    },
  };
  walkCells(map, extent, sink, maxError);
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
