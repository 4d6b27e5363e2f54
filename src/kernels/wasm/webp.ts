/**
 * The encoder of lossy WebP in WebAssembly (wasm/webp/), one instance a thread, made when the first picture is encoded. Its memory is
 * scratch of 4 MiB, of which only what pictures touched is there: 0.3 MB of a photograph of 512 px, 0.9 MB at most.
 */
import { LazyModule } from './load.ts';
import { CODE } from './webp-code.ts';

export interface WebpCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Bytes that a picture takes of the memory at most, beside the compiler's. */
  taken(width: number, height: number, channels: number): number;
  /** Where 16 rows go before each strip(); 0 where the picture does not fit. `index` is the quantiser's, 0 … 127; `filter` 0 … 63. */
  start(width: number, height: number, channels: number, index: number, filter: number): number;
  strip(): void;
  /** Bytes of the file that lies at written(); 0 where it did not fit. */
  finish(): number;
  written(): number;
  /** Behind start(): where macroblocks go as a decoder makes them before its loop filter, 384 bytes each. */
  reconstruct(at: number): void;
}

export const encoder: Pick<LazyModule<WebpCode>, 'code' | 'bytes'> = new LazyModule<WebpCode>(CODE);
