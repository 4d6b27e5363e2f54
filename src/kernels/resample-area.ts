/**
 * Average, root mean square and mode: of the source pixels that lie under an output pixel; the first two by how much of each does. As
 * GDAL's warper takes it, what lies under an output pixel is the box between the images of its top left and bottom right
 * corners. Invalid pixels do not count; where none is valid there is nothing.
 */
import type { RowTarget, WindowPixels } from './resample.ts';
import type { AreaKind } from './resampling.ts';

/** Positions computed to land on a pixel's edge may miss it by rounding: what is under a pixel by less than this is beside it. */
const ROUNDING = 1e-6;

/**
 * GDAL sees what is there by more than this. Where nothing else is valid it makes an output pixel valid here too; in a sum it would
 * weigh nothing, in a vote it would count like any other.
 */
const SLIVER = 1e-10;

/** Corners of the pixels of some rows: (count + 1) positions a row, one row more than there are rows. */
export interface Corners {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
}

/** The box under one pixel, cut to the window, and the first and last column and row that it reaches. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
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
  const box: Box = { left: 0, top: 0, right: 0, bottom: 0, x0: 0, y0: 0, x1: 0, y1: 0 };
  const rows = to.count / width;
  const sums = new Float64Array(from.bands);
  const votes: Votes = { values: [], counts: [] };
  const paint = (pixel: number) =>
    kind === 'mode' ? mode(from, box, to, pixel, votes) : average(from, box, to, pixel, sums, kind === 'rms', round);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const a = y * (width + 1) + x;
      if (!boxUnder(corners, a, a + width + 2, from, box)) continue;
      const pixel = to.at + y * width + x;
      reach(box, from, ROUNDING);
      if (paint(pixel) || from.weights === null) continue;
      const { x0, y0, x1, y1 } = box;
      reach(box, from, SLIVER);
      if (x0 !== box.x0 || y0 !== box.y0 || x1 !== box.x1 || y1 !== box.y1) paint(pixel);
    }
  }
}

/** False beside the window; one that is as thin as a line is under its pixel nevertheless. */
function boxUnder({ xs, ys }: Corners, a: number, b: number, { width, height }: WindowPixels, box: Box): boolean {
  const left = Math.min(xs[a], xs[b]);
  const right = Math.max(xs[a], xs[b]);
  const top = Math.min(ys[a], ys[b]);
  const bottom = Math.max(ys[a], ys[b]);
  box.left = Math.max(0, left);
  box.right = Math.min(width, right);
  box.top = Math.max(0, top);
  box.bottom = Math.min(height, bottom);
  // A corner without an image is NaN, and so is its box.
  return right > ROUNDING && left < width - ROUNDING && bottom > ROUNDING && top < height - ROUNDING;
}

/** Sets the columns and rows that lie under it by more than `least`, one of each at least. */
function reach(box: Box, { width, height }: WindowPixels, least: number): void {
  box.x0 = Math.min(width - 1, Math.floor(box.left + least));
  box.y0 = Math.min(height - 1, Math.floor(box.top + least));
  box.x1 = Math.max(box.x0, Math.ceil(box.right - least) - 1);
  box.y1 = Math.max(box.y0, Math.ceil(box.bottom - least) - 1);
}

/** How much of pixel i lies between low and high. */
function share(i: number, low: number, high: number): number {
  return Math.min(i + 1, high) - Math.max(i, low);
}

/** False where nothing is valid. */
function average(
  { samples, bands, width, weights }: WindowPixels,
  box: Box,
  { out, outMask }: RowTarget,
  pixel: number,
  sums: Float64Array,
  squares: boolean,
  round: boolean,
): boolean {
  const { x0, y0, x1, y1 } = box;
  // Of a single column or row it does not matter how much there is: a box may be as thin as a line.
  const left = x0 === x1 ? x0 : box.left;
  const right = x0 === x1 ? x0 + 1 : box.right;
  const top = y0 === y1 ? y0 : box.top;
  const bottom = y0 === y1 ? y0 + 1 : box.bottom;
  sums.fill(0);
  let total = 0;
  let area = 0;
  for (let y = y0; y <= y1; y++) {
    const high = share(y, top, bottom);
    for (let x = x0; x <= x1; x++) {
      const own = high * share(x, left, right);
      area += own;
      const p = y * width + x;
      const w = weights === null ? own : (own * weights[p]) / 255;
      if (!(w > 0)) continue;
      total += w;
      for (let n = 0, s = p * bands; n < bands; n++, s++)
        sums[n] += w * (squares ? samples[s] * samples[s] : samples[s]);
    }
  }
  if (!(total > 0)) return false;
  outMask[pixel] = weights === null ? 255 : Math.min(255, Math.max(1, Math.floor((total / area) * 255 + 0.5)));
  for (let n = 0; n < bands; n++) {
    const v = squares ? Math.sqrt(sums[n] / total) : sums[n] / total;
    out[pixel * bands + n] = round ? Math.floor(v + 0.5) : v;
  }
  return true;
}

interface Votes {
  readonly values: number[];
  readonly counts: number[];
}

/** Of several values with the most votes, the one that had so many first. False where nothing is valid. */
function mode(from: WindowPixels, box: Box, { out, outMask }: RowTarget, pixel: number, votes: Votes): boolean {
  const { samples, bands, width, weights } = from;
  const { x0, y0, x1, y1 } = box;
  let valid = false;
  for (let n = 0; n < bands; n++) {
    votes.values.length = votes.counts.length = 0;
    let best = -1;
    for (let y = y0; y <= y1; y++) {
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
  return valid;
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
