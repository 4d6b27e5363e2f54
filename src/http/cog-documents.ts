/** What titiler tells beside pixels: info, colour maps with their legends, algorithms. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { resolveCrs, transformBounds } from '../crs/index.ts';
import { problem } from '../errors.ts';
import { ALGORITHM_NAMES, ALGORITHMS, type Algorithm } from '../kernels/algorithms/index.ts';
import { COLORMAP_NAMES, colormap } from '../kernels/colormaps.ts';
import { encodePng, PNG_INDEXED } from '../kernels/png.ts';
import type { RasterLayer } from '../layers/types.ts';
import { movedBox } from '../render/raster/boxes.ts';
import { rasterInfo } from '../render/raster/info.ts';
import type { BBox } from '../tile.ts';
import type { HttpContext } from './context.ts';
import { clip, integer, oneOf, type Query, queryOf, text } from './params.ts';
import { rasterOf } from './raster-layer.ts';

export const LEGEND_FORMATS = ['json', 'png'] as const;
export const ORIENTATIONS = ['horizontal', 'vertical'] as const;
/** A legend is drawn where requests are answered, so it is small. */
export const LEGEND_SIDE_MAX = 1024;
/** titiler's: 256 colours along, 20 pixels across. */
const LEGEND = { along: 256, across: 20 } as const;
const DAY = 'public, max-age=86400';

export function registerCogDocuments(app: FastifyInstance, context: HttpContext): void {
  app.get('/cog/info', async (request, reply) => {
    const layer = await rasterOf(context, request, reply, { evenIfRefused: true });
    return reply.header('cache-control', 'public, max-age=60').send(rasterInfo(layer));
  });
  app.get('/cog/info.geojson', async (request, reply) => {
    const layer = await rasterOf(context, request, reply);
    const feature = infoFeature(layer, text(queryOf(request), 'crs'));
    return reply.header('cache-control', 'public, max-age=60').type('application/geo+json').send(feature);
  });
  registerColorMaps(app, context);
  registerAlgorithms(app, context);
}

function infoFeature(layer: RasterLayer, crs: string | undefined): Record<string, unknown> {
  const { bounds, crs: own } = layer.source;
  const box = crs === undefined ? layer.lonLatBounds : bounds && own && boxIn(own, crs, bounds);
  if (!box) throw problem('unprocessable', `${layer.id} has no box in ${clip(crs ?? 'degrees')}`);
  return { type: 'Feature', bbox: box, geometry: boxGeometry(box), properties: rasterInfo(layer) };
}

/** West > east in degrees; in metres that come round it goes on beyond the edge, for nobody knows there what that would mean. */
function boxIn(own: string, crs: string, bounds: BBox): BBox | null {
  return resolveCrs(crs).geographic ? transformBounds(own, crs, bounds) : movedBox(own, crs, bounds);
}

/** Two boxes where it crosses the antimeridian (west > east). */
function boxGeometry([w, s, e, n]: BBox): Record<string, unknown> {
  const ring = (west: number, east: number) => [
    [west, s],
    [east, s],
    [east, n],
    [west, n],
    [west, s],
  ];
  if (w <= e) return { type: 'Polygon', coordinates: [ring(w, e)] };
  return { type: 'MultiPolygon', coordinates: [[ring(w, 180)], [ring(-180, e)]] };
}

function linked(context: HttpContext, request: FastifyRequest, path: string, id: string, what: string): object {
  const href = `${context.publicUrl(request)}/${path}/${encodeURIComponent(id)}`;
  return { id, links: [{ href, rel: 'item', type: 'application/json', title: `Definition of ${id} ${what}` }] };
}

function registerColorMaps(app: FastifyInstance, context: HttpContext): void {
  app.get('/cog/colorMaps', async (request, reply) =>
    reply.header('cache-control', DAY).send({
      colorMaps: COLORMAP_NAMES,
      colormaps: COLORMAP_NAMES.map(name => linked(context, request, 'cog/colorMaps', name, 'ColorMap')),
    }),
  );
  app.get<{ Params: { name: string } }>('/cog/colorMaps/:name', async (request, reply) => {
    const name = request.params.name.toLowerCase();
    const table = COLORMAP_NAMES.includes(name) ? colormap(name) : null;
    if (!table) throw problem('not-found', `"${clip(request.params.name)}" is no colour map; see /cog/colorMaps`);
    const query = queryOf(request);
    const format = oneOf('f', text(query, 'f') ?? wanted(request), LEGEND_FORMATS);
    reply.header('cache-control', DAY).header('vary', 'accept');
    return format === 'png' ? sendLegend(reply, table, query) : reply.send(colours(table));
  });
}

function wanted(request: FastifyRequest): string {
  const accept = request.headers.accept ?? '';
  return accept.includes('image/png') && !accept.includes('application/json') ? 'png' : 'json';
}

function colours(table: Uint8Array): Record<string, number[]> {
  return Object.fromEntries(Array.from({ length: 256 }, (_, i) => [String(i), [...table.subarray(i * 4, i * 4 + 4)]]));
}

/** From the lowest colour to the highest: left to right, or top to bottom, as titiler has it. */
function sendLegend(reply: FastifyReply, table: Uint8Array, query: Query): FastifyReply {
  const side = { min: 1, max: LEGEND_SIDE_MAX };
  const vertical = oneOf('orientation', text(query, 'orientation') ?? 'horizontal', ORIENTATIONS) === 'vertical';
  const width = integer(query, 'width', side) ?? (vertical ? LEGEND.across : LEGEND.along);
  const height = integer(query, 'height', side) ?? (vertical ? LEGEND.along : LEGEND.across);
  const pixels = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      pixels[i] = Math.floor(((vertical ? (y + 0.5) / height : (x + 0.5) / width) as number) * 256);
    }
  }
  const palette = new Uint8Array(768);
  for (let i = 0; i < 256; i++) palette.set(table.subarray(i * 4, i * 4 + 3), i * 3);
  const body = encodePng({ width, height, colour: PNG_INDEXED, pixels, palette, paletteAlpha: new Uint8Array(0) });
  return reply.type('image/png').send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

function registerAlgorithms(app: FastifyInstance, context: HttpContext): void {
  app.get('/algorithms', async (request, reply) =>
    reply.header('cache-control', DAY).send({
      algorithms: ALGORITHM_NAMES.map(name => linked(context, request, 'algorithms', name, 'Algorithm')),
    }),
  );
  app.get<{ Params: { id: string } }>('/algorithms/:id', async (request, reply) => {
    const { id } = request.params;
    if (!ALGORITHM_NAMES.includes(id)) throw problem('not-found', `"${clip(id)}" is no algorithm; see /algorithms`);
    return reply.header('cache-control', DAY).send(algorithmMetadata(ALGORITHMS[id] as Algorithm));
  });
}

function algorithmMetadata({ title, description, inputBands, range, parameters, ...of }: Algorithm): object {
  const entries = Object.entries(parameters).map(([name, { default: fallback, min, max, integer: whole, ...rest }]) => [
    name,
    { type: whole ? 'integer' : 'number', default: fallback, minimum: min, maximum: max, ...rest },
  ]);
  return {
    title,
    description,
    inputs: inputBands ? { nbands: inputBands.length === 1 ? inputBands[0] : inputBands } : {},
    outputs: {
      nbands: of.outputBands(inputBands?.[0] ?? 1),
      dtype: of.outputType('float32'),
      ...(range ? { min: range[0], max: range[1] } : {}),
    },
    parameters: Object.fromEntries(entries),
  };
}
