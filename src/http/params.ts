/** From strings of a URL to typed values. Every refusal names the parameter and the offending value. */
import type { FastifyRequest } from 'fastify';
import { Problem, problem } from '../errors.ts';
import { ENCODINGS, type Encoding } from '../plan.ts';
import type { BBox, TileMatrixSet } from '../tile.ts';
import { toldTarget } from './told.ts';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

export function queryOf(request: FastifyRequest): Query {
  return request.query as Query;
}

/** The last value wins where a parameter that takes one is given twice. */
export function text(query: Query, name: string): string | undefined {
  const value = query[name];
  const one = Array.isArray(value) ? value.at(-1) : value;
  return one === '' ? undefined : one;
}

export function texts(query: Query, name: string): string[] {
  const value = query[name];
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).filter(v => v !== '');
}

/** A comma list, given once or repeated. */
export function list(query: Query, name: string): string[] {
  return texts(query, name)
    .flatMap(v => v.split(','))
    .map(v => v.trim());
}

/** Which of properties and exclude-properties (OGC API Features part 6) is given; null: neither. Errors: bad-parameter. */
export function selection(query: Query): 'properties' | 'exclude-properties' | null {
  const only = query['properties'] !== undefined;
  const not = query['exclude-properties'] !== undefined;
  if (only && not) throw problem('bad-parameter', 'properties and exclude-properties do not go together');
  return only ? 'properties' : not ? 'exclude-properties' : null;
}

export function toInteger(name: string, value: string): number {
  if (!/^[+-]?\d{1,15}$/.test(value.trim()))
    throw problem('bad-parameter', `${name}: "${clip(value)}" is not an integer`);
  return Number(value);
}

export function toNumber(name: string, value: string): number {
  const n = value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(n)) throw problem('bad-parameter', `${name}: "${clip(value)}" is not a finite number`);
  return n;
}

export function integer(query: Query, name: string, { min, max }: { min: number; max: number }): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const n = toInteger(name, value);
  if (n < min || n > max) throw problem('unprocessable', `${name}: ${n} is not between ${min} and ${max}`);
  return n;
}

export function flag(query: Query, name: string, fallback: boolean): boolean {
  const value = text(query, name)?.toLowerCase();
  if (value === undefined) return query[name] === '' ? true : fallback;
  if (value === '1' || value === 'true' || value === 'yes' || value === 'on') return true;
  if (value === '0' || value === 'false' || value === 'no' || value === 'off') return false;
  throw problem('bad-parameter', `${name}: "${clip(value)}" is neither true nor false`);
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw problem('bad-parameter', `${name}: "${clip(value)}" is none of ${allowed.join(', ')}`);
}

/** Four numbers, min before max. A longitude range may cross the antimeridian where the caller allows it. */
export function toBBox(name: string, parts: readonly string[], options: { wraps?: boolean } = {}): BBox {
  if (parts.length !== 4) throw problem('bad-parameter', `${name}: takes 4 numbers, not ${parts.length}`);
  const [minx, miny, maxx, maxy] = parts.map(part => toNumber(name, part));
  if (miny >= maxy || (minx >= maxx && !options.wraps)) {
    throw problem('unprocessable', `${name}: ${parts.join(',')} has no area (minx, miny, maxx, maxy)`);
  }
  return [minx, miny, maxx, maxy];
}

/** What the client takes, in the server's order of preference; q=0 excludes. (RFC 9110 §12.5.3.) */
export function negotiateEncoding(header: string | undefined, offered: readonly Encoding[] = ENCODINGS): Encoding {
  if (!header) return 'identity';
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [name, ...params] = part.split(';').map(s => s.trim().toLowerCase());
    const q = params.find(p => p.startsWith('q='));
    weights.set(name, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  const weightOf = (encoding: Encoding) =>
    weights.get(encoding) ?? (encoding === 'identity' ? ID_WEIGHT : (weights.get('*') ?? 0));
  let best: Encoding = 'identity';
  for (const encoding of offered) {
    if (
      encoding !== 'identity' &&
      weightOf(encoding) > 0 &&
      weightOf(encoding) > (best === 'identity' ? 0 : weightOf(best))
    )
      best = encoding;
  }
  return best;
}

/** Identity is always acceptable unless refused by name, and we would rather compress. */
const ID_WEIGHT = 0.001;

/** Values are echoed in errors: cut, so that an error is never larger than the request that caused it. */
export function clip(value: string): string {
  return value.length > 80 ? `${value.slice(0, 77)}…` : value;
}

interface RawReply {
  once(event: 'close', fn: () => void): unknown;
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
}

/** An AbortSignal of the client's going away. On a plain GET the request closes with its socket. */
export function clientSignal(request: FastifyRequest, raw: RawReply): AbortSignal {
  const controller = new AbortController();
  const gone = () => {
    if (!raw.writableFinished)
      controller.abort(
        new Problem('client-closed', `${request.method} ${toldTarget(request.url)}: the client went away`),
      );
  };
  if (raw.destroyed) gone();
  else raw.once('close', gone);
  return controller.signal;
}

/** The same, made when it is asked for. */
export function lazySignal(request: FastifyRequest, raw: RawReply): () => AbortSignal {
  let made: AbortSignal | undefined;
  return () => {
    made ??= clientSignal(request, raw);
    return made;
  };
}

export interface TilePath {
  readonly z: number;
  readonly x: number;
  readonly y: number;
  readonly scale: 1 | 2;
  readonly extension: string | null;
}

const TILE_Y = /^(\d{1,10})(?:@([12])x)?(?:\.([a-z0-9]{1,8}))?$/;

/** z, x and `y[@2x][.ext]`. */
export function tilePath(params: { z: string; x: string; y: string }): TilePath {
  const match = TILE_Y.exec(params.y);
  if (!match) throw problem('bad-parameter', `y: "${clip(params.y)}" is not a row with an optional @2x and extension`);
  const z = coordinate('z', params.z);
  const x = coordinate('x', params.x);
  return { z, x, y: Number(match[1]), scale: match[2] === '2' ? 2 : 1, extension: match[3] ?? null };
}

/** The same in any grid: z is the id of a tile matrix, and comes out as its place among the set's. */
export function gridPath(set: TileMatrixSet, params: { z: string; x: string; y: string }): TilePath {
  const z = set.matrices.findIndex(matrix => matrix.id === params.z);
  if (z < 0) {
    const ids = [set.matrices[0], ...set.matrices.slice(-1)].map(matrix => matrix.id).join(' … ');
    throw problem('tile-outside-grid', `z: "${clip(params.z)}" is no tile matrix of ${set.id}, which has ${ids}`);
  }
  return { ...tilePath({ ...params, z: '0' }), z };
}

function coordinate(name: string, value: string): number {
  if (!/^\d{1,10}$/.test(value))
    throw problem('bad-parameter', `${name}: "${clip(value)}" is not a non-negative integer`);
  return Number(value);
}
