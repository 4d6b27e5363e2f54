/**
 * Plain bilinear of the usual picture, three bands of bytes that are valid all over, in WebAssembly: a fifth of the time. The
 * window is put into the machine's memory once; it stays there as long as the caller does nothing else with the machine.
 */
import type { RowTarget, WindowPixels } from './resample.ts';
import type { AxesTarget, AxisTaps } from './resample-axes.ts';
import type { Samples } from './samples.ts';
import { INPUT, machine, OUTPUT, OUTPUT_BYTES } from './wasm/machine.ts';

/** Pixels at a time; their positions, values and mask have places of their own. */
const CHUNK = 16_384;
const XS = INPUT;
const YS = XS + CHUNK * 8;
const MASK = YS + CHUNK * 8;
const OUT = MASK + CHUNK;
/** A pixel is loaded as four bytes. */
const MARGIN = 64;
/** Of a row whose columns are known. */
const FIRST = INPUT;
const SECOND = FIRST + CHUNK * 4;
const SHARES = SECOND + CHUNK * 4;
const ROW = SHARES + CHUNK * 4;

export interface RgbWindow {
  readonly width: number;
  readonly height: number;
}

/** Null where the picture is another, or too large. */
export function placeRgb({ samples, bands, width, height, weights }: WindowPixels, out: Samples): RgbWindow | null {
  const usual = bands === 3 && weights === null && samples instanceof Uint8Array && out instanceof Uint8Array;
  if (!usual || samples.length + MARGIN > OUTPUT_BYTES) return null;
  machine.bytes.set(samples, OUTPUT);
  return { width, height };
}

/** Positions as bilinearRow() has them. */
export function rgbRows({ width, height }: RgbWindow, xs: Float64Array, ys: Float64Array, to: RowTarget): void {
  const { code, bytes } = machine;
  const out = to.out as Uint8Array;
  const { outMask, at, count } = to;
  const [x, y] = [XS, YS].map(address => new Float64Array(bytes.buffer, address, CHUNK));
  for (let from = 0; from < count; from += CHUNK) {
    const end = Math.min(from + CHUNK, count);
    const pixel = at + from;
    const many = end - from;
    x.set(xs.subarray(from, end));
    y.set(ys.subarray(from, end));
    // What lies outside the window keeps what is there.
    bytes.set(out.subarray(pixel * 3, (pixel + many) * 3), OUT);
    bytes.set(outMask.subarray(pixel, pixel + many), MASK);
    code.bilinear3(OUTPUT, width, height, XS, YS, many, OUT, MASK);
    out.set(bytes.subarray(OUT, OUT + many * 3), pixel * 3);
    outMask.set(bytes.subarray(MASK, MASK + many), pixel);
  }
}

/** Rows of a window whose columns and rows are known. False where a row is too long. */
export function rgbAxes({ width }: RgbWindow, across: AxisTaps, down: AxisTaps, to: AxesTarget): boolean {
  const { code, bytes } = machine;
  const out = to.out as Uint8Array;
  const count = across.first.length;
  if (count > CHUNK) return false;
  new Int32Array(bytes.buffer, FIRST, count).set(across.first);
  new Int32Array(bytes.buffer, SECOND, count).set(across.second);
  const shares = new Int32Array(bytes.buffer, SHARES, count);
  for (let i = 0; i < count; i++) shares[i] = fixed(across.share[i]);
  for (let y = to.y0; y < to.y1; y++) {
    if (down.first[y] < 0) continue;
    const at = y * count * 3;
    if (!across.whole) bytes.set(out.subarray(at, at + count * 3), ROW);
    const [top, under] = [down.first[y], down.second[y]].map(row => OUTPUT + row * width * 3);
    code.bilinearRow3(top, under, fixed(down.share[y]), FIRST, SECOND, SHARES, count, ROW);
    out.set(bytes.subarray(ROW, ROW + count * 3), at);
  }
  return true;
}

function fixed(share: number): number {
  return Math.floor(share * 16384 + 0.5);
}
