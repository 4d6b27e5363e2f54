/**
 * Nearest and bilinear where x of the source depends on the column only and y on the row only, and every pixel of the window
 * is valid: taps are found once an axis, so that a pixel costs its loads and two multiplications a band. Same rules as
 * resample.ts: same pixels, same values (to the last bit of a double).
 */
import type { WindowPixels } from './resample.ts';
import type { Samples } from './samples.ts';

/** Two neighbours an axis position and how far it is from the first to the second; `first` -1: outside. */
export interface AxisTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
  /** No position is outside. */
  readonly whole: boolean;
}

const EDGE = 1e-10;

/** `positions` + `shift` are window pixels; NaN is outside. */
export function bilinearTaps(positions: Float64Array, shift: number, size: number): AxisTaps {
  const n = positions.length;
  const taps = { first: new Int32Array(n).fill(-1), second: new Int32Array(n), share: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const at = positions[i] + shift;
    if (!(at >= -EDGE && at < size - EDGE)) continue;
    const low = Math.floor(at - 0.5);
    taps.share[i] = at - 0.5 - low;
    taps.first[i] = Math.max(0, low);
    taps.second[i] = Math.min(size - 1, low + 1);
  }
  return { ...taps, whole: taps.first.every(at => at >= 0) };
}

export function nearestTaps(positions: Float64Array, shift: number, size: number): AxisTaps {
  const n = positions.length;
  const first = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    const at = Math.floor(positions[i] + shift + EDGE);
    if (at >= 0 && at < size) first[i] = at;
  }
  return { first, second: first, share: new Float64Array(n), whole: first.every(at => at >= 0) };
}

export interface AxesTarget {
  readonly out: Samples;
  readonly outMask: Uint8Array;
  readonly y0: number;
  readonly y1: number;
}

export function nearestAxes(from: WindowPixels, across: AxisTaps, down: AxisTaps, to: AxesTarget): void {
  const columns = across.first;
  const count = columns.length;
  for (let y = to.y0; y < to.y1; y++) {
    const row = down.first[y];
    if (row < 0) continue;
    const base = row * from.width;
    const at = y * count;
    markRow(across, to.outMask, at);
    if (from.bands === 1) nearest1(from.samples, base, columns, to.out, at);
    else nearestN(from.samples, from.bands, base, columns, to.out, at);
  }
}

/** Says of every pixel that has taps that it is valid. */
export function markAxes(across: AxisTaps, down: AxisTaps, { outMask, y0, y1 }: Omit<AxesTarget, 'out'>): void {
  const count = across.first.length;
  for (let y = y0; y < y1; y++) if (down.first[y] >= 0) markRow(across, outMask, y * count);
}

function markRow({ first, whole }: AxisTaps, mask: Uint8Array, at: number): void {
  if (whole) mask.fill(255, at, at + first.length);
  else for (let i = 0; i < first.length; i++) if (first[i] >= 0) mask[at + i] = 255;
}

function nearest1(samples: Samples, base: number, columns: Int32Array, out: Samples, at: number): void {
  for (let i = 0; i < columns.length; i++) if (columns[i] >= 0) out[at + i] = samples[base + columns[i]];
}

function nearestN(samples: Samples, n: number, base: number, columns: Int32Array, out: Samples, at: number): void {
  let d = at * n;
  for (let i = 0; i < columns.length; i++, d += n) {
    if (columns[i] < 0) continue;
    const s = (base + columns[i]) * n;
    for (let b = 0; b < n; b++) out[d + b] = samples[s + b];
  }
}

/** The row being made: where its two source rows begin, in samples, and the share of the second. */
interface Row {
  readonly top: number;
  readonly bottom: number;
  readonly share: number;
  /** First sample of the row in the output. */
  readonly at: number;
}

export function bilinearAxes(
  from: WindowPixels,
  across: AxisTaps,
  down: AxisTaps,
  to: AxesTarget,
  round: boolean,
): void {
  const { samples, bands, width } = from;
  const { out } = to;
  const count = across.first.length;
  for (let y = to.y0; y < to.y1; y++) {
    if (down.first[y] < 0) continue;
    markRow(across, to.outMask, y * count);
    const row: Row = {
      top: down.first[y] * width * bands,
      bottom: down.second[y] * width * bands,
      share: down.share[y],
      at: y * count * bands,
    };
    if (bands === 1 && samples instanceof Float32Array && out instanceof Float32Array)
      floats1(samples, across, row, out);
    else anyBands(samples, bands, across, row, out, round);
  }
}

/** Of its own type only, so that the compiler knows what it loads: a third of the time of anyBands. */
function floats1(samples: Float32Array, { first, second, share }: AxisTaps, row: Row, out: Float32Array): void {
  const fy = row.share;
  for (let i = 0, d = row.at; i < first.length; i++, d++) {
    if (first[i] < 0) continue;
    const w11 = share[i] * fy;
    const w10 = fy - w11;
    const w01 = share[i] - w11;
    out[d] =
      samples[row.top + first[i]] * (1 - share[i] - w10) +
      samples[row.top + second[i]] * w01 +
      samples[row.bottom + first[i]] * w10 +
      samples[row.bottom + second[i]] * w11;
  }
}

function anyBands(
  samples: Samples,
  n: number,
  { first, second, share }: AxisTaps,
  row: Row,
  out: Samples,
  round: boolean,
): void {
  const fy = row.share;
  for (let i = 0, d = row.at; i < first.length; i++, d += n) {
    if (first[i] < 0) continue;
    const a = first[i] * n;
    const b = second[i] * n;
    const w11 = share[i] * fy;
    const w10 = fy - w11;
    const w01 = share[i] - w11;
    const w00 = 1 - share[i] - w10;
    for (let k = 0; k < n; k++) {
      const v =
        samples[row.top + a + k] * w00 +
        samples[row.top + b + k] * w01 +
        samples[row.bottom + a + k] * w10 +
        samples[row.bottom + b + k] * w11;
      out[d + k] = round ? Math.floor(v + 0.5) : v;
    }
  }
}
