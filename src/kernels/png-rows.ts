/**
 * Rows of pixels to a PNG's filtered and deflated bytes, in WebAssembly. The stream is made of blocks of about 100 KB, each with
 * codes of its own: Huffman codes and runs, no other repetitions, of which filtered pixels have hardly any.
 */
import { INPUT, machine, OUTPUT, OUTPUT_BYTES } from './wasm/machine.ts';

export interface RowsAsk {
  /** Bytes of a row. */
  readonly stride: number;
  /** Minus the pixel to the left, of so many channels; or minus the pixel above. */
  readonly filter: number | 'up';
  /** Ends the stream; else it ends on a byte, so that the next rows may come after any other work. */
  readonly last: boolean;
  /** Adler-32 of what came before, 1 for nothing. */
  readonly adler: number;
}

export interface DeflatedRows {
  /** Raw deflate: no zlib header, no checksum. */
  readonly data: Uint8Array;
  readonly adler: number;
}

const BLOCK_BYTES = 98_304;
/** Where the rows of a block are filtered, and where what was found in them is noted. */
const ROWS = INPUT + 2 ** 18;
const TOKENS = INPUT + 2 ** 19;
/** Room that a block may need beyond its own bytes. */
const MARGIN = 2 ** 15;

/** `pixels` is a multiple of `stride`. With 'up' they begin with the first row of the picture. */
export function deflateRows(pixels: Uint8Array, ask: RowsAsk): DeflatedRows {
  const { stride, last } = ask;
  const { code } = machine;
  const out = new Output();
  let { adler } = ask;
  code.deflateBegin();
  const add = (at: number, length: number, ends: boolean): void => {
    adler = code.adler32(adler, at, length) >>> 0;
    out.add(to => code.deflateBlock(at, length, to, TOKENS, ends), length);
  };
  const rows = pixels.length / stride;
  const count = Math.floor(BLOCK_BYTES / (stride + 1));
  if (count === 0) addWide(pixels, ask, add);
  for (let y = 0; count > 0 && y < rows; y += count) {
    const many = Math.min(count, rows - y);
    filtered(pixels, y, many, ask);
    add(ROWS, many * (stride + 1), last && y + many === rows);
  }
  if (!last) out.add(to => code.deflateFlush(to), 0);
  return { data: out.take(), adler };
}

/** Rows from `y` on, at ROWS. */
function filtered(pixels: Uint8Array, y: number, rows: number, { stride, filter }: RowsAsk): void {
  const { code, bytes } = machine;
  const step = stride + 1;
  for (let i = 0, from = y * stride, to = ROWS + 1; i < rows; i++, from += stride, to += step)
    bytes.set(pixels.subarray(from, from + stride), to);
  if (filter !== 'up') {
    code.filterSub(ROWS, rows, stride, filter);
    return;
  }
  bytes.fill(0, ROWS - step, ROWS);
  if (y > 0) bytes.set(pixels.subarray((y - 1) * stride, y * stride), ROWS - step + 1);
  code.filterUp(ROWS, rows, stride);
}

/** Rows that are longer than a block, in pieces. */
function addWide(
  pixels: Uint8Array,
  { stride, filter, last }: RowsAsk,
  add: (at: number, length: number, ends: boolean) => void,
): void {
  const back = filter === 'up' ? stride : filter;
  for (let row = 0; row < pixels.length; row += stride) {
    const line = new Uint8Array(stride + 1);
    line[0] = filter === 'up' ? 2 : 1;
    for (let i = 0; i < stride; i++) {
      const before = filter === 'up' ? row - stride + i >= 0 : i >= back;
      line[i + 1] = pixels[row + i] - (before ? pixels[row + i - back] : 0);
    }
    for (let at = 0; at < line.length; at += BLOCK_BYTES) {
      const part = line.subarray(at, at + BLOCK_BYTES);
      machine.bytes.set(part, ROWS);
      add(ROWS, part.length, last && row + stride === pixels.length && at + part.length === line.length);
    }
  }
}

/** Collected in the machine's memory, and taken out of it where that gets full. */
class Output {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /** `write` gets an address with room for `length` bytes and a margin, and returns how many it wrote. */
  add(write: (to: number) => number, length: number): void {
    if (this.#size + length + MARGIN > OUTPUT_BYTES) this.#empty();
    this.#size += write(OUTPUT + this.#size);
  }

  /** All of it, in a buffer of its own. */
  take(): Uint8Array {
    this.#empty();
    if (this.#parts.length === 1) return this.#parts[0];
    const all = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #empty(): void {
    if (this.#size > 0) this.#parts.push(machine.bytes.slice(OUTPUT, OUTPUT + this.#size));
    this.#size = 0;
  }
}
