/** Which bands are meant, what makes a pixel invalid, and how values become colours: decided once, in the plan. */
import { problem } from '../../errors.ts';
import { colormap } from '../../kernels/colormaps.ts';
import { parseColourFormula } from '../../kernels/colour-formula.ts';
import { tableOfMap } from '../../kernels/colour-map.ts';
import type { Resampling } from '../../kernels/resampling.ts';
import { castNodata, SAMPLE_TYPES, type SampleType } from '../../kernels/samples.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { RasterSource } from '../../source/types.ts';
import type { BandChoice, Derivation, ImageStyle, Product, RasterFormat, RasterParams } from './types.ts';

export function isImage(format: RasterFormat): boolean {
  return format === 'png' || format === 'webp' || format === 'jpg';
}

/** 1-based bands that are wanted: asked for, the layer's, or those that make sense for the format. */
export function defaultBands(layer: RasterLayer, params: RasterParams, format: RasterFormat | null): number[] {
  const { source } = layer;
  const asked = params.bidx ?? layer.options.bidx;
  if (asked && asked.length > 0) {
    for (const band of asked) {
      if (!Number.isInteger(band) || band < 1 || band > source.bands.length) {
        throw problem('unprocessable', `bidx ${band}: ${layer.id} has bands 1 to ${source.bands.length}`);
      }
    }
    return [...asked];
  }
  const data = source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
  if (format === null || !isImage(format)) return data.length > 0 ? data : [1];
  if (params.colormap ?? params.colormapName ?? layer.options.colormapName) return data.slice(0, 1);
  return imageBands(source, data);
}

/** Red, green and blue where the file names them; else the first band, or the first three of three and more. */
function imageBands(source: RasterSource, data: number[]): number[] {
  const named = (['red', 'green', 'blue'] as const).map(
    colour => source.bands.find(b => b.colorInterp === colour)?.index,
  );
  if (named.every(index => index !== undefined)) return named as number[];
  return data.length >= 3 ? data.slice(0, 3) : data.slice(0, 1);
}

export function chooseBands(layer: RasterLayer, params: RasterParams, wanted: readonly number[]): BandChoice {
  const { source } = layer;
  const nodata = castNodata(source.dtype, params.nodata ?? layer.options.nodata ?? source.nodata);
  // GDAL's order: a mask beats nodata, nodata beats alpha.
  const decided = source.levels[0].mask !== null || nodata !== null;
  const alpha = decided ? -1 : source.bands.findIndex(band => band.colorInterp === 'alpha');
  return {
    bands: wanted.map(band => band - 1),
    alpha,
    samples: source.levels[0].format.samples,
    dtype: source.dtype,
    nodata,
    premultiplied: source.premultipliedAlpha && alpha >= 0,
  };
}

export interface Scaling {
  readonly scales: readonly number[] | null;
  readonly offsets: readonly number[] | null;
}

export function scaling(source: RasterSource, params: RasterParams, wanted: readonly number[]): Scaling {
  if (!params.unscale) return { scales: null, offsets: null };
  const bands = wanted.map(band => source.bands[band - 1]);
  return { scales: bands.map(band => band.scale), offsets: bands.map(band => band.offset) };
}

/** How values of these bands become a picture. `product` is what they are when they get there. */
export function imageStyle(
  layer: RasterLayer,
  params: RasterParams,
  { wanted, derive, product }: Derivation,
  format: RasterFormat,
): ImageStyle {
  // The operator's choices are for the values of the file, not for what is computed from them.
  const { rescale: usual = null, colormapName: usualColours } = derive ? {} : layer.options;
  const rescale = params.rescale ?? (params.percentiles ? null : (usual ?? (product.range && [product.range])));
  const { percentiles = null, returnMask } = params;
  const scale = scaling(layer.source, params, wanted);
  const base = {
    format,
    quality: qualityOf(layer, format),
    returnMask,
    rescale,
    percentiles,
    map: null,
    formula: null,
    table: null,
    indexed: false,
    ...scale,
  };
  if (!isImage(format)) return { ...base, rescale: null, percentiles: null };
  if (product.bands > 4) {
    throw problem('unprocessable', `${product.bands} bands cannot be a ${format} image: choose 1 to 4 with bidx`);
  }
  checkRescale(rescale, product.bands);
  const formula = params.colorFormula === undefined ? null : parseColourFormula(params.colorFormula, product.bands);
  return {
    ...base,
    formula,
    ...coloursOf(layer, params, derive !== null, usualColours, product, rescale !== null || formula !== null),
  };
}

/** The defaults are those of the configuration. */
function qualityOf({ options }: RasterLayer, format: RasterFormat): number {
  return format === 'jpg' ? (options.jpegQuality ?? 80) : (options.webpQuality ?? 75);
}

/** The table or map of colours; `changed`: bytes are no longer what the file holds. */
function coloursOf(
  layer: RasterLayer,
  params: RasterParams,
  derived: boolean,
  usual: string | undefined,
  { bands, type }: Product,
  changed: boolean,
): Partial<ImageStyle> {
  const name = params.colormapName ?? (params.colormap ? undefined : usual);
  if (name !== undefined || params.colormap) {
    const which = params.colormap ? 'colormap' : 'colormap_name';
    if (bands !== 1) throw problem('unprocessable', `${which} needs one band, not ${bands}: choose it with bidx`);
  }
  if (params.colormap) {
    const table = type === 'uint8' || changed ? tableOfMap(params.colormap) : null;
    return table ? { table, indexed: !changed } : { map: params.colormap };
  }
  if (name !== undefined) {
    const table = colormap(name);
    if (!table) throw problem('bad-parameter', `colormap_name: "${name}" is not known`);
    return { table };
  }
  const { palette } = layer.source;
  return palette && bands === 1 && !derived && !changed ? { table: palette, indexed: true } : {};
}

function checkRescale(rescale: readonly (readonly [number, number])[] | null, bands: number): void {
  if (rescale === null) return;
  if (rescale.length !== 1 && rescale.length !== bands) {
    throw problem('unprocessable', `rescale has ${rescale.length} ranges for ${bands} bands: give one, or one a band`);
  }
  for (const [low, high] of rescale) {
    if (!(high > low)) throw problem('unprocessable', `rescale: ${low} is not below ${high}`);
  }
}

/** titiler's two words: `reproject` where pixels are warped into another system, else `resampling`. Indices are not averaged. */
export function resamplingOf(layer: RasterLayer, params: RasterParams, warped: boolean): Resampling {
  const wanted = (warped ? params.reproject : undefined) ?? params.resampling;
  return layer.source.palette && wanted !== 'mode' ? 'nearest' : wanted;
}

/** Bytes pass through as they are; any other type needs a range, which is read from the file where nobody gives one. */
export function needsStretch(style: ImageStyle, { type }: Product): boolean {
  if (!isImage(style.format) || style.rescale !== null || style.indexed) return false;
  if (style.map !== null && style.formula === null) return style.percentiles !== null;
  return type !== 'uint8' || style.percentiles !== null;
}

/** What the values of a type are once scale and offset are applied. */
export function unscaledType(type: SampleType): SampleType {
  return SAMPLE_TYPES[type].bytes > 4 ? 'float64' : 'float32';
}
