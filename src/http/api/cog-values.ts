/** Values of rasters: at places, along lines, and their statistics. */

import { CATEGORIES_MAX } from '../../render/raster/scan.ts';
import { SAMPLES } from '../cog-values.ts';
import { FORMATS, MAX_SIDE } from '../raster-forms.ts';
import { BINS_MAX, PERCENTILES_MAX } from '../statistics-params.ts';
import {
  booleanParam,
  EXPLAIN,
  IF_NONE_MATCH,
  pathParam,
  queryParam,
  ref,
  SERVED_NOT_MODIFIED,
  STRICT,
  WORK_PROBLEMS,
} from './parts.ts';
import { RASTER_PARAMETERS } from './raster-parameters.ts';
import type { Answer, Body, Endpoint, Parameter, Samples, Schema } from './types.ts';

export const COG = { tag: 'cog' } as const;
const NUMBER: Schema = { type: 'number' };
export const EXTENSION: Schema = { type: 'string', enum: Object.keys(FORMATS) };
const PROBLEMS = [...WORK_PROBLEMS, 'bad-parameter', 'unprocessable', 'wrong-kind', 'outside-bounds'] as const;
export const BODY_PROBLEMS = [...PROBLEMS, 'bad-body', 'body-too-large', 'unsupported-media-type'] as const;
export const HEADERS = [
  'ETag',
  'Cache-Control',
  'Vary',
  'X-Plimsoll',
  'X-Plimsoll-Cost',
  'Server-Timing',
  'X-Raster-Level',
] as const;
export const MAX_SIZE = queryParam(
  'max_size',
  'The finest level whose longer side is at most this is read, exact says whether that is the full resolution; all pixels where absent.',
  { type: 'integer', minimum: 1, maximum: MAX_SIDE },
  { example: 512 },
);
/** An algorithm has no meaning for a pixel alone. */
const POINT_PARAMETERS = RASTER_PARAMETERS.filter(({ name }) => !name.startsWith('algorithm'));

export function answer(
  description: string,
  schema: string,
  type = 'application/json',
): Readonly<Record<number, Answer>> {
  const plain = type === 'application/json';
  const content = plain
    ? { [type]: { anyOf: [ref(schema), ref('Plan')] } }
    : { [type]: ref(schema), 'application/json': ref('Plan') };
  return { 200: { description, headers: HEADERS, content } };
}

const list = (name: string, description: string, items: Schema, example: unknown): Parameter => ({
  ...queryParam(name, description, { type: 'array', items, minItems: 1 }, { example }),
  style: 'form',
  explode: true,
});

export const STATISTICS: readonly Parameter[] = [
  booleanParam('categorical', 'true: the histogram counts each value.'),
  list('c', `Values to be counted with categorical, at most ${CATEGORIES_MAX}; all where absent.`, NUMBER, [1, 2]),
  list(
    'p',
    `Percentiles, at most ${PERCENTILES_MAX}; 2 and 98 where absent.`,
    { type: 'integer', minimum: 0, maximum: 100 },
    [5, 95],
  ),
  queryParam(
    'histogram_bins',
    `Number of intervals of the histogram, at most ${BINS_MAX}, or their edges with commas.`,
    { type: 'string', pattern: '^[-+0-9.eE]+(,[-+0-9.eE]+)*$', default: '10' },
    { example: '0,100,200' },
  ),
  queryParam(
    'histogram_range',
    'min,max of the histogram; from the smallest to the largest value where absent.',
    { type: 'string', pattern: '^[-+0-9.eE]+,[-+0-9.eE]+$' },
    { example: '0,1000' },
  ),
];

export function cogValues(samples: Samples, url: Parameter[], coordCrs: Parameter): Endpoint[] {
  const query = [...url, coordCrs, ...POINT_PARAMETERS];
  return [point(samples, query), ...places(samples, query), statistics(url)];
}

function point({ rasterPoint: [lon, lat] }: Samples, query: readonly Parameter[]): Endpoint {
  return {
    ...COG,
    method: 'get',
    id: 'getPoint',
    route: '/cog/point/:place',
    path: '/cog/point/{lon},{lat}',
    summary: 'Values of the pixel at a place',
    parameters: [
      pathParam('lon', 'Longitude, or x of coord_crs.', NUMBER, lon),
      pathParam('lat', 'Latitude, or y of coord_crs.', NUMBER, lat),
      ...query,
      EXPLAIN,
      STRICT,
      IF_NONE_MATCH,
    ],
    answers: {
      ...answer('A value a band; null where the pixel is not valid.', 'PointValues'),
      304: SERVED_NOT_MODIFIED,
    },
    problems: PROBLEMS,
  };
}

function places(
  { rasterPoint: [lon, lat], rasterBBox: [w, s, e, n] }: Samples,
  query: readonly Parameter[],
): Endpoint[] {
  const posted = (description: string, example: unknown): Body => ({
    description,
    required: true,
    content: { 'application/json': { type: 'object' }, 'application/geo+json': { type: 'object' } },
    example,
  });
  return [
    {
      ...COG,
      method: 'post',
      id: 'getPoints',
      route: '/cog/points',
      path: '/cog/points',
      summary: 'Values of the pixels at many places',
      description: 'server.bodyLimit is the limit of the body.',
      parameters: [...query, EXPLAIN, STRICT],
      body: posted('{"coordinates": [[x, y], …]}, or a GeoJSON MultiPoint.', {
        coordinates: [
          [lon, lat],
          [w, s],
        ],
      }),
      answers: answer(
        'In the order of the places; null outside the raster and where a pixel is not valid.',
        'PointsValues',
      ),
      problems: BODY_PROBLEMS,
    },
    {
      ...COG,
      method: 'post',
      id: 'getProfile',
      route: '/cog/profile',
      path: '/cog/profile',
      summary: 'Values along a line',
      description:
        'Samples lie evenly by the distance on the ellipsoid of WGS 84, from one end of the line to the other.',
      parameters: [
        ...query,
        queryParam(
          'samples',
          'Places along the line.',
          { type: 'integer', minimum: SAMPLES.min, maximum: SAMPLES.max, default: SAMPLES.usual },
          { example: 16 },
        ),
        EXPLAIN,
        STRICT,
      ],
      body: posted('A GeoJSON LineString, alone or as a feature.', {
        type: 'LineString',
        coordinates: [
          [w, s],
          [e, n],
        ],
      }),
      answers: answer('Distances in metres from the beginning, places and values.', 'ProfileValues'),
      problems: BODY_PROBLEMS,
    },
  ];
}

function statistics(url: Parameter[]): Endpoint {
  return {
    ...COG,
    method: 'get',
    id: 'getStatistics',
    route: '/cog/statistics',
    path: '/cog/statistics',
    summary: 'Statistics and histogram of each band',
    description:
      'Of all pixels, a block at a time: memory does not grow with the raster. Percentiles are values that occur. majority, minority and unique are null where a band of 32 or 64 bit has more than 16,384 different values; everything else is exact.',
    parameters: [...url, MAX_SIZE, ...STATISTICS, ...RASTER_PARAMETERS, EXPLAIN, STRICT, IF_NONE_MATCH],
    answers: { ...answer('By band.', 'Statistics'), 304: SERVED_NOT_MODIFIED },
    problems: PROBLEMS,
  };
}
