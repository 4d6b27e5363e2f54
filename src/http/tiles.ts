/** XYZ tiles and TileJSON: /tiles/{layers}, /tiles/{layers}/{z}/{x}/{y}[@2x][.ext]. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import type { Layer, VectorLayer } from '../layers/types.ts';
import { MVT } from '../operations.ts';
import type { RasterFormat } from '../render/raster/plan.ts';
import type { Reply } from '../reply.ts';
import { inGrid, type TileMatrixSet, WEB_MERCATOR_QUAD } from '../tile.ts';
import { RASTER_TILE_PARAMETERS } from './api/raster-parameters.ts';
import { clientOf, type HttpContext } from './context.ts';
import { FILTER_PARAMETERS, filterParameter } from './filter-params.ts';
import { answerOverzoomed, halves, lastZoom, overzoomed } from './overzoom.ts';
import {
  clip,
  flag,
  gridPath,
  lazySignal,
  list,
  negotiateEncoding,
  type Query,
  queryOf,
  selection,
  type TilePath,
  tilePath,
} from './params.ts';
import { rasterParams, tileSizeParams } from './raster-params.ts';
import { sendReply } from './send.ts';
import { tileJson } from './tilejson.ts';

/** More layers in one composite than a style ever has: a URL must not multiply work without end. */
export const MAX_COMPOSITE = 16;

export const VECTOR_EXTENSIONS: readonly string[] = ['mvt', 'pbf'];
export const RASTER_FORMATS = {
  png: 'png',
  webp: 'webp',
  jpg: 'jpg',
  jpeg: 'jpg',
  tif: 'tif',
  tiff: 'tif',
  npy: 'npy',
} as const;
const RASTER_NAMES = RASTER_TILE_PARAMETERS.map(({ name }) => name);
/** Parameters of other kinds of layers. */
const FOREIGN: Readonly<Record<Layer['kind'], readonly string[]>> = {
  raster: ['properties', 'exclude-properties', ...FILTER_PARAMETERS],
  session: [...RASTER_NAMES, ...FILTER_PARAMETERS],
  vector: RASTER_NAMES,
  refused: RASTER_NAMES,
};
type RasterExtension = keyof typeof RASTER_FORMATS;

interface TileRoute {
  Params: { layers: string; z: string; x: string; y: string };
}

interface GridTileRoute {
  Params: TileRoute['Params'] & { tms: string };
}

export function registerTiles(app: FastifyInstance, context: HttpContext): void {
  app.get<TileRoute>('/tiles/:layers/:z/:x/:y', async (request, reply) => {
    const layers = layersOf(context, request.params.layers);
    const tile = tilePath(request.params);
    return sendReply(reply, await answerTile(context, request, reply, layers, tile, WEB_MERCATOR_QUAD));
  });
  app.get<GridTileRoute>('/tiles/:tms/:layers/:z/:x/:y', async (request, reply) => {
    const set = context.grids.get(request.params.tms);
    const layers = layersOf(context, request.params.layers);
    const tile = gridPath(set, request.params);
    return sendReply(reply, await answerTile(context, request, reply, layers, tile, set));
  });
  type Named = FastifyRequest<{ Params: { layers: string; tms?: string } }>;
  const document = async (request: Named, reply: FastifyReply) => {
    const { tms } = request.params;
    const set = tms === undefined ? WEB_MERCATOR_QUAD : context.grids.get(tms);
    const ids = request.params.layers.replace(/\.json$/, '');
    const layers = layersOf(context, ids);
    // Of what the tile URLs carry nothing may be refused only when the tiles are asked for.
    judgeQuery(context, layers, queryOf(request));
    return reply.header('cache-control', 'public, max-age=60').send(tileJson(context, layers, request, set));
  };
  app.get('/tiles/:layers', document);
  app.get('/tiles/:layers/tilejson.json', document);
  app.get('/tiles/:tms/:layers/tilejson.json', document);
}

/** Layers of a comma list: known, servable, of one kind, none twice. */
export function layersOf(context: HttpContext, ids: string): Layer[] {
  const names = ids.includes(',') ? [...new Set(ids.split(',').filter(id => id !== ''))] : ids === '' ? [] : [ids];
  if (names.length === 0) throw problem('bad-parameter', 'no layer is named');
  if (names.length > MAX_COMPOSITE)
    throw problem('unprocessable', `${names.length} layers in one tile; at most ${MAX_COMPOSITE}`);
  const layers = names.map(id => {
    const layer = context.catalogue.get(id);
    if (layer) return layer;
    const lease = context.catalogue.lease(id); // throws what is true: unknown, or ended with its session
    lease.release();
    return lease.layer;
  });
  for (const layer of layers) {
    if (!layer.verdict.servable) {
      throw problem('layer-not-servable', `${layer.id}: ${layer.verdict.reasons[0]?.detail ?? 'not servable'}`, {
        reasons: layer.verdict.reasons,
      });
    }
  }
  const other = layers.find(layer => layer.kind !== layers[0].kind);
  if (other)
    throw problem(
      'unprocessable',
      `${layers[0].id} is ${layers[0].kind} and ${other.id} is ${other.kind}: one tile holds one kind`,
    );
  if (layers.length > 1 && layers[0].kind !== 'vector')
    throw problem('unprocessable', 'only vector layers can share a tile');
  return layers;
}

export async function answerTile(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  layers: readonly Layer[],
  tile: TilePath,
  set: TileMatrixSet,
  format?: RasterExtension,
): Promise<Reply> {
  const { z, x, y } = tile;
  const tms = set.key;
  const query = queryOf(request);
  refuseOutside(layers, tile, set);
  refuseForeign(layers[0], query);
  const common = {
    layers: layers.map(layer => layer.id),
    ifNoneMatch: request.headers['if-none-match'],
    client: clientOf(request),
    signal: lazySignal(request, reply.raw),
    explain: flag(query, 'explain', false),
    strict: flag(query, 'strict', false),
  };
  const [layer] = layers;
  if (layer.kind === 'raster') {
    const params = {
      tms,
      z,
      x,
      y,
      scale: tile.scale,
      ...tileSizeParams(query),
      format: rasterFormat(tile, request, format),
      raster: rasterParams(query, layer),
    };
    return context.serve({ ...common, operation: context.tiles.rasterTile, params, encoding: 'identity' });
  }
  vectorExtension(tile, request);
  const encoding = negotiateEncoding(request.headers['accept-encoding'], context.encodings);
  if (layer.kind === 'session') {
    if (!context.sessionTile) throw problem('session-gone', `${layer.id}: sessions are turned off`);
    if (set.id !== WEB_MERCATOR_QUAD.id)
      throw problem(
        'unprocessable',
        `${layer.id}: session layers have tiles in ${WEB_MERCATOR_QUAD.id}, not in ${set.id}`,
      );
    return context.serve({ ...common, operation: context.sessionTile, params: { tms, z, x, y }, encoding });
  }
  const filter = filterParameter(query, vectorsOf(layers), context);
  const params = { tms, z, x, y, properties: propertiesOf(query, layers), ...(filter ? { filter } : {}) };
  if (overzoomed(layers, set.matrices[z].zoom) && halves(set))
    return answerOverzoomed(context, layers, set, params, common, encoding);
  return context.serve({ ...common, operation: context.tiles.vectorTile, params, encoding });
}

function refuseOutside(layers: readonly Layer[], tile: TilePath, set: TileMatrixSet): void {
  if (!inGrid(set, tile)) {
    const id = set.matrices[tile.z]?.id ?? tile.z;
    throw problem('tile-outside-grid', `${id}/${tile.x}/${tile.y} is not a tile of ${set.id}`);
  }
  // A composite is there where one of its layers is; the others are empty in it.
  const { zoom, id } = set.matrices[tile.z];
  if (layers.every(layer => zoom < (layer.options.minzoom ?? 0) || zoom > last(layer, set))) {
    const ranges = layers.map(l => `${l.id} ${l.options.minzoom ?? 0}–${last(l, set)}`).join(', ');
    const like = set.id === WEB_MERCATOR_QUAD.id ? '' : ` of ${set.id}, like zoom ${zoom} of ${WEB_MERCATOR_QUAD.id},`;
    throw problem('tile-outside-grid', `zoom ${id}${like} is outside the zooms served: ${ranges}`);
  }
}

const MAX_ZOOM = 24;

function last(layer: Layer, set: TileMatrixSet): number {
  const { maxzoom } = layer.options;
  if (maxzoom === undefined) return MAX_ZOOM;
  return Math.min(MAX_ZOOM, halves(set) ? lastZoom(layer) : maxzoom);
}

function vectorExtension(tile: TilePath, request: FastifyRequest): void {
  if (tile.extension === null) {
    if (!accepts(request, [MVT, 'application/x-protobuf', 'application/octet-stream'])) {
      throw problem('not-acceptable', `a vector tile is ${MVT}, not ${clip(request.headers.accept ?? '')}`);
    }
    return;
  }
  if (!VECTOR_EXTENSIONS.includes(tile.extension)) {
    throw problem('wrong-kind', `.${tile.extension}: this is a vector layer, its tiles are .mvt or .pbf`);
  }
}

function rasterFormat(tile: TilePath, request: FastifyRequest, fallback?: RasterExtension): RasterFormat {
  const extension = tile.extension ?? fallback;
  if (extension !== null && extension !== undefined) {
    const format = RASTER_FORMATS[extension as RasterExtension];
    if (format) return format;
    const known = VECTOR_EXTENSIONS.includes(extension);
    throw problem(
      known ? 'wrong-kind' : 'bad-parameter',
      `.${extension}: this is a raster layer, its tiles are .png, .webp, .jpg, .tif or .npy`,
    );
  }
  for (const [type, format] of [
    ['image/png', 'png'],
    ['image/webp', 'webp'],
    ['image/jpeg', 'jpg'],
  ] as const) {
    if (accepts(request, [type])) return format;
  }
  throw problem(
    'not-acceptable',
    `a raster tile is image/png, image/webp or image/jpeg, not ${clip(request.headers.accept ?? '')}`,
  );
}

function accepts(request: FastifyRequest, types: readonly string[]): boolean {
  const header = request.headers.accept;
  if (header === undefined || header === '') return true;
  const ranges = header.split(',').map(part => part.split(';')[0].trim().toLowerCase());
  return (
    types.some(type => ranges.includes(type) || ranges.includes(`${type.split('/')[0]}/*`)) || ranges.includes('*/*')
  );
}

export function judgeQuery(context: HttpContext, layers: readonly Layer[], query: Query): void {
  const [layer] = layers;
  refuseForeign(layer, query);
  if (layer.kind === 'raster') {
    rasterParams(query, layer);
    tileSizeParams(query);
  } else {
    propertiesOf(query, layers);
    filterParameter(query, vectorsOf(layers), context);
  }
}

/** What would change nothing is refused, as what is misspelt is. */
function refuseForeign({ id, kind }: Layer, query: Query): void {
  const name = FOREIGN[kind].find(one => query[one] !== undefined);
  if (name === undefined) return;
  const owner = RASTER_NAMES.includes(name) ? 'rasters' : kind === 'raster' ? 'vector layers' : 'layers of files';
  throw problem('unknown-parameter', `${name} is a parameter of ${owner}; ${id} is a ${kind} layer`, {
    parameter: name,
  });
}

function vectorsOf(layers: readonly Layer[]): VectorLayer[] {
  return layers.filter(layer => layer.kind === 'vector');
}

/** Sorted and without repeats, so that the order in which a client names them is not another tile. */
function propertiesOf(query: Query, layers: readonly Layer[]): string[] | null {
  const parameter = selection(query);
  if (parameter === null) return null;
  const names = [...new Set(list(query, parameter).filter(name => name !== ''))].sort();
  const known = new Set(
    layers.flatMap(layer => (layer.kind === 'vector' ? layer.source.columns.map(c => c.name) : [])),
  );
  const unknown = names.find(name => !known.has(name));
  if (unknown !== undefined)
    throw problem(
      'bad-parameter',
      `${parameter}: "${clip(unknown)}" is no attribute of ${layers.map(l => l.id).join(', ')}`,
    );
  return parameter === 'properties' ? names : [...known].filter(name => !names.includes(name)).sort();
}
