/** From a block's raw bytes to samples in host order: byte order, predictor, bit unpacking, number types. */
import type { BlockFormat } from '../../source/types.ts';
import { undoFloat, undoHorizontal } from './predictor.ts';
import type { DecodedBlock, Frame, SampleArray } from './types.ts';

/** The codecs to which libtiff applies the Predictor tag; with any other it is noise. */
const PREDICTED: ReadonlySet<number> = new Set([5, 8, 32946, 50000]);

export function predictorOf(format: BlockFormat): number {
  return PREDICTED.has(format.compression) ? format.predictor : 1;
}

/** `raw` belongs to this call (it is changed in place) and holds at least frame.rawBytes. */
export function samplesOf(raw: Uint8Array, frame: Frame): DecodedBlock {
  const { format, width, height, samples } = frame;
  const block = (data: SampleArray): DecodedBlock => ({ data, mask: null, width, height, samples, rest: null });
  if (format.bits < 8) return block(unpackBits(raw, frame));
  const bytes = aligned(raw, frame.rawBytes);
  undoRows(bytes, frame);
  return block(typed(bytes, format));
}

/** Byte order and predictor of whole rows, in place; `bytes` begins at a multiple of a sample's size. */
export function undoRows(bytes: Uint8Array, { format, width, samples }: Frame): void {
  const predictor = predictorOf(format);
  const size = format.bits / 8;
  // Predictor 3 names bytes by significance, so it alone is independent of the file's byte order.
  if (!format.littleEndian && predictor !== 3) swapBytes(bytes, size);
  if (predictor === 2) undoHorizontal(bytes, format.bits, width * samples, samples);
  else if (predictor === 3) undoFloat(bytes, size, width * samples, samples);
}

/** A view that starts on an 8-byte boundary; copied only where it does not (small zlib results come out of a pool). */
function aligned(raw: Uint8Array, length: number): Uint8Array {
  if (raw.byteOffset % 8 === 0) return raw.subarray(0, length);
  const copy = new Uint8Array(length);
  copy.set(raw.subarray(0, length));
  return copy;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

export function typed(bytes: Uint8Array, { dtype, bits }: BlockFormat): SampleArray {
  const { buffer, byteOffset, byteLength } = bytes;
  const n = byteLength / (bits / 8);
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, n);
    case 'int8':
      return new Int8Array(buffer, byteOffset, n);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, n);
    case 'int16':
      return new Int16Array(buffer, byteOffset, n);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, n);
    case 'int32':
      return new Int32Array(buffer, byteOffset, n);
    case 'uint64':
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, n), Number);
    case 'int64':
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, n), Number);
    case 'float16':
      return fromHalf(new Uint16Array(buffer, byteOffset, n));
    case 'float32':
      return new Float32Array(buffer, byteOffset, n);
    case 'float64':
      return new Float64Array(buffer, byteOffset, n);
  }
}

function fromHalf(half: Uint16Array): Float32Array {
  const out = new Float32Array(half.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < half.length; i++) {
    const h = half[i];
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    // Subnormal halves are normal floats: let the multiplication normalise them.
    if (exponent === 0) out[i] = (h & 0x8000 ? -1 : 1) * fraction * 2 ** -24;
    else bits[i] = ((h & 0x8000) << 16) | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}

/** 1, 2 or 4 bits a sample, most significant first, rows padded to bytes; one byte a sample comes out, never scaled. */
function unpackBits(raw: Uint8Array, { format, width, height, samples, rowBytes }: Frame): Uint8Array {
  const { bits } = format;
  const rowSamples = width * samples;
  const out = new Uint8Array(rowSamples * height);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * rowBytes;
    for (let i = 0; i < rowSamples; i++) {
      const shift = 8 - bits * ((i % perByte) + 1);
      out[to++] = (raw[row + ((i / perByte) | 0)] >> shift) & mask;
    }
  }
  return out;
}

/** FillOrder 2 mirrors the bits of every byte of the encoded data. */
export function reverseBits(encoded: Uint8Array): Uint8Array {
  const out = new Uint8Array(encoded.length);
  for (let i = 0; i < encoded.length; i++) {
    const b = encoded[i];
    out[i] = ((((Math.imul(b, 0x0802) & 0x22110) | (Math.imul(b, 0x8020) & 0x88440)) * 0x10101) >>> 16) & 255;
  }
  return out;
}
