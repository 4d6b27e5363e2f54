/**
 * What share of each pixel a polygon covers, exactly: every edge adds the area to its right, signed by its direction, and what lies
 * further right in the row is summed up from the left. No sampling, and the same whatever the window.
 */

/** x, y pairs in pixels, not closed twice; exteriors run one way, holes the other. */
export type Rings = readonly Float64Array[];

export interface CoverageRect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Shares below it are rounding. */
const NOTHING = 1e-9;

/** Bytes that `coverageOf` makes beside the rings. */
export function coverageBytes({ width, height }: Pick<CoverageRect, 'width' | 'height'>): number {
  return (width + 2) * height * 8 + width * height * 4;
}

export function coverageOf(rings: Rings, rect: CoverageRect): Float32Array {
  const { width, height } = rect;
  const areas = new Float64Array((width + 2) * height);
  for (const ring of rings) {
    for (let i = 0, before = ring.length - 2; i < ring.length; before = i, i += 2) {
      edge(areas, rect, ring[before] - rect.x, ring[before + 1] - rect.y, ring[i] - rect.x, ring[i + 1] - rect.y);
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    let sum = 0;
    for (let x = 0, at = y * (width + 2); x < width; x++, at++, i++) {
      sum += areas[at];
      const share = Math.abs(sum);
      out[i] = share < NOTHING ? 0 : Math.min(1, share);
    }
  }
  return out;
}

function edge(areas: Float64Array, rect: CoverageRect, ax: number, ay: number, bx: number, by: number): void {
  if (ay === by) return;
  const down = ay < by;
  const [x0, y0, x1, y1] = down ? [ax, ay, bx, by] : [bx, by, ax, ay];
  const slope = (x1 - x0) / (y1 - y0);
  const last = Math.min(rect.height, Math.ceil(y1));
  for (let row = Math.max(0, Math.floor(y0)); row < last; row++) {
    const top = Math.max(y0, row);
    const bottom = Math.min(y1, row + 1);
    if (bottom <= top) continue;
    const from = x0 + (top - y0) * slope;
    const to = x0 + (bottom - y0) * slope;
    const height = down ? bottom - top : top - bottom;
    piece(areas, row * (rect.width + 2), rect.width, Math.min(from, to), Math.max(from, to), height);
  }
}

/** Part of an edge within one row, from `left` to `right`. What is left of the window covers its rows whole, what is right nothing. */
function piece(areas: Float64Array, start: number, width: number, left: number, right: number, height: number): void {
  if (left >= width) return;
  if (right <= 0) {
    areas[start] += height;
    return;
  }
  if (right === left) {
    const column = Math.floor(left);
    areas[start + column] += height * (1 - (left - column));
    areas[start + column + 1] += height * (left - column);
    return;
  }
  const each = height / (right - left);
  if (left < 0) areas[start] += each * -left;
  const end = Math.min(right, width);
  for (let column = Math.max(0, Math.floor(left)); column < end; column++) {
    const a = Math.max(left, column);
    const b = Math.min(end, column + 1);
    const middle = (a + b) / 2 - column;
    areas[start + column] += each * (b - a) * (1 - middle);
    areas[start + column + 1] += each * (b - a) * middle;
  }
}

/** Rows that are looked at together. */
const ROWS = 64;

/** Bytes that clearOutside takes, with the rings, here and where they were made. */
export function outsideBytes(rings: Rings, { width }: { readonly width: number }): number {
  return coverageBytes({ width, height: ROWS }) + 2 * rings.reduce((sum, ring) => sum + ring.byteLength, 0);
}

interface Cleared {
  readonly samples: { fill(value: number, start: number, end: number): unknown };
  readonly bands: number;
  readonly mask: Uint8Array;
}

/** What the rings do not touch is made invalid, and nothing. `top`: the row of the rings that is the first of the picture. */
export function clearOutside(
  rings: Rings,
  { width, height }: { readonly width: number; readonly height: number },
  { samples, bands, mask }: Cleared,
  top = 0,
): void {
  for (let y = 0; y < height; y += ROWS) {
    const shares = coverageOf(rings, { x: 0, y: top + y, width, height: Math.min(ROWS, height - y) });
    for (let i = 0, p = y * width; i < shares.length; i++, p++) {
      if (shares[i] > 0) continue;
      mask[p] = 0;
      samples.fill(0, p * bands, (p + 1) * bands);
    }
  }
}
