/** /cog: titiler's routes over the rasters of the catalogue. */
import { CONTENT_TYPES } from '../../render/raster/encode.ts';
import { WEB_MERCATOR_QUAD } from '../../tile.ts';
import { FORMATS, MAX_SIDE, PREVIEW_SIZE } from '../raster-forms.ts';
import { RASTER_FORMATS } from '../tiles.ts';
import { cogDocuments } from './cog-documents.ts';
import { cogFeatures } from './cog-features.ts';
import { cogValues } from './cog-values.ts';
import {
  EXPLAIN,
  gridTileParams,
  IF_NONE_MATCH,
  json,
  MAP_PROBLEMS,
  PICTURE_PROBLEMS,
  pathParam,
  queryParam,
  ref,
  SERVED_NOT_MODIFIED,
  STRICT,
  scaleParam,
  tmsParam,
} from './parts.ts';
import { RASTER_PARAMETERS, RASTER_TILE_PARAMETERS } from './raster-parameters.ts';
import { TILE_ANSWERS, TILE_PROBLEMS } from './tiles.ts';
import type { Answer, Endpoint, Parameter, Samples, Schema } from './types.ts';

const GET = { tag: 'cog', method: 'get' } as const;
const EXTENSION: Schema = { type: 'string', enum: Object.keys(FORMATS) };
const CRS: Schema = { type: 'string', minLength: 1 };
const COORD_CRS = queryParam(
  'coord_crs',
  'CRS of the coordinates in the path: an EPSG code or an OGC URI.',
  { ...CRS, default: 'OGC:CRS84' },
  { example: 'EPSG:4326' },
);
const SERVED = [EXPLAIN, STRICT, IF_NONE_MATCH];
const PROBLEMS = [...PICTURE_PROBLEMS, 'bad-parameter', 'unprocessable', 'wrong-kind', 'outside-bounds'] as const;
const IMAGE_HEADERS = [
  'ETag',
  'Cache-Control',
  'Vary',
  'X-Plimsoll',
  'X-Plimsoll-Cost',
  'Server-Timing',
  'X-Tile-Degraded',
  'X-Raster-Bbox',
  'X-Raster-Crs',
  'X-Raster-Level',
  'X-Raster-Nodata',
  'X-Raster-Rescale',
] as const;
const IMAGES = Object.fromEntries(Object.values(FORMATS).map(format => [CONTENT_TYPES[format], null]));
export const IMAGE_ANSWERS: Readonly<Record<number, Answer>> = {
  200: {
    description: 'The image; the plan as JSON with explain=true. tif and npy hold the values as they are, with a mask.',
    headers: IMAGE_HEADERS,
    content: { ...IMAGES, 'application/json': ref('Plan') },
  },
  206: {
    description: 'The part of it that Range asks for, where that is one part that is there.',
    headers: ['Content-Range', ...IMAGE_HEADERS],
    content: IMAGES,
  },
  304: SERVED_NOT_MODIFIED,
};

export interface ImageLimits {
  /** raster.maxSize. */
  readonly maxSize: number | null;
}

export function cogEndpoints(samples: Samples, { maxSize }: ImageLimits): Endpoint[] {
  const pixels: Schema = { type: 'integer', minimum: 1, maximum: maxSize ?? MAX_SIDE };
  const url = [
    queryParam(
      'url',
      'The raster: a layer id, the file name of a layer, or the http(s) URL of a GeoTIFF where `remote.allow` has it (nothing else outside the catalogue is opened).',
      { type: 'string', minLength: 1 },
      { required: true, example: samples.raster },
    ),
  ];
  return [
    ...cogDocuments(samples, url),
    ...tiles(samples, url),
    ...windows(samples, url, pixels),
    ...previews(url, pixels, Math.min(PREVIEW_SIZE, maxSize ?? PREVIEW_SIZE)),
    ...cogValues(samples, url, COORD_CRS),
    ...cogFeatures(samples, url, COORD_CRS, pixels),
  ];
}

function tiles({ rasterTile }: Samples, url: Parameter[]): Endpoint[] {
  const tms = tmsParam(WEB_MERCATOR_QUAD.id);
  const format = pathParam('format', 'Image format.', { type: 'string', enum: Object.keys(RASTER_FORMATS) }, 'png');
  const place = gridTileParams(WEB_MERCATOR_QUAD.id, rasterTile);
  const query = [...url, ...RASTER_TILE_PARAMETERS];
  const tileJson = {
    ...GET,
    answers: { 200: json('TileJSON 3.0.0.', ref('TileJson')) },
    problems: MAP_PROBLEMS,
  };
  const tile = {
    ...GET,
    route: '/cog/tiles/:tms/:z/:x/:y',
    answers: TILE_ANSWERS,
    problems: [...TILE_PROBLEMS, 'not-found'] as const,
  };
  return [
    {
      ...tileJson,
      id: 'getRasterTileJson',
      route: '/cog/tilejson.json',
      path: '/cog/tilejson.json',
      summary: 'TileJSON of a raster',
      parameters: query,
    },
    {
      ...tileJson,
      id: 'getRasterTileJsonOf',
      route: '/cog/:tms/tilejson.json',
      path: '/cog/{tms}/tilejson.json',
      summary: 'TileJSON of a raster in a tile matrix set',
      parameters: [tms, ...query],
    },
    {
      ...tile,
      id: 'getRasterTile',
      path: '/cog/tiles/{tms}/{z}/{x}/{y}',
      summary: 'Tile of a raster, PNG',
      parameters: [...place, ...query, ...SERVED],
    },
    {
      ...tile,
      id: 'getRasterTileAs',
      path: '/cog/tiles/{tms}/{z}/{x}/{y}.{format}',
      summary: 'Tile of a raster',
      parameters: [...place, format, ...query, ...SERVED],
    },
    {
      ...tile,
      id: 'getScaledRasterTile',
      path: '/cog/tiles/{tms}/{z}/{x}/{y}@{scale}x.{format}',
      summary: 'Tile of a raster with twice the pixels a side',
      parameters: [...place, scaleParam, format, ...query, ...SERVED],
    },
  ];
}

function windows({ rasterBBox }: Samples, url: Parameter[], pixels: Schema): Endpoint[] {
  const [minx, miny, maxx, maxy] = rasterBBox;
  const number = { type: 'number' };
  const box = [
    pathParam('minx', 'West; may be east of maxx where the window crosses the antimeridian.', number, minx),
    pathParam('miny', 'South.', number, miny),
    pathParam('maxx', 'East.', number, maxx),
    pathParam('maxy', 'North.', number, maxy),
  ];
  const query = [
    ...url,
    COORD_CRS,
    queryParam('dst_crs', 'CRS of the image; that of the coordinates where absent.', CRS, { example: 'EPSG:3857' }),
    queryParam(
      'max_size',
      'Longest side in pixels where no size is given; the raster’s own resolution where absent.',
      pixels,
      { example: 256 },
    ),
    ...RASTER_PARAMETERS,
    ...SERVED,
  ];
  const format = pathParam('format', 'Image format, or the values as GeoTIFF or NumPy.', EXTENSION, 'png');
  const common = { ...GET, route: '/cog/bbox/*', answers: IMAGE_ANSWERS, problems: PROBLEMS };
  return [
    {
      ...common,
      id: 'getWindow',
      path: '/cog/bbox/{minx},{miny},{maxx},{maxy}.{format}',
      summary: 'Window of a raster at its own resolution, or a size',
      parameters: [...box, format, ...sizeQuery(pixels), ...query],
    },
    {
      ...common,
      id: 'getSizedWindow',
      path: '/cog/bbox/{minx},{miny},{maxx},{maxy}/{width}x{height}.{format}',
      summary: 'Window of a raster in a size',
      parameters: [...box, ...sizePath(pixels), format, ...query],
    },
  ];
}

function sizePath(pixels: Schema): Parameter[] {
  return [pathParam('width', 'Pixels across.', pixels, 256), pathParam('height', 'Pixels down.', pixels, 256)];
}

function sizeQuery(pixels: Schema): Parameter[] {
  return [
    queryParam('width', 'Pixels across; alone it keeps the aspect.', pixels, { example: 256 }),
    queryParam('height', 'Pixels down; alone it keeps the aspect.', pixels, { example: 256 }),
  ];
}

function previews(url: Parameter[], pixels: Schema, usual: number): Endpoint[] {
  const maxSize = queryParam(
    'max_size',
    'Longest side in pixels where no size is given.',
    { ...pixels, default: usual },
    { example: 256 },
  );
  const query = [...url, maxSize, ...RASTER_PARAMETERS, ...SERVED];
  const size = sizeQuery(pixels);
  const format = pathParam('format', 'Image format, or the values as GeoTIFF or NumPy.', EXTENSION, 'png');
  const common = { ...GET, answers: IMAGE_ANSWERS, problems: PROBLEMS, summary: 'The whole raster, small' };
  const f = queryParam('f', 'Format.', { ...EXTENSION, default: 'png' }, { example: 'png' });
  return [
    { ...common, id: 'getPreview', route: '/cog/preview', path: '/cog/preview', parameters: [f, ...size, ...query] },
    {
      ...common,
      id: 'getPreviewAs',
      route: '/cog/preview.:format',
      path: '/cog/preview.{format}',
      parameters: [format, ...size, ...query],
    },
    {
      ...common,
      id: 'getSizedPreview',
      route: '/cog/preview/*',
      path: '/cog/preview/{width}x{height}.{format}',
      summary: 'The whole raster in a size',
      parameters: [...sizePath(pixels), format, ...query],
    },
  ];
}
