/** What GeoJSON is sent to rasters for. */
import { CONTENT_TYPES } from '../../render/raster/encode.ts';
import { FORMATS } from '../raster-forms.ts';
import { answer, BODY_PROBLEMS, COG, EXTENSION, HEADERS, MAX_SIZE, STATISTICS } from './cog-values.ts';
import { EXPLAIN, pathParam, queryParam, ref, STRICT } from './parts.ts';
import { RASTER_PARAMETERS } from './raster-parameters.ts';
import type { Body, Endpoint, Parameter, Samples, Schema } from './types.ts';

export function cogFeatures(
  { rasterBBox: [w, s, e, n] }: Samples,
  url: Parameter[],
  coordCrs: Parameter,
  pixels: Schema,
): Endpoint[] {
  const ring = [
    [w, s],
    [e, s],
    [e, n],
    [w, n],
    [w, s],
  ];
  const feature = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } };
  const body = (description: string): Body => ({
    description,
    required: true,
    content: { 'application/json': { type: 'object' }, 'application/geo+json': { type: 'object' } },
    example: feature,
  });
  return [
    {
      ...COG,
      method: 'post',
      id: 'getFeatureStatistics',
      route: '/cog/statistics',
      path: '/cog/statistics',
      summary: 'Statistics within features',
      description:
        'Every pixel counts by the share of it that lies in the feature, computed exactly in the raster’s own CRS.',
      parameters: [...url, coordCrs, MAX_SIZE, ...STATISTICS, ...RASTER_PARAMETERS, EXPLAIN, STRICT],
      body: body('A GeoJSON Feature or FeatureCollection of polygons.'),
      answers: answer('The same, with properties.statistics by band.', 'FeatureStatistics', 'application/geo+json'),
      problems: BODY_PROBLEMS,
    },
    ...featureImages(url, coordCrs, pixels, body('A GeoJSON Feature of a polygon.')),
  ];
}

function featureImages(url: Parameter[], coordCrs: Parameter, pixels: Schema, body: Body): Endpoint[] {
  const size = [
    queryParam('width', 'Pixels across; alone it keeps the aspect.', pixels, { example: 64 }),
    queryParam('height', 'Pixels down; alone it keeps the aspect.', pixels, { example: 64 }),
    queryParam('max_size', 'Longest side in pixels where no size is given.', pixels, { example: 64 }),
  ];
  const dstCrs = queryParam(
    'dst_crs',
    'CRS of the image; that of the coordinates where absent.',
    { type: 'string', minLength: 1 },
    { example: 'EPSG:3857' },
  );
  const query = [...url, coordCrs, dstCrs, ...size, ...RASTER_PARAMETERS, EXPLAIN, STRICT];
  const format = pathParam('format', 'Image format, or the values as GeoTIFF or NumPy.', EXTENSION, 'png');
  const types = Object.values(FORMATS).map(form => [CONTENT_TYPES[form], null]);
  const common = {
    ...COG,
    method: 'post' as const,
    body,
    answers: {
      200: {
        description: 'The image.',
        headers: [...HEADERS, 'X-Raster-Bbox', 'X-Raster-Crs', 'X-Raster-Nodata', 'X-Raster-Rescale'] as const,
        content: { ...Object.fromEntries(types), 'application/json': ref('Plan') },
      },
    },
    problems: BODY_PROBLEMS,
  };
  return [
    {
      ...common,
      id: 'getFeatureImage',
      route: '/cog/feature',
      path: '/cog/feature',
      summary: 'Image of what lies in a feature',
      description: 'Pixels that the feature does not touch are transparent.',
      parameters: [queryParam('f', 'Format.', { ...EXTENSION, default: 'png' }, { example: 'png' }), ...query],
    },
    {
      ...common,
      id: 'getFeatureImageAs',
      route: '/cog/feature.:format',
      path: '/cog/feature.{format}',
      summary: 'The same in a format by its extension',
      parameters: [format, ...query],
    },
    {
      ...common,
      id: 'getSizedFeatureImage',
      route: '/cog/feature/*',
      path: '/cog/feature/{width}x{height}.{format}',
      summary: 'The same in a size',
      parameters: [
        pathParam('width', 'Pixels across.', pixels, 64),
        pathParam('height', 'Pixels down.', pixels, 64),
        format,
        ...query,
      ],
    },
  ];
}
