/** OGC API documents: landing page, conformance, collections, queryables. Declared is only what is done. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { crsUri, resolveCrs } from '../crs/index.ts';
import { problem } from '../errors.ts';
import type { Catalogue, Layer, RasterLayer, VectorLayer } from '../layers/types.ts';
import { layerColumns } from '../render/columns.ts';
import type { Column, ColumnType, GeometryKind } from '../source/types.ts';
import { crsUris } from './crs-params.ts';

export const CRS84 = 'http://www.opengis.net/def/crs/OGC/1.3/CRS84';

/** Part 1 Core with GeoJSON and OpenAPI 3.0's successor is not a class of its own, so `oas30` is not declared. */
export const CONFORMANCE = [
  'http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core',
  'http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page',
  'http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json',
  'http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections',
  'http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core',
  'http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson',
  'http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs',
  'http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables',
  'http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters',
  'http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter',
  'http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter',
  'http://www.opengis.net/spec/cql2/1.0/conf/cql2-text',
  'http://www.opengis.net/spec/cql2/1.0/conf/cql2-json',
  'http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2',
  'http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators',
  'http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison',
  'http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison',
  'http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions',
  'http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus',
  'http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions',
  'http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions',
  'http://www.opengis.net/spec/cql2/1.0/conf/array-functions',
  'http://www.opengis.net/spec/cql2/1.0/conf/property-property',
  'http://www.opengis.net/spec/cql2/1.0/conf/arithmetic',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/png',
  'http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/jpeg',
  'http://www.opengis.net/spec/tms/2.0/conf/tilematrixset',
  'http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset',
  'http://www.opengis.net/spec/tms/2.0/conf/tilesetmetadata',
  'http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata',
] as const;

export interface Link {
  readonly rel: string;
  readonly href: string;
  readonly type?: string;
  readonly title?: string;
  readonly templated?: boolean;
}

export interface OgcDeps {
  readonly catalogue: Catalogue;
  publicUrl(request: FastifyRequest): string;
}

export function landingPage(base: string): Record<string, unknown> {
  const link = (rel: string, path: string, type: string, title: string): Link => ({
    rel,
    href: `${base}${path}`,
    type,
    title,
  });
  return {
    title: 'Plimsoll',
    description: 'Vector tiles, features and raster windows out of FlatGeobuf and Cloud Optimized GeoTIFF',
    links: [
      link('self', '/', 'application/json', 'This document'),
      link('alternate', '/?f=html', 'text/html', 'Viewer'),
      link('service-desc', '/api', 'application/vnd.oai.openapi+json;version=3.1', 'API definition'),
      link('service-doc', '/api.html', 'text/html', 'API documentation'),
      link('conformance', '/conformance', 'application/json', 'Conformance classes'),
      link(
        'http://www.opengis.net/def/rel/ogc/1.0/conformance',
        '/conformance',
        'application/json',
        'Conformance classes',
      ),
      link('data', '/collections', 'application/json', 'Collections'),
      link('http://www.opengis.net/def/rel/ogc/1.0/data', '/collections', 'application/json', 'Collections'),
      link(
        'http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes',
        '/tileMatrixSets',
        'application/json',
        'Tile matrix sets',
      ),
    ],
  };
}

export function registerOgc(app: FastifyInstance, deps: OgcDeps): void {
  app.get('/conformance', async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').send({ conformsTo: CONFORMANCE }),
  );
  app.get('/collections', async (request, reply) => {
    const base = deps.publicUrl(request);
    const collections = deps.catalogue
      .list()
      .filter(isServed)
      .map(layer => collectionJson(base, layer));
    const links: Link[] = [{ rel: 'self', href: `${base}/collections`, type: 'application/json' }];
    return reply.header('cache-control', 'no-cache').send({ links, collections });
  });
  app.get<{ Params: { id: string } }>('/collections/:id', async (request, reply) => {
    const layer = collectionOf(deps.catalogue, request.params.id);
    return reply.header('cache-control', 'no-cache').send(collectionJson(deps.publicUrl(request), layer));
  });
  app.get<{ Params: { id: string } }>('/collections/:id/queryables', async (request, reply) => {
    const layer = vectorOf(deps.catalogue, request.params.id);
    return reply
      .header('cache-control', 'no-cache')
      .type('application/schema+json')
      .send(queryables(deps.publicUrl(request), layer));
  });
}

type CollectionLayer = VectorLayer | RasterLayer;

function isServed(layer: Layer): layer is CollectionLayer {
  return (layer.kind === 'vector' || layer.kind === 'raster') && layer.verdict.servable;
}

/** Throws what is true of the id: unknown, ended, of another kind, not servable. */
export function vectorOf(catalogue: Catalogue, id: string): VectorLayer {
  const layer = collectionOf(catalogue, id);
  if (layer.kind !== 'vector') throw problem('wrong-kind', `${id} is a ${layer.kind} layer and has no features`);
  return layer;
}

/** A layer that is served; throws what is true of the id. */
export function collectionOf(catalogue: Catalogue, id: string): CollectionLayer {
  const layer = catalogue.get(id);
  if (!layer) {
    catalogue.lease(id).release(); // throws, naming the nearest ids
    throw problem('layer-not-found', `no layer is called ${id}`);
  }
  if (!layer.verdict.servable) {
    const { reasons } = layer.verdict;
    throw problem('layer-not-servable', `${id}: ${reasons[0]?.detail ?? 'not servable'}`, { reasons });
  }
  if (!isServed(layer)) throw problem('wrong-kind', `${id} is a ${layer.kind} layer and no collection`);
  return layer;
}

export function collectionUrl(base: string, layer: Layer): string {
  return `${base}/collections/${encodeURIComponent(layer.id)}`;
}

const REL = 'http://www.opengis.net/def/rel/ogc/1.0';

function collectionJson(base: string, layer: CollectionLayer): Record<string, unknown> {
  const { id, title, description, lonLatBounds, options, source } = layer;
  const href = collectionUrl(base, layer);
  const storage = source.crs === null ? null : crsUri(resolveCrs(source.crs));
  const links: Link[] = [
    { rel: 'self', href, type: 'application/json', title },
    ...(layer.kind === 'vector' ? featureLinks(href, title) : rasterLinks(href, title)),
  ];
  return {
    id,
    title,
    ...(description ? { description } : {}),
    ...(options.attribution ? { attribution: options.attribution } : {}),
    ...(layer.kind === 'vector' ? { itemType: 'feature' } : {}),
    ...(lonLatBounds ? { extent: { spatial: { bbox: [lonLatBounds], crs: CRS84 } } } : {}),
    ...(layer.kind === 'vector' ? { crs: crsUris(layer) } : {}),
    ...(storage ? { storageCrs: storage } : {}),
    ...(layer.kind === 'vector' ? { bboxCrs: crsUris(layer), itemCount: layer.source.count } : {}),
    links,
  };
}

function featureLinks(href: string, title: string): Link[] {
  return [
    { rel: 'items', href: `${href}/items`, type: 'application/geo+json', title: `${title}: features` },
    { rel: `${REL}/queryables`, href: `${href}/queryables`, type: 'application/schema+json' },
    { rel: `${REL}/tilesets-vector`, href: `${href}/tiles`, type: 'application/json', title: `${title}: tiles` },
  ];
}

function rasterLinks(href: string, title: string): Link[] {
  return [
    { rel: `${REL}/tilesets-map`, href: `${href}/map/tiles`, type: 'application/json', title: `${title}: tiles` },
  ];
}

/** What `filter`, `name=value` and `datetime` may be asked of. A JSON attribute answers to the A_ predicates alone. */
function queryables(base: string, layer: VectorLayer): Record<string, unknown> {
  const columns = layerColumns(layer).filter(({ type }) => type !== 'binary');
  const geometry = { 'x-ogc-role': 'primary-geometry', format: geometryFormat(layer.source.geometry) };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${collectionUrl(base, layer)}/queryables`,
    type: 'object',
    title: layer.title,
    properties: { geometry, ...Object.fromEntries(columns.map(column => [column.name, columnSchema(column)])) },
    additionalProperties: false,
  };
}

/** Part 3's names: geometry-point, geometry-multipolygon; any where features say it themselves. */
function geometryFormat(kind: GeometryKind): string {
  const simple = /^(Multi)?(Point|LineString|Polygon)$|^GeometryCollection$/.test(kind);
  return `geometry-${simple ? kind.toLowerCase() : 'any'}`;
}

const SCHEMAS: Readonly<Record<ColumnType, Readonly<Record<string, unknown>>>> = {
  byte: { type: 'integer', minimum: -128, maximum: 127 },
  ubyte: { type: 'integer', minimum: 0, maximum: 255 },
  bool: { type: 'boolean' },
  short: { type: 'integer' },
  ushort: { type: 'integer', minimum: 0 },
  int: { type: 'integer' },
  uint: { type: 'integer', minimum: 0 },
  // Beyond 2^53 a string, so that no digit is lost.
  long: { type: ['integer', 'string'] },
  ulong: { type: ['integer', 'string'] },
  float: { type: 'number' },
  double: { type: 'number' },
  string: { type: 'string' },
  json: {},
  datetime: { type: 'string', format: 'date-time' },
  binary: { type: 'string', contentEncoding: 'base64' },
};

function columnSchema({ type, title, description }: Column): Record<string, unknown> {
  return { ...SCHEMAS[type], ...(title ? { title } : {}), ...(description ? { description } : {}) };
}
