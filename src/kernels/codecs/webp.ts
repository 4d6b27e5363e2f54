/** WebP (compression 50001) through libwebp in sharp, lossy or lossless, three or four samples. */
import sharp from 'sharp';
import type { BlockFormat } from '../../source/types.ts';
import { corrupt, type DecodedBlock, type Frame } from './types.ts';

export async function decodeWebp(encoded: Uint8Array, frame: Frame): Promise<DecodedBlock> {
  const { width, height, samples, format } = frame;
  const size = webpSize(encoded);
  if (!size) throw corrupt('WebP block has no readable header');
  if (size.width !== width || size.height < height || size.height > format.blockHeight) {
    throw corrupt(`WebP block is ${size.width}×${size.height}, not ${width}×${height}`);
  }
  const image = sharp(encoded, { failOn: 'error', ignoreIcc: true, limitInputPixels: size.width * size.height });
  if (samples === 4) image.ensureAlpha();
  else image.removeAlpha();
  try {
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.width !== size.width || info.height !== size.height || info.channels !== samples) {
      throw corrupt(`WebP block decoded to ${info.width}×${info.height}×${info.channels}`);
    }
    return { data: data.subarray(0, frame.rawBytes), mask: null, width, height, samples, rest: null };
  } catch (error) {
    throw corrupt(`WebP: ${(error as Error).message}`);
  }
}

/** A full block as a WebP file: it is one, once its size and its length have been checked. The same memory. */
export function webpFile(encoded: Uint8Array, { blockWidth, blockHeight }: BlockFormat): Uint8Array {
  const size = webpSize(encoded);
  if (!size) throw corrupt('WebP block has no readable header');
  if (size.width !== blockWidth || size.height !== blockHeight) {
    throw corrupt(`WebP block is ${size.width}×${size.height}, not ${blockWidth}×${blockHeight}`);
  }
  const length = 8 + new DataView(encoded.buffer, encoded.byteOffset).getUint32(4, true);
  if (length > encoded.length) throw corrupt(`WebP block holds ${encoded.length} of ${length} bytes`);
  return encoded.subarray(0, length);
}

/** The canvas size as the first chunk states it (VP8X, VP8L or VP8), read before anything is decoded. */
export function webpSize(bytes: Uint8Array): { width: number; height: number } | null {
  if (bytes.length < 30 || tag(bytes, 0) !== 'RIFF' || tag(bytes, 8) !== 'WEBP') return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunk = tag(bytes, 12);
  if (chunk === 'VP8X') {
    const width = 1 + (view.getUint16(24, true) | (view.getUint8(26) << 16));
    return { width, height: 1 + (view.getUint16(27, true) | (view.getUint8(29) << 16)) };
  }
  if (chunk === 'VP8L') {
    if (view.getUint8(20) !== 0x2f) return null;
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (chunk !== 'VP8 ' || view.getUint8(23) !== 0x9d) return null;
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}
