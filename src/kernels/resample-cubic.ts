/**
 * Cubic convolution of sixteen pixels where an output pixel covers at most one of the source. As in GDAL's warper the
 * outermost pixels, and those with an invalid one among the sixteen, are bilinear.
 */
import { bilinearRow, type RowTarget, type WindowPixels } from './resample.ts';
import type { Limits } from './resample-wide.ts';

export function cubicRow(
  from: WindowPixels,
  xs: Float64Array,
  ys: Float64Array,
  to: RowTarget,
  round: boolean,
  limits: Limits,
): void {
  // All of it bilinear first; what can be cubic is then written over.
  bilinearRow(from, xs, ys, to, round);
  const { width, height, weights, bands, samples } = from;
  const { out, outMask, at, count } = to;
  const wx = new Float64Array(4);
  const wy = new Float64Array(4);
  for (let i = 0; i < count; i++) {
    if (outMask[at + i] === 0) continue;
    const x0 = Math.floor(xs[i] - 0.5);
    const y0 = Math.floor(ys[i] - 0.5);
    if (!(x0 >= 1 && y0 >= 1 && x0 + 2 < width && y0 + 2 < height)) continue;
    const first = (y0 - 1) * width + x0 - 1;
    if (weights !== null && !allValid(weights, first, width)) continue;
    cubicWeights(xs[i] - 0.5 - x0, wx);
    cubicWeights(ys[i] - 0.5 - y0, wy);
    for (let n = 0; n < bands; n++) {
      let sum = 0;
      for (let j = 0; j < 4; j++) {
        const s = (first + j * width) * bands + n;
        sum +=
          wy[j] *
          (samples[s] * wx[0] +
            samples[s + bands] * wx[1] +
            samples[s + 2 * bands] * wx[2] +
            samples[s + 3 * bands] * wx[3]);
      }
      const v = round ? Math.floor(sum + 0.5) : sum;
      out[(at + i) * bands + n] = v < limits.min ? limits.min : v > limits.max ? limits.max : v;
    }
  }
}

function cubicWeights(f: number, to: Float64Array): void {
  const f2 = f * f;
  const f3 = f2 * f;
  to[0] = -0.5 * f3 + f2 - 0.5 * f;
  to[1] = 1.5 * f3 - 2.5 * f2 + 1;
  to[2] = -1.5 * f3 + 2 * f2 + 0.5 * f;
  to[3] = 0.5 * f3 - 0.5 * f2;
}

function allValid(weights: Uint8Array, first: number, width: number): boolean {
  for (let j = 0, p = first; j < 4; j++, p += width) {
    if (weights[p] === 0 || weights[p + 1] === 0 || weights[p + 2] === 0 || weights[p + 3] === 0) return false;
  }
  return true;
}
