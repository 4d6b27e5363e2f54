/** A dashboard as a client of the whole server: opens sessions, uploads, looks at tiles. And GeoJSON to upload. */
import assert from 'node:assert/strict';
import { VectorTile } from '@mapbox/vector-tile';
import type { LightMyRequestResponse } from 'fastify';
import { PbfReader } from 'pbf';
import type { App } from '../../src/app.ts';

export interface Opened {
  readonly id: string;
  readonly secret: string;
  readonly ttl: number;
  readonly expires: string;
}

export async function open(app: App): Promise<Opened> {
  const response = await app.server.inject({ method: 'POST', url: '/sessions' });
  assert.equal(response.statusCode, 201, response.body);
  return response.json();
}

export interface Put {
  readonly headers?: Record<string, string>;
  readonly secret?: string | null;
}

export function put(
  app: App,
  { id, secret: own }: Opened,
  name: string,
  body: string | Buffer,
  { headers = {}, secret = own }: Put = {},
): Promise<LightMyRequestResponse> {
  const authorization: Record<string, string> = secret === null ? {} : { authorization: `Bearer ${secret}` };
  return app.server.inject({
    method: 'PUT',
    url: `/sessions/${id}/layers/${name}`,
    headers: { 'content-type': 'application/geo+json', ...authorization, ...headers },
    payload: body,
  });
}

export function remove(app: App, { id, secret }: Opened, name?: string): Promise<LightMyRequestResponse> {
  const url = name === undefined ? `/sessions/${id}` : `/sessions/${id}/layers/${name}`;
  return app.server.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${secret}` } });
}

export function get(app: App, url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return app.server.inject({ url, headers });
}

export function decode(body: Uint8Array): VectorTile {
  return new VectorTile(new PbfReader(body));
}

export function text(value: unknown): string {
  return JSON.stringify(value);
}

/** Squares of 0.08°, a hundred in a row from 0,0 on to the east and north. */
export function grid(n: number, properties: (i: number) => object = i => ({ n: i, name: `cell ${i}` })): object {
  const features = Array.from({ length: n }, (_, i) => {
    const x = (i % 100) * 0.1;
    const y = Math.floor(i / 100) * 0.1;
    const ring = [
      [x, y],
      [x + 0.08, y],
      [x + 0.08, y + 0.08],
      [x, y + 0.08],
      [x, y],
    ];
    return { type: 'Feature', properties: properties(i), geometry: { type: 'Polygon', coordinates: [ring] } };
  });
  return { type: 'FeatureCollection', features };
}

export function point(lon: number, lat: number, properties: object = {}): object {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [lon, lat] } };
}

/** All that sessions can hold, once nothing of theirs is left: the books of the parts, and the cache's own sums. */
export function assertNothingHeld(app: App, cacheEntries: number): void {
  const { ledger } = app.memory;
  ledger.audit();
  app.rooms.cache.audit();
  assert.equal(ledger.inUse.sessions, 0, 'sessions');
  assert.equal(ledger.inUse.inflight, 0, 'inflight');
  assert.equal(ledger.inUse.replies, 0, 'replies');
  assert.equal(app.rooms.cache.stats().entries, cacheEntries, 'cache entries');
}
