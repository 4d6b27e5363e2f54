/** What titiler tells beside pixels. */
import { ALGORITHM_NAMES } from '../../kernels/algorithms/index.ts';
import { COLORMAP_NAMES } from '../../kernels/colormaps.ts';
import { LEGEND_FORMATS, LEGEND_SIDE_MAX, ORIENTATIONS } from '../cog-documents.ts';
import { json, LAYER_PROBLEMS, pathParam, queryParam, ref } from './parts.ts';
import type { Endpoint, Parameter, Schema } from './types.ts';

const GET = { tag: 'cog', method: 'get' } as const;

export function cogDocuments(url: Parameter[]): Endpoint[] {
  return [...info(url), ...colorMaps(), ...algorithms()];
}

function info(url: Parameter[]): Endpoint[] {
  const crs = queryParam(
    'crs',
    'CRS of the box; degrees where absent.',
    { type: 'string', minLength: 1 },
    { example: 'EPSG:3857' },
  );
  return [
    {
      ...GET,
      id: 'getRasterInfo',
      route: '/cog/info',
      path: '/cog/info',
      summary: 'What a raster is: bounds, CRS, bands, type, overviews, verdict',
      description: 'Also of a raster that is refused, with the reasons.',
      parameters: url,
      answers: { 200: json('titiler’s info, with the verdict.', ref('RasterInfo')) },
      problems: ['bad-parameter', 'forbidden', 'wrong-kind', ...LAYER_PROBLEMS],
    },
    {
      ...GET,
      id: 'getRasterInfoFeature',
      route: '/cog/info.geojson',
      path: '/cog/info.geojson',
      summary: 'The same as a GeoJSON feature: its box, with the facts as properties',
      parameters: [...url, crs],
      answers: {
        200: {
          description: 'A feature. Two boxes where the raster crosses the antimeridian.',
          headers: ['Cache-Control'],
          content: { 'application/geo+json': ref('RasterInfoFeature') },
        },
      },
      problems: ['bad-parameter', 'forbidden', 'unprocessable', 'wrong-kind', ...LAYER_PROBLEMS],
    },
  ];
}

function colorMaps(): Endpoint[] {
  const side: Schema = { type: 'integer', minimum: 1, maximum: LEGEND_SIDE_MAX };
  return [
    {
      ...GET,
      id: 'listColormaps',
      route: '/cog/colorMaps',
      path: '/cog/colorMaps',
      summary: 'Names of the colour maps',
      parameters: [],
      answers: { 200: json('The names, and links to the colours of each.', ref('ColormapList')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getColormap',
      route: '/cog/colorMaps/:name',
      path: '/cog/colorMaps/{name}',
      summary: 'A colour map: its 256 colours, or a legend',
      parameters: [
        pathParam('name', 'Name.', { type: 'string', enum: COLORMAP_NAMES }, 'viridis'),
        queryParam(
          'f',
          'Form; else Accept decides.',
          { type: 'string', enum: LEGEND_FORMATS, default: 'json' },
          { example: 'png' },
        ),
        queryParam(
          'orientation',
          'Of the legend.',
          { type: 'string', enum: ORIENTATIONS, default: 'horizontal' },
          {
            example: 'vertical',
          },
        ),
        queryParam('width', 'Of the legend: 256, or 20 where it is vertical.', side, { example: 200 }),
        queryParam('height', 'Of the legend: 20, or 256 where it is vertical.', side, { example: 16 }),
      ],
      answers: {
        200: {
          description: 'Red, green, blue and alpha by index; or the legend, from the lowest to the highest.',
          headers: ['Cache-Control', 'Vary'],
          content: { 'application/json': ref('Colormap'), 'image/png': null },
        },
      },
      problems: ['bad-parameter', 'not-found', 'unprocessable'],
    },
  ];
}

function algorithms(): Endpoint[] {
  return [
    {
      ...GET,
      id: 'listAlgorithms',
      route: '/algorithms',
      path: '/algorithms',
      summary: 'The algorithms',
      parameters: [],
      answers: { 200: json('Their names, with links.', ref('AlgorithmList')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getAlgorithm',
      route: '/algorithms/:id',
      path: '/algorithms/{algorithmId}',
      summary: 'An algorithm: what it takes, what it makes, its parameters',
      parameters: [pathParam('algorithmId', 'Name.', { type: 'string', enum: ALGORITHM_NAMES }, 'hillshade')],
      answers: { 200: json('titiler’s metadata.', ref('Algorithm')) },
      problems: ['not-found'],
    },
  ];
}
