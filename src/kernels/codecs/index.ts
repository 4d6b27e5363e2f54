/**
 * Encoded block → samples. One line of DECODERS is all a codec costs. Every decoder is bounded by the size the format
 * says, whatever the bytes claim; anything amiss is Problem('corrupt-data'), never zeros.
 */
import sharp from 'sharp';
import type { BlockFormat } from '../../source/types.ts';
import { decodeDeflate, decodeZstd } from './deflate.ts';
import { canGrow, decodeRows } from './growing.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodeLerc } from './lerc.ts';
import { decodeLzw } from './lzw.ts';
import { decodePackBits } from './packbits.ts';
import { reverseBits, samplesOf } from './samples.ts';
import {
  type ByteDecoder,
  corrupt,
  type DecodedBlock,
  type Frame,
  frameOf,
  type MaybePromise,
  outputOf,
  type SampleDecoder,
} from './types.ts';
import { decodeWebp } from './webp.ts';

export type { DecodedBlock, MaybePromise, SampleArray } from './types.ts';

type Decoder = { readonly name: string } & ({ readonly bytes: ByteDecoder } | { readonly samples: SampleDecoder });

const DECODERS: Readonly<Record<number, Decoder>> = {
  1: { name: 'none', bytes: copyRaw },
  5: { name: 'LZW', bytes: decodeLzw },
  7: { name: 'JPEG', samples: decodeJpeg },
  8: { name: 'deflate', bytes: decodeDeflate },
  32946: { name: 'deflate', bytes: decodeDeflate },
  32773: { name: 'PackBits', bytes: decodePackBits },
  34887: { name: 'LERC', samples: decodeLerc },
  50000: { name: 'Zstandard', bytes: decodeZstd },
  50001: { name: 'WebP', samples: decodeWebp },
};

/** The name of a TIFF compression that can be decoded here, or null. */
export function codecName(compression: number): string | null {
  return DECODERS[compression]?.name ?? null;
}

/**
 * Decodes one block of `width` × `height` pixels (a tile's are always full; the last strip has fewer rows). `encoded` is left
 * as it is. `scratch` (8-byte aligned) spares an allocation where the codec allows it: the result may then be a view of it.
 * Where only the first `rows` are wanted the codec may stop there: the block's `rest` then makes more of it.
 */
export function decodeBlock(
  format: BlockFormat,
  encoded: Uint8Array,
  width: number,
  height: number,
  scratch?: Uint8Array,
  rows = height,
): MaybePromise<DecodedBlock> {
  const decoder = DECODERS[format.compression];
  if (!decoder) throw corrupt(`no decoder for TIFF compression ${format.compression}`);
  const frame = frameOf(format, width, height, scratch);
  if (decoder.name === 'deflate' && !format.reversedBits && canGrow(frame, encoded.length))
    return decodeRows(encoded, frame, rows);
  if ('samples' in decoder) return decoder.samples(encoded, frame);
  return samplesOf(decoder.bytes(format.reversedBits ? reverseBits(encoded) : encoded, frame), frame);
}

/** Uncompressed: copied, since byte order and predictor are undone in place and the encoded bytes may be shared. */
function copyRaw(encoded: Uint8Array, frame: Frame): Uint8Array {
  if (encoded.length < frame.rawBytes) throw corrupt(`block holds ${encoded.length} of ${frame.rawBytes} bytes`);
  const out = outputOf(frame);
  out.set(encoded.subarray(0, frame.rawBytes));
  return out;
}

/** A worker calls this once: libvips must neither cache what the ledger cannot see nor start threads of its own. */
export function configureSharp(): void {
  sharp.cache(false);
  sharp.concurrency(1);
}
