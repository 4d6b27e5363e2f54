/** titiler's raster parameters as http/raster-params.ts reads them. A parameter that is read there has its line here. */
import { ALGORITHM_NAMES } from '../../kernels/algorithms/index.ts';
import { COLORMAP_NAMES } from '../../kernels/colormaps.ts';
import { RESAMPLINGS } from '../../kernels/resampling.ts';
import { TILE_BUFFER_MAX, TILE_SIZE_MAX } from '../raster-params.ts';
import { booleanParam, queryParam, ref } from './parts.ts';
import type { Parameter, Schema } from './types.ts';

const list = (items: Schema): Schema => ({ type: 'array', items, minItems: 1 });
/** Pairs of numbers with commas. */
const NUMBERS = '^([-+]?[0-9.]+(e[-+]?[0-9]+)?(,[-+]?[0-9.]+(e[-+]?[0-9]+)?)+|p[0-9.]+,p[0-9.]+)$';
const resampling = { type: 'string', enum: RESAMPLINGS };

export const RASTER_PARAMETERS: readonly Parameter[] = [
  {
    ...queryParam(
      'bidx',
      'Bands, from 1: a comma list, or repeated.',
      list({ type: 'integer', minimum: 1, maximum: 65535 }),
      {
        example: [1],
      },
    ),
    style: 'form',
    explode: true,
  },
  {
    ...queryParam(
      'rescale',
      'min,max of the values that become 0 and 255; repeated once a band; or percentiles of the file, as p2,p98. Without it what is not 8 bit is stretched over its range.',
      list({ type: 'string', pattern: NUMBERS }),
      { example: ['0,1000'] },
    ),
    style: 'form',
    explode: true,
  },
  queryParam('colormap_name', 'Colour map of a single band.', ref('ColormapName'), { example: 'viridis' }),
  queryParam(
    'colormap',
    'Colours of a single band as JSON: by value, {"1": "#ff0000", "2": [0, 255, 0, 128]}, or by interval, [[[0, 10], "#ff0000"]]. Other values are transparent.',
    { type: 'string', minLength: 2 },
    { example: '{"1":"#ff0000","2":[0,255,0,128]}' },
  ),
  queryParam(
    'color_formula',
    'Done to the bytes before they are coloured or encoded: gamma, sigmoidal and saturation, as rio-color has them.',
    { type: 'string', minLength: 1 },
    { example: 'gamma R 1.5' },
  ),
  queryParam(
    'expression',
    'Makes the bands, one for each part between semicolons, of b1, b2 … by numexpr’s rules: operators, comparisons, where, functions. bidx does not count then. What has no value is transparent. Write + as %2B.',
    { type: 'string', minLength: 1 },
    { example: 'b1*2' },
  ),
  queryParam(
    'algorithm',
    'Computed from the bands, or of what expression made.',
    { type: 'string', enum: ALGORITHM_NAMES },
    { example: 'floor' },
  ),
  queryParam(
    'algorithm_params',
    'Parameters of the algorithm as a JSON object; see /algorithms.',
    { type: 'string', minLength: 2 },
    { example: '{}' },
  ),
  queryParam(
    'nodata',
    'Value that stands for nothing, instead of the file’s own; nan, inf and -inf are taken.',
    { anyOf: [{ type: 'number' }, { type: 'string', enum: ['nan', 'inf', '-inf'] }] },
    { example: -9999 },
  ),
  queryParam(
    'resampling',
    'How pixels are resampled; the layer’s own where absent, else nearest. Palettes are nearest or mode.',
    resampling,
    {
      example: RESAMPLINGS[0],
    },
  ),
  queryParam(
    'reproject',
    'How pixels are warped where the output is in another CRS than the raster; as resampling where absent.',
    resampling,
    {
      example: RESAMPLINGS[0],
    },
  ),
  booleanParam('return_mask', 'false: an image without its alpha channel.', true),
  booleanParam('unscale', 'true: values times the scale of the band, plus its offset.'),
];

/** What tiles have beside them. */
const TILE_PARAMETERS: readonly Parameter[] = [
  queryParam(
    'tilesize',
    'Pixels of a raster tile a side, instead of the grid’s own; @2x doubles them.',
    { type: 'integer', minimum: 1, maximum: TILE_SIZE_MAX },
    { example: 128 },
  ),
  queryParam(
    'buffer',
    'Pixels more on every side, a multiple of 0.5: the tile has tilesize + 2 × buffer. What an algorithm looks at around it is cut off, as titiler does; here that is read without a buffer too.',
    { type: 'number', exclusiveMinimum: 0, maximum: TILE_BUFFER_MAX, multipleOf: 0.5 },
    { example: 0.5 },
  ),
  queryParam(
    'padding',
    'Taken for titiler’s sake; changes nothing, since kernels see the neighbours of a tile here.',
    { type: 'integer', minimum: 1, maximum: TILE_BUFFER_MAX },
    { example: 1 },
  ),
];

export const RASTER_TILE_PARAMETERS: readonly Parameter[] = [...RASTER_PARAMETERS, ...TILE_PARAMETERS];

export const COLORMAP_SCHEMA: Schema = { type: 'string', enum: COLORMAP_NAMES };
