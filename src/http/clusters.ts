/** What clusters are made of: /tiles/{layer}/clusters/{id}/expansion-zoom, /children, /leaves. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import type { VectorLayer } from '../layers/types.ts';
import { type ClusterParams, clusterParts } from '../operations-clusters.ts';
import { CLUSTER_PARTS, type ClusterPart } from '../render/clusters/parts.ts';
import { WEB_MERCATOR_QUAD } from '../tile.ts';
import { clientOf, type HttpContext } from './context.ts';
import { filterParameter } from './filter-params.ts';
import { vectorOf } from './ogc.ts';
import { clip, flag, integer, lazySignal, negotiateEncoding, queryOf, text } from './params.ts';
import { sendReply } from './send.ts';

interface ClusterRoute {
  Params: { layer: string; id: string };
}

/** As supercluster has it. */
export const LEAVES_DEFAULT = 10;

export interface ClusterLimits {
  /** Most points of one answer. */
  readonly limitMax: number;
}

export function registerClusters(app: FastifyInstance, context: HttpContext, { limitMax }: ClusterLimits): void {
  const operation = clusterParts(context.grids);
  for (const part of CLUSTER_PARTS) {
    app.get<ClusterRoute>(`/tiles/:layer/clusters/:id/${part}`, async (request, reply) => {
      const layer = vectorOf(context.catalogue, request.params.layer);
      const answer = await context.serve({
        operation,
        layers: [layer.id],
        params: paramsOf(context, request, layer, part, limitMax),
        encoding: negotiateEncoding(request.headers['accept-encoding'], context.encodings),
        ...common(request, reply),
      });
      return sendReply(reply, answer);
    });
  }
}

function paramsOf(
  context: HttpContext,
  request: FastifyRequest<ClusterRoute>,
  layer: VectorLayer,
  part: ClusterPart,
  limitMax: number,
): ClusterParams {
  const query = queryOf(request);
  const tms = context.grids.get(text(query, 'tms') ?? WEB_MERCATOR_QUAD.id).key;
  const id = idOf(request.params.id);
  const spec = filterParameter(query, [layer], context);
  const filter = spec ? { filter: spec } : {};
  if (part !== 'leaves') return { tms, id, part, offset: 0, limit: limitMax, ...filter };
  const all = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const limit = Math.min(limitMax, integer(query, 'limit', { ...all, min: 1 }) ?? LEAVES_DEFAULT);
  return { tms, id, part, offset: integer(query, 'offset', all) ?? 0, limit, ...filter };
}

function idOf(id: string): number {
  const number = /^\d{1,16}$/.test(id) ? Number(id) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw problem('bad-parameter', `id: "${clip(id)}" is no cluster_id of a tile`);
  return number;
}

function common(request: FastifyRequest, reply: FastifyReply) {
  const query = queryOf(request);
  return {
    ifNoneMatch: request.headers['if-none-match'],
    client: clientOf(request),
    signal: lazySignal(request, reply.raw),
    explain: flag(query, 'explain', false),
    strict: flag(query, 'strict', false),
  };
}
