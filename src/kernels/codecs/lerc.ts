/**
 * LERC2 (compression 34887) in Esri's wasm, with libtiff's optional deflate or Zstandard around it. The blob's own header is
 * checked against the block before the decoder sees it: 94 bytes can name a raster of 64 MB.
 */
import * as Lerc from 'lerc';
import { inflateBounded, unzstdBounded } from './deflate.ts';
import { corrupt, type DecodedBlock, type Frame, type MaybePromise, type SampleArray } from './types.ts';

/** Room for headers and masks of a blob that did not compress. */
const SLACK = 65536;
const KINDS = ['S8', 'U8', 'S16', 'U16', 'S32', 'U32', 'F32', 'F64'] as const;
const KIND_OF: Readonly<Record<string, (typeof KINDS)[number]>> = {
  int8: 'S8',
  uint8: 'U8',
  int16: 'S16',
  uint16: 'U16',
  int32: 'S32',
  uint32: 'U32',
  float32: 'F32',
  float64: 'F64',
};

export function decodeLerc(encoded: Uint8Array, frame: Frame): MaybePromise<DecodedBlock> {
  const blob = unwrap(encoded, frame);
  const header = readHeader(blob);
  checkHeader(header, frame);
  if (Lerc.isLoaded()) return decodeBlob(blob, header, frame);
  return Lerc.load().then(() => decodeBlob(blob, header, frame));
}

function unwrap(encoded: Uint8Array, { format, rawBytes }: Frame): Uint8Array {
  const wrapper = format.lerc?.[1] ?? 0;
  if (wrapper === 0) return encoded;
  if (wrapper === 1) return inflateBounded(encoded, rawBytes * 2 + SLACK);
  if (wrapper === 2) return unzstdBounded(encoded, rawBytes * 2 + SLACK);
  throw corrupt(`LERC with additional compression ${wrapper}`);
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly valid: number;
  readonly kind: (typeof KINDS)[number];
}

/** "Lerc2 ", version, [checksum from 3], rows, columns, [depth from 4], valid pixels, micro block, blob size, type. */
function readHeader(blob: Uint8Array): Header {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 62 || String.fromCharCode(...blob.subarray(0, 6)) !== 'Lerc2 ') {
    throw corrupt('LERC block does not begin with "Lerc2"');
  }
  const version = view.getInt32(6, true);
  let at = version >= 3 ? 14 : 10;
  const height = view.getInt32(at, true);
  const width = view.getInt32(at + 4, true);
  at += 8;
  const depth = version >= 4 ? view.getInt32(at, true) : 1;
  if (version >= 4) at += 4;
  const kind = KINDS[view.getInt32(at + 12, true)];
  const size = view.getInt32(at + 8, true);
  if (version < 1 || version > 6 || !kind) throw corrupt(`LERC version ${version} with an unknown number type`);
  if (size > blob.length || size < 0) throw corrupt(`LERC blob says ${size} bytes, there are ${blob.length}`);
  return { width, height, depth, valid: view.getInt32(at, true), kind };
}

function checkHeader(header: Header, { width, height, samples, format }: Frame): void {
  const { kind } = header;
  if (kind !== KIND_OF[format.dtype]) throw corrupt(`LERC block holds ${kind} where the file says ${format.dtype}`);
  if (header.width !== width || header.height < height || header.height > format.blockHeight) {
    throw corrupt(`LERC block is ${header.width}×${header.height}, not ${width}×${height}`);
  }
  // libtiff leaves a fully opaque or transparent alpha out and keeps it as the validity mask.
  if (header.depth !== samples && header.depth !== samples - 1) {
    throw corrupt(`LERC block has depth ${header.depth}, not ${samples}`);
  }
}

function decodeBlob(blob: Uint8Array, header: Header, { width, height, samples }: Frame): DecodedBlock {
  let result: Lerc.LercData;
  try {
    result = Lerc.decode(blob, { returnInterleaved: true });
  } catch (error) {
    throw corrupt(`LERC: ${(error as Error).message}`);
  }
  const pixels = result.pixels[0] as SampleArray;
  const count = width * height;
  let mask = result.mask ? result.mask.subarray(0, count) : null;
  if (!mask && header.valid === 0) mask = new Uint8Array(count);
  if (header.depth === samples - 1) {
    return { data: withAlpha(pixels, mask, count, samples), mask: null, width, height, samples, rest: null };
  }
  const data = pixels.subarray(0, count * samples);
  if (mask && (data instanceof Float32Array || data instanceof Float64Array)) fillInvalid(data, mask, samples);
  return { data, mask, width, height, samples, rest: null };
}

function withAlpha(colours: SampleArray, mask: Uint8Array | null, count: number, samples: number): Uint8Array {
  const out = new Uint8Array(count * samples);
  const depth = samples - 1;
  for (let i = 0; i < count; i++) {
    for (let s = 0; s < depth; s++) out[i * samples + s] = colours[i * depth + s];
    out[i * samples + depth] = !mask || mask[i] ? 255 : 0;
  }
  return out;
}

/** As libtiff: what the encoder left out of a float raster was NaN. */
function fillInvalid(data: Float32Array | Float64Array, mask: Uint8Array, samples: number): void {
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) data.fill(NaN, i * samples, (i + 1) * samples);
}
