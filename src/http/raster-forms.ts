/** Forms and sizes of images, as routes name them. */
import { problem } from '../errors.ts';
import type { RasterFormat } from '../render/raster/plan.ts';
import { oneOf, toInteger } from './params.ts';

export const FORMATS: Readonly<Record<string, RasterFormat>> = {
  png: 'png',
  webp: 'webp',
  jpg: 'jpg',
  jpeg: 'jpg',
  tif: 'tif',
  tiff: 'tif',
  npy: 'npy',
};

/** Longest side of an image, in pixels, before the byte ceiling is even asked. */
export const MAX_SIDE = 16384;
/** titiler's default for previews and statistics. */
export const PREVIEW_SIZE = 1024;

export const SIDE = { min: 1, max: MAX_SIDE };

export function side(name: string, value: string): number {
  const n = toInteger(name, value);
  if (n < 1 || n > MAX_SIDE) throw problem('unprocessable', `${name}: ${n} is not between 1 and ${MAX_SIDE}`);
  return n;
}

export function formatOf(name: string): RasterFormat {
  return FORMATS[oneOf('format', name, Object.keys(FORMATS))];
}
