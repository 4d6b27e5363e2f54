/** titiler's raster parameters, with the layer's own defaults behind them. */
import { problem } from '../errors.ts';
import { ALGORITHM_NAMES, algorithmParams } from '../kernels/algorithms/index.ts';
import { COLORMAP_NAMES } from '../kernels/colormaps.ts';
import { parseColourMap } from '../kernels/colour-map.ts';
import { parseExpression } from '../kernels/expression/parse.ts';
import { RESAMPLINGS } from '../kernels/resampling.ts';
import type { RasterLayer } from '../layers/types.ts';
import type { RasterParams } from '../render/raster/plan.ts';
import { clip, flag, integer, list, oneOf, type Query, text, texts, toInteger, toNumber } from './params.ts';

export function rasterParams(query: Query, layer: RasterLayer): RasterParams {
  const { options } = layer;
  const resampling = text(query, 'resampling');
  const reproject = text(query, 'reproject');
  const bidx = bandsOf(query, layer) ?? options.bidx;
  const values = valuesOf(query, layer);
  // The operator's range is for the values of the file, not for what is computed from them.
  const stretch =
    stretchOf(query) ?? (values.expression || values.algorithm ? undefined : { rescale: options.rescale });
  const colours = coloursOf(query, options.colormapName);
  const nodata = nodataOf(query) ?? options.nodata;
  return {
    ...(bidx ? { bidx: [...bidx] } : {}),
    ...(stretch?.rescale ? { rescale: stretch.rescale.map(([lo, hi]) => [lo, hi] as [number, number]) } : {}),
    ...(stretch?.percentiles ? { percentiles: stretch.percentiles } : {}),
    ...colours,
    ...values,
    ...(nodata !== undefined ? { nodata } : {}),
    resampling: resampling ? oneOf('resampling', resampling, RESAMPLINGS) : (options.resampling ?? 'nearest'),
    ...(reproject ? { reproject: oneOf('reproject', reproject, RESAMPLINGS) } : {}),
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

/** What is computed from the values of the file. Parsed here so that what is wrong is refused before anything else is done. */
function valuesOf(query: Query, layer: RasterLayer): Pick<RasterParams, 'expression' | 'algorithm'> {
  const expression = text(query, 'expression')?.trim();
  if (expression !== undefined) parseExpression(expression, layer.source.bands.length);
  const name = text(query, 'algorithm');
  const given = text(query, 'algorithm_params');
  if (name === undefined) {
    if (given !== undefined && !/^\s*\{\s*\}\s*$/.test(given))
      throw problem('bad-parameter', 'algorithm_params: there is no algorithm that they are for');
    return expression === undefined ? {} : { expression };
  }
  oneOf('algorithm', name, ALGORITHM_NAMES);
  const algorithm = { name, params: algorithmParams(name, given) };
  return expression === undefined ? { algorithm } : { expression, algorithm };
}

function coloursOf(
  query: Query,
  usual: string | undefined,
): Pick<RasterParams, 'colormap' | 'colormapName' | 'colorFormula'> {
  const named = colormapOf(query);
  const own = text(query, 'colormap');
  if (named !== undefined && own !== undefined)
    throw problem('unprocessable', 'colormap and colormap_name exclude each other');
  const formula = text(query, 'color_formula');
  const colorFormula = formula === undefined ? {} : { colorFormula: formula.trim() };
  if (own !== undefined) return { ...colorFormula, colormap: parseColourMap(own) };
  const colormapName = named ?? usual;
  return colormapName === undefined ? colorFormula : { ...colorFormula, colormapName };
}

interface Stretch {
  readonly rescale?: readonly (readonly [number, number])[] | undefined;
  readonly percentiles?: readonly [number, number];
}

const PERCENTILES = /^p(\d{1,2}(?:\.\d+)?|100),p(\d{1,2}(?:\.\d+)?|100)$/;

/** `rescale=p2,p98` asks for percentiles of the file, for all bands. */
function stretchOf(query: Query): Stretch | undefined {
  const [first, ...more] = texts(query, 'rescale');
  const match = first === undefined || more.length > 0 ? null : PERCENTILES.exec(first.trim());
  if (!match) {
    const rescale = rescaleOf(query);
    return rescale && { rescale };
  }
  const percentiles = [Number(match[1]), Number(match[2])] as const;
  if (percentiles[0] >= percentiles[1])
    throw problem('unprocessable', `rescale: p${percentiles[0]} is not below p${percentiles[1]}`);
  return { percentiles };
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

/** Pixels a side that a tile may have before `@2x`: an empty one is made where requests are answered. */
export const TILE_SIZE_MAX = 2048;
/** Pixels that a tile may have more on every side. */
export const TILE_BUFFER_MAX = 256;

/** `padding` is read and judged, and changes nothing: kernels see the neighbours of a tile here. */
export function tileSizeParams(query: Query): { tilesize: number | null; buffer: number } {
  integer(query, 'padding', { min: 1, max: TILE_BUFFER_MAX });
  const given = text(query, 'buffer');
  const buffer = given === undefined ? 0 : toNumber('buffer', given);
  if (given !== undefined && !(buffer > 0 && buffer <= TILE_BUFFER_MAX && Number.isInteger(buffer * 2)))
    throw problem('unprocessable', `buffer: ${buffer} is no multiple of 0.5 from 0.5 to ${TILE_BUFFER_MAX}`);
  return { tilesize: integer(query, 'tilesize', { min: 1, max: TILE_SIZE_MAX }) ?? null, buffer };
}
