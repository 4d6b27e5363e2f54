/** What protects against rasters without overviews: a cap, and overviews that this server makes itself. */
import { Type } from 'typebox';
import { count, derivedBytes, derivedFlag, milliseconds, section } from './schema-parts.ts';

export const protection = {
  maxReadAmplification: count(
    256,
    'Most pixels of a file that are decoded for each pixel of a tile or window; beyond it 413 names the overviews that are missing.',
    { minimum: 1 },
  ),
  shadow: section('Overviews made in memory, of large rasters that lack them (docs/raster.md).', {
    maxBytes: derivedBytes('Bytes of all of them together, taken from the cache; else half of it. 0: none are made.'),
    warmUp: derivedFlag(
      'Make them when files are opened, in the background, not when first asked. null: from 512 MiB on.',
    ),
    waitMs: milliseconds({ default: 1000, description: 'Longest that a request waits for one that is being made.' }),
  }),
};

/** Of one layer. */
export const PROTECTION_CHOICES = {
  maxReadAmplification: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Most pixels of the file decoded for each pixel of a tile or window.' }),
  ),
};
