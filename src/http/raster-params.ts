/** titiler's raster parameters, with the layer's own defaults behind them. */
import { problem } from '../errors.ts';
import { COLORMAP_NAMES } from '../kernels/colormaps.ts';
import type { RasterLayer } from '../layers/types.ts';
import type { RasterParams } from '../render/raster/plan.ts';
import { clip, flag, list, oneOf, type Query, text, texts, toInteger, toNumber } from './params.ts';

export const RESAMPLINGS = ['nearest', 'bilinear'] as const;

export function rasterParams(query: Query, layer: RasterLayer): RasterParams {
  const { options } = layer;
  const resampling = text(query, 'resampling') ?? text(query, 'reproject');
  const bidx = bandsOf(query, layer) ?? options.bidx;
  const rescale = rescaleOf(query) ?? options.rescale;
  const colormapName = colormapOf(query) ?? options.colormapName;
  const nodata = nodataOf(query) ?? options.nodata;
  return {
    ...(bidx ? { bidx: [...bidx] } : {}),
    ...(rescale ? { rescale: rescale.map(([lo, hi]) => [lo, hi] as [number, number]) } : {}),
    ...(colormapName ? { colormapName } : {}),
    ...(nodata !== undefined ? { nodata } : {}),
    resampling: resampling ? oneOf('resampling', resampling, RESAMPLINGS) : (options.resampling ?? 'nearest'),
    returnMask: flag(query, 'return_mask', true),
    unscale: flag(query, 'unscale', false),
  };
}

function bandsOf(query: Query, layer: RasterLayer): number[] | undefined {
  const given = list(query, 'bidx');
  if (given.length === 0) return undefined;
  return given.map(value => {
    const band = toInteger('bidx', value);
    if (band < 1 || band > layer.source.bands.length) {
      throw problem('unprocessable', `bidx: ${layer.id} has bands 1 to ${layer.source.bands.length}, not ${band}`);
    }
    return band;
  });
}

/** `rescale=0,1000`, repeated once a band; the comma list of 2n numbers means the same. */
function rescaleOf(query: Query): [number, number][] | undefined {
  const given = texts(query, 'rescale');
  if (given.length === 0) return undefined;
  const numbers = given.flatMap(value => {
    const parts = value
      .replace(/[[\]()]/g, '')
      .split(',')
      .map(part => toNumber('rescale', part));
    if (parts.length % 2) throw problem('bad-parameter', `rescale: "${clip(value)}" is not min,max`);
    return parts;
  });
  const pairs: [number, number][] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    if (numbers[i] >= numbers[i + 1])
      throw problem('unprocessable', `rescale: ${numbers[i]} is not below ${numbers[i + 1]}`);
    pairs.push([numbers[i], numbers[i + 1]]);
  }
  return pairs;
}

function colormapOf(query: Query): string | undefined {
  const name = text(query, 'colormap_name');
  if (name === undefined) return undefined;
  if (!COLORMAP_NAMES.includes(name.toLowerCase()))
    throw problem('bad-parameter', `colormap_name: "${clip(name)}" is not known; see /cog/colorMaps`);
  return name.toLowerCase();
}

function nodataOf(query: Query): number | undefined {
  const value = text(query, 'nodata');
  if (value === undefined) return undefined;
  // titiler takes nan and inf here, as numpy spells them.
  const word = value.trim().toLowerCase();
  if (word === 'nan') return Number.NaN;
  if (word === 'inf' || word === '+inf') return Number.POSITIVE_INFINITY;
  if (word === '-inf') return Number.NEGATIVE_INFINITY;
  return toNumber('nodata', value);
}
