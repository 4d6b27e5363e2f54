/** Small builders and the parameters that many endpoints share. */
import { type ErrorCode, REMOTE_CODES } from '../../errors.ts';
import type { HeaderName } from './headers.ts';
import type { Answer, Parameter, Schema } from './types.ts';

interface Extras {
  readonly required?: boolean;
  readonly example?: unknown;
}

export function pathParam(name: string, description: string, schema: Schema, example: unknown): Parameter {
  return { name, in: 'path', required: true, description, schema, example };
}

export function queryParam(name: string, description: string, schema: Schema, extras: Extras = {}): Parameter {
  return { name, in: 'query', required: false, description, schema, ...extras };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function json(description: string, schema: Schema, headers: readonly HeaderName[] = ['Cache-Control']): Answer {
  return { description, headers, content: { 'application/json': schema } };
}

const flag = (fallback: boolean): Schema => ({ type: 'boolean', default: fallback });

export const booleanParam = (name: string, description: string, fallback = false): Parameter =>
  queryParam(name, description, flag(fallback), { example: fallback });

/** Answered from the index, before anything is read. */
export const EXPLAIN = booleanParam(
  'explain',
  'true: the plan and its price as JSON instead of the answer; no data is read.',
);

export const STRICT = booleanParam(
  'strict',
  'true: full quality or an error, never a stale or degraded answer under memory pressure.',
);

export const IF_NONE_MATCH: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'ETags that the client has; 304 where one of them is still true.',
  schema: { type: 'string' },
};

export const NOT_MODIFIED: Answer = {
  description: 'What the client has is still true. Nothing was read.',
  headers: ['ETag', 'Cache-Control', 'Vary'],
};

/** The same of what went through the cache. */
export const SERVED_NOT_MODIFIED: Answer = {
  ...NOT_MODIFIED,
  headers: ['ETag', 'Cache-Control', 'Vary', 'X-Plimsoll'],
};

/** Of whatever takes a layer id. */
export const LAYER_PROBLEMS = ['layer-not-found', 'session-gone', 'layer-not-servable'] as const;

/** Of whatever reads what another server has. */
export const REMOTE_PROBLEMS = REMOTE_CODES;

/** The same of what reads nothing but opens it. */
export const OPENING_PROBLEMS = [
  ...REMOTE_PROBLEMS,
  'too-large',
  'client-over-share',
  'overloaded',
  'draining',
] as const;

/** Of what a raster says of itself to a map that will ask for its tiles. */
export const MAP_PROBLEMS = [
  'bad-parameter',
  ...OPENING_PROBLEMS,
  'unprocessable',
  'not-found',
  'wrong-kind',
  ...LAYER_PROBLEMS,
] as const;

/** Of whatever is priced, admitted and rendered; another server may have the file of the layer. */
export const WORK_PROBLEMS: readonly ErrorCode[] = [
  ...LAYER_PROBLEMS,
  ...REMOTE_PROBLEMS,
  'too-large',
  'client-over-share',
  'corrupt-data',
  'read-failed',
  'source-changed',
  'overloaded',
  'draining',
  'worker-died',
];

/** The same of pictures of rasters, which may need overviews that are not there. */
export const PICTURE_PROBLEMS: readonly ErrorCode[] = [...WORK_PROBLEMS, 'read-amplification', 'overview-building'];

export const ZOOM_MAX = 24;

export function tileParams(tile: { z: number; x: number; y: number }): Parameter[] {
  const whole = { type: 'integer', minimum: 0, maximum: 2 ** ZOOM_MAX - 1 };
  return [
    pathParam('z', 'Zoom.', { ...whole, maximum: ZOOM_MAX }, tile.z),
    pathParam('x', 'Column, from the west.', whole, tile.x),
    pathParam('y', 'Row, from the north.', whole, tile.y),
  ];
}

/** In any grid: the matrix goes by its id. */
export function gridTileParams(tms: string, tile: { z: number; x: number; y: number }): Parameter[] {
  const whole = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };
  return [
    tmsParam(tms),
    pathParam('z', 'Tile matrix, by its id: in most sets the zoom.', { type: 'string', minLength: 1 }, String(tile.z)),
    pathParam('x', 'Column, from the west.', whole, tile.x),
    pathParam('y', 'Row, from the corner that the set counts from.', whole, tile.y),
  ];
}

export function tmsParam(example: string): Parameter {
  return pathParam('tms', 'Tile matrix set, one of /tileMatrixSets.', { type: 'string', minLength: 1 }, example);
}

export const scaleParam = pathParam(
  'scale',
  'Pixels of a raster tile a side: 1 for the grid’s own (256), 2 for twice as many. Vector tiles have no pixels.',
  { type: 'integer', enum: [1, 2] },
  2,
);

/** Content type of the document itself (registered for OpenAPI 3.1). */
export const OPENAPI_TYPE = 'application/vnd.oai.openapi+json;version=3.1';

/** An object whose members of `required` are always there. Further members may come with later versions. */
export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } };
}

export const arrayOf = (items: Schema): Schema => ({ type: 'array', items });
export const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, NULL] });

const NULL: Schema = { type: 'null' };
export const TEXT: Schema = { type: 'string' };
export const URL: Schema = { type: 'string', format: 'uri' };
export const TIME: Schema = { type: 'string', format: 'date-time' };
export const NUMBER: Schema = { type: 'number' };
export const COUNT: Schema = { type: 'integer', minimum: 0 };
export const ZOOM: Schema = { type: 'integer', minimum: 0, maximum: ZOOM_MAX };
export const YES_NO: Schema = { type: 'boolean' };
