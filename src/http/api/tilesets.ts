/** OGC API Tiles: tile matrix sets, tilesets of collections, their tiles. */
import { WORLD_CRS84_QUAD } from '../../tile.ts';
import { RASTER_FORMATS, VECTOR_EXTENSIONS } from '../tiles.ts';
import { EXPLAIN, IF_NONE_MATCH, json, LAYER_PROBLEMS, pathParam, ref, STRICT, tmsParam } from './parts.ts';
import { RASTER_TILE_PARAMETERS } from './raster-parameters.ts';
import { filters, PROPERTIES, TILE_ANSWERS, TILE_PROBLEMS } from './tiles.ts';
import type { Endpoint, Parameter, Samples } from './types.ts';

const GET = { tag: 'tiles', method: 'get' } as const;
const WHOLE = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };

export function tilesetEndpoints(samples: Samples): Endpoint[] {
  return [...matrixSets(), ...vectorTilesets(samples), ...mapTilesets(samples)];
}

function matrixSets(): Endpoint[] {
  return [
    {
      ...GET,
      id: 'listTileMatrixSets',
      route: '/tileMatrixSets',
      path: '/tileMatrixSets',
      summary: 'Tile matrix sets that tiles are served in',
      parameters: [],
      answers: { 200: json('Built-in ones, then those of the configuration.', ref('TileMatrixSets')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getTileMatrixSet',
      route: '/tileMatrixSets/:id',
      path: '/tileMatrixSets/{tms}',
      summary: 'Definition of a tile matrix set',
      parameters: [tmsParam(WORLD_CRS84_QUAD.id)],
      answers: { 200: json('OGC’s JSON (17-083r4).', ref('TileMatrixSet')) },
      problems: ['not-found'],
    },
  ];
}

interface Family {
  readonly path: 'tiles' | 'map/tiles';
  /** In operation ids. */
  readonly name: string;
  readonly of: string;
  readonly id: string;
  readonly formats: readonly string[];
  readonly format: string;
  readonly query: readonly Parameter[];
}

function vectorTilesets(samples: Samples): Endpoint[] {
  const formats = VECTOR_EXTENSIONS;
  return tilesets({
    path: 'tiles',
    name: 'Vector',
    of: 'a vector layer',
    id: samples.vector,
    formats,
    format: 'mvt',
    query: [PROPERTIES, ...filters(samples)],
  });
}

function mapTilesets({ raster }: Samples): Endpoint[] {
  const formats = Object.keys(RASTER_FORMATS);
  const query = RASTER_TILE_PARAMETERS;
  return tilesets({ path: 'map/tiles', name: 'Map', of: 'a raster', id: raster, formats, format: 'png', query });
}

function tilesets({ path, name, of, id, formats, format, query }: Family): Endpoint[] {
  const collection = pathParam('collectionId', `Layer id of ${of}.`, { type: 'string', minLength: 1 }, id);
  const tms = tmsParam(WORLD_CRS84_QUAD.id);
  const tile = [
    pathParam('tileMatrix', 'Id of a tile matrix of the set.', { type: 'string', minLength: 1 }, '0'),
    pathParam('tileRow', 'Row, from the corner that the set counts from.', WHOLE, 0),
    pathParam('tileCol', 'Column, from the west.', WHOLE, 1),
  ];
  const problems = ['wrong-kind', ...LAYER_PROBLEMS] as const;
  const common = {
    ...GET,
    route: `/collections/:id/${path}/:tms/:z/:row/:col`,
    answers: TILE_ANSWERS,
    problems: [...TILE_PROBLEMS, 'not-found'] as const,
  };
  const parameters = [collection, tms, ...tile];
  const rest = [...query, EXPLAIN, STRICT, IF_NONE_MATCH];
  return [
    {
      ...GET,
      id: `list${name}Tilesets`,
      route: `/collections/:id/${path}`,
      path: `/collections/{collectionId}/${path}`,
      summary: `Tilesets of ${of}, one a tile matrix set`,
      parameters: [collection],
      answers: { 200: json('All of them.', ref('Tilesets')) },
      problems,
    },
    {
      ...GET,
      id: `get${name}Tileset`,
      route: `/collections/:id/${path}/:tms`,
      path: `/collections/{collectionId}/${path}/{tms}`,
      summary: `Metadata of a tileset of ${of}`,
      parameters: [collection, tms],
      answers: { 200: json('OGC’s tileset metadata, with the template of its tiles.', ref('Tileset')) },
      problems: ['not-found', ...problems],
    },
    {
      ...common,
      id: `get${name}TilesetTile`,
      path: `/collections/{collectionId}/${path}/{tms}/{tileMatrix}/{tileRow}/{tileCol}`,
      summary: `Tile of ${of}, row before column, in the form that Accept asks for`,
      parameters: [...parameters, ...rest],
    },
    {
      ...common,
      id: `get${name}TilesetTileAs`,
      path: `/collections/{collectionId}/${path}/{tms}/{tileMatrix}/{tileRow}/{tileCol}.{format}`,
      summary: `Tile of ${of}, row before column`,
      parameters: [...parameters, pathParam('format', 'Form.', { type: 'string', enum: formats }, format), ...rest],
    },
  ];
}
