/** TileJSON 3.0.0 of one layer or a composite, and the catalogue's JSON. */
import type { FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { gridCrsUri } from '../grids/document.ts';
import type { Layer, Mosaic } from '../layers/types.ts';
import { labelLayerId } from '../render/vector/label-plan.ts';
import { type BBox, MERCATOR_MAX_LAT, type TileMatrixSet, WEB_MERCATOR_QUAD } from '../tile.ts';
import type { HttpContext } from './context.ts';
import { halves } from './overzoom.ts';

export function tileJson(
  context: HttpContext,
  layers: readonly Layer[],
  request: FastifyRequest,
  set: TileMatrixSet = WEB_MERCATOR_QUAD,
): Record<string, unknown> {
  const base = context.publicUrl(request);
  const other = set.id === WEB_MERCATOR_QUAD.id ? null : set;
  const zooms = (layer: Layer) => zoomsIn(set, layer);
  const ids = layers.map(layer => encodeURIComponent(layer.id)).join(',');
  const raster = layers[0].kind === 'raster';
  const query = carriedQuery(request, layers[0]);
  const bounds = unionBounds(layers);
  const minzoom = Math.min(...layers.map(layer => zooms(layer).minzoom));
  const maxzoom = Math.max(...layers.map(layer => zooms(layer).maxzoom));
  const attribution = layers
    .map(layer => layer.options.attribution)
    .filter(Boolean)
    .join(', ');
  return {
    tilejson: '3.0.0',
    name: layers.map(layer => layer.title).join(', '),
    ...(layers.length === 1 && layers[0].description ? { description: layers[0].description } : {}),
    ...(attribution ? { attribution } : {}),
    version: '1.0.0',
    scheme: 'xyz',
    tiles: [`${base}/${tilePlace(layers[0], other, ids)}/{z}/{x}/{y}${raster ? '.png' : '.mvt'}${query}`],
    minzoom,
    maxzoom,
    bounds,
    center: centerOf(layers, bounds, minzoom, maxzoom),
    // Required by the schema; empty is what a raster has.
    vector_layers: raster ? [] : layers.flatMap(layer => vectorLayers(context, layer, zooms(layer))),
    ...(raster ? { format: 'png' } : { format: 'pbf' }),
    // TileJSON itself knows web mercator only.
    ...(other ? { crs: gridCrsUri(other), tileMatrixSet: `${base}/tileMatrixSets/${other.id}` } : {}),
  };
}

/** A raster of another server is named by its URL, in the query. */
function tilePlace(layer: Layer, other: TileMatrixSet | null, ids: string): string {
  if (isByUrl(layer)) return `cog/tiles/${other?.id ?? WEB_MERCATOR_QUAD.id}`;
  return `tiles/${other ? `${other.id}/` : ''}${ids}`;
}

/** Ids of the catalogue have no percent signs. */
export function isByUrl({ id }: Layer): boolean {
  return /^https?%3A%2F%2F/.test(id);
}

/** What tiles carry of a document's query: all but the name of the raster, which is in their path. */
export function carriedQuery({ url }: FastifyRequest, layer: Layer): string {
  const [, query = ''] = url.split('?');
  const named = isByUrl(layer);
  const kept = query.split('&').filter(part => part !== '' && (named || !/^(url|layer)(=|$)/.test(part)));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}

/** A layer's zooms are of WebMercatorQuad; in another set they are the matrices with pixels of those sizes. */
function zoomsIn(set: TileMatrixSet, layer: Layer): { minzoom: number; maxzoom: number } {
  const { minzoom } = layer;
  const enlarged = layer.kind === 'vector' && halves(set) ? (layer.options.overzoom ?? 0) : 0;
  const maxzoom = Math.min(set.matrices[set.matrices.length - 1].zoom, layer.maxzoom + enlarged);
  if (set.id === WEB_MERCATOR_QUAD.id) return { minzoom, maxzoom };
  const numbers = set.matrices.map(({ id }) => Number(id));
  const last = numbers.length - 1;
  if (numbers.some((n, i) => !Number.isInteger(n) || n !== numbers[0] + i))
    throw problem('unprocessable', `TileJSON counts zooms; the matrices of ${set.id} have other ids`);
  const like = (zoom: number) => set.matrices.findIndex(matrix => matrix.zoom >= zoom);
  const [low, high] = [like(minzoom), like(maxzoom)];
  return { minzoom: numbers[low < 0 ? last : low], maxzoom: numbers[high < 0 ? last : high] };
}

/** The layer in its tiles, and that of its labels. */
function vectorLayers(
  context: HttpContext,
  layer: Layer,
  { minzoom, maxzoom }: { minzoom: number; maxzoom: number },
): Record<string, unknown>[] {
  const { id } = layer;
  const fields = context.fieldsOf(id);
  const own = { id, description: layer.description ?? layer.title, minzoom, maxzoom, fields };
  const labels = labelsOf(layer);
  return labels ? [own, { id: labels, description: `Labels of ${layer.title}`, minzoom, maxzoom, fields }] : [own];
}

/** What the layer of labels in its tiles is called; null where there is none. */
export function labelsOf({ id, kind, options }: Layer): string | null {
  return kind === 'vector' && options.labels ? labelLayerId(id) : null;
}

/** TileJSON bounds are west < east within the world; a layer across the antimeridian spans all of it here. */
function unionBounds(layers: readonly Layer[]): BBox {
  let box: BBox | null = null;
  for (const { lonLatBounds: b } of layers) {
    if (!b) continue;
    const [w, e] = b[0] > b[2] ? [-180, 180] : [Math.max(-180, b[0]), Math.min(180, b[2])];
    const next: BBox = [w, Math.max(-90, b[1]), e, Math.min(90, b[3])];
    box = box
      ? [Math.min(box[0], next[0]), Math.min(box[1], next[1]), Math.max(box[2], next[2]), Math.max(box[3], next[3])]
      : next;
  }
  return box ?? [-180, -MERCATOR_MAX_LAT, 180, MERCATOR_MAX_LAT];
}

/** The zoom at which the bounds about fill a 1024 px map. A layer across the antimeridian has its middle beyond or before it. */
function centerOf(layers: readonly Layer[], bounds: BBox, minzoom: number, maxzoom: number): [number, number, number] {
  const own = layers.length === 1 ? layers[0].lonLatBounds : null;
  const [w, s, e, n] = own && own[0] > own[2] ? [own[0], bounds[1], own[2] + 360, bounds[3]] : bounds;
  const span = Math.max(e - w, (n - s) * 1.4, 1e-6);
  const zoom = Math.floor(Math.log2((360 / span) * 2));
  const middle = (w + e) / 2;
  return [middle > 180 ? middle - 360 : middle, (s + n) / 2, Math.max(minzoom, Math.min(maxzoom, Math.max(0, zoom)))];
}

export function layerJson(context: HttpContext, layer: Layer, request: FastifyRequest): Record<string, unknown> {
  const base = context.publicUrl(request);
  const id = encodeURIComponent(layer.id);
  const { verdict, title, description, lonLatBounds, minzoom, maxzoom } = layer;
  const common = {
    id: layer.id,
    kind: kindOf(layer),
    title,
    ...(description ? { description } : {}),
    bounds: lonLatBounds,
    crs: 'source' in layer ? layer.source.crs : layer.kind === 'session' ? 'OGC:CRS84' : null,
    servable: verdict.servable,
    reasons: verdict.reasons,
    ...(verdict.notes.length ? { notes: verdict.notes } : {}),
    minzoom,
    maxzoom,
  };
  if (layer.kind === 'refused') return { ...common, refused: true };
  const links = verdict.servable ? { tilejson: `${base}/tiles/${id}` } : {};
  if (layer.kind === 'session')
    return { ...common, ...links, geometry: layer.geometry, count: layer.count, fields: layer.fields };
  if (layer.kind === 'vector') {
    const { geometry, count, columns } = layer.source;
    const labels = labelsOf(layer);
    const fields = Object.fromEntries(columns.map(column => [column.name, column.type]));
    return {
      ...common,
      ...links,
      ...(verdict.servable ? { items: `${base}/collections/${id}/items` } : {}),
      geometry,
      count,
      fields,
      ...(labels ? { labels } : {}),
    };
  }
  const { width, height, dtype, bands, nodata, levels } = layer.source;
  const { mosaic } = layer;
  return {
    ...common,
    ...links,
    ...(verdict.servable ? { info: `${base}/cog/info?url=${id}` } : {}),
    ...(mosaic ? { mosaic: mosaicJson(mosaic) } : {}),
    width,
    height,
    dtype,
    nodata: nodata !== null && Number.isNaN(nodata) ? 'nan' : nodata,
    overviews: Math.max(0, levels.length - 1),
    bands: bands.map(band => ({ index: band.index, colorInterp: band.colorInterp, description: band.description })),
  };
}

function mosaicJson({ selection, members, refused, maxAssets }: Mosaic): Record<string, unknown> {
  return { pixelSelection: selection, members: members.length, refused, maxAssets };
}

/** A file that was refused is still a vector or a raster to whoever looks for it in the list. */
function kindOf(layer: Layer): string {
  if (layer.kind !== 'refused') return layer.kind;
  return /\.fgb$/i.test(layer.href) ? 'vector' : 'raster';
}
