/** How tiles and windows are made, whatever the layer. */
import { mosaicLimits } from './schema-mosaic.ts';
import { bytes, count, derivedBytes, derivedCount, derivedFlag, section } from './schema-parts.ts';
import { protection } from './schema-shadow.ts';

export const vector = section('Vector tiles.', {
  maxFeatures: count(20_000, 'Most features a tile draws.', { minimum: 1 }),
  maxTileBytes: bytes({ default: '500KB', description: 'Largest tile, compressed: denser ones are thinned.' }),
  extent: count(4096, 'Units a tile side; of session layers always 4096.', { minimum: 256, maximum: 65536 }),
  buffer: count(64, 'Buffer around the tile, in units of the extent; of session layers always 64.', { maximum: 4096 }),
  indexPageBytes: bytes({ default: '64KiB', minimum: 4096, description: 'Bytes of one page of the index leaves.' }),
  indexCacheBytes: derivedBytes('Pages of index leaves kept, of all files together.'),
  unindexedMaxBytes: bytes({ default: '16MiB', description: 'Files without an index are served up to this size.' }),
  warmUp: derivedFlag(
    'Choose the cells of large layers when they are opened, not when first asked. null: from 512 MiB on.',
  ),
});

export const raster = section('Raster tiles and windows.', {
  tileCacheBytes: derivedBytes('Bytes of decoded blocks kept by all workers together. 0: none are kept.'),
  jpegQuality: count(80, 'Quality of JPEG; blocks of files that are JPEG already are handed on as they are.', {
    minimum: 1,
    maximum: 100,
  }),
  webpQuality: count(75, 'Quality of WebP; blocks of files that are WebP already are handed on as they are.', {
    minimum: 1,
    maximum: 100,
  }),
  maxSize: derivedCount(
    'Most pixels a side of a window, preview or feature. null: 16384 of those that a request names; what follows from the raster is bounded by memory.',
    { maximum: 32768 },
  ),
  ...protection,
  ...mosaicLimits,
});
