/** What a layer says where it is several rasters. */
import { Type } from 'typebox';
import { PIXEL_SELECTIONS } from '../kernels/pixel-selection.ts';
import { choice, count } from './schema-parts.ts';

export const mosaicSchema = Type.Object(
  {
    paths: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Files, folders and patterns (`tiles/*.tif`), the first first; relative to this configuration file.',
    }),
    pixelSelection: choice(PIXEL_SELECTIONS, 'first', 'Which value a pixel has where files overlap.'),
  },
  {
    additionalProperties: false,
    'x-optional': true,
    description:
      'Several rasters as one layer: `paths`, and `pixelSelection` (first, last, highest, lowest or mean). In place of path.',
  },
);

export const mosaicLimits = {
  mosaicMaxAssets: count(64, 'Most files of a mosaic in one tile or window; TileJSON begins where tiles keep to it.', {
    minimum: 1,
    maximum: 4096,
  }),
};
