/** What may be read from other servers: nothing, unless it is named. */
import { bytes, count, derivedBytes, derivedCount, duration, section, texts } from './schema-parts.ts';

export const remote = section(
  'Files of other HTTP servers: rasters by `url=`, off as long as `allow` is empty, and layers by URL.',
  {
    allow: texts(
      [],
      'URLs that may be read: scheme, host, port and beginning of the path, as https://data.example.org/cogs/; *.example.org is every host below, :* every port.',
    ),
    addresses: texts(
      [],
      'Addresses that may be connected to beside public ones, as 10.1.0.0/16: for storage inside your network.',
    ),
    ttl: duration({ default: '60s', description: 'An opened file is asked whether it is still the same after this.' }),
    timeout: duration({
      default: '10s',
      description: 'A range must have arrived within this, further tries included.',
    }),
    retries: count(2, 'Further tries after a failed connection or 500, 502, 503, 504.', { maximum: 10 }),
    concurrency: count(
      16,
      'Most requests to other servers at once, of all threads together; one of each thread at least.',
      {
        minimum: 1,
        maximum: 1024,
      },
    ),
    maxFiles: count(256, 'Most files that are kept open; the one used longest ago goes first.', { minimum: 1 }),
    indexBytes: derivedBytes('Bytes of the block tables of all open remote files together.'),
    openBytes: bytes({
      default: '4MiB',
      minimum: 262_144,
      description: 'Most bytes that are read to open a file; booked meanwhile.',
    }),
    aheadBytes: bytes({
      default: '1MiB',
      minimum: 65_536,
      description: 'Bytes a request may have read ahead of its decoding, in four requests.',
    }),
    gapBytes: bytes({
      default: '64KiB',
      description: 'FlatGeobuf: bytes between two features that are read along rather than asked around.',
    }),
    tileRequests: derivedCount(
      'FlatGeobuf: most requests that a tile may take; beyond, 413 names `plimsoll overview`. null: 32 times remote.concurrency.',
    ),
    tileBytes: bytes({
      default: '128MiB',
      description: 'FlatGeobuf: most bytes that a tile may read, of its features or of the index.',
    }),
    indexReadBytes: bytes({
      default: '1MiB',
      minimum: 65_536,
      description: 'FlatGeobuf: bytes of the index that are asked for at once where a tile walks it; booked meanwhile.',
    }),
    treeBytes: bytes({
      default: '32MiB',
      minimum: 65_536,
      description: 'FlatGeobuf: most bytes of header and upper index that opening may read, and keeps.',
    }),
  },
);
