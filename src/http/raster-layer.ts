/** The raster that a request of /cog means. */
import { basename } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { isUrl } from '../io/http/allow.ts';
import type { RasterLayer } from '../layers/types.ts';
import type { Operation } from '../serve.ts';
import { clientOf, type HttpContext } from './context.ts';
import { clientSignal, flag, lazySignal, queryOf, text } from './params.ts';
import { sendReply } from './send.ts';
import { layersOf } from './tiles.ts';

/**
 * The raster that `url` (or `layer`) names. A refused file still has its /info, which says why it is refused. One of another
 * server stays open until the reply is out.
 */
export async function rasterOf(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { evenIfRefused = false } = {},
): Promise<RasterLayer> {
  const query = queryOf(request);
  const name = text(query, 'url') ?? text(query, 'layer');
  if (name === undefined) throw problem('bad-parameter', 'url: names no layer; give the id of a raster of /layers');
  if (isUrl(name)) {
    const layer = await remoteOf(context, request, reply, name);
    return evenIfRefused ? layer : servable(layer);
  }
  const id = context.catalogue.get(name) ? name : (idOfFile(context, name) ?? name);
  const layer = evenIfRefused ? context.catalogue.get(id) : layersOf(context, id)[0];
  if (!layer) return layersOf(context, id)[0] as RasterLayer;
  if (layer.kind === 'refused') {
    throw problem('layer-not-servable', `${id}: ${layer.verdict.reasons[0]?.detail ?? 'not servable'}`, {
      servable: false,
      reasons: layer.verdict.reasons,
    });
  }
  if (layer.kind !== 'raster') throw problem('wrong-kind', `${id} is a ${layer.kind} layer, not a raster`);
  return layer;
}

async function remoteOf(
  { remotes }: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  url: string,
): Promise<RasterLayer> {
  const lease = await remotes.lease(url, { client: clientOf(request), signal: clientSignal(request, reply.raw) });
  if (reply.raw.destroyed || reply.raw.closed) lease.release();
  else reply.raw.once('close', lease.release);
  return lease.layer;
}

function servable(layer: RasterLayer): RasterLayer {
  const { reasons, servable: good } = layer.verdict;
  if (good) return layer;
  throw problem('layer-not-servable', `${layer.source.ref.href}: ${reasons[0]?.detail ?? 'not servable'}`, { reasons });
}

/** titiler's clients say url=dem.tif; a catalogued file of that name is what they mean. Nothing outside the catalogue is opened. */
function idOfFile(context: HttpContext, name: string): string | undefined {
  const file = basename(name);
  const found = context.catalogue
    .list()
    .filter(layer => layer.kind === 'raster' && basename(layer.source.ref.href) === file);
  return found.length === 1 ? found[0].id : undefined;
}

/** Through serve() and out. A POST has no If-None-Match that would mean the same. */
export async function run<P>(
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
    ifNoneMatch: request.method === 'POST' ? undefined : request.headers['if-none-match'],
    client: clientOf(request),
    signal: lazySignal(request, reply.raw),
    explain: flag(queryOf(request), 'explain', false),
    strict: flag(queryOf(request), 'strict', false),
  });
  return sendReply(reply, answer);
}
