/** Values of rasters: titiler's point, and ours of many points and along a line. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { rasterPoint, rasterPoints, rasterProfile, rasterStatistics } from '../operations-values.ts';
import type { HttpContext } from './context.ts';
import { lineOf, placesOf } from './geojson-body.ts';
import { clip, integer, queryOf, text, toNumber } from './params.ts';
import { SIDE } from './raster-forms.ts';
import { rasterOf, run } from './raster-layer.ts';
import { rasterParams } from './raster-params.ts';
import { statisticsOptions } from './statistics-params.ts';

/** Places along a line: as many as a chart shows, and where nobody says how many. */
export const SAMPLES = { min: 2, max: 16_384, usual: 256 } as const;
const DEGREES = 'OGC:CRS84';

export function registerCogValues(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Params: { place: string } }>('/cog/point/:place', async (request, reply) => {
    const query = queryOf(request);
    const parts = request.params.place.split(',');
    if (parts.length !== 2) throw problem('bad-parameter', `point: "${clip(request.params.place)}" is not {lon},{lat}`);
    const layer = await rasterOf(context, request, reply);
    const params = {
      lon: toNumber('lon', parts[0]),
      lat: toNumber('lat', parts[1]),
      coordCrs: text(query, 'coord_crs') ?? DEGREES,
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterPoint, params);
  });
  app.get('/cog/statistics', async (request, reply) => {
    const query = queryOf(request);
    const layer = await rasterOf(context, request, reply);
    const params = {
      maxSize: integer(query, 'max_size', SIDE) ?? null,
      options: statisticsOptions(query),
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterStatistics, params);
  });
}

/** What takes a body. */
export function registerPlaces(app: FastifyInstance, context: HttpContext): void {
  app.post('/cog/points', async (request, reply) => {
    const layer = await rasterOf(context, request, reply);
    const places = placesOf(request.body);
    return run(context, request, reply, layer, rasterPoints(places), sent(request, layer));
  });
  app.post('/cog/profile', async (request, reply) => {
    const layer = await rasterOf(context, request, reply);
    const line = lineOf(request.body);
    const samples = integer(queryOf(request), 'samples', SAMPLES) ?? SAMPLES.usual;
    return run(context, request, reply, layer, rasterProfile(line), { ...sent(request, layer), samples });
  });
}

/** What a request with a body is about. The body itself is too large for a key: its digest stands for it. */
export function sent(request: FastifyRequest, layer: Parameters<typeof rasterParams>[1]) {
  const query = queryOf(request);
  return {
    digest: createHash('sha256').update(JSON.stringify(request.body)).digest('base64url'),
    coordCrs: text(query, 'coord_crs') ?? DEGREES,
    raster: rasterParams(query, layer),
  };
}
