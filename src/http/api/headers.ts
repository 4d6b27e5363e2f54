/** Response headers, each with what it says. Only what is really sent. */
import type { Reply } from '../../reply.ts';
import type { Schema } from './types.ts';

interface Header {
  readonly description: string;
  readonly schema: Schema;
}

const OUTCOMES: readonly Reply['outcome'][] = ['hit', 'miss', 'not-modified', 'explain', 'stale', 'degraded'];
const text = { type: 'string' } as const;

export const HEADERS = {
  'Cache-Control': { description: 'How long the answer may be kept, and by whom.', schema: text },
  'Content-Range': {
    description: 'Of a part that was asked for by Range: its bytes, and how many there are.',
    schema: text,
  },
  'Content-Crs': { description: 'CRS of the coordinates, a URI in angle brackets.', schema: text },
  ETag: {
    description: 'Changes with the file, the parameters and the renderer; send it as If-None-Match.',
    schema: text,
  },
  Location: { description: 'URL of what was made.', schema: { type: 'string', format: 'uri' } },
  'Retry-After': {
    description: 'Seconds after which asking again can help; jittered, so that clients come apart.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Server-Timing': {
    description: 'Where something was rendered: milliseconds that it waited for memory, and that it took.',
    schema: text,
  },
  Vary: { description: 'Request headers that the answer depends on.', schema: text },
  'WWW-Authenticate': { description: 'Bearer', schema: text },
  'X-Plimsoll': {
    description: 'Where the answer came from.',
    schema: { type: 'string', enum: OUTCOMES },
  },
  'X-Plimsoll-Cost': {
    description: 'Where something was rendered: bytes of memory that were reserved for it.',
    schema: { type: 'integer', minimum: 0 },
  },
  'X-Raster-Bbox': {
    description:
      'Windows and previews: left, bottom, right and top edge of the picture, x before y, in units of X-Raster-Crs. Absent where the raster is turned.',
    schema: text,
  },
  'X-Raster-Crs': { description: 'System of X-Raster-Bbox: EPSG:n or a PROJ string.', schema: text },
  'X-Raster-Nodata': {
    description:
      'Windows and previews: what the raster writes where it has no data, "nan" among it. Absent where it has no such value, or values are computed.',
    schema: text,
  },
  'X-Raster-Level': {
    description:
      'Level that was read: 0 is full resolution, 1 the first overview; shadow: one that this server made in memory.',
    schema: { oneOf: [{ type: 'integer', minimum: 0 }, { const: 'shadow' }] },
  },
  'X-Raster-Rescale': {
    description: 'Range a band that was found and stretched to colours, where none was given: min,max;min,max…',
    schema: text,
  },
  'X-Tile-Degraded': {
    description:
      'The answer is less than was asked for, under memory pressure, and short-lived: a coarser grid or overview.',
    schema: { type: 'string', enum: ['thin', 'overview'] },
  },
  'X-Tile-Dropped': {
    description: 'Features left out by the level of detail.',
    schema: { type: 'integer', minimum: 1 },
  },
} as const satisfies Readonly<Record<string, Header>>;

export type HeaderName = keyof typeof HEADERS;
