/**
 * Average, root mean square and mode: of the source pixels that lie under an output pixel; the first two by how much of each does. As
 * GDAL's warper takes it, what lies under an output pixel is the box between the images of its top left and bottom right
 * corners. Invalid pixels do not count; where none is valid there is nothing.
 */
import type { RowTarget, WindowPixels } from './resample.ts';
import type { AreaKind } from './resampling.ts';

/** Positions computed to land on a pixel's edge may miss it by rounding. */
const EDGE = 1e-6;

/** Corners of the pixels of some rows: (count + 1) positions a row, one row more than there are rows. */
export interface Corners {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
}

/** The box under one pixel, cut to the window. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** `to.count` must be whole rows of `width` pixels. */
export function areaRows(
  from: WindowPixels,
  corners: Corners,
  width: number,
  to: RowTarget,
  kind: AreaKind,
  round: boolean,
) {
  const box: Box = { left: 0, top: 0, right: 0, bottom: 0 };
  const rows = to.count / width;
  const sums = new Float64Array(from.bands);
  const votes: Votes = { values: [], counts: [] };
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const a = y * (width + 1) + x;
      if (!boxUnder(corners, a, a + width + 2, from, box)) continue;
      const pixel = to.at + y * width + x;
      if (kind === 'mode') mode(from, box, to, pixel, votes);
      else average(from, box, to, pixel, sums, kind === 'rms', round);
    }
  }
}

function boxUnder({ xs, ys }: Corners, a: number, b: number, { width, height }: WindowPixels, box: Box): boolean {
  box.left = Math.max(0, Math.min(xs[a], xs[b]));
  box.right = Math.min(width, Math.max(xs[a], xs[b]));
  box.top = Math.max(0, Math.min(ys[a], ys[b]));
  box.bottom = Math.min(height, Math.max(ys[a], ys[b]));
  // A corner without an image is NaN, and so is its box.
  return box.right > box.left && box.bottom > box.top;
}

/** How much of pixel i lies between low and high. */
function share(i: number, low: number, high: number): number {
  return Math.min(i + 1, high) - Math.max(i, low);
}

function firstOf(low: number): number {
  return Math.floor(low + EDGE);
}

function lastOf(high: number): number {
  return Math.ceil(high - EDGE) - 1;
}

function average(
  { samples, bands, width, weights }: WindowPixels,
  box: Box,
  { out, outMask }: RowTarget,
  pixel: number,
  sums: Float64Array,
  squares: boolean,
  round: boolean,
): void {
  sums.fill(0);
  let total = 0;
  let area = 0;
  const [x0, x1] = [firstOf(box.left), lastOf(box.right)];
  for (let y = firstOf(box.top); y <= lastOf(box.bottom); y++) {
    const high = share(y, box.top, box.bottom);
    for (let x = x0; x <= x1; x++) {
      const own = high * share(x, box.left, box.right);
      area += own;
      const p = y * width + x;
      const w = weights === null ? own : (own * weights[p]) / 255;
      if (!(w > 0)) continue;
      total += w;
      for (let n = 0, s = p * bands; n < bands; n++, s++)
        sums[n] += w * (squares ? samples[s] * samples[s] : samples[s]);
    }
  }
  if (!(total > 0)) return;
  outMask[pixel] = weights === null ? 255 : Math.min(255, Math.max(1, Math.floor((total / area) * 255 + 0.5)));
  for (let n = 0; n < bands; n++) {
    const v = squares ? Math.sqrt(sums[n] / total) : sums[n] / total;
    out[pixel * bands + n] = round ? Math.floor(v + 0.5) : v;
  }
}

interface Votes {
  readonly values: number[];
  readonly counts: number[];
}

/** Of several values with the most votes, the one that had so many first. */
function mode(from: WindowPixels, box: Box, { out, outMask }: RowTarget, pixel: number, votes: Votes): void {
  const { samples, bands, width, weights } = from;
  const [x0, x1] = [firstOf(box.left), lastOf(box.right)];
  let valid = false;
  for (let n = 0; n < bands; n++) {
    votes.values.length = votes.counts.length = 0;
    let best = -1;
    for (let y = firstOf(box.top); y <= lastOf(box.bottom); y++) {
      for (let x = x0; x <= x1; x++) {
        const p = y * width + x;
        if (weights !== null && weights[p] === 0) continue;
        const at = vote(votes, samples[p * bands + n]);
        if (best < 0 || votes.counts[at] > votes.counts[best]) best = at;
      }
    }
    if (best < 0) continue;
    valid = true;
    out[pixel * bands + n] = votes.values[best];
  }
  if (valid) outMask[pixel] = 255;
}

function vote({ values, counts }: Votes, value: number): number {
  const known = values.indexOf(value);
  if (known >= 0) {
    counts[known]++;
    return known;
  }
  counts.push(1);
  return values.push(value) - 1;
}
