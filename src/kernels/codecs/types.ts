/** What decoders share: the frame a block must fill, and the errors they may throw. */
import { type Problem, problem } from '../../errors.ts';
import type { BlockRest } from '../../source/tiff/blocks.ts';
import type { BlockFormat } from '../../source/types.ts';

/** Decoded samples in host order. 64-bit integers become doubles (exact up to 2^53), float16 becomes float32. */
export type SampleArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface DecodedBlock {
  /** width * height * samples values; chunky as in the file, or one sample of a planar file. */
  readonly data: SampleArray;
  /** LERC validity, one byte a pixel, 0 where the encoder left the pixel out; null where the codec knows none. */
  readonly mask: Uint8Array | null;
  readonly width: number;
  readonly height: number;
  /** Samples a pixel in `data`. */
  readonly samples: number;
  /** Where only the first rows are decoded yet: what makes more of it. */
  readonly rest: BlockRest | null;
}

export type MaybePromise<T> = T | Promise<T>;

/** What a decoder is asked to fill; every size below is derived from the format, never from the encoded bytes. */
export interface Frame {
  readonly format: BlockFormat;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** Packed bytes of one row and of the whole frame, as an uncompressed file would hold them. */
  readonly rowBytes: number;
  readonly rawBytes: number;
  /** Packed bytes of a full block: some writers pad the last strip to its full height. */
  readonly fullBytes: number;
  /** Memory the caller lends; a decoder that makes no array of its own writes there when it is large enough. */
  readonly scratch: Uint8Array | undefined;
}

/** Fills a frame's raw bytes: at least `rawBytes` long. */
export type ByteDecoder = (encoded: Uint8Array, frame: Frame) => Uint8Array;
/** Makes samples at once, for codecs that are images or rasters of their own. */
export type SampleDecoder = (encoded: Uint8Array, frame: Frame) => MaybePromise<DecodedBlock>;

export function frameOf(format: BlockFormat, width: number, height: number, scratch?: Uint8Array): Frame {
  const samples = format.planar === 1 ? format.samples : 1;
  const rowBytes = Math.ceil((width * samples * format.bits) / 8);
  const rawBytes = rowBytes * height;
  return { format, width, height, samples, rowBytes, rawBytes, fullBytes: rowBytes * format.blockHeight, scratch };
}

/** The lent scratch if it is large enough and aligned for any sample, else a fresh array. */
export function outputOf(frame: Frame): Uint8Array {
  const { scratch, rawBytes } = frame;
  if (scratch && scratch.length >= rawBytes && scratch.byteOffset % 8 === 0) return scratch.subarray(0, rawBytes);
  return new Uint8Array(rawBytes);
}

export function corrupt(detail: string): Problem {
  return problem('corrupt-data', detail);
}
