/**
 * The kernels in WebAssembly (wasm/ has their sources), one instance a thread. Its memory is scratch: what a call leaves there
 * means nothing to the next, and nobody may keep a view of it beyond his own synchronous call.
 *
 *   0 … INPUT    tables of the code
 *   INPUT …      encoded bytes, up to INPUT_BYTES
 *   OUTPUT …     what is made of them, up to OUTPUT_BYTES, and a margin that copies may run over
 *
 * Of its 6 MiB only touched pages are there. Under 128 MiB every one of them counts: what takes more goes other ways, as before.
 */
import { CODE } from './code.ts';
import { LazyModule } from './load.ts';

export const INPUT = 65536;
export const INPUT_BYTES = 2 ** 20;
export const OUTPUT = INPUT + INPUT_BYTES + 65536;
export const OUTPUT_BYTES = 2 ** 20 + 2 * 65536;

/** A row of pixels between two rows whose columns are known. */
type BilinearRow = (
  top: number,
  under: number,
  share: number,
  first: number,
  second: number,
  shares: number,
  count: number,
  out: number,
) => void;

export interface MachineCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly STATE: { readonly value: number };
  readonly FLOATS_MAX: { readonly value: number };
  /** Status codes of inflate(): wasm/inflate.ts. Addresses and lengths are bytes. */
  begin(input: number, length: number): number;
  inflate(start: number, out: number, wanted: number, limit: number): number;
  writtenTo(): number;
  used(base: number): number;
  leave(base: number): number;
  resume(base: number, length: number): number;
  adler32(before: number, at: number, length: number): number;
  undoBytes(at: number, rowBytes: number, rows: number, stride: number): void;
  undoFloats(at: number, n: number, rows: number): void;
  /** wasm/floats.ts. */
  floatsLack(at: number, count: number, nodata: number, counts: boolean): number;
  readonly bilinearRowFloats: BilinearRow;
  rescaleFloats(at: number, count: number, low: number, span: number, out: number): void;
  /** wasm/png.ts. */
  filterSub(at: number, rows: number, stride: number, channels: number): void;
  filterUp(at: number, rows: number, stride: number): void;
  deflateBegin(): void;
  deflateBlock(at: number, length: number, out: number, tokens: number, last: boolean): number;
  deflateFlush(out: number): number;
  /** wasm/warp.ts. */
  bilinear3(
    window: number,
    width: number,
    height: number,
    xs: number,
    ys: number,
    count: number,
    out: number,
    mask: number,
  ): void;
  bilinearCell3(
    window: number,
    width: number,
    height: number,
    patch: number,
    dx: number,
    dy: number,
    w: number,
    h: number,
    out: number,
    mask: number,
    pixels: number,
    position: number,
  ): void;
  readonly bilinearRow3: BilinearRow;
}

export const machine: Pick<LazyModule<MachineCode>, 'code' | 'bytes'> = new LazyModule<MachineCode>(CODE);

/** Where encoded bytes may be read to, to spare a copy; null where they do not fit. */
export function inputSpace(length: number): Uint8Array | null {
  return length <= INPUT_BYTES ? machine.bytes.subarray(INPUT, INPUT + length) : null;
}

/** Puts bytes where the code reads them, unless they are there. */
export function input(bytes: Uint8Array): void {
  const there = machine.bytes;
  if (bytes.buffer === there.buffer && bytes.byteOffset === INPUT) return;
  there.set(bytes, INPUT);
}
