/**
 * OGC API Tiles: /tileMatrixSets, the tilesets of a collection and their tiles. Vector layers have them at /collections/{id}/tiles,
 * rasters at /collections/{id}/map/tiles; the tiles themselves are those of /tiles.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { gridCrsUri, tileMatrixSetJson } from '../grids/document.ts';
import type { Layer, RasterLayer, VectorLayer } from '../layers/types.ts';
import { MVT } from '../operations.ts';
import type { TileMatrix, TileMatrixSet } from '../tile.ts';
import type { HttpContext } from './context.ts';
import { CRS84, collectionUrl, type Link } from './ogc.ts';
import { gridPath } from './params.ts';
import { sendReply } from './send.ts';
import { labelsOf } from './tilejson.ts';
import { answerTile, layersOf } from './tiles.ts';

const TILING_SCHEME = 'http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme';

interface TilesetRoute {
  Params: { id: string; tms: string };
}
interface TileRoute {
  Params: { id: string; tms: string; z: string; row: string; col: string };
}

type Tiled = VectorLayer | RasterLayer;

/** The two families of tilesets, by what stands between the collection and `tiles`. */
const FAMILIES = [
  { kind: 'vector', path: 'tiles', dataType: 'vector', types: [MVT] },
  { kind: 'raster', path: 'map/tiles', dataType: 'map', types: ['image/png', 'image/webp', 'image/jpeg'] },
] as const;
type Family = (typeof FAMILIES)[number];

export function registerTilesets(app: FastifyInstance, context: HttpContext): void {
  const send = (reply: FastifyReply, body: unknown) => reply.header('cache-control', 'public, max-age=60').send(body);
  app.get('/tileMatrixSets', async (request, reply) => {
    const base = context.publicUrl(request);
    const sets = context.grids.list().map(set => setItem(base, set));
    return send(reply, { links: [self(`${base}/tileMatrixSets`)], tileMatrixSets: sets });
  });
  app.get<{ Params: { id: string } }>('/tileMatrixSets/:id', async (request, reply) =>
    send(reply, tileMatrixSetJson(context.grids.get(request.params.id))),
  );
  for (const family of FAMILIES) {
    const path = `/collections/:id/${family.path}`;
    app.get<{ Params: { id: string } }>(path, async (request, reply) => {
      const layer = tiledOf(context, request.params.id, family);
      const base = context.publicUrl(request);
      const href = `${collectionUrl(base, layer)}/${family.path}`;
      const tilesets = context.grids.list().map(set => tilesetItem(base, layer, set, family));
      return send(reply, { links: [self(href)], tilesets });
    });
    app.get<TilesetRoute>(`${path}/:tms`, async (request, reply) => {
      const layer = tiledOf(context, request.params.id, family);
      return send(reply, tilesetJson(context, request, layer, context.grids.get(request.params.tms), family));
    });
    app.get<TileRoute>(`${path}/:tms/:z/:row/:col`, async (request, reply) => {
      const { id, tms, z, row, col } = request.params;
      const layer = tiledOf(context, id, family);
      const set = context.grids.get(tms);
      // The last part of the path may carry an extension, and here that is the column.
      const { x: y, y: x, ...tile } = gridPath(set, { z, x: row, y: col });
      return sendReply(reply, await answerTile(context, request, reply, [layer], { ...tile, x, y }, set));
    });
  }
}

/** Throws what is true of the id: unknown, ended, not servable, or that its tiles are of the other family. */
function tiledOf(context: HttpContext, id: string, { kind }: Family): Tiled {
  const known = context.catalogue.get(id);
  const [layer] = known ? [known] : layersOf(context, id);
  if (!layer.verdict.servable) layersOf(context, id);
  if (layer.kind === kind) return layer;
  const other = FAMILIES.find(family => family.kind === layer.kind);
  const instead = other ? `its tiles are at /collections/${id}/${other.path}` : `its tiles are at /tiles/${id}`;
  throw problem('wrong-kind', `${id} is a ${layer.kind} layer: ${instead}`);
}

function self(href: string): Link {
  return { rel: 'self', href, type: 'application/json' };
}

function setUrl(base: string, { id }: TileMatrixSet): string {
  return `${base}/tileMatrixSets/${id}`;
}

function setItem(base: string, set: TileMatrixSet): Record<string, unknown> {
  const { id, title, uri } = set;
  const links = [{ ...self(setUrl(base, set)), title }];
  return { id, title, ...(uri ? { uri } : {}), crs: gridCrsUri(set), links };
}

function tilesetItem(base: string, layer: Layer, set: TileMatrixSet, family: Family): Record<string, unknown> {
  const href = `${collectionUrl(base, layer)}/${family.path}/${set.id}`;
  return {
    title: `${layer.title} in ${set.title}`,
    dataType: family.dataType,
    crs: gridCrsUri(set),
    ...(set.uri ? { tileMatrixSetURI: set.uri } : {}),
    links: [self(href), { rel: TILING_SCHEME, href: setUrl(base, set), type: 'application/json', title: set.title }],
  };
}

function tilesetJson(
  context: HttpContext,
  request: FastifyRequest,
  layer: Tiled,
  set: TileMatrixSet,
  family: Family,
): Record<string, unknown> {
  const base = context.publicUrl(request);
  const item = tilesetItem(base, layer, set, family);
  const limits = limitsOf(layer, set);
  const template = `${collectionUrl(base, layer)}/${family.path}/${set.id}/{tileMatrix}/{tileRow}/{tileCol}`;
  const tiles = family.types.map(type => ({ rel: 'item', href: template, type, templated: true }));
  return {
    ...item,
    ...(layer.description ? { description: layer.description } : {}),
    ...(layer.options.attribution ? { attribution: layer.options.attribution } : {}),
    mediaTypes: family.types,
    ...(limits ? { tileMatrixSetLimits: limits } : {}),
    ...boundingBox(layer),
    layers: layersJson(context, layer, set, family),
    links: [...(item['links'] as Link[]), ...tiles],
  };
}

/** Only where an operator has narrowed the zooms: what is not listed is 404. */
function limitsOf({ options }: Layer, set: TileMatrixSet): Record<string, unknown>[] | null {
  const { minzoom = 0, maxzoom = Number.POSITIVE_INFINITY } = options;
  const served = set.matrices.filter(({ zoom }) => zoom >= minzoom && zoom <= maxzoom);
  if (served.length === set.matrices.length) return null;
  return served.map(({ id, matrixWidth, matrixHeight }) => ({
    tileMatrix: id,
    minTileRow: 0,
    maxTileRow: matrixHeight - 1,
    minTileCol: 0,
    maxTileCol: matrixWidth - 1,
  }));
}

/** In degrees; across the antimeridian the lower left corner lies east of the upper right one. */
function boundingBox({ lonLatBounds: box }: Layer): Record<string, unknown> {
  if (!box) return {};
  return { boundingBox: { lowerLeft: [box[0], box[1]], upperRight: [box[2], box[3]], crs: CRS84 } };
}

const DIMENSIONS: Readonly<Record<string, number>> = { Point: 0, LineString: 1, Polygon: 2 };

/** The layer in its tiles, and that of its labels. */
function layersJson(context: HttpContext, layer: Tiled, set: TileMatrixSet, { dataType }: Family): object[] {
  const like = (zoom: number): TileMatrix => set.matrices.find(m => m.zoom >= zoom) ?? set.matrices.slice(-1)[0];
  const range = { minTileMatrix: like(layer.minzoom).id, maxTileMatrix: like(layer.maxzoom).id };
  const common = { id: layer.id, title: layer.title, dataType, ...range };
  if (layer.kind !== 'vector') return [common];
  const dimension = DIMENSIONS[layer.source.geometry.replace(/^Multi/, '')];
  const fields = Object.entries(context.fieldsOf(layer.id)).map(([name, type]) => [name, { type: type.toLowerCase() }]);
  const propertiesSchema = { type: 'object', properties: Object.fromEntries(fields) };
  const own = { ...common, ...(dimension === undefined ? {} : { geometryDimension: dimension }), propertiesSchema };
  const labels = labelsOf(layer);
  const title = `Labels of ${layer.title}`;
  return labels ? [own, { ...common, id: labels, title, geometryDimension: 0, propertiesSchema }] : [own];
}
