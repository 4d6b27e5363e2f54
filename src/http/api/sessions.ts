/** /sessions: layers that a dashboard uploads. */
import { GEOJSON_TYPES } from '../sessions.ts';
import { json, pathParam, ref } from './parts.ts';
import type { Answer, Endpoint, Parameter } from './types.ts';

const TAG = { tag: 'sessions' } as const;
const SECRET = { security: 'sessionSecret' } as const;
const ID = pathParam('sessionId', 'Id of the session.', { type: 'string', minLength: 1 }, 'f00dfeedf00dfeedf00dfeed');
const NAME = pathParam(
  'name',
  'Name of the layer in its session; its layer id is the member id of the answer.',
  { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
  'points',
);
const ENDED = ['not-found', 'session-gone'] as const;
const LOCKED = ['unauthorized', 'forbidden', ...ENDED] as const;
const NOTHING: Answer = { description: 'Done; its bytes are given back.' };

export function sessionEndpoints(): Endpoint[] {
  return [...life(), ...layers()];
}

function life(): Endpoint[] {
  const one = { ...TAG, route: '/sessions/:id', path: '/sessions/{sessionId}', parameters: [ID] };
  return [
    {
      ...TAG,
      id: 'createSession',
      method: 'post',
      route: '/sessions',
      path: '/sessions',
      summary: 'Begin a session',
      description: 'The secret is told once, here; what changes the session wants it as Authorization: Bearer.',
      parameters: [],
      body: {
        description:
          'How long it shall live, in whole seconds: from 1 to sessions.ttl, which it is where nothing is sent.',
        required: false,
        content: { 'application/json': ref('SessionAsk') },
        example: { ttl: 3600 },
      },
      answers: { 201: json('Its id and secret.', ref('CreatedSession'), ['Location', 'Cache-Control']) },
      problems: [
        'overloaded',
        'quota-exceeded',
        'unsupported-media-type',
        'bad-parameter',
        'bad-body',
        'body-too-large',
        'unprocessable',
      ],
    },
    {
      ...one,
      id: 'getSession',
      method: 'get',
      summary: 'State of a session and its layers',
      answers: { 200: json('Its state.', ref('Session')) },
      problems: ENDED,
    },
    {
      ...one,
      ...SECRET,
      id: 'touchSession',
      method: 'post',
      route: '/sessions/:id/touch',
      path: '/sessions/{sessionId}/touch',
      summary: 'Say that the session is in use, so that it does not end for idleness',
      answers: { 200: json('Its state.', ref('Session')) },
      problems: [...LOCKED, 'unsupported-media-type'],
    },
    {
      ...one,
      ...SECRET,
      id: 'deleteSession',
      method: 'delete',
      summary: 'End a session and its layers',
      answers: { 204: NOTHING },
      problems: LOCKED,
    },
  ];
}

function layers(): Endpoint[] {
  const parameters: Parameter[] = [ID, NAME];
  const one = { ...TAG, route: '/sessions/:id/layers/:name', path: '/sessions/{sessionId}/layers/{name}', parameters };
  return [
    {
      ...one,
      ...SECRET,
      id: 'putSessionLayer',
      method: 'put',
      summary: 'Upload a layer, or replace it',
      body: {
        description: 'GeoJSON in WGS 84 degrees. It is read as a stream and booked while it comes.',
        required: true,
        content: Object.fromEntries(GEOJSON_TYPES.map(type => [type, ref('GeoJson')])),
        example: POINT,
      },
      answers: {
        200: json('It replaced the layer of this name.', ref('SessionLayer')),
        201: json('It is new.', ref('SessionLayer'), ['Location', 'Cache-Control']),
      },
      problems: [
        ...LOCKED,
        'bad-parameter',
        'bad-body',
        'body-too-large',
        'too-large',
        'unsupported-media-type',
        'unprocessable',
        'client-over-share',
        'overloaded',
        'draining',
        'worker-died',
        'upload-stalled',
        'quota-exceeded',
      ],
    },
    {
      ...one,
      id: 'getSessionLayer',
      method: 'get',
      summary: 'One layer of a session',
      answers: { 200: json('What it is and where its tiles are.', ref('SessionLayer')) },
      problems: [...ENDED, 'layer-not-found'],
    },
    {
      ...one,
      ...SECRET,
      id: 'deleteSessionLayer',
      method: 'delete',
      summary: 'Remove a layer of a session',
      answers: { 204: NOTHING },
      problems: [...LOCKED, 'layer-not-found'],
    },
  ];
}

const POINT = {
  type: 'FeatureCollection',
  features: [
    { type: 'Feature', properties: { name: 'Greenwich' }, geometry: { type: 'Point', coordinates: [0, 51.48] } },
  ],
};
