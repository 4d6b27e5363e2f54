/** What titiler takes GeoJSON for: statistics within features, and images of them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { featureStatistics, rasterFeature } from '../operations-values.ts';
import { registerPlaces, sent } from './cog-values.ts';
import type { HttpContext } from './context.ts';
import { areasOf } from './geojson-body.ts';
import { clip, integer, queryOf, text } from './params.ts';
import { formatOf, SIDE, sizeOf } from './raster-forms.ts';
import { rasterOf, run } from './raster-layer.ts';
import { statisticsOptions } from './statistics-params.ts';

export function registerCogFeatures(app: FastifyInstance, context: HttpContext): void {
  app.register(async scope => {
    // What GeoJSON is called is JSON here; elsewhere (uploads) it is not parsed.
    scope.addContentTypeParser(
      'application/geo+json',
      { parseAs: 'string' },
      scope.getDefaultJsonParser('error', 'error'),
    );
    registerPlaces(scope, context);
    registerAreas(scope, context);
  });
}

function registerAreas(app: FastifyInstance, context: HttpContext): void {
  app.post('/cog/statistics', async (request, reply) => {
    const query = queryOf(request);
    const layer = await rasterOf(context, request, reply);
    const { collection, areas } = areasOf(request.body);
    const answer = {
      collection: collection && JSON.stringify(collection),
      features: areas.map(({ feature }) => JSON.stringify(feature)),
    };
    const zones = areas.map(({ polygons }) => polygons);
    const params = {
      ...sent(request, layer),
      maxSize: integer(query, 'max_size', SIDE) ?? null,
      options: statisticsOptions(query),
    };
    return run(context, request, reply, layer, featureStatistics(zones, answer), params);
  });
  const image = async (request: FastifyRequest<{ Params: { '*'?: string } }>, reply: FastifyReply) => {
    const query = queryOf(request);
    const tail = request.params['*'] ?? request.url.split('?')[0].split('/cog/feature')[1].replace(/^\./, '');
    const match = /^(?:(\d+)x(\d+))?\.?([a-z]+)?$/.exec(tail);
    if (!match) throw problem('bad-parameter', `feature: "${clip(tail)}" is not {width}x{height}.{format}`);
    const layer = await rasterOf(context, request, reply);
    const { areas } = areasOf(request.body, { collections: false });
    const params = {
      ...sent(request, layer),
      dstCrs: text(query, 'dst_crs') ?? null,
      ...sizeOf(query, match.slice(1, 3), context.maxSize),
      format: formatOf(match[3] ?? text(query, 'f') ?? 'png'),
    };
    return run(context, request, reply, layer, rasterFeature(areas[0].polygons), params);
  };
  app.post('/cog/feature', image);
  app.post('/cog/feature.:format', image);
  app.post('/cog/feature/*', image);
}
