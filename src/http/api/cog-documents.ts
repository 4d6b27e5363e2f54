/** What titiler tells beside pixels. */
import { ALGORITHM_NAMES } from '../../kernels/algorithms/index.ts';
import { COLORMAP_NAMES } from '../../kernels/colormaps.ts';
import { WEB_MERCATOR_QUAD } from '../../tile.ts';
import { LEGEND_FORMATS, LEGEND_SIDE_MAX, ORIENTATIONS } from '../cog-documents.ts';
import { json, LAYER_PROBLEMS, MAP_PROBLEMS, OPENING_PROBLEMS, pathParam, queryParam, ref, tmsParam } from './parts.ts';
import { RASTER_TILE_PARAMETERS } from './raster-parameters.ts';
import { TILE_ANSWERS, TILE_PROBLEMS } from './tiles.ts';
import type { Answer, Endpoint, Parameter, Samples, Schema } from './types.ts';

const GET = { tag: 'cog', method: 'get' } as const;

export function cogDocuments(samples: Samples, url: Parameter[]): Endpoint[] {
  return [...info(url), ...clients(url), ...wmts(samples), ...colorMaps(), ...algorithms()];
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
      problems: ['bad-parameter', ...OPENING_PROBLEMS, 'wrong-kind', ...LAYER_PROBLEMS],
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
      problems: ['bad-parameter', ...OPENING_PROBLEMS, 'unprocessable', 'wrong-kind', ...LAYER_PROBLEMS],
    },
  ];
}

const CAPABILITIES: Readonly<Record<number, Answer>> = {
  200: { description: 'WMTS 1.0.0.', headers: ['Cache-Control'], content: { 'application/xml': null } },
};

/** What map clients are given of one raster. Its query is carried over into the tiles. */
function clients(url: Parameter[]): Endpoint[] {
  const tms = tmsParam(WEB_MERCATOR_QUAD.id);
  const query = [...url, ...RASTER_TILE_PARAMETERS];
  const problems = MAP_PROBLEMS;
  const map = {
    ...GET,
    summary: 'A raster on a map',
    description: 'In WebMercatorQuad, by MapLibre, from this server alone.',
    answers: { 200: { description: 'The page.', headers: ['Cache-Control'] as const, content: { 'text/html': null } } },
    problems,
  };
  const wmtsOf = { ...GET, summary: 'WMTS capabilities of a raster', answers: CAPABILITIES, problems };
  return [
    { ...map, id: 'getRasterMap', route: '/cog/map.html', path: '/cog/map.html', parameters: query },
    {
      ...map,
      id: 'getRasterMapIn',
      route: '/cog/:tms/map.html',
      path: '/cog/{tms}/map.html',
      parameters: [tms, ...query],
    },
    {
      ...wmtsOf,
      id: 'getRasterWmts',
      route: '/cog/WMTSCapabilities.xml',
      path: '/cog/WMTSCapabilities.xml',
      parameters: query,
    },
    {
      ...wmtsOf,
      id: 'getRasterWmtsIn',
      route: '/cog/:tms/WMTSCapabilities.xml',
      path: '/cog/{tms}/WMTSCapabilities.xml',
      parameters: [tms, ...query],
    },
  ];
}

function wmts({ raster, rasterTile: { z, x, y } }: Samples): Endpoint[] {
  const text: Schema = { type: 'string', minLength: 1 };
  const example = { layer: raster, tilematrixset: WEB_MERCATOR_QUAD.id, tilematrix: String(z), tilerow: String(y) };
  const named = Object.entries({ ...example, tilecol: String(x), format: 'image/png' });
  return [
    {
      ...GET,
      id: 'getWmtsCapabilities',
      route: '/wmts/1.0.0/WMTSCapabilities.xml',
      path: '/wmts/1.0.0/WMTSCapabilities.xml',
      summary: 'WMTS capabilities of all rasters, in web mercator and degrees',
      parameters: [],
      answers: CAPABILITIES,
      problems: [],
    },
    {
      ...GET,
      id: 'getWmts',
      route: '/wmts',
      path: '/wmts',
      anyQuery: true,
      summary: 'WMTS by key-value pairs: GetCapabilities and GetTile',
      description: 'Names of parameters are taken in any case; version, style and service may be there.',
      parameters: [
        queryParam(
          'request',
          'What is asked for.',
          { type: 'string', enum: ['GetCapabilities', 'GetTile'] },
          { required: true, example: 'GetTile' },
        ),
        ...named.map(([name, value]) => queryParam(name, 'Of GetTile.', text, { required: true, example: value })),
      ],
      answers: {
        ...TILE_ANSWERS,
        200: {
          ...(TILE_ANSWERS[200] as Answer),
          content: { ...TILE_ANSWERS[200].content, ...CAPABILITIES[200].content },
        },
      },
      problems: [...TILE_PROBLEMS, 'not-found'],
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
