/**
 * Deflated blocks by rows. A tile often needs the upper part of a block, or its first row for a neighbour's edge, and a stream
 * can be decoded so far and no further: the block remembers where, and grows when somebody wants more of it. What it remembers
 * is 32 KiB of the stream's own past, and a few numbers.
 */
import type { BlockRest } from '../../source/tiff/blocks.ts';
import { INPUT, INPUT_BYTES, input, machine, OUTPUT, OUTPUT_BYTES } from '../wasm/machine.ts';
import { predictorOf, typed, undoRows } from './samples.ts';
import { corrupt, type DecodedBlock, type Frame, outputOf } from './types.ts';

/** How far back a deflate stream may refer. */
const WINDOW = 32768;
/** Statuses of wasm/inflate.ts. */
const DONE = 1;
const WANTED = 2;
const TOO_MUCH = -2;
const STATE_BYTES = 40;
/** Where in the state the next byte, the header of its block, and the kind of place are. */
const STATE_AT = 20;
const STATE_HEADER = 28;
const STATE_PLACE = 32;
const IN_CODED = 2;

/** Samples that stay what they are in the file: a row can be undone in place. */
const DIRECT: ReadonlySet<string> = new Set([
  'uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'float64',
]); // biome-ignore format: one line of names

export function canGrow({ format, rawBytes, fullBytes }: Frame, encodedBytes: number): boolean {
  return format.bits >= 8 && DIRECT.has(format.dtype) && rawBytes > 0 && fullBytes <= OUTPUT_BYTES - 65536
    ? encodedBytes <= INPUT_BYTES
    : false;
}

/** Decodes at least `rows` rows; the block can grow later if it is not whole. */
export function decodeRows(encoded: Uint8Array, frame: Frame, rows: number): DecodedBlock {
  const bytes = outputOf(frame);
  const growing = new GrowingBlock(frame, bytes, encoded.length);
  growing.begin(encoded, rows);
  const { width, height, samples, format } = frame;
  return { data: typed(bytes, format), mask: null, width, height, samples, rest: growing.whole ? null : growing };
}

class GrowingBlock implements BlockRest {
  readonly #frame: Frame;
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #state = new Uint8Array(STATE_BYTES);
  /** The last of what was decoded, before predictors, from byte `#tailAt` on. */
  #tail = new Uint8Array(0);
  #tailAt = 0;
  #adler = 1;
  #rows = 0;
  #from = 0;

  constructor(frame: Frame, bytes: Uint8Array, length: number) {
    this.#frame = frame;
    this.#bytes = bytes;
    this.#length = length;
  }

  get rows(): number {
    return this.#rows;
  }

  get from(): number {
    return this.#from;
  }

  get heldBytes(): number {
    return this.#tail.length + STATE_BYTES;
  }

  get whole(): boolean {
    return this.#rows === this.#frame.height;
  }

  begin(encoded: Uint8Array, rows: number): void {
    input(encoded);
    const status = machine.code.begin(INPUT, encoded.length);
    this.#go(status, INPUT, rows);
  }

  more(encoded: Uint8Array, rows: number): void {
    if (rows <= this.#rows) return;
    if (encoded.length !== this.#length - this.#from) throw corrupt('the block is not what it was');
    input(encoded);
    const { code, bytes } = machine;
    bytes.set(this.#state, code.STATE.value);
    bytes.set(this.#tail, OUTPUT);
    const base = INPUT - this.#from;
    this.#go(code.resume(base, this.#length), base, rows);
  }

  /** Goes on until so many rows are there. `base`: where the first encoded byte would lie. */
  #go(begun: number, base: number, rows: number): void {
    const { code } = machine;
    const { rowBytes, rawBytes, fullBytes, height } = this.#frame;
    const origin = OUTPUT - this.#tailAt;
    const out = OUTPUT + this.#tail.length;
    const wanted = origin + (rows >= height ? fullBytes : rows * rowBytes);
    const status = begun === 0 ? code.inflate(OUTPUT, out, wanted, origin + fullBytes) : begun;
    const end = begun === 0 ? code.writtenTo() : out;
    if (status < 0)
      throw corrupt(status === TOO_MUCH ? `deflate: more than ${fullBytes} bytes` : 'deflate: broken data');
    this.#adler = code.adler32(this.#adler, out, end - out);
    if (status !== WANTED) {
      if (end - origin < rawBytes) throw corrupt(`deflate data holds ${end - origin} of ${rawBytes} bytes`);
      if (status === DONE) this.#check(base);
    }
    const done = status === WANTED ? Math.floor((end - origin) / rowBytes) : height;
    const undone = origin + this.#rows * rowBytes;
    const kept = status === WANTED ? this.#leave(base, origin, end, done) : new Uint8Array(0);
    this.#undo(undone, done);
    this.#tail = kept;
    this.#tailAt = end - origin - kept.length;
  }

  /** What going on needs: the window, and the row that has only begun. */
  #leave(base: number, origin: number, end: number, rows: number): Uint8Array<ArrayBuffer> {
    const { code, bytes } = machine;
    code.leave(base);
    const at = code.STATE.value;
    this.#state.set(bytes.subarray(at, at + STATE_BYTES));
    const view = new DataView(this.#state.buffer);
    const coded = (view.getUint32(STATE_PLACE, true) & 15) === IN_CODED;
    this.#from = view.getUint32(coded ? STATE_HEADER : STATE_AT, true);
    const from = Math.max(OUTPUT, Math.min(origin + rows * this.#frame.rowBytes, end - WINDOW));
    return bytes.slice(from, end);
  }

  #undo(at: number, rows: number): void {
    const { code, bytes } = machine;
    const { format, rowBytes, width, samples } = this.#frame;
    const count = rows - this.#rows;
    const predictor = predictorOf(format);
    const inMachine = predictor === 2 ? format.bits === 8 : predictor === 3 && isPlainFloat(this.#frame);
    if (inMachine && predictor === 2) code.undoBytes(at, rowBytes, count, samples);
    else if (inMachine) code.undoFloats(at, width, count);
    const from = this.#rows * rowBytes;
    this.#bytes.set(bytes.subarray(at, at + count * rowBytes), from);
    if (!inMachine) undoRows(this.#bytes.subarray(from, from + count * rowBytes), this.#frame);
    this.#rows = rows;
  }

  /** The stream's own sum over all of it; a stream without one is still good, as it is for libtiff. */
  #check(base: number): void {
    const { code, bytes } = machine;
    const at = base + code.used(base);
    if (at + 4 > base + this.#length) return;
    const sum = new DataView(bytes.buffer).getUint32(at, false);
    if (sum !== this.#adler >>> 0) throw corrupt('deflate: the data does not match its sum');
  }
}

function isPlainFloat({ format, width, samples }: Frame): boolean {
  return format.bits === 32 && samples === 1 && width <= machine.code.FLOATS_MAX.value;
}
