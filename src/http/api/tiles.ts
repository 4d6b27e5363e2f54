/** /tiles: TileJSON and XYZ tiles. */
import { MVT } from '../../operations.ts';
import { CONTENT_TYPES } from '../../render/raster/encode.ts';
import { WORLD_CRS84_QUAD } from '../../tile.ts';
import { MAX_COMPOSITE, RASTER_FORMATS, VECTOR_EXTENSIONS } from '../tiles.ts';
import { filterParameters } from './filter-parameters.ts';
import {
  EXPLAIN,
  gridTileParams,
  IF_NONE_MATCH,
  json,
  LAYER_PROBLEMS,
  PICTURE_PROBLEMS,
  pathParam,
  queryParam,
  ref,
  SERVED_NOT_MODIFIED,
  STRICT,
  scaleParam,
  tileParams,
  tmsParam,
} from './parts.ts';
import { RASTER_TILE_PARAMETERS } from './raster-parameters.ts';
import type { Answer, Endpoint, Parameter, Samples } from './types.ts';

const EXCLUDE = queryParam(
  'exclude-properties',
  'Vector layers: attributes to leave out, a comma list; not beside properties.',
  { type: 'array', items: { type: 'string' } },
);

export const PROPERTIES = queryParam(
  'properties',
  'Vector layers: attributes to keep, a comma list; empty keeps none.',
  {
    type: 'array',
    items: { type: 'string' },
  },
);

const IMAGES = [...new Set(Object.values(RASTER_FORMATS))].map(format => CONTENT_TYPES[format]);

export const TILE_ANSWERS: Readonly<Record<number, Answer>> = {
  200: {
    description: 'The tile; the plan as JSON with explain=true.',
    headers: [
      'ETag',
      'Cache-Control',
      'Vary',
      'X-Plimsoll',
      'X-Plimsoll-Cost',
      'Server-Timing',
      'X-Tile-Dropped',
      'X-Tile-Degraded',
      'X-Raster-Level',
      'X-Raster-Rescale',
    ],
    content: {
      [MVT]: null,
      ...Object.fromEntries(IMAGES.map(type => [type, null])),
      'application/json': ref('Plan'),
    },
  },
  204: {
    description: 'A vector tile inside the grid in which there is nothing.',
    headers: ['ETag', 'Cache-Control', 'X-Plimsoll', 'X-Plimsoll-Cost', 'Server-Timing'],
  },
  304: SERVED_NOT_MODIFIED,
};

export const TILE_PROBLEMS = [
  ...PICTURE_PROBLEMS,
  'bad-parameter',
  'bad-filter',
  'tile-outside-grid',
  'not-acceptable',
  'wrong-kind',
  'unprocessable',
] as const;

export function tileEndpoints(samples: Samples): Endpoint[] {
  const named = layersParam(samples);
  const tile = tileParams(samples.tile);
  const format = pathParam(
    'format',
    'Vector layers have mvt and pbf (the same), rasters the others.',
    { type: 'string', enum: [...VECTOR_EXTENSIONS, ...Object.keys(RASTER_FORMATS)] },
    samples.format,
  );
  const common = {
    tag: 'tiles' as const,
    method: 'get' as const,
    route: '/tiles/:layers/:z/:x/:y',
    answers: TILE_ANSWERS,
    problems: TILE_PROBLEMS,
  };
  const query = [PROPERTIES, ...filters(samples), ...RASTER_TILE_PARAMETERS, EXPLAIN, STRICT, IF_NONE_MATCH];
  return [
    ...documents(named, samples),
    {
      ...common,
      id: 'getTile',
      path: '/tiles/{layers}/{z}/{x}/{y}',
      summary: 'XYZ tile, in the form that Accept asks for',
      description: 'Without Accept a vector layer gives a Mapbox vector tile, a raster a PNG.',
      parameters: [named, ...tile, ...query],
    },
    {
      ...common,
      id: 'getTileAs',
      path: '/tiles/{layers}/{z}/{x}/{y}.{format}',
      summary: 'XYZ tile in a form by its extension',
      parameters: [named, ...tile, format, ...query],
    },
    {
      ...common,
      id: 'getScaledTile',
      path: '/tiles/{layers}/{z}/{x}/{y}@{scale}x.{format}',
      summary: 'XYZ tile with twice the pixels a side',
      parameters: [named, ...tile, scaleParam, format, ...query],
    },
    ...gridTiles(samples, named, format, query),
  ];
}

/** The same in any tile matrix set. */
function gridTiles(samples: Samples, named: Parameter, format: Parameter, query: readonly Parameter[]): Endpoint[] {
  const [tms, ...tile] = gridTileParams(WORLD_CRS84_QUAD.id, samples.gridTile);
  const common = {
    tag: 'tiles' as const,
    method: 'get' as const,
    route: '/tiles/:tms/:layers/:z/:x/:y',
    answers: TILE_ANSWERS,
    problems: [...TILE_PROBLEMS, 'not-found'] as const,
  };
  return [
    {
      ...common,
      id: 'getGridTile',
      path: '/tiles/{tms}/{layers}/{z}/{x}/{y}',
      summary: 'Tile in a tile matrix set, in the form that Accept asks for',
      parameters: [tms, named, ...tile, ...query],
    },
    {
      ...common,
      id: 'getGridTileAs',
      path: '/tiles/{tms}/{layers}/{z}/{x}/{y}.{format}',
      summary: 'Tile in a tile matrix set, in a form by its extension',
      parameters: [tms, named, ...tile, format, ...query],
    },
    {
      ...common,
      id: 'getScaledGridTile',
      path: '/tiles/{tms}/{layers}/{z}/{x}/{y}@{scale}x.{format}',
      summary: 'Tile in a tile matrix set with twice the pixels a side',
      parameters: [tms, named, ...tile, scaleParam, format, ...query],
    },
  ];
}

/** Without an example: the sample layer may be a raster. */
export function filters({ columns }: Samples): Parameter[] {
  return [EXCLUDE, ...filtersOf(columns)];
}

function filtersOf(columns: readonly string[]): Parameter[] {
  return filterParameters(columns, 'Vector layers: ').map(({ example: _, ...parameter }) => parameter);
}

function documents(named: Parameter, samples: Samples): Endpoint[] {
  const common = {
    tag: 'tiles' as const,
    method: 'get' as const,
    description:
      'Query parameters are carried over into the tile URL, so that a style can hold them. Raster parameters are for rasters.',
    parameters: [named, PROPERTIES, ...filters(samples), ...RASTER_TILE_PARAMETERS],
    answers: { 200: json('TileJSON 3.0.0.', ref('TileJson')) },
    problems: ['bad-parameter', 'bad-filter', 'unprocessable', ...LAYER_PROBLEMS] as const,
  };
  return [
    { ...common, id: 'getTileJson', route: '/tiles/:layers', path: '/tiles/{layers}', summary: 'TileJSON of layers' },
    {
      ...common,
      id: 'getTileJsonFile',
      route: '/tiles/:layers/tilejson.json',
      path: '/tiles/{layers}/tilejson.json',
      summary: 'The same TileJSON, where a client wants a file name',
    },
    {
      ...common,
      id: 'getGridTileJson',
      route: '/tiles/:tms/:layers/tilejson.json',
      path: '/tiles/{tms}/{layers}/tilejson.json',
      summary: 'TileJSON of layers in a tile matrix set',
      parameters: [tmsParam(WORLD_CRS84_QUAD.id), ...common.parameters],
      problems: ['not-found', ...common.problems] as const,
    },
  ];
}

function layersParam({ layer }: Samples): Parameter {
  const description = `Layer id; or up to ${MAX_COMPOSITE} ids of vector layers with commas, drawn into one tile.`;
  return pathParam('layers', description, { type: 'string', minLength: 1 }, layer);
}
