/**
 * Plain bilinear of the usual picture, three bands of bytes that are valid all over, in WebAssembly: a fifth of the time. The
 * window is put into the machine's memory once; it stays there as long as the caller does nothing else with the machine.
 */
import type { RowTarget, WindowPixels } from './resample.ts';
import type { AxesTarget, AxisTaps } from './resample-axes.ts';
import type { Samples } from './samples.ts';
import { type CellSink, type Extent, type PixelMap, walkCells } from './warp.ts';
import { INPUT, INPUT_BYTES, machine, OUTPUT, OUTPUT_BYTES } from './wasm/machine.ts';

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

/** Of a cell and of one position in it; the strip comes behind them. */
const PATCH = INPUT;
const POSITION = PATCH + 144;
const STRIP = POSITION + 16;
/** Pixels of a strip: what the machine has room for. */
const STRIP_PIXELS = Math.floor((INPUT_BYTES - 256) / 4);

/** The rows of `extent` by the cells of warp.ts, as fillMap() and rgbRows() make them. False where a strip is too long. */
export function rgbCells(
  { width, height }: RgbWindow,
  map: PixelMap,
  extent: Extent,
  { dx, dy }: { readonly dx: number; readonly dy: number },
  to: Pick<RowTarget, 'out' | 'outMask'>,
  maxError: number,
): boolean {
  const { code, bytes } = machine;
  const out = to.out as Uint8Array;
  const { outMask } = to;
  const first = extent.y0 * extent.width;
  const count = extent.y1 * extent.width - first;
  if (count > STRIP_PIXELS) return false;
  const values = STRIP + count;
  bytes.set(outMask.subarray(first, first + count), STRIP);
  bytes.set(out.subarray(first * 3, (first + count) * 3), values);
  const patch = new Float64Array(bytes.buffer, PATCH, 18);
  const placeOf = (x: number, y: number) => (y - extent.y0) * extent.width + x;
  const sink: CellSink = {
    cell(x0, y0, x1, y1, points) {
      patch.set(points);
      const at = placeOf(x0, y0);
      const [w, h, pixels] = [x1 - x0, y1 - y0, extent.width];
      const place = [values + at * 3, STRIP + at] as const;
      code.bilinearCell3(OUTPUT, width, height, PATCH, dx, dy, w, h, ...place, pixels, POSITION);
    },
    pixel(x, y, sourceX, sourceY) {
      patch[0] = sourceX + dx;
      patch[1] = sourceY + dy;
      const at = placeOf(x, y);
      code.bilinear3(OUTPUT, width, height, PATCH, PATCH + 8, 1, values + at * 3, STRIP + at);
    },
  };
  walkCells(map, extent, sink, maxError);
  outMask.set(bytes.subarray(STRIP, STRIP + count), first);
  out.set(bytes.subarray(values, values + count * 3), first * 3);
  return true;
}

function fixed(share: number): number {
  return Math.floor(share * 16384 + 0.5);
}
