/** A server of the viewer's own contract: what the page asks for and nothing else, with states a real one reaches rarely. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { FeatureCollection } from 'geojson';
import GeoJSONVT from 'geojson-vt';
import sharp from 'sharp';
import vtpbf from 'vt-pbf';
import { registerViewer, viewerHtml } from '../../src/http/viewer.ts';

/** A name that would run if any part of the page put attributes in as markup. */
export const HOSTILE = '<img src=x onerror="window.hacked=1">';

const ISLANDS: FeatureCollection = {
  type: 'FeatureCollection',
  features: [
    {
      type: 'Feature',
      id: 7,
      properties: { name: HOSTILE, population: 1234 },
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [-20, -15],
            [20, -15],
            [20, 15],
            [-20, 15],
            [-20, -15],
          ],
        ],
      },
    },
  ],
};

const POINTS: FeatureCollection = {
  type: 'FeatureCollection',
  features: [
    { type: 'Feature', id: 3, properties: { port: 'Quay' }, geometry: { type: 'Point', coordinates: [60, 10] } },
  ],
};

export const LAYERS = {
  layers: [
    {
      id: 'islands',
      kind: 'vector',
      title: 'Islands',
      bounds: [-20, -15, 20, 15],
      minzoom: 0,
      maxzoom: 14,
      crs: 'EPSG:4326',
      servable: true,
      reasons: [],
      fields: { name: 'String', population: 'Number' },
      geometry: 'Polygon',
      tilejson: 'tiles/islands',
    },
    {
      id: 'ports & quays',
      kind: 'vector',
      title: 'Ports',
      bounds: [-180, -60, 180, 60],
      minzoom: 0,
      maxzoom: 14,
      crs: 'EPSG:4326',
      servable: true,
      reasons: [],
      fields: { port: 'String' },
      geometry: 'Point',
      tilejson: 'tiles/ports',
    },
    {
      id: 'depth',
      kind: 'raster',
      title: 'Sea depth',
      bounds: [-90, -45, 90, 45],
      minzoom: 0,
      maxzoom: 8,
      crs: 'EPSG:3857',
      servable: true,
      reasons: [],
      dtype: 'int16',
      bands: [{ index: 1, colorInterp: 'gray', description: null }],
      tilejson: 'tiles/depth',
    },
    {
      id: 'busy',
      kind: 'raster',
      title: 'Always busy',
      bounds: [-90, -45, 90, 45],
      minzoom: 0,
      maxzoom: 8,
      crs: 'EPSG:3857',
      servable: true,
      reasons: [],
      dtype: 'uint8',
      bands: [1, 2, 3].map(index => ({ index, colorInterp: null, description: null })),
      tilejson: 'tiles/busy',
    },
    {
      id: 'tilted',
      kind: 'refused',
      title: 'tilted.tif',
      bounds: null,
      minzoom: 0,
      maxzoom: 0,
      crs: null,
      servable: false,
      reasons: [{ code: 'rotated', detail: 'the geotransform is rotated', remedy: 'gdalwarp tilted.tif straight.tif' }],
    },
  ],
};

export interface Asked {
  /** Every URL asked for, in order. */
  readonly urls: string[];
  level: 'normal' | 'warning' | 'critical';
}

const MIB = 2 ** 20;
const LIMIT = 256 * MIB;

function memory(level: Asked['level']) {
  const rss = { normal: 142, warning: 190, critical: 230 }[level] * MIB;
  return {
    limit: LIMIT,
    line: LIMIT * 0.85,
    used: 61 * MIB,
    rss,
    level,
    accounts: { cache: 48 * MIB, blocks: 13 * MIB, inflight: 0 },
  };
}

const indexes = {
  islands: new GeoJSONVT(ISLANDS, { maxZoom: 14, extent: 4096 }),
  'ports & quays': new GeoJSONVT(POINTS, { maxZoom: 14, extent: 4096 }),
};

function vectorTile(id: keyof typeof indexes, [z, x, y]: number[]): Buffer | null {
  const tile = indexes[id].getTile(z!, x!, y!);
  return tile && Buffer.from(vtpbf.fromGeojsonVt({ [id]: tile }, { version: 2, extent: 4096 }));
}

function rasterTile(query: Record<string, string>): Promise<Buffer> {
  const background = query['colormap_name'] === 'viridis' ? { r: 68, g: 1, b: 84 } : { r: 20, g: 90, b: 200 };
  return sharp({ create: { width: 512, height: 512, channels: 3, background } })
    .png()
    .toBuffer();
}

function registerTiles(app: FastifyInstance): void {
  app.get('/tiles/:id/:z/:x/:file', async (request, reply) => {
    const { id, z, x, file } = request.params as { id: string; z: string; x: string; file: string };
    if (id === 'busy') {
      const body = {
        title: 'At the load line',
        detail: 'no memory for this request now',
        code: 'overloaded',
        status: 503,
      };
      return reply.code(503).type('application/problem+json').send(body);
    }
    if (id === 'depth') return reply.type('image/png').send(await rasterTile(request.query as Record<string, string>));
    const body = vectorTile(id as keyof typeof indexes, [Number(z), Number(x), Number.parseInt(file, 10)]);
    if (body === null) return reply.code(204).send();
    return reply.type('application/vnd.mapbox-vector-tile').send(body);
  });
}

export async function startFixture(): Promise<{ app: FastifyInstance; origin: string; asked: Asked }> {
  const app = Fastify();
  const asked: Asked = { urls: [], level: 'normal' };
  app.addHook('onRequest', async request => {
    asked.urls.push(request.url);
  });
  registerViewer(app);
  const html = viewerHtml();
  app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(html));
  app.get('/layers', async () => LAYERS);
  app.get('/memory', async () => memory(asked.level));
  app.get('/cog/colorMaps', async () => ({ colorMaps: ['terrain', 'viridis'] }));
  app.get('/cog/statistics', async () => ({ b1: { min: 0, max: 99, percentile_2: 2.5, percentile_98: 97.5 } }));
  app.get('/cog/point/:where', async () => ({ coordinates: [0, 0], values: [-4321], band_names: ['b1'] }));
  registerTiles(app);
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, origin, asked };
}
