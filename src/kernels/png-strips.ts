/**
 * A PNG made from strips of rows, so that neither the whole picture nor a second copy of it is ever in memory. Each strip is
 * deflated for itself and ends on a byte (a sync flush), so the strips joined are one zlib stream; each is a chunk of its own.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { freeArray, freeBuffer } from '../memory/segments.ts';
import { deflateBound, filterSub, PNG_CHANNELS, PNG_SIGNATURE, type PngColour, pngHeader, strategyOf } from './png.ts';

/** Large enough to be mapped for itself, so that it goes back to the system when it is freed. */
const SEGMENT_BYTES = 2 ** 21;
const CHUNK_BYTES = 12;
/** Signature, IHDR, IEND, the zlib header and its checksum. */
const FRAME_BYTES = 8 + 25 + 12 + 2 + 4;

/** Upper bound of what a writer of these strips returns. */
export function pngStripsBound(width: number, rows: readonly number[], channels: number): number {
  return rows.reduce((sum, count) => sum + stripBound(width, count, channels), FRAME_BYTES);
}

/** Upper bound of one compressed strip with its chunk. */
export function stripBound(width: number, rows: number, channels: number): number {
  return deflateBound((width * channels + 1) * rows) + CHUNK_BYTES + 16;
}

export interface PngWriter {
  /** The next rows, from the top: a multiple of width × channels bytes. */
  add(pixels: Uint8Array): void;
  /** After the last row. Errors: RangeError where rows are missing. */
  finish(): Uint8Array;
}

/** Colour images only: indices would need the row above the strip. */
export function createPngWriter(width: number, height: number, colour: PngColour): PngWriter {
  return new StripWriter(width, height, colour);
}

class StripWriter implements PngWriter {
  readonly #stride: number;
  readonly #channels: number;
  readonly #height: number;
  readonly #segments: Uint8Array[] = [];
  #size = 0;
  #rows = 0;
  #adler = 1;

  constructor(width: number, height: number, colour: PngColour) {
    this.#channels = PNG_CHANNELS[colour];
    this.#stride = width * this.#channels;
    this.#height = height;
    this.#append(Uint8Array.from(PNG_SIGNATURE));
    this.#chunk('IHDR', pngHeader(width, height, colour));
  }

  add(pixels: Uint8Array): void {
    const rows = pixels.length / this.#stride;
    const first = this.#rows === 0;
    this.#rows += rows;
    if (!Number.isInteger(rows) || this.#rows > this.#height) {
      throw new RangeError(
        `${pixels.length} bytes are no rows of ${this.#stride} bytes that are left of ${this.#height}`,
      );
    }
    const last = this.#rows === this.#height;
    const filtered = new Uint8Array(rows * (this.#stride + 1));
    filterSub(pixels, filtered, this.#stride, rows, this.#channels);
    this.#adler = adler32(filtered, this.#adler);
    const chunkSize = deflateBound(filtered.length) + 16;
    const finishFlush = last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    const strategy = strategyOf(filtered, this.#stride + 1);
    const data = deflateRawSync(filtered, { level: 1, strategy, memLevel: 9, chunkSize, finishFlush });
    freeArray(filtered);
    const head = first ? [0x78, 0x01] : [];
    const tail = last ? [24, 16, 8, 0].map(shift => (this.#adler >>> shift) & 0xff) : [];
    this.#chunk('IDAT', Uint8Array.from(head), data, Uint8Array.from(tail));
    if (data.buffer.byteLength === chunkSize) freeBuffer(data.buffer as ArrayBuffer);
  }

  finish(): Uint8Array {
    if (this.#rows !== this.#height) throw new RangeError(`${this.#rows} of ${this.#height} rows`);
    this.#chunk('IEND');
    const out = new Uint8Array(this.#size);
    // Pages of the result come into being as those of the segments go.
    this.#segments.forEach((segment, i) => {
      const at = i * SEGMENT_BYTES;
      out.set(segment.subarray(0, Math.min(SEGMENT_BYTES, this.#size - at)), at);
      freeArray(segment);
    });
    this.#segments.length = 0;
    return out;
  }

  #chunk(name: string, ...parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const type = Buffer.from(name, 'latin1');
    this.#append(bytes32(length));
    this.#append(type);
    let check = crc32(type);
    for (const part of parts) {
      this.#append(part);
      check = crc32(part, check);
    }
    this.#append(bytes32(check));
  }

  #append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const at = this.#size % SEGMENT_BYTES;
      if (at === 0) this.#segments.push(new Uint8Array(SEGMENT_BYTES));
      const part = bytes.subarray(from, from + SEGMENT_BYTES - at);
      this.#segments.at(-1)!.set(part, at);
      from += part.length;
      this.#size += part.length;
    }
  }
}

function bytes32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

const ADLER_BASE = 65521;
/** Most bytes whose sums stay below 2³² without a division. (RFC 1950) */
const ADLER_RUN = 5552;

export function adler32(bytes: Uint8Array, before = 1): number {
  let a = before & 0xffff;
  let b = before >>> 16;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + ADLER_RUN, bytes.length);
    for (; at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= ADLER_BASE;
    b %= ADLER_BASE;
  }
  return ((b << 16) | a) >>> 0;
}
