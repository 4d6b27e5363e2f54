/** Forms and sizes of images, as routes name them. */
import { problem } from '../errors.ts';
import type { RasterFormat } from '../render/raster/plan.ts';
import { integer, oneOf, type Query, toInteger } from './params.ts';

export const FORMATS: Readonly<Record<string, RasterFormat>> = {
  png: 'png',
  webp: 'webp',
  jpg: 'jpg',
  jpeg: 'jpg',
  tif: 'tif',
  tiff: 'tif',
  npy: 'npy',
};

/** Longest side of an image that a request may name where raster.maxSize does not say, in pixels; the byte ceiling lies below. */
export const MAX_SIDE = 16384;
/** titiler's default for previews and statistics. */
export const PREVIEW_SIZE = 1024;

export const SIDE = { min: 1, max: MAX_SIDE };

export interface AskedSize {
  readonly width: number | null;
  readonly height: number | null;
  readonly maxSize: number | null;
  readonly sideMax?: number;
}

/** The size that the path names, else the query; `sideMax` is raster.maxSize. Errors: bad-parameter, unprocessable. */
export function sizeOf(query: Query, path: readonly (string | undefined)[], sideMax: number | null): AskedSize {
  const side = (name: string, named?: string): number | null => {
    const n = named === undefined ? integer(query, name, ANY) : toInteger(name, named);
    if (n === undefined) return null;
    const max = sideMax ?? MAX_SIDE;
    if (n >= 1 && n <= max) return n;
    const setting = sideMax === null ? '' : ' (raster.maxSize)';
    throw problem('unprocessable', `${name}: ${n} is not between 1 and ${max}${setting}`);
  };
  return {
    width: side('width', path[0]),
    height: side('height', path[1]),
    maxSize: side('max_size'),
    ...(sideMax === null ? {} : { sideMax }),
  };
}

const ANY = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

export function formatOf(name: string): RasterFormat {
  return FORMATS[oneOf('format', name, Object.keys(FORMATS))];
}
