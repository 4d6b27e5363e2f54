/** From a painted canvas to the body of a reply, in each format. */
import { problem } from '../../errors.ts';
import { maskKind, paletteToRgba, type Range, rescaleToBytes, spareIndex, withAlpha } from '../../kernels/colour.ts';
import { applyColourFormula } from '../../kernels/colour-formula.ts';
import { type ColourMap, colourValues } from '../../kernels/colour-map.ts';
import { encodeGeotiff, geotiffBytes } from '../../kernels/geotiff-writer.ts';
import { encodeNpy, npyBytes } from '../../kernels/npy.ts';
import {
  encodePng,
  PNG_GRAY,
  PNG_GRAY_ALPHA,
  PNG_INDEXED,
  PNG_RGB,
  PNG_RGBA,
  type PngColour,
  pngBound,
} from '../../kernels/png.ts';
import { SAMPLE_TYPES, type Samples, type SampleType, workingBytes } from '../../kernels/samples.ts';
import { WEBP_SCRATCH_BYTES } from '../../kernels/webp.ts';
import { emptyWebp } from '../../kernels/webp-empty.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted } from '../../plan.ts';
import { encodeLossy } from './lossy.ts';
import type { BandChoice, ImageStyle, OutputGrid, RasterFormat } from './types.ts';

export const CONTENT_TYPES: Readonly<Record<RasterFormat, string>> = {
  png: 'image/png',
  webp: 'image/webp',
  jpg: 'image/jpeg',
  tif: 'image/tiff; application=geotiff',
  npy: 'application/x-binary',
};

/** A channel of WebP or JPEG, of whatever quality, never takes more than the pixel itself, but has a header. */
const LOSSY_HEADER = 4096;

export const COLOURS: Readonly<Record<number, PngColour>> = { 1: PNG_GRAY, 2: PNG_GRAY_ALPHA, 3: PNG_RGB, 4: PNG_RGBA };

/** Upper bound of a body in bytes. */
export function bodyBound(format: RasterFormat, grid: OutputGrid, { bands, dtype }: BandChoice): number {
  const pixels = grid.width * grid.height;
  if (format === 'png') return pngBound(grid.width, grid.height, 4);
  if (format === 'npy') return npyBytes(dtype, pixels, bands.length, true);
  if (format === 'tif') return geotiffBytes(dtype, grid, bands.length + 1);
  return pixels * 4 + LOSSY_HEADER;
}

/**
 * Bytes that the encoder of a canvas holds beside canvas and body, at most: pixels as bytes, with alpha, filtered, and the
 * compressed data before it becomes a file. What libvips takes for itself was measured at four bytes a pixel; our own WebP takes no
 * more than that and its scratch.
 */
export function encodingBytes(
  { format, scales, rescale, table, map, indexed, returnMask }: ImageStyle,
  pixels: number,
  { bands, dtype, nodata }: BandChoice,
  stretched: boolean,
  bodyBytes: number,
): number {
  const n = bands.length;
  const unscaledBytes = scales ? pixels * n * 8 : 0;
  const { integer } = SAMPLE_TYPES[dtype];
  if (format === 'npy') return unscaledBytes;
  if (format === 'tif') {
    const fills = returnMask && (nodata !== null || !integer);
    return unscaledBytes + bodyBytes + (fills ? pixels * n * workingBytes(dtype) : 0);
  }
  const asBytes = rescale || stretched || indexed || dtype !== 'uint8' ? pixels * n : 0;
  const channels = table || map ? 4 : n <= 2 ? 2 : 4;
  const shown = table || map || returnMask ? pixels * channels : 0;
  const lossy = pixels * 4 + (format === 'webp' ? WEBP_SCRATCH_BYTES : 0);
  return unscaledBytes + asBytes + shown + (format === 'png' ? pixels * channels + bodyBytes : lossy);
}

export interface Canvas {
  readonly samples: Samples;
  readonly bands: number;
  readonly type: SampleType;
  readonly mask: Uint8Array;
}

export interface Encoded {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export async function encodeCanvas(
  canvas: Canvas,
  grid: OutputGrid,
  style: ImageStyle,
  nodata: number | null,
  ranges: readonly Range[] | null,
): Promise<Encoded> {
  const { width, height } = grid;
  const { samples, bands, type, mask } = canvas;
  if (style.format === 'npy') {
    return {
      body: encodeNpy({ type, width, height, bands, samples, mask: style.returnMask ? mask : null }),
      headers: {},
    };
  }
  if (style.format === 'tif') {
    return {
      body: encodeGeotiff({
        type,
        width,
        height,
        bands,
        samples,
        mask: style.returnMask ? mask : null,
        nodata,
        georef: style.georef ?? null,
      }),
      headers: {},
    };
  }
  return { body: await encodePicture(canvas, grid, style, ranges), headers: {} };
}

async function encodePicture(
  canvas: Canvas,
  grid: OutputGrid,
  style: ImageStyle,
  ranges: readonly Range[] | null,
): Promise<Uint8Array> {
  const { width, height } = grid;
  const { bands, mask } = canvas;
  const kind = style.returnMask ? maskKind(mask) : 'opaque';
  if (kind === 'empty' && style.format !== 'jpg') return emptyBody(style.format, width, height);
  if (style.map && !ranges && !style.formula) return await mappedPicture(canvas.samples, canvas, grid, style);
  const bytes = bytesOf(canvas, style, ranges);
  const spent = bytes === canvas.samples ? [] : [bytes];
  try {
    if (style.formula) applyColourFormula(bytes, bands, style.formula);
    if (style.map) return await mappedPicture(bytes, canvas, grid, style);
    if (style.table) {
      if (style.format === 'png' && kind !== 'soft') {
        const indexed = indexedPng(bytes, style.table, mask, kind === 'binary', width, height);
        if (indexed) return indexed;
      }
      const all = style.returnMask ? mask : new Uint8Array(mask.length).fill(255);
      const colours = paletteToRgba(bytes, style.table, all);
      spent.push(colours);
      return await encodePixels(colours, 4, width, height, style);
    }
    if (kind === 'opaque') return await encodePixels(bytes, bands, width, height, style);
    const shown = withAlpha(bytes, bands, mask);
    spent.push(shown);
    return await encodePixels(shown, bands <= 2 ? 2 : 4, width, height, style);
  } finally {
    // Dead pixels would otherwise stand beside the next job's until a collection.
    for (const array of spent) freeArray(array);
  }
}

/** Channels of a picture that is written before anybody knows all of its mask. */
export function stripChannels({ table }: ImageStyle, { bands }: BandChoice, alpha: boolean): number {
  if (table) return 4;
  if (!alpha) return bands.length;
  return bands.length <= 2 ? 2 : 4;
}

/** The pixels of a canvas as they are shown, with a channel for what is invalid where there may be such. */
export function picturePixels(
  canvas: Canvas,
  style: ImageStyle,
  ranges: readonly Range[] | null,
  alpha: boolean,
): Uint8Array {
  const { bands, mask } = canvas;
  const bytes = bytesOf(canvas, style, ranges);
  if (!style.table && !alpha) return bytes;
  const shown = style.returnMask ? mask : new Uint8Array(mask.length).fill(255);
  const pixels = style.table ? paletteToRgba(bytes, style.table, shown) : withAlpha(bytes, bands, shown);
  if (bytes !== canvas.samples) freeArray(bytes);
  return pixels;
}

/** Colours by value, where values are no bytes or intervals are meant. */
async function mappedPicture(
  samples: Samples,
  { mask }: Canvas,
  { width, height }: OutputGrid,
  style: ImageStyle,
): Promise<Uint8Array> {
  const { map, returnMask } = style;
  const colours = colourValues(samples, returnMask ? mask : new Uint8Array(mask.length).fill(255), map as ColourMap);
  try {
    return await encodePixels(colours, 4, width, height, style);
  } finally {
    freeArray(colours);
  }
}

function bytesOf(
  { samples, bands, type, mask }: Canvas,
  { indexed }: ImageStyle,
  ranges: readonly Range[] | null,
): Uint8Array {
  if (ranges) return rescaleToBytes(samples, bands, mask.length, ranges);
  if (samples instanceof Uint8Array) return samples;
  if (indexed) return Uint8Array.from(samples);
  throw problem('internal', `${type} samples reached an image without a range`);
}

/** Null where all 256 entries are in use and one is needed for what is invalid. */
function indexedPng(
  indices: Uint8Array,
  table: Uint8Array,
  mask: Uint8Array,
  holes: boolean,
  width: number,
  height: number,
): Uint8Array | null {
  const spare = holes ? spareIndex(indices, mask) : -1;
  if (holes && spare < 0) return null;
  const pixels = holes ? indices.map((index, i) => (mask[i] === 0 ? spare : index)) : indices;
  const palette = new Uint8Array(768);
  const alpha = new Uint8Array(256).fill(255);
  let translucent = 0;
  for (let i = 0; i < 256; i++) {
    palette.set(table.subarray(i * 4, i * 4 + 3), i * 3);
    const own = i === spare ? 0 : i * 4 < table.length ? table[i * 4 + 3] : 0;
    alpha[i] = own;
    if (own !== 255) translucent = i + 1;
  }
  return encodePng({
    width,
    height,
    colour: PNG_INDEXED,
    pixels,
    palette,
    paletteAlpha: alpha.subarray(0, translucent),
  });
}

async function encodePixels(
  pixels: Uint8Array,
  channels: number,
  width: number,
  height: number,
  { format, quality }: Pick<ImageStyle, 'format' | 'quality'>,
): Promise<Uint8Array> {
  if (format === 'png') return encodePng({ width, height, colour: COLOURS[channels], pixels });
  return await encodeLossy({ width, height, channels, pixels }, format === 'webp' ? 'webp' : 'jpg', quality);
}

const TILE_SIDES = [256, 512] as const;
const EMPTY_TILES: ReadonlyMap<number, Uint8Array> = new Map(
  TILE_SIDES.map(side => [side, transparentPng(side, side)]),
);

function transparentPng(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  return encodePng({
    width,
    height,
    colour: PNG_INDEXED,
    pixels,
    palette: new Uint8Array(3),
    paletteAlpha: new Uint8Array(1),
  });
}

function emptyBody(format: RasterFormat, width: number, height: number): Uint8Array {
  if (format === 'webp') return emptyWebp(width, height);
  if (format !== 'png') throw problem('internal', `an empty ${format} is painted, not kept`);
  const known = width === height ? EMPTY_TILES.get(width) : undefined;
  return known ? known.slice() : transparentPng(width, height);
}

/** A fully transparent image without a job: PNG and WebP. */
export function emptyImage(format: RasterFormat, width: number, height: number): Painted {
  const body = emptyBody(format, width, height);
  return { body, contentType: CONTENT_TYPES[format], encoding: 'identity', headers: {}, peakBytes: body.length, ms: 0 };
}
