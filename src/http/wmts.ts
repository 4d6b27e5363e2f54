/**
 * WMTS 1.0.0 (OGC 07-057r7) over rasters: capabilities of one raster in one grid, as titiler has them, and /wmts of all of them with
 * GetCapabilities and GetTile. The tiles are those of /cog/tiles.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { resolveCrs } from '../crs/index.ts';
import { problem } from '../errors.ts';
import { isNorthFirst } from '../grids/axes.ts';
import { gridCrsUri } from '../grids/document.ts';
import { PIXEL_METRES } from '../grids/scale.ts';
import type { Layer, RasterLayer } from '../layers/types.ts';
import { type TileMatrix, type TileMatrixSet, WEB_MERCATOR_QUAD } from '../tile.ts';
import type { HttpContext } from './context.ts';
import { clip, gridPath, oneOf, queryOf } from './params.ts';
import { rasterOf } from './raster-layer.ts';
import { sendReply } from './send.ts';
import { carriedQuery, isByUrl } from './tilejson.ts';
import { answerTile, judgeQuery, layersOf } from './tiles.ts';

const XML = 'application/xml';
const FORMATS = { 'image/png': 'png', 'image/webp': 'webp', 'image/jpeg': 'jpg' } as const;
/** The grids that /wmts tells of; each raster has all of them at /cog/{tms}/WMTSCapabilities.xml. */
const OFFERED = ['WebMercatorQuad', 'WorldCRS84Quad'];

export function registerWmts(app: FastifyInstance, context: HttpContext): void {
  const one = async (request: FastifyRequest, reply: FastifyReply) => {
    const { tms = WEB_MERCATOR_QUAD.id } = request.params as { tms?: string };
    const layer = await rasterOf(context, request, reply);
    judgeQuery(context, [layer], queryOf(request));
    const set = topDown(context.grids.get(tms));
    return send(reply, capabilities(context.publicUrl(request), [layer], [set], carriedQuery(request, layer)));
  };
  app.get('/cog/WMTSCapabilities.xml', one);
  app.get('/cog/:tms/WMTSCapabilities.xml', one);
  app.get('/wmts/1.0.0/WMTSCapabilities.xml', async (request, reply) => send(reply, allOf(context, request)));
  app.get('/wmts', async (request, reply) => {
    const query = keyValues(request);
    if ((query.get('service') ?? 'WMTS').toUpperCase() !== 'WMTS')
      throw problem('bad-parameter', `service: "${clip(query.get('service') ?? '')}" is not WMTS`);
    const asked = oneOf('request', query.get('request') ?? '', ['GetCapabilities', 'GetTile']);
    return asked === 'GetTile' ? getTile(context, request, reply, query) : send(reply, allOf(context, request));
  });
}

function send(reply: FastifyReply, xml: string): FastifyReply {
  return reply.header('cache-control', 'public, max-age=60').type(XML).send(xml);
}

function allOf(context: HttpContext, request: FastifyRequest): string {
  const isRaster = (layer: Layer): layer is RasterLayer => layer.kind === 'raster' && layer.verdict.servable;
  const sets = context.grids.list().filter(({ id }) => OFFERED.includes(id));
  return capabilities(context.publicUrl(request), context.catalogue.list().filter(isRaster), sets, '');
}

/** Names of parameters in any case, as key-value pairs of OGC are. */
function keyValues(request: FastifyRequest): Map<string, string> {
  const pairs = Object.entries(queryOf(request)).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    String(Array.isArray(value) ? value.at(-1) : (value ?? '')),
  ]);
  return new Map(pairs);
}

async function getTile(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  query: ReadonlyMap<string, string>,
): Promise<FastifyReply> {
  const wanted = (name: string): string => {
    const value = query.get(name);
    if (value === undefined || value === '') throw problem('bad-parameter', `${name}: GetTile needs it`);
    return value;
  };
  const layers = layersOf(context, wanted('layer'));
  if (layers[0].kind !== 'raster')
    throw problem('wrong-kind', `${layers[0].id} is a ${layers[0].kind} layer, not a raster`);
  const set = context.grids.get(wanted('tilematrixset'));
  const format = FORMATS[oneOf('format', wanted('format'), Object.keys(FORMATS) as (keyof typeof FORMATS)[])];
  const place = { z: wanted('tilematrix'), x: wanted('tilecol'), y: wanted('tilerow') };
  const tile = { ...gridPath(set, place), extension: null };
  // What is OGC's own is not a parameter of the raster.
  const plain = Object.assign(Object.create(request), { query: {} }) as FastifyRequest;
  return sendReply(reply, await answerTile(context, plain, reply, layers, tile, set, format));
}

/** WMTS counts rows from the top. */
function topDown(set: TileMatrixSet): TileMatrixSet {
  if (set.matrices.some(({ bottomUp }) => bottomUp))
    throw problem('unprocessable', `${set.id} counts rows from the bottom; WMTS has no way to say so`);
  return set;
}

function capabilities(
  base: string,
  layers: readonly RasterLayer[],
  sets: readonly TileMatrixSet[],
  rest: string,
): string {
  const get = `<ows:DCP><ows:HTTP><ows:Get xlink:href="${escape(`${base}/wmts?`)}"><ows:Constraint name="GetEncoding"><ows:AllowedValues><ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint></ows:Get></ows:HTTP></ows:DCP>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.opengis.net/wmts/1.0 http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd" version="1.0.0">
<ows:ServiceIdentification><ows:Title>Plimsoll</ows:Title><ows:ServiceType>OGC WMTS</ows:ServiceType><ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion></ows:ServiceIdentification>
<ows:OperationsMetadata><ows:Operation name="GetCapabilities">${get}</ows:Operation><ows:Operation name="GetTile">${get}</ows:Operation></ows:OperationsMetadata>
<Contents>
${layers.map(layer => layerXml(base, layer, sets, rest)).join('\n')}
${sets.map(setXml).join('\n')}
</Contents>
<ServiceMetadataURL xlink:href="${escape(`${base}/wmts/1.0.0/WMTSCapabilities.xml`)}"/>
</Capabilities>
`;
}

function layerXml(base: string, layer: RasterLayer, sets: readonly TileMatrixSet[], rest: string): string {
  const { id, title, description, lonLatBounds: box } = layer;
  const corner = (x: number, y: number) => `${x} ${y}`;
  // Across the antimeridian a box of WMTS has no other way than round the world.
  const [w, e] = box && box[0] <= box[2] ? [box[0], box[2]] : [-180, 180];
  const bounds = box
    ? `<ows:WGS84BoundingBox><ows:LowerCorner>${corner(w, box[1])}</ows:LowerCorner><ows:UpperCorner>${corner(e, box[3])}</ows:UpperCorner></ows:WGS84BoundingBox>`
    : '';
  const name = encodeURIComponent(id);
  const formats = Object.keys(FORMATS).map(type => `<Format>${type}</Format>`);
  const urls = Object.entries(FORMATS).map(([type, extension]) => {
    const place = isByUrl(layer) ? 'cog/tiles/{TileMatrixSet}' : `tiles/{TileMatrixSet}/${name}`;
    const template = `${base}/${place}/{TileMatrix}/{TileCol}/{TileRow}.${extension}${rest}`;
    return `<ResourceURL format="${type}" resourceType="tile" template="${escape(template)}"/>`;
  });
  return `<Layer><ows:Title>${escape(title)}</ows:Title>${description ? `<ows:Abstract>${escape(description)}</ows:Abstract>` : ''}${bounds}<ows:Identifier>${escape(id)}</ows:Identifier>
<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>
${formats.join('')}
${sets.map(set => `<TileMatrixSetLink><TileMatrixSet>${escape(set.id)}</TileMatrixSet></TileMatrixSetLink>`).join('')}
${urls.join('\n')}</Layer>`;
}

function setXml(set: TileMatrixSet): string {
  const { metresPerUnit } = resolveCrs(set.crs);
  const swap = isNorthFirst(set.axes);
  return `<TileMatrixSet><ows:Title>${escape(set.title)}</ows:Title><ows:Identifier>${escape(set.id)}</ows:Identifier><ows:SupportedCRS>${escape(urnOf(set))}</ows:SupportedCRS>${set.uri ? `<WellKnownScaleSet>${escape(set.uri)}</WellKnownScaleSet>` : ''}
${set.matrices.map(matrix => matrixXml(matrix, metresPerUnit, swap)).join('\n')}</TileMatrixSet>`;
}

/** http://www.opengis.net/def/crs/EPSG/0/3857 → urn:ogc:def:crs:EPSG::3857, the form that WMTS clients know. */
function urnOf(set: TileMatrixSet): string {
  const uri = gridCrsUri(set);
  const match = /\/def\/crs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(uri);
  return match ? `urn:ogc:def:crs:${match[1]}:${match[2] === '0' ? '' : match[2]}:${match[3]}` : uri;
}

function matrixXml(m: TileMatrix, metresPerUnit: number, swap: boolean): string {
  const corner = swap ? `${m.originY} ${m.originX}` : `${m.originX} ${m.originY}`;
  return `<TileMatrix><ows:Identifier>${escape(m.id)}</ows:Identifier><ScaleDenominator>${(m.resolution * metresPerUnit) / PIXEL_METRES}</ScaleDenominator><TopLeftCorner>${corner}</TopLeftCorner><TileWidth>${m.tileWidth}</TileWidth><TileHeight>${m.tileHeight}</TileHeight><MatrixWidth>${m.matrixWidth}</MatrixWidth><MatrixHeight>${m.matrixHeight}</MatrixHeight></TileMatrix>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
