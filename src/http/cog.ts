/** titiler's COG routes and parameter names. `url` names a layer: its id, or the name of its file. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import type { RasterLayer } from '../layers/types.ts';
import { rasterPoint, rasterPreview, rasterStatistics, rasterWindow } from '../operations.ts';
import type { RasterFormat } from '../render/raster/plan.ts';
import type { Operation } from '../serve.ts';
import { WEB_MERCATOR_QUAD } from '../tile.ts';
import { registerCogDocuments } from './cog-documents.ts';
import { clientOf, type HttpContext } from './context.ts';
import {
  clientSignal,
  clip,
  flag,
  gridPath,
  integer,
  oneOf,
  queryOf,
  text,
  toBBox,
  toInteger,
  toNumber,
} from './params.ts';
import { rasterOf } from './raster-layer.ts';
import { rasterParams } from './raster-params.ts';
import { sendReply } from './send.ts';
import { tileJson } from './tilejson.ts';
import { answerTile, judgeQuery } from './tiles.ts';

export const FORMATS: Readonly<Record<string, RasterFormat>> = {
  png: 'png',
  webp: 'webp',
  jpg: 'jpg',
  jpeg: 'jpg',
  tif: 'tif',
  tiff: 'tif',
  npy: 'npy',
};

/** Longest side of an image, in pixels, before the byte ceiling is even asked. */
export const MAX_SIDE = 16384;
/** titiler's default for previews and statistics. */
export const PREVIEW_SIZE = 1024;

export function registerCog(app: FastifyInstance, context: HttpContext): void {
  registerCogDocuments(app, context);
  registerTileRoutes(app, context);
  registerWindows(app, context);
  registerValues(app, context);
}

function registerTileRoutes(app: FastifyInstance, context: HttpContext): void {
  const document = async (request: FastifyRequest, reply: FastifyReply) => {
    const { tms = WEB_MERCATOR_QUAD.id } = request.params as { tms?: string };
    const set = context.grids.get(tms);
    const layer = rasterOf(context, request);
    judgeQuery(context, [layer], queryOf(request));
    return reply.header('cache-control', 'public, max-age=60').send(tileJson(context, [layer], request, set));
  };
  app.get('/cog/tilejson.json', document);
  app.get('/cog/:tms/tilejson.json', document);
  app.get<{ Params: { tms: string; z: string; x: string; y: string } }>(
    '/cog/tiles/:tms/:z/:x/:y',
    async (request, reply) => {
      const set = context.grids.get(request.params.tms);
      const layer = rasterOf(context, request);
      const tile = gridPath(set, request.params);
      return sendReply(reply, await answerTile(context, request, reply, [layer], tile, set, 'png'));
    },
  );
}

function registerWindows(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Params: { '*': string } }>('/cog/bbox/*', async (request, reply) => {
    const query = queryOf(request);
    const { parts, width, height, format } = windowPath(request.params['*']);
    const layer = rasterOf(context, request);
    const bboxCrs = text(query, 'coord_crs') ?? 'OGC:CRS84';
    const params = {
      bbox: toBBox('bbox', parts, { wraps: /4326|CRS84/i.test(bboxCrs) }),
      bboxCrs,
      dstCrs: text(query, 'dst_crs') ?? null,
      width: width ?? integer(query, 'width', SIDE) ?? null,
      height: height ?? integer(query, 'height', SIDE) ?? null,
      maxSize: integer(query, 'max_size', SIDE) ?? null,
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
    const layer = rasterOf(context, request);
    const params = {
      width: match[1] ? side('width', match[1]) : (integer(query, 'width', SIDE) ?? null),
      height: match[2] ? side('height', match[2]) : (integer(query, 'height', SIDE) ?? null),
      maxSize: integer(query, 'max_size', SIDE) ?? PREVIEW_SIZE,
      format: formatOf(match[3] ?? text(query, 'f') ?? 'png'),
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterPreview, params);
  };
  app.get('/cog/preview', preview);
  app.get('/cog/preview.:format', preview);
  app.get('/cog/preview/*', preview);
}

function registerValues(app: FastifyInstance, context: HttpContext): void {
  app.get<{ Params: { place: string } }>('/cog/point/:place', async (request, reply) => {
    const query = queryOf(request);
    const parts = request.params.place.split(',');
    if (parts.length !== 2) throw problem('bad-parameter', `point: "${clip(request.params.place)}" is not {lon},{lat}`);
    const layer = rasterOf(context, request);
    const params = {
      lon: toNumber('lon', parts[0]),
      lat: toNumber('lat', parts[1]),
      coordCrs: text(query, 'coord_crs') ?? 'OGC:CRS84',
      raster: rasterParams(query, layer),
    };
    return run(context, request, reply, layer, rasterPoint, params);
  });
  app.get('/cog/statistics', async (request, reply) => {
    const query = queryOf(request);
    const layer = rasterOf(context, request);
    const params = { maxSize: integer(query, 'max_size', SIDE) ?? PREVIEW_SIZE, raster: rasterParams(query, layer) };
    return run(context, request, reply, layer, rasterStatistics, params);
  });
}

async function run<P>(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  layer: RasterLayer,
  operation: Operation<P>,
  params: P,
): Promise<FastifyReply> {
  const answer = await context.serve({
    operation,
    layers: [layer.id],
    params,
    encoding: 'identity',
    ifNoneMatch: request.headers['if-none-match'],
    client: clientOf(request),
    signal: clientSignal(request, reply.raw),
    explain: flag(queryOf(request), 'explain', false),
    strict: flag(queryOf(request), 'strict', false),
  });
  return sendReply(reply, answer);
}

const SIDE = { min: 1, max: MAX_SIDE };

function side(name: string, value: string): number {
  const n = toInteger(name, value);
  if (n < 1 || n > MAX_SIDE) throw problem('unprocessable', `${name}: ${n} is not between 1 and ${MAX_SIDE}`);
  return n;
}

function formatOf(name: string): RasterFormat {
  return FORMATS[oneOf('format', name, Object.keys(FORMATS))];
}

/** `{minx},{miny},{maxx},{maxy}[/{width}x{height}].{format}` */
function windowPath(path: string): {
  parts: string[];
  width: number | null;
  height: number | null;
  format: RasterFormat;
} {
  const match = /^([^/]+?)(?:\/(\d+)x(\d+))?\.([a-z]+)$/.exec(path);
  if (!match)
    throw problem(
      'bad-parameter',
      `bbox: "${clip(path)}" is not {minx},{miny},{maxx},{maxy}[/{width}x{height}].{format}`,
    );
  return {
    parts: match[1].split(','),
    width: match[2] ? side('width', match[2]) : null,
    height: match[3] ? side('height', match[3]) : null,
    format: formatOf(match[4]),
  };
}
