/** Sizes of windows and previews, by titiler's rules. */
import { resolveCrs } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { BBox, TileMatrix } from '../../tile.ts';
import { movedBox } from './boxes.ts';
import { algorithmMargin } from './derive.ts';
import { crsOf } from './read.ts';
import type { OutputGrid, RasterFormat, RasterParams } from './types.ts';

export interface SizeAsk {
  readonly width: number | null;
  readonly height: number | null;
  readonly maxSize: number | null;
  /** Most pixels a side, whether they are asked for or follow from the raster. Absent: as many as a plan looks at. */
  readonly sideMax?: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Both sides given: they are it. One given: the other by the aspect. None: the natural size, at most maxSize a side. Errors:
 * unprocessable; too-large, with the size that fits.
 */
export function fitSize(naturalWidth: number, naturalHeight: number, ask: SizeAsk): Size {
  const size = sizeOf(naturalWidth, naturalHeight, ask);
  const { sideMax = Number.POSITIVE_INFINITY } = ask;
  if (Math.max(size.width, size.height) <= sideMax) return size;
  const what = `${size.width} × ${size.height} pixels: at most ${sideMax} a side (raster.maxSize)`;
  throw problem('too-large', `${what}, as with max_size=${sideMax}`, { fits: { max_size: sideMax } });
}

function sizeOf(naturalWidth: number, naturalHeight: number, ask: SizeAsk): Size {
  for (const side of [ask.width, ask.height, ask.maxSize]) {
    if (side !== null && !(Number.isInteger(side) && side >= 1))
      throw problem('unprocessable', `a side of ${side} pixels cannot be`);
  }
  const aspect = naturalHeight / naturalWidth;
  const { width, height, maxSize } = ask;
  if (width !== null && height !== null) return { width, height };
  if (width !== null) return { width, height: Math.max(1, Math.ceil(width * aspect)) };
  if (height !== null) return { width: Math.max(1, Math.ceil(height / aspect)), height };
  if (maxSize === null || Math.max(naturalWidth, naturalHeight) <= maxSize)
    return { width: naturalWidth, height: naturalHeight };
  if (aspect > 1) return { width: Math.max(1, Math.ceil(maxSize / aspect)), height: maxSize };
  return { width: maxSize, height: Math.max(1, Math.ceil(maxSize * aspect)) };
}

export function wantedSize(ask: SizeAsk & { readonly layer: RasterLayer }, crs: string, box: BBox): Size {
  const { x, y } = nativeResolution(ask.layer, crs);
  const width = Math.max(1, halfToEven((box[2] - box[0]) / x));
  const height = Math.max(1, halfToEven((box[3] - box[1]) / y));
  return fitSize(width, height, ask);
}

/** As Python rounds, and so titiler: 112.5 is 112. */
function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The source's resolution in another CRS as GDAL suggests it: the diagonal of its box over the diagonal in pixels. */
function nativeResolution(layer: RasterLayer, crs: string): { x: number; y: number } {
  const { source } = layer;
  const own = crsOf(layer);
  const t = source.transform;
  if (resolveCrs(own).proj === resolveCrs(crs).proj) return { x: Math.hypot(t[1], t[4]), y: Math.hypot(t[2], t[5]) };
  const box = source.bounds && movedBox(own, crs, source.bounds);
  if (!box) throw problem('unprocessable', `${layer.id} has no image in ${crs}`);
  const resolution = Math.hypot(box[2] - box[0], box[3] - box[1]) / Math.hypot(source.width, source.height);
  return { x: resolution, y: resolution };
}

export interface TileSize {
  readonly scale: 1 | 2;
  readonly tilesize?: number | null;
  readonly buffer?: number;
}

/**
 * Pixels of a tile with its buffer, and how wide that is on every side. titiler has the margin that an algorithm looks at cut
 * off the buffer; here it is read beside it, so that the same request has the same size.
 */
export function tilePixels(
  { tileWidth, tileHeight }: TileMatrix,
  { scale, tilesize, buffer: asked = 0 }: TileSize,
  { algorithm }: Pick<RasterParams, 'algorithm'>,
): Size & { readonly buffer: number } {
  const buffer = Math.max(0, asked - algorithmMargin(algorithm));
  const width = (tilesize ?? tileWidth) * scale + 2 * buffer;
  const height = (tilesize ?? tileHeight) * scale + 2 * buffer;
  return { width, height, buffer };
}

/** Output pixels that a plan will even look at; the byte ceiling of a request lies far below. */
export const OUTPUT_PIXELS_MAX = 64 * 1024 * 1024;

/** Most pixels a side that a format can say at all; of the others it is more than a plan looks at. */
const FORMAT_SIDES: Readonly<Partial<Record<RasterFormat, number>>> = { webp: 16_383, jpg: 65_500 };

/** Errors: too-large, with the size that fits. */
export function checkPixels({ width, height }: OutputGrid, format: RasterFormat): void {
  const side = FORMAT_SIDES[format] ?? Number.POSITIVE_INFINITY;
  if (Math.max(width, height) > side)
    throw problem('too-large', `${width} × ${height} pixels: a ${format} has at most ${side} a side`, {
      fits: { max_size: side },
    });
  if (width * height <= OUTPUT_PIXELS_MAX) return;
  const fits = Math.floor(Math.sqrt(OUTPUT_PIXELS_MAX));
  throw problem(
    'too-large',
    `${width} × ${height} pixels: at most ${OUTPUT_PIXELS_MAX} fit, as with max_size=${fits}`,
    {
      fits: { max_size: fits },
    },
  );
}
