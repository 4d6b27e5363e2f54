/** Vector tiles beyond the last zoom of layers that have `overzoom`: their tile of that zoom by the usual way, then a part of it. */
import type { Layer } from '../layers/types.ts';
import { type OverzoomTileParams, overzoomTile, type VectorTileParams } from '../operations.ts';
import { labelLayerId } from '../render/vector/label-plan.ts';
import type { OverzoomPart } from '../render/vector/overzoom.ts';
import type { Reply } from '../reply.ts';
import type { Ask } from '../serve.ts';
import { rowFromTop, type TileCoord, type TileMatrixSet } from '../tile.ts';
import type { HttpContext } from './context.ts';

/** Greatest zoom (of WebMercatorQuad) with tiles of that layer, its own and enlarged ones. */
export function lastZoom({ kind, options }: Layer): number {
  const { maxzoom = Number.POSITIVE_INFINITY, overzoom = 0 } = options;
  return kind === 'vector' ? maxzoom + overzoom : maxzoom;
}

/** True where one of the layers has no tile of its own at that zoom, but a part of one. */
export function overzoomed(layers: readonly Layer[], zoom: number): boolean {
  return layers.some(layer => zoom > (layer.options.maxzoom ?? Number.POSITIVE_INFINITY) && zoom <= lastZoom(layer));
}

type Common = Omit<Ask<VectorTileParams>, 'operation' | 'params' | 'encoding'>;

const BUFFER = 64;

export async function answerOverzoomed(
  context: HttpContext,
  layers: readonly Layer[],
  set: TileMatrixSet,
  params: VectorTileParams,
  common: Common,
  encoding: Ask['encoding'],
): Promise<Reply> {
  if (common.explain) return explainParent(context, layers, set, params, common, encoding);
  const parts: OverzoomPart[] = [];
  const parents: string[] = [];
  for (const layer of layers.filter(one => set.matrices[params.z].zoom <= lastZoom(one))) {
    const { tile, ...where } = parentOf(set, params, layer.options.maxzoom ?? Number.POSITIVE_INFINITY);
    // Full quality or an error: a coarser parent would be kept in all of its parts.
    const ask = { ...common, layers: [layer.id], ifNoneMatch: undefined, explain: false, strict: true };
    const { vectorTile } = context.tiles;
    const reply = await context.serve({
      ...ask,
      operation: vectorTile,
      params: { ...params, ...tile },
      encoding: 'identity',
    });
    // Copied: what is in the cache is only pinned until it is released.
    const body = Uint8Array.from(reply.body ?? []);
    reply.release();
    const labels = layer.options.labels ? { labels: labelLayerId(layer.id) } : {};
    parents.push(reply.headers['etag']);
    parts.push({ body, ...where, buffer: layer.options.buffer ?? BUFFER, ...labels });
  }
  const asked: OverzoomTileParams = { ...params, parents };
  return context.serve({ ...common, operation: overzoomTile(context.grids, parts), params: asked, encoding });
}

/** What would be read is read for the parent, the coarsest of them: nothing may be rendered to explain it. */
function explainParent(
  context: HttpContext,
  layers: readonly Layer[],
  set: TileMatrixSet,
  params: VectorTileParams,
  common: Common,
  encoding: Ask['encoding'],
): Promise<Reply> {
  const maxzoom = Math.min(...layers.map(({ options }) => options.maxzoom ?? Number.POSITIVE_INFINITY));
  const { tile } = parentOf(set, params, maxzoom);
  return context.serve({ ...common, operation: context.tiles.vectorTile, params: { ...params, ...tile }, encoding });
}

/** The tile of the last matrix up to that zoom which this one lies in, and which part of it this one is. */
function parentOf(
  set: TileMatrixSet,
  { z, x, y }: TileCoord,
  maxzoom: number,
): Omit<OverzoomPart, 'body' | 'buffer'> & { tile: TileCoord } {
  let at = z;
  while (at > 0 && set.matrices[at].zoom > maxzoom) at--;
  const [own, parent] = [set.matrices[z], set.matrices[at]];
  const factor = Math.round((parent.resolution * parent.tileWidth) / (own.resolution * own.tileWidth));
  const row = rowFromTop(own, y);
  const tile = { z: at, x: Math.floor(x / factor), y: rowFromTop(parent, Math.floor(row / factor)) };
  return { tile, factor, col: x % factor, row: row % factor };
}

/** True where each matrix from that zoom on halves the one before, so that a tile lies in one parent. */
export function halves(set: TileMatrixSet): boolean {
  return set.matrices.every((m, z) => {
    const before = set.matrices[z - 1];
    return (
      before === undefined ||
      (Math.abs(before.resolution / m.resolution / 2 - 1) < 1e-6 &&
        before.tileWidth === m.tileWidth &&
        before.tileHeight === m.tileHeight &&
        before.originX === m.originX &&
        Math.abs(before.originY - m.originY) < 1e-6 * Math.abs(m.resolution))
    );
  });
}
