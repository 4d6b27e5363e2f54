/**
 * The one schema of the configuration: types, defaults, editor help (config/plimsoll.schema.json) and docs all come from here.
 * `x-unit` marks sizes and durations, which are written as text ("256MiB", "30s") and are plain numbers once loaded.
 */
import { type Static, Type } from 'typebox';
import { RESAMPLINGS, type Resampling } from '../kernels/resampling.ts';
import { ATTRIBUTE_CHOICES } from './schema-attributes.ts';
import { mosaicSchema } from './schema-mosaic.ts';
import {
  bytes,
  choice,
  count,
  derivedBytes,
  derivedDuration,
  duration,
  flag,
  milliseconds,
  nullableText,
  seconds,
  section,
  share,
  texts,
} from './schema-parts.ts';
import { remote } from './schema-remote.ts';
import { raster, vector } from './schema-render.ts';
import { PROTECTION_CHOICES } from './schema-shadow.ts';
import { BYTES_PATTERN, DURATION_PATTERN } from './units.ts';

const server = section('Where the server listens and how it talks HTTP.', {
  host: Type.String({
    minLength: 1,
    default: '0.0.0.0',
    description: 'Address to listen on; 127.0.0.1 for this machine only.',
  }),
  port: count(9000, 'TCP port; 0 takes a free one.', { maximum: 65535 }),
  publicUrl: nullableText(
    'Address clients see, with base path, such as https://maps.example.org/tiles; else from the request.',
  ),
  cors: section('Cross-origin requests.', {
    origins: texts(['*'], 'Allowed origins; "*" allows all.'),
  }),
  trustProxy: flag(false, 'Believe X-Forwarded-* (only behind a proxy that sets them).'),
  keepAliveTimeout: duration({
    default: '72s',
    description: 'Idle connections close after this; longer than the proxy in front.',
  }),
  requestTimeout: duration({ default: '30s', description: 'A request must have arrived whole within this.' }),
  shutdownTimeout: duration({
    default: '20s',
    description: 'After SIGTERM requests under way may finish for this long.',
  }),
  bodyLimit: bytes({ default: '1MiB', description: 'Largest request body outside session uploads.' }),
  rehearsal: derivedDuration(
    'Before it is ready the server paints tiles of its layers for this long, vector tiles and raster tiles each, so that its code is compiled when the first clients come. null: 1s from 512 MiB on, else none.',
  ),
  accessLog: flag(false, 'Log one line a request.'),
});

const log = section('Structured logs (JSON lines on standard output).', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', 'Least level that is logged.'),
});

const memory = section(
  'The memory budget. null means: derived from the limit (`plimsoll memory --limit 256MiB` shows how).',
  {
    limit: derivedBytes('Bytes this process may use; else the cgroup limit, else physical memory.'),
    lineShare: share(0.85, 'The load line: share of the limit that all books together may reach.'),
    warning: share(
      0.7,
      'Share of the limit at which caches shrink and cold work is degraded; more under 200 MiB, where an idle server holds as much.',
    ),
    critical: share(0.85, 'Share of the limit at which cold work gets 503 and readiness goes.'),
    workers: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 64,
      default: null,
      description: 'Render threads; else from CPUs and the limit.',
    }),
    cacheBytes: derivedBytes('Bytes of the tile cache.'),
    segmentBytes: derivedBytes('Bytes of one cache segment, the unit in which the cache gives memory back.'),
    requestCeilingBytes: derivedBytes('Most that one request may need; beyond it 413 tells what would fit.'),
    admission: choice(['enforce', 'observe'], 'enforce', 'observe: prices and counts, but refuses nothing.'),
    queue: section('Requests that wait for memory.', {
      max: count(256, 'Most requests that wait at once.'),
      deadlineMs: milliseconds({ default: 1500, description: 'Longest wait before 503.' }),
    }),
    clientShare: share(0.25, 'Share of the work budget one client may hold; beyond it 429.'),
    tileFloor: share(0.3, 'Share of the work budget kept for tiles.'),
  },
);

const cache = section('The cache of encoded replies.', {
  enabled: flag(true, 'Keep rendered tiles.'),
  maxEntryBytes: bytes({
    default: '1MiB',
    description: 'Larger bodies are not kept, nor those larger than memory.segmentBytes.',
  }),
  maxAge: seconds({ default: 3600, description: 'Cache-Control max-age of tiles, seconds.' }),
  swr: seconds({ default: 86400, description: 'Cache-Control stale-while-revalidate, seconds.' }),
  defaultEncodings: Type.Array(
    Type.Unsafe<'zstd' | 'br' | 'gzip' | 'identity'>({ type: 'string', enum: ['zstd', 'br', 'gzip', 'identity'] }),
    {
      default: ['gzip', 'zstd', 'br'],
      minItems: 1,
      description: 'Encodings of tiles, the first that a client takes: few in use share the cache better.',
    },
  ),
});

const filter = section('Filters (CQL2) of items and tiles.', {
  maxLength: count(16_384, 'Most characters of a filter; a URL of more than 16 KiB does not get here.', { minimum: 1 }),
  maxDepth: count(64, 'How deep its expressions may nest.', { minimum: 1, maximum: 500 }),
  maxReadBytes: bytes({ default: '128MiB', description: 'Most bytes of features that a filtered tile may read.' }),
});

const features = section('Feature pages (OGC API Features).', {
  limitDefault: count(10, 'Features a page where the request does not say.', { minimum: 1 }),
  limitMax: count(10_000, 'Most features a page.', { minimum: 1 }),
});

const sessions = section('Session layers uploaded by dashboards.', {
  enabled: flag(true, 'Take uploads.'),
  ttl: duration({ default: '12h', description: 'A session ends this long after it began.' }),
  idle: duration({ default: '30m', description: 'A session ends this long after its last use.' }),
  quotaBytes: derivedBytes('Bytes one session may hold.'),
  maxSessions: count(100, 'Most sessions at once.'),
  maxLayers: count(10, 'Most layers a session.', { minimum: 1 }),
  maxBodyBytes: bytes({ default: '16MiB', description: 'Largest upload.' }),
});

const discovery = section('How folders are watched.', {
  watch: flag(true, 'Pick up files that are added, replaced or removed while the server runs.'),
  intervalMs: milliseconds({ default: 2000, minimum: 50, description: 'Pause between two looks at the folders.' }),
  extensions: texts(['.fgb', '.tif', '.tiff'], 'File name endings taken as layers.'),
  followSymlinks: flag(true, 'Follow links to files and folders.'),
  concurrency: count(4, 'Files opened at once.', { minimum: 1, maximum: 64 }),
  maxFiles: count(10_000, 'Most files taken from all folders together.', { minimum: 1 }),
});

const zoom = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 24, description }));
const optionalText = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

export const layerSchema = section('A layer: a file under an id of your choice, or options for a discovered one.', {
  path: optionalText(
    'File, or http(s) URL of a GeoTIFF or FlatGeobuf; relative to this configuration file. Absent: options for the discovered layer of this id.',
  ),
  mosaic: Type.Optional(mosaicSchema),
  title: optionalText('Name for people.'),
  description: optionalText('A sentence or two.'),
  attribution: optionalText('Credit line shown on maps; may hold HTML.'),
  minzoom: zoom('Least zoom with tiles.'),
  maxzoom: zoom('Greatest zoom with tiles.'),
  overzoom: zoom('Zooms beyond maxzoom whose vector tiles are cut out of the tiles of maxzoom, enlarged.'),
  crs: optionalText('CRS where the file has none or a wrong one, such as EPSG:28992.'),
  properties: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), { description: 'Attributes that are served; all where absent.' }),
  ),
  ...ATTRIBUTE_CHOICES,
  extent: Type.Optional(Type.Integer({ minimum: 256, maximum: 65536, description: 'Units a tile side.' })),
  buffer: Type.Optional(Type.Integer({ minimum: 0, maximum: 4096, description: 'Buffer in units of the extent.' })),
  idColumn: optionalText('Column with non-negative integers as feature ids.'),
  drop: Type.Optional(
    Type.Union([Type.Literal('cells'), Type.Literal('dust'), Type.Literal('none')], {
      description:
        'Where a tile would break its caps: cells: of small features the first of each cell; dust: one square a cell, of the area of all of them; none: never thin.',
    }),
  ),
  maxFeatures: Type.Optional(Type.Integer({ minimum: 1, description: 'Most features a tile draws.' })),
  maxTileBytes: Type.Optional(
    Type.Unsafe<number>({
      type: ['string', 'integer'],
      pattern: BYTES_PATTERN,
      minimum: 0,
      'x-unit': 'bytes',
      description: 'Largest tile, compressed.',
    }),
  ),
  pointCount: Type.Optional(Type.Boolean({ description: 'Thinned features say how many they stand for.' })),
  labels: Type.Optional(
    Type.Boolean({ description: 'Vector tiles have a layer {id}_labels too: one point a feature.' }),
  ),
  rescale: Type.Optional(
    Type.Array(Type.Tuple([Type.Number(), Type.Number()]), {
      minItems: 1,
      description: '[min, max] for all bands or a pair a band.',
    }),
  ),
  colormapName: optionalText('Colour map of a single band, by its titiler name.'),
  bidx: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 4, description: 'Bands drawn, from 1.' }),
  ),
  nodata: Type.Optional(
    Type.Unsafe<number>({
      type: ['number', 'string'],
      pattern: '^nan$',
      'x-unit': 'nan',
      description: 'Value that stands for nothing; nan for not a number.',
    }),
  ),
  resampling: Type.Optional(
    Type.Unsafe<Resampling>({
      type: 'string',
      enum: [...RESAMPLINGS],
      description: 'How pixels are resampled.',
    }),
  ),
  ...PROTECTION_CHOICES,
  degrade: Type.Optional(
    Type.Boolean({ description: 'false: full quality or 503 under memory pressure, never a coarser or stale answer.' }),
  ),
  maxAge: Type.Optional(
    Type.Unsafe<number>({
      type: ['string', 'integer'],
      pattern: DURATION_PATTERN,
      minimum: 0,
      'x-unit': 's',
      description: 'Cache-Control max-age, in place of cache.maxAge.',
    }),
  ),
});

export const LAYER_ID_PATTERN = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$';

export const configSchema = Type.Object(
  {
    paths: texts(
      [],
      'Files and folders to serve, and http(s) URLs of GeoTIFFs and FlatGeobuf; relative to this configuration file.',
    ),
    layers: Type.Unsafe<Record<string, Static<typeof layerSchema>>>({
      type: 'object',
      propertyNames: { pattern: LAYER_ID_PATTERN },
      additionalProperties: layerSchema,
      default: {},
      description: 'Layers by id. They come before discovered ones.',
    }),
    tileMatrixSets: Type.Unsafe<Record<string, string>>({
      type: 'object',
      propertyNames: { pattern: LAYER_ID_PATTERN },
      additionalProperties: { type: 'string', minLength: 1 },
      default: {},
      description:
        'Tile matrix sets by id, each a file in the JSON of OGC Two Dimensional Tile Matrix Set 2.0; relative to this configuration file.',
    }),
    server,
    log,
    memory,
    cache,
    vector,
    raster,
    remote,
    features,
    filter,
    sessions,
    discovery,
    adminToken: nullableText('Bearer token for /debug and other operations; without it they are closed.'),
  },
  { additionalProperties: false, title: 'Plimsoll configuration' },
);

type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export type Config = DeepReadonly<Static<typeof configSchema>>;
export type LayerConfig = DeepReadonly<Static<typeof layerSchema>>;

/** What text a number may be written as, and what the number counts. */
export type Unit = 'bytes' | 'ms' | 's' | 'nan';

/** A loosely typed view of a schema node, enough to walk it. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode | readonly SchemaNode[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly 'x-unit'?: Unit;
  /** A section that is not there where nobody gives it. */
  readonly 'x-optional'?: true;
}

/** What a file may hold: the same schema with nothing required, since every key has a default. */
export function inputSchema(): SchemaNode {
  return JSON.parse(
    JSON.stringify(configSchema, (key, value) => (key === 'required' && Array.isArray(value) ? undefined : value)),
  );
}
