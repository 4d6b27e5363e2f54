/** titiler's raster parameters as http/raster-params.ts reads them. A parameter that is read there has its line here. */
import { COLORMAP_NAMES } from '../../kernels/colormaps.ts';
import { RESAMPLINGS } from '../raster-params.ts';
import { booleanParam, queryParam, ref } from './parts.ts';
import type { Parameter, Schema } from './types.ts';

const list = (items: Schema): Schema => ({ type: 'array', items, minItems: 1 });
/** Pairs of numbers with commas. */
const NUMBERS = '^[-+]?[0-9.]+(e[-+]?[0-9]+)?(,[-+]?[0-9.]+(e[-+]?[0-9]+)?)+$';
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
      'min,max of the values that become 0 and 255; repeated once a band. Without it what is not 8 bit is stretched over its range.',
      list({ type: 'string', pattern: NUMBERS }),
      { example: ['0,1000'] },
    ),
    style: 'form',
    explode: true,
  },
  queryParam('colormap_name', 'Colour map of a single band.', ref('ColormapName'), { example: 'viridis' }),
  queryParam(
    'nodata',
    'Value that stands for nothing, instead of the file’s own; nan, inf and -inf are taken.',
    { anyOf: [{ type: 'number' }, { type: 'string', enum: ['nan', 'inf', '-inf'] }] },
    { example: -9999 },
  ),
  queryParam('resampling', 'How pixels are resampled; the layer’s own where absent, else nearest.', resampling, {
    example: RESAMPLINGS[0],
  }),
  queryParam('reproject', 'The same as resampling, under titiler’s other name.', resampling, {
    example: RESAMPLINGS[0],
  }),
  booleanParam('return_mask', 'false: an image without its alpha channel.', true),
  booleanParam('unscale', 'true: values times the scale of the band, plus its offset.'),
];

export const COLORMAP_SCHEMA: Schema = { type: 'string', enum: COLORMAP_NAMES };
