/**
 * One band of float32 that is valid all over, in WebAssembly: a third of the time of the same sums in JavaScript, and the same bits.
 * Windows are put into the machine's memory, where they stay as long as the caller does nothing else with the machine.
 */
import type { WindowPixels } from './resample.ts';
import type { AxesTarget, AxisTaps } from './resample-axes.ts';
import type { Samples } from './samples.ts';
import { INPUT, machine, OUTPUT, OUTPUT_BYTES } from './wasm/machine.ts';

/** Values at a time. */
const CHUNK = 16_384;
const FIRST = INPUT;
const SECOND = FIRST + CHUNK * 4;
const SHARES = SECOND + CHUNK * 4;
const ROW = SHARES + CHUNK * 8;
const BYTES = INPUT + CHUNK * 4;

/** Whether one of the values is NaN or `nodata`; null: nothing is. */
export function lacksFloats(values: Float32Array, nodata: number | null): boolean {
  const { code } = machine;
  const none = nodata ?? 0;
  const counts = nodata !== null && Math.fround(none) === none;
  for (let from = 0; from < values.length; from += CHUNK) {
    const part = values.subarray(from, from + CHUNK);
    putFloats(part, INPUT);
    if (code.floatsLack(INPUT, part.length, none, counts) !== 0) return true;
  }
  return false;
}

function putFloats(values: Float32Array, at: number): void {
  new Float32Array(machine.bytes.buffer, at, values.length).set(values);
}

export interface FloatWindow {
  readonly width: number;
}

/** Null where the picture is another, or too large. */
export function placeFloats({ samples, bands, width, weights }: WindowPixels, out: Samples): FloatWindow | null {
  const usual = bands === 1 && weights === null && samples instanceof Float32Array && out instanceof Float32Array;
  if (!usual || samples.byteLength > OUTPUT_BYTES) return null;
  putFloats(samples, OUTPUT);
  return { width };
}

/** Rows of a window whose columns and rows are known. False where a row is too long. */
export function floatAxes({ width }: FloatWindow, across: AxisTaps, down: AxisTaps, to: AxesTarget): boolean {
  const { code, bytes } = machine;
  const { buffer } = bytes;
  const out = to.out as Float32Array;
  const count = across.first.length;
  if (count > CHUNK) return false;
  new Int32Array(buffer, FIRST, count).set(across.first);
  new Int32Array(buffer, SECOND, count).set(across.second);
  new Float64Array(buffer, SHARES, count).set(across.share);
  const row = new Float32Array(buffer, ROW, count);
  for (let y = to.y0; y < to.y1; y++) {
    if (down.first[y] < 0) continue;
    const at = y * count;
    if (!across.whole) row.set(out.subarray(at, at + count));
    const top = OUTPUT + down.first[y] * width * 4;
    const under = OUTPUT + down.second[y] * width * 4;
    code.bilinearRowFloats(top, under, down.share[y], FIRST, SECOND, SHARES, count, ROW);
    out.set(row, at);
  }
  return true;
}

/** What rescaleToBytes() of colour.ts says, by one range for all values. */
export function rescaleFloats(from: Float32Array, out: Uint8Array, low: number, high: number): void {
  const { code, bytes } = machine;
  for (let at = 0; at < from.length; at += CHUNK) {
    const part = from.subarray(at, at + CHUNK);
    putFloats(part, INPUT);
    code.rescaleFloats(INPUT, part.length, low, high - low, BYTES);
    out.set(bytes.subarray(BYTES, BYTES + part.length), at);
  }
}
