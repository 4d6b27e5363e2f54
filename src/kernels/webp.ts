/**
 * Lossy WebP of opaque pictures by an encoder of our own (wasm/webp/: VP8's key frames after RFC 6386, in WebAssembly with SIMD).
 * libwebp at effort 0 takes three to four times its CPU for a smooth tile of 512 px and 1.7 times for a detailed one, for more bytes
 * and less PSNR: bench/webp.ts prints both beside each other. What it is not for goes to libwebp: alpha, and pictures that its memory
 * does not hold.
 */
import { encoder } from './wasm/webp.ts';

export interface WebpPicture {
  readonly width: number;
  readonly height: number;
  /** Gray, RGB, or RGBA. */
  readonly channels: number;
  /** width × height × channels, 8 bits. */
  readonly pixels: Uint8Array;
}

/** Of the whole frame: the quantiser's index, 0 … 127, and the level of the loop filter, 0 … 63. */
export interface WebpSteps {
  readonly index: number;
  readonly filter: number;
}

/** What this encoder makes no worse than libwebp: below, chroma of smooth pictures would suffer, above, steps are too fine for it. */
const QUALITY_MIN = 20;
const QUALITY_MAX = 90;
/** Of libwebp's index of the same quality: one step for the whole frame takes fewer bits than its segments, so it may be finer. */
const FINER = 0.878;

/**
 * Steps that on photographs and drawn rasters are no worse in PSNR than libwebp at effort 0 with the same quality, and hardly ever
 * take more bytes; null where libwebp is to be taken. Its index goes with the cube root, and its filter with the step of AC, as here.
 */
export function webpSteps(quality: number): WebpSteps | null {
  if (quality < QUALITY_MIN || quality > QUALITY_MAX) return null;
  const share = quality < 75 ? (quality * 2) / 300 : quality / 50 - 1;
  const index = Math.round(127 * (1 - Math.cbrt(share)) * FINER);
  return { index, filter: Math.round((index + 4) * 0.293) };
}

const STRIP_ROWS = 16;
/** What a picture may take of the encoder's memory beside four bytes a pixel: those of few rows take more, and are not for it. */
export const WEBP_SCRATCH_BYTES = 2 ** 16;

/** The file, in a buffer of its own; null where the picture is not for this encoder. */
export function encodeWebp(picture: WebpPicture, steps: WebpSteps): Uint8Array | null {
  const { width, height, channels, pixels } = picture;
  if (channels === 2 || (channels === 4 && !isOpaque(pixels))) return null;
  const { code, bytes } = encoder;
  if (code.taken(width, height, channels) > width * height * 4 + WEBP_SCRATCH_BYTES) return null;
  const at = code.start(width, height, channels, steps.index, steps.filter);
  if (at === 0) return null;
  const stripBytes = width * channels * STRIP_ROWS;
  const end = width * height * channels;
  for (let from = 0; from < end; from += stripBytes) {
    bytes.set(pixels.subarray(from, Math.min(end, from + stripBytes)), at);
    code.strip();
  }
  const length = code.finish();
  const written = code.written();
  return length === 0 ? null : bytes.slice(written, written + length);
}

function isOpaque(rgba: Uint8Array): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}
