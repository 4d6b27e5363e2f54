/** titiler's COG routes and parameter names. `url` names a layer: its id, or the name of its file. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { xPeriod } from '../crs/index.ts';
import { problem } from '../errors.ts';
import { rasterPreview, rasterWindow } from '../operations.ts';
import type { RasterFormat } from '../render/raster/plan.ts';
import { WEB_MERCATOR_QUAD } from '../tile.ts';
import { registerCogDocuments } from './cog-documents.ts';
import { registerCogFeatures } from './cog-features.ts';
import { registerCogMap } from './cog-map.ts';
import { registerCogValues } from './cog-values.ts';
import type { HttpContext } from './context.ts';
import { clip, gridPath, queryOf, text, toBBox } from './params.ts';
import { formatOf, PREVIEW_SIZE, sizeOf } from './raster-forms.ts';
import { rasterOf, run } from './raster-layer.ts';
import { rasterParams } from './raster-params.ts';
import { sendReply } from './send.ts';
import { tileJson } from './tilejson.ts';
import { answerTile, judgeQuery } from './tiles.ts';
import { registerWmts } from './wmts.ts';

export function registerCog(app: FastifyInstance, context: HttpContext): void {
  registerCogDocuments(app, context);
  registerTileRoutes(app, context);
  registerWindows(app, context);
  registerCogValues(app, context);
  registerCogFeatures(app, context);
  registerCogMap(app, context);
  registerWmts(app, context);
}

function registerTileRoutes(app: FastifyInstance, context: HttpContext): void {
  const document = async (request: FastifyRequest, reply: FastifyReply) => {
    const { tms = WEB_MERCATOR_QUAD.id } = request.params as { tms?: string };
    const set = context.grids.get(tms);
    const layer = await rasterOf(context, request, reply);
    judgeQuery(context, [layer], queryOf(request));
    return reply.header('cache-control', 'public, max-age=60').send(tileJson(context, [layer], request, set));
  };
  app.get('/cog/tilejson.json', document);
  app.get('/cog/:tms/tilejson.json', document);
  app.get<{ Params: { tms: string; z: string; x: string; y: string } }>(
    '/cog/tiles/:tms/:z/:x/:y',
    async (request, reply) => {
      const set = context.grids.get(request.params.tms);
      const layer = await rasterOf(context, request, reply);
      const tile = gridPath(set, request.params);
      return sendReply(reply, await answerTile(context, request, reply, [layer], tile, set, 'png'));
    },
  );
}

function registerWindows(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Params: { '*': string } }>('/cog/bbox/*', async (request, reply) => {
    const query = queryOf(request);
    const { parts, size, format } = windowPath(request.params['*']);
    const layer = await rasterOf(context, request, reply);
    const bboxCrs = text(query, 'coord_crs') ?? 'OGC:CRS84';
    const params = {
      bbox: toBBox('bbox', parts, { wraps: xPeriod(bboxCrs) !== null }),
      bboxCrs,
      dstCrs: text(query, 'dst_crs') ?? null,
      ...sizeOf(query, size, context.maxSize),
      format,
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterWindow, params);
  });
  const preview = async (request: FastifyRequest<{ Params: { '*'?: string } }>, reply: FastifyReply) => {
    const query = queryOf(request);
    const tail = request.params['*'] ?? request.url.split('?')[0].split('/cog/preview')[1].replace(/^\./, '');
    const match = /^(?:(\d+)x(\d+))?\.?([a-z]+)?$/.exec(tail);
    if (!match) throw problem('bad-parameter', `preview: "${clip(tail)}" is not {width}x{height}.{format}`);
    const layer = await rasterOf(context, request, reply);
    const size = sizeOf(query, match.slice(1, 3), context.maxSize);
    const params = {
      ...size,
      maxSize: size.maxSize ?? Math.min(PREVIEW_SIZE, context.maxSize ?? PREVIEW_SIZE),
      format: formatOf(match[3] ?? text(query, 'f') ?? 'png'),
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterPreview, params);
  };
  app.get('/cog/preview', preview);
  app.get('/cog/preview.:format', preview);
  app.get('/cog/preview/*', preview);
}

/** `{minx},{miny},{maxx},{maxy}[/{width}x{height}].{format}` */
function windowPath(path: string): {
  parts: string[];
  size: (string | undefined)[];
  format: RasterFormat;
} {
  const match = /^([^/]+?)(?:\/(\d+)x(\d+))?\.([a-z]+)$/.exec(path);
  if (!match)
    throw problem(
      'bad-parameter',
      `bbox: "${clip(path)}" is not {minx},{miny},{maxx},{maxy}[/{width}x{height}].{format}`,
    );
  return { parts: match[1].split(','), size: match.slice(2, 4), format: formatOf(match[4]) };
}
