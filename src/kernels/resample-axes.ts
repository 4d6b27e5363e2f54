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
  return taps;
}

export function nearestTaps(positions: Float64Array, shift: number, size: number): AxisTaps {
  const n = positions.length;
  const first = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    const at = Math.floor(positions[i] + shift + EDGE);
    if (at >= 0 && at < size) first[i] = at;
  }
  return { first, second: first, share: new Float64Array(n) };
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
    markRow(columns, to.outMask, at);
    if (from.bands === 1) nearest1(from.samples, base, columns, to.out, at);
    else nearestN(from.samples, from.bands, base, columns, to.out, at);
  }
}

function markRow(columns: Int32Array, mask: Uint8Array, at: number): void {
  for (let i = 0; i < columns.length; i++) if (columns[i] >= 0) mask[at + i] = 255;
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
    markRow(across.first, to.outMask, y * count);
    const row: Row = {
      top: down.first[y] * width * bands,
      bottom: down.second[y] * width * bands,
      share: down.share[y],
      at: y * count * bands,
    };
    if (bands === 3 && samples instanceof Uint8Array && out instanceof Uint8Array) bytes3(samples, across, row, out);
    else if (bands === 1 && samples instanceof Float32Array && out instanceof Float32Array)
      floats1(samples, across, row, out);
    else anyBands(samples, bands, across, row, out, round);
  }
}

/** Of their own type only, so that the compiler knows what it loads: a third of the time of anyBands. */
function bytes3(samples: Uint8Array, { first, second, share }: AxisTaps, row: Row, out: Uint8Array): void {
  const fy = row.share;
  for (let i = 0, d = row.at; i < first.length; i++, d += 3) {
    if (first[i] < 0) continue;
    const a = row.top + first[i] * 3;
    const b = row.top + second[i] * 3;
    const c = row.bottom + first[i] * 3;
    const e = row.bottom + second[i] * 3;
    const w11 = share[i] * fy;
    const w10 = fy - w11;
    const w01 = share[i] - w11;
    const w00 = 1 - share[i] - w10;
    out[d] = samples[a] * w00 + samples[b] * w01 + samples[c] * w10 + samples[e] * w11 + 0.5;
    out[d + 1] = samples[a + 1] * w00 + samples[b + 1] * w01 + samples[c + 1] * w10 + samples[e + 1] * w11 + 0.5;
    out[d + 2] = samples[a + 2] * w00 + samples[b + 2] * w01 + samples[c + 2] * w10 + samples[e + 2] * w11 + 0.5;
  }
}

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
