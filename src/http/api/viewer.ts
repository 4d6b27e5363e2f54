/** The catalogue, the landing page, this description, and the files of the viewer. */

import { LANDING_FORMATS } from '../catalogue.ts';
import { IF_NONE_MATCH, json, NOT_MODIFIED, OPENAPI_TYPE, pathParam, queryParam, ref } from './parts.ts';
import type { Answer, Endpoint, Samples } from './types.ts';

const CATALOGUE = { tag: 'catalogue', method: 'get' } as const;
const VIEWER = { tag: 'viewer', method: 'get' } as const;

export function catalogueEndpoints({ layer }: Samples): Endpoint[] {
  return [
    {
      ...CATALOGUE,
      id: 'listLayers',
      route: '/layers',
      path: '/layers',
      summary: 'Every layer, also those that are refused, with the reasons',
      parameters: [],
      answers: { 200: json('The layers.', ref('LayerList')) },
      problems: [],
    },
    {
      ...CATALOGUE,
      id: 'getLayer',
      route: '/layers/:id',
      path: '/layers/{layerId}',
      summary: 'One layer: bounds, CRS, zooms, fields or bands, verdict',
      parameters: [pathParam('layerId', 'Layer id.', { type: 'string', minLength: 1 }, layer)],
      answers: { 200: json('The layer.', ref('Layer')) },
      problems: ['layer-not-found', 'session-gone'],
    },
  ];
}

export function viewerEndpoints(): Endpoint[] {
  return [...pages(), ...files()];
}

function pages(): Endpoint[] {
  const html = { 'text/html': null };
  const kept: readonly ['ETag', 'Cache-Control', 'Vary'] = ['ETag', 'Cache-Control', 'Vary'];
  const document: Answer = {
    description: 'OpenAPI 3.1.',
    headers: kept,
    content: { [OPENAPI_TYPE]: { type: 'object' }, 'application/json': { type: 'object' } },
  };
  return [
    {
      ...VIEWER,
      id: 'getLandingPage',
      route: '/',
      path: '/',
      anyQuery: true,
      summary: 'The viewer for browsers, the OGC landing page for programs',
      parameters: [
        queryParam('f', 'Which; else Accept decides.', { type: 'string', enum: LANDING_FORMATS }, { example: 'json' }),
      ],
      answers: {
        200: {
          description: 'The page.',
          headers: ['Cache-Control', 'Vary'],
          content: { 'application/json': ref('Landing'), ...html },
        },
      },
      problems: ['bad-parameter'],
    },
    {
      ...VIEWER,
      id: 'getApi',
      route: '/api',
      path: '/api',
      summary: 'This description',
      description: 'Its examples name layers that are there.',
      parameters: [IF_NONE_MATCH],
      answers: { 200: document, 304: NOT_MODIFIED },
      problems: [],
    },
    {
      ...VIEWER,
      id: 'getApiPage',
      route: '/api.html',
      path: '/api.html',
      anyQuery: true,
      summary: 'This description as a page',
      parameters: [IF_NONE_MATCH],
      answers: { 200: { description: 'The page.', headers: kept, content: html }, 304: NOT_MODIFIED },
      problems: [],
    },
  ];
}

function files(): Endpoint[] {
  const name = pathParam('name', 'One of the viewer’s files.', { type: 'string', minLength: 1 }, 'viewer.js');
  const common = {
    ...VIEWER,
    anyQuery: true as const,
    answers: {
      200: {
        description: 'The file.',
        headers: ['ETag', 'Cache-Control', 'Vary'] as const,
        content: { 'text/javascript': null, 'text/css': null, 'image/svg+xml': null },
      },
      304: NOT_MODIFIED,
    },
    problems: ['not-found'] as const,
  };
  return [
    {
      ...common,
      id: 'getViewerFile',
      route: '/viewer/:name',
      path: '/viewer/{name}',
      summary: 'A file of the viewer',
      parameters: [name, IF_NONE_MATCH],
    },
    {
      ...common,
      id: 'getVersionedViewerFile',
      route: '/viewer/:version/:name',
      path: '/viewer/{version}/{name}',
      summary: 'A file of the viewer, kept for a year where the version is the current one',
      parameters: [
        pathParam('version', 'Digest of the viewer’s files.', { type: 'string', minLength: 1 }, '0'),
        name,
        IF_NONE_MATCH,
      ],
    },
  ];
}
