/** Schemas of layers: catalogue, TileJSON, titiler's documents, sessions. */
import { PIXEL_SELECTIONS } from '../../kernels/pixel-selection.ts';
import { arrayOf, COUNT, mapOf, NUMBER, object, orNull, ref, TEXT, TIME, URL, YES_NO, ZOOM } from './parts.ts';
import { COLORMAP_SCHEMA } from './raster-parameters.ts';
import type { Schema } from './types.ts';

const BBOX: Schema = { type: 'array', items: NUMBER, minItems: 4, maxItems: 4, description: 'minx, miny, maxx, maxy.' };
const PAIR: Schema = { type: 'array', minItems: 2, maxItems: 2 };
const NUMBER_OR_NULL: Schema = { type: ['number', 'null'] };
const VALUE: Schema = { type: ['number', 'string', 'null'], description: 'What is not finite is text.' };

const MOSAIC = object({
  pixelSelection: { type: 'string', enum: [...PIXEL_SELECTIONS] },
  members: COUNT,
  refused: COUNT,
  maxAssets: COUNT,
});

const LAYER = object(
  {
    id: TEXT,
    kind: { type: 'string', enum: ['vector', 'raster', 'session'] },
    title: TEXT,
    bounds: orNull(BBOX),
    crs: { type: ['string', 'null'] },
    servable: YES_NO,
    reasons: arrayOf(ref('Reason')),
    minzoom: ZOOM,
    maxzoom: ZOOM,
  },
  {
    description: TEXT,
    notes: arrayOf(ref('Reason')),
    refused: YES_NO,
    tilejson: URL,
    items: URL,
    info: URL,
    mosaic: MOSAIC,
    geometry: TEXT,
    count: COUNT,
    fields: mapOf(TEXT),
    labels: { type: 'string', description: 'Name of the layer of labels in its tiles.' },
    width: COUNT,
    height: COUNT,
    dtype: TEXT,
    nodata: VALUE,
    overviews: COUNT,
    bands: arrayOf(object({ index: COUNT, colorInterp: TEXT, description: { type: ['string', 'null'] } })),
  },
);

const TILE_JSON = object(
  {
    tilejson: { const: '3.0.0' },
    tiles: { type: 'array', items: TEXT, minItems: 1 },
    vector_layers: arrayOf(
      object({ id: TEXT, fields: mapOf(TEXT) }, { description: TEXT, minzoom: ZOOM, maxzoom: ZOOM }),
    ),
    minzoom: ZOOM,
    maxzoom: ZOOM,
    bounds: BBOX,
    center: { type: 'array', items: NUMBER, minItems: 3, maxItems: 3 },
  },
  { name: TEXT, description: TEXT, attribution: TEXT, version: TEXT, scheme: { const: 'xyz' }, format: TEXT },
);

const RASTER_INFO = object(
  {
    bounds: orNull(BBOX),
    crs: { type: ['string', 'null'] },
    band_metadata: arrayOf(PAIR),
    band_descriptions: arrayOf({ ...PAIR, items: TEXT }),
    dtype: TEXT,
    nodata_type: { type: 'string', enum: ['Alpha', 'Mask', 'Internal', 'Nodata', 'None'] },
    colorinterp: arrayOf(TEXT),
    scales: arrayOf(NUMBER),
    offsets: arrayOf(NUMBER),
    colormap: orNull(mapOf(arrayOf(COUNT))),
    driver: TEXT,
    count: COUNT,
    width: COUNT,
    height: COUNT,
    overviews: arrayOf(COUNT),
    minzoom: orNull(ZOOM),
    maxzoom: orNull(ZOOM),
    servable: YES_NO,
    reasons: arrayOf(ref('Reason')),
    notes: arrayOf(ref('Reason')),
  },
  {
    nodata_value: VALUE,
    shadow: object({
      state: { type: 'string', enum: ['absent', 'building', 'ready', 'failed'] },
      factors: arrayOf(COUNT),
      bytes: COUNT,
    }),
  },
);

const BAND_STATISTICS = object({
  min: NUMBER_OR_NULL,
  max: NUMBER_OR_NULL,
  mean: NUMBER_OR_NULL,
  count: NUMBER,
  sum: NUMBER,
  std: NUMBER_OR_NULL,
  median: NUMBER_OR_NULL,
  majority: NUMBER_OR_NULL,
  minority: NUMBER_OR_NULL,
  unique: NUMBER_OR_NULL,
  histogram: { ...PAIR, items: arrayOf(NUMBER) },
  valid_percent: NUMBER,
  masked_pixels: NUMBER,
  valid_pixels: NUMBER,
  description: TEXT,
  exact: { type: 'boolean', description: 'Whether the full resolution was read.' },
  level: COUNT,
});

const SESSION_LAYER = object({
  id: { type: 'string', description: 'Layer id, for /tiles and /layers.' },
  name: TEXT,
  bytes: COUNT,
  count: COUNT,
  geometry: TEXT,
  fields: mapOf(TEXT),
  bounds: orNull(BBOX),
  minzoom: ZOOM,
  maxzoom: ZOOM,
  links: mapOf(TEXT),
});

const LINKED = object({ id: TEXT, links: arrayOf(object({ href: URL, rel: TEXT }, { type: TEXT, title: TEXT })) });

export const LAYER_SCHEMAS: Readonly<Record<string, Schema>> = {
  Layer: LAYER,
  LayerList: object({ layers: arrayOf(ref('Layer')) }),
  TileJson: TILE_JSON,
  ColormapName: COLORMAP_SCHEMA,
  ColormapList: object({ colorMaps: arrayOf(ref('ColormapName')), colormaps: arrayOf(LINKED) }),
  Colormap: mapOf({ type: 'array', items: COUNT, minItems: 4, maxItems: 4 }),
  AlgorithmList: object({ algorithms: arrayOf(LINKED) }),
  Algorithm: object({
    title: TEXT,
    description: TEXT,
    inputs: mapOf({}),
    outputs: mapOf({}),
    parameters: mapOf({ type: 'object' }),
  }),
  RasterInfoFeature: object({
    type: { const: 'Feature' },
    bbox: BBOX,
    geometry: object({ type: { enum: ['Polygon', 'MultiPolygon'] }, coordinates: { type: 'array' } }),
    properties: ref('RasterInfo'),
  }),
  RasterInfo: RASTER_INFO,
  PointValues: object({
    coordinates: { type: 'array', items: NUMBER, minItems: 2, maxItems: 2 },
    values: arrayOf(NUMBER_OR_NULL),
    band_names: arrayOf(TEXT),
    band_descriptions: arrayOf(TEXT),
  }),
  PointsValues: object({
    coordinates: arrayOf({ ...PAIR, items: NUMBER }),
    values: arrayOf(arrayOf(NUMBER_OR_NULL)),
    band_names: arrayOf(TEXT),
    band_descriptions: arrayOf(TEXT),
  }),
  ProfileValues: object({
    coordinates: arrayOf({ ...PAIR, items: NUMBER }),
    distances: { ...arrayOf(NUMBER), description: 'Metres.' },
    values: arrayOf(arrayOf(NUMBER_OR_NULL)),
    band_names: arrayOf(TEXT),
    band_descriptions: arrayOf(TEXT),
  }),
  FeatureStatistics: object({ type: { enum: ['Feature', 'FeatureCollection'] } }),
  Statistics: { ...mapOf(BAND_STATISTICS), propertyNames: { pattern: '^b[0-9]+$' } },
  SessionLayer: SESSION_LAYER,
  Session: object({
    id: TEXT,
    created: TIME,
    expires: TIME,
    idleExpires: TIME,
    bytes: COUNT,
    quotaBytes: COUNT,
    layers: arrayOf(ref('SessionLayer')),
  }),
  SessionAsk: object({}, { ttl: { type: 'integer', minimum: 1, description: 'Seconds.' } }),
  CreatedSession: object({
    id: TEXT,
    secret: { type: 'string', description: 'Told once.' },
    ttl: { type: 'integer', description: 'Seconds.' },
    expires: TIME,
    links: arrayOf(object({ rel: TEXT, href: TEXT }, { templated: YES_NO })),
  }),
};
