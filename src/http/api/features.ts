/** OGC API: conformance, collections, items. */

import { FORMATS_OF_ITEMS } from '../features-params.ts';
import { CRS84 } from '../ogc.ts';
import { filterParameters } from './filter-parameters.ts';
import { EXPLAIN, IF_NONE_MATCH, json, NOT_MODIFIED, pathParam, queryParam, ref, WORK_PROBLEMS } from './parts.ts';
import type { Answer, Endpoint, Parameter, Samples } from './types.ts';

const GET = { tag: 'features', method: 'get' } as const;
const F = queryParam(
  'f',
  'Form of the answer; there is one.',
  { type: 'string', enum: FORMATS_OF_ITEMS },
  { example: FORMATS_OF_ITEMS[0] },
);
const CRS = queryParam(
  'crs',
  'CRS of the answer, one of the collection’s crs; coordinates come in the order of its axes.',
  { type: 'string', pattern: '^https?://www\\.opengis\\.net/def/crs/', default: CRS84 },
  { example: 'http://www.opengis.net/def/crs/EPSG/0/3857' },
);
const GEOJSON = 'application/geo+json';
const HEADERS = ['ETag', 'Cache-Control', 'Vary', 'Content-Crs'] as const;

export interface FeatureLimits {
  readonly limitDefault: number;
  readonly limitMax: number;
}

export function featureEndpoints(samples: Samples, limits: FeatureLimits): Endpoint[] {
  const id = pathParam('collectionId', 'Layer id of a vector layer.', { type: 'string', minLength: 1 }, samples.vector);
  return [...documents(id), items(samples, id, limits), feature(id)];
}

function documents(id: Parameter): Endpoint[] {
  const problems = ['layer-not-found', 'session-gone', 'layer-not-servable', 'wrong-kind'] as const;
  return [
    {
      ...GET,
      id: 'getConformance',
      route: '/conformance',
      path: '/conformance',
      summary: 'OGC conformance classes that are implemented',
      parameters: [],
      answers: { 200: json('Their URIs.', ref('Conformance')) },
      problems: [],
    },
    {
      ...GET,
      id: 'listCollections',
      route: '/collections',
      path: '/collections',
      summary: 'The layers as collections: features of vector layers, map tiles of rasters',
      parameters: [],
      answers: { 200: json('All of them.', ref('Collections')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getCollection',
      route: '/collections/:id',
      path: '/collections/{collectionId}',
      summary: 'One collection',
      parameters: [id],
      answers: { 200: json('Extent, CRS, links.', ref('Collection')) },
      problems,
    },
    {
      ...GET,
      id: 'getQueryables',
      route: '/collections/:id/queryables',
      path: '/collections/{collectionId}/queryables',
      summary: 'Attributes that items can be filtered by',
      parameters: [id],
      answers: {
        200: {
          description: 'A JSON Schema.',
          headers: ['Cache-Control'],
          content: { 'application/schema+json': ref('Queryables') },
        },
      },
      problems,
    },
  ];
}

function items(samples: Samples, id: Parameter, limits: FeatureLimits): Endpoint {
  return {
    ...GET,
    id: 'getItems',
    route: '/collections/:id/items',
    path: '/collections/{collectionId}/items',
    summary: 'Features of a collection, a page at a time',
    description:
      'In file order. Follow the link next until there is none. numberMatched is left out where it would take reading too much.',
    parameters: [id, ...itemsParameters(samples, limits)],
    answers: {
      200: {
        description: 'A page of GeoJSON; the plan as JSON with explain=true.',
        headers: [...HEADERS, 'X-Plimsoll-Cost', 'Server-Timing'],
        content: { [GEOJSON]: ref('FeatureCollection'), 'application/json': ref('Plan') },
      },
      304: NOT_MODIFIED,
    },
    problems: [...WORK_PROBLEMS, 'bad-parameter', 'bad-filter', 'wrong-kind', 'unprocessable'],
  };
}

function itemsParameters({ vectorBBox, columns }: Samples, { limitDefault, limitMax }: FeatureLimits): Parameter[] {
  const csv = { style: 'form', explode: false } as const;
  return [
    queryParam(
      'limit',
      `Features a page; more than ${limitMax} is taken as ${limitMax}.`,
      { type: 'integer', minimum: 1, default: limitDefault },
      { example: 2 },
    ),
    queryParam(
      'cursor',
      'Where the page begins; out of the link next.',
      { type: 'integer', minimum: 0, default: 0 },
      { example: 0 },
    ),
    {
      ...queryParam(
        'bbox',
        'minx,miny,maxx,maxy, or with heights (not looked at) six numbers. minx > maxx crosses the antimeridian.',
        { type: 'array', items: { type: 'number' }, oneOf: [4, 6].map(n => ({ minItems: n, maxItems: n })) },
        { example: vectorBBox },
      ),
      ...csv,
    },
    queryParam(
      'bbox-crs',
      'CRS of bbox, one of the collection’s bboxCrs; its numbers are in the order of its axes, so EPSG:4326 is latitude first.',
      { type: 'string', pattern: '^https?://www\\.opengis\\.net/def/crs/', default: CRS84 },
      { example: CRS84 },
    ),
    CRS,
    queryParam(
      'datetime',
      'RFC 3339 instant or interval (../end, start/..) against the datetime column; where there is none, all match.',
      { type: 'string' },
      { example: '2020-01-01T00:00:00Z/..' },
    ),
    {
      ...queryParam(
        'properties',
        'Attributes to write, a comma list; empty writes none.',
        { type: 'array', items: { type: 'string' } },
        { example: columns.slice(0, 1) },
      ),
      ...csv,
    },
    {
      ...queryParam('exclude-properties', 'Attributes to leave out, a comma list; not beside properties.', {
        type: 'array',
        items: { type: 'string' },
      }),
      ...csv,
    },
    ...filterParameters(columns, ''),
    F,
    EXPLAIN,
    {
      ...queryParam(
        'attributes',
        'Any attribute of queryables by its name: name=value keeps the features that equal it. Other names are refused.',
        { type: 'object', additionalProperties: { type: 'string' } },
      ),
      style: 'form',
      explode: true,
    },
    IF_NONE_MATCH,
  ];
}

function feature(id: Parameter): Endpoint {
  const answer: Answer = { description: 'The feature.', headers: HEADERS, content: { [GEOJSON]: ref('Feature') } };
  return {
    ...GET,
    id: 'getFeature',
    route: '/collections/:id/items/:featureId',
    path: '/collections/{collectionId}/items/{featureId}',
    summary: 'One feature',
    description: 'Ids count from 1 in file order, unless the layer is configured with an idColumn.',
    parameters: [id, pathParam('featureId', 'Its id.', { type: 'integer', minimum: 0 }, 1), CRS, F, IF_NONE_MATCH],
    answers: { 200: answer, 304: NOT_MODIFIED },
    problems: [...WORK_PROBLEMS, 'bad-parameter', 'wrong-kind', 'unprocessable', 'feature-not-found'],
  };
}
