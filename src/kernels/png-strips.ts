/**
 * A PNG made from strips of rows, so that neither the whole picture nor a second copy of it is ever in memory. Each strip is
 * deflated for itself and ends on a byte (a sync flush), so the strips joined are one zlib stream; each is a chunk of its own.
 */
import { crc32 } from 'node:zlib';
import { freeArray } from '../memory/segments.ts';
import { bytes32, deflateBound, PNG_CHANNELS, PNG_SIGNATURE, type PngColour, pngHeader, ZLIB_HEADER } from './png.ts';
import { deflateRows } from './png-rows.ts';

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
    const ask = { stride: this.#stride, filter: this.#channels, last, adler: this.#adler };
    const { data, adler } = deflateRows(pixels, ask);
    this.#adler = adler;
    this.#chunk('IDAT', ...(first ? [ZLIB_HEADER] : []), data, ...(last ? [bytes32(adler)] : []));
    freeArray(data);
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
