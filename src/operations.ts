/** Every kind of work serve.ts can be asked for. Adding one: its plan in render/, a line here, a route, a test. */
import { problem } from './errors.ts';
import type { Grids } from './grids/types.ts';
import type { Layer, RasterLayer, VectorLayer } from './layers/types.ts';
import type { Encoding, Job, Painted, Plan } from './plan.ts';
import type { FilterSpec } from './render/filter/filter.ts';
import { emptyImage } from './render/raster/encode.ts';
import type { HandOn } from './render/raster/hand-on.ts';
import { planPreview, planRasterTile, planWindow, type RasterFormat, type RasterParams } from './render/raster/plan.ts';
import { tilePixels } from './render/raster/size.ts';
import { type OverzoomPart, planOverzoom } from './render/vector/overzoom.ts';
import { planVectorTile, walksFar } from './render/vector/plan.ts';
import { ahead, type Measure } from './render/vector/zoom-cells.ts';
import type { Operation } from './serve.ts';
import type { Sessions } from './sessions/types.ts';
import type { BBox, TileCoord } from './tile.ts';

export const MVT = 'application/vnd.mapbox-vector-tile';

interface TileParams {
  /** Key of the tile matrix set: parameters are part of the cache key, so they are kept small. */
  readonly tms: string;
  /** Place among the set's matrices. */
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

export interface VectorTileParams extends TileParams {
  readonly properties: readonly string[] | null;
  /** Absent where there is none, so that keys stay small. */
  readonly filter?: FilterSpec;
}

export interface RasterTileParams extends TileParams {
  readonly scale: 1 | 2;
  /** null: the matrix's own. */
  readonly tilesize: number | null;
  readonly buffer: number;
  readonly format: RasterFormat;
  readonly raster: RasterParams;
}

export interface WindowParams {
  readonly bbox: BBox;
  readonly bboxCrs: string;
  readonly dstCrs: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly maxSize: number | null;
  /** raster.maxSize, where it is set: keys stay small. */
  readonly sideMax?: number;
  readonly format: RasterFormat;
  readonly raster: RasterParams;
}

export interface PreviewParams {
  readonly maxSize: number;
  readonly sideMax?: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly format: RasterFormat;
  readonly raster: RasterParams;
}

export interface TileOperations {
  readonly vectorTile: Operation<VectorTileParams>;
  readonly rasterTile: Operation<RasterTileParams>;
}

/** Tiles of files, in any of the grids that are served. */
export function tileOperations(grids: Grids, measure: Measure, handOn: HandOn): TileOperations {
  return { vectorTile: vectorTile(grids, measure), rasterTile: rasterTile(grids, handOn) };
}

function vectorTile(grids: Grids, measure: Measure): Operation<VectorTileParams> {
  const ask = (layers: readonly Layer[], params: VectorTileParams, encoding: Encoding) => {
    const { tms, properties, filter, ...tile } = params;
    return {
      layers: vectors(layers),
      grid: grids.byKey(tms),
      tile,
      properties,
      encoding,
      measure,
      ...(filter ? { filter } : {}),
    };
  };
  return {
    name: 'vector-tile',
    class: 'tile',
    revision: 1,
    compressible: true,
    walks: (layers, { tms, z, x, y }) =>
      walksFar({ layers: vectors(layers), grid: grids.byKey(tms), tile: { z, x, y } }),
    prepare: async (layers, { tms }) => {
      for (const layer of vectors(layers)) await ahead(layer, grids.byKey(tms), measure);
    },
    zoom: params => zoomOf(grids, params),
    plan: (layers, params, encoding, signal) => planVectorTile(ask(layers, params, encoding), signal),
    degrade: async (layers, params, encoding, signal) =>
      degraded('thin', await planVectorTile({ ...ask(layers, params, encoding), degrade: 'thin' }, signal)),
    empty: () => nothing(MVT),
  };
}

function rasterTile(grids: Grids, handOn: HandOn): Operation<RasterTileParams> {
  const ask = (
    layers: readonly Layer[],
    { tms, scale, tilesize, buffer, format, raster, ...tile }: RasterTileParams,
  ) => ({
    layer: onlyRaster(layers),
    grid: grids.byKey(tms),
    tile,
    scale,
    tilesize,
    buffer,
    format,
    params: raster,
  });
  return {
    name: 'raster-tile',
    class: 'tile',
    revision: 1,
    compressible: false,
    zoom: params => zoomOf(grids, params),
    plan: async (layers, params, _encoding, signal) => {
      const asked = ask(layers, params);
      const plan = await planRasterTile(asked, signal);
      handOn.learn(asked, plan);
      return plan;
    },
    atOnce: (layers, params) => handOn.atOnce(ask(layers, params)),
    degrade: async (layers, params, _encoding, signal) =>
      degraded('overview', await planRasterTile({ ...ask(layers, params), degrade: 'overview' }, signal)),
    execute: job => handOn.run(job),
    empty: ({ tms, z, format, raster, ...size }) => {
      const { width, height } = tilePixels(grids.byKey(tms).matrices[z], size, raster);
      return emptyImage(format, width, height);
    },
  };
}

export interface OverzoomTileParams extends VectorTileParams {
  /** ETags of the tiles that it is cut out of: another parent is another answer. */
  readonly parents: readonly string[];
}

/** A tile out of tiles that are at hand: made for one request, since what it reads is in its hands. */
export function overzoomTile(grids: Grids, parts: readonly OverzoomPart[]): Operation<OverzoomTileParams> {
  return {
    name: 'overzoom-tile',
    class: 'tile',
    revision: 1,
    compressible: true,
    zoom: params => zoomOf(grids, params),
    plan: (_layers, _params, encoding) => planOverzoom(parts, encoding),
    empty: () => nothing(MVT),
  };
}

function zoomOf(grids: Grids, { tms, z }: TileParams): number {
  return grids.byKey(tms).matrices[z].zoom;
}

export const rasterWindow: Operation<WindowParams> = {
  name: 'window',
  class: 'window',
  revision: 1,
  compressible: false,
  plan: (layers, { raster, ...rest }, _encoding, signal) =>
    planWindow({ layer: onlyRaster(layers), params: raster, ...rest }, signal),
  degrade: async (layers, { raster, ...rest }, _encoding, signal) =>
    degraded(
      'overview',
      await planWindow({ layer: onlyRaster(layers), params: raster, ...rest, degrade: 'overview' }, signal),
    ),
  empty: () => {
    throw problem('outside-bounds', 'the window lies outside the raster');
  },
};

export const rasterPreview: Operation<PreviewParams> = {
  name: 'preview',
  class: 'window',
  revision: 1,
  compressible: false,
  plan: (layers, { raster, ...rest }, _encoding, signal) =>
    planPreview({ layer: onlyRaster(layers), params: raster, ...rest }, signal),
  degrade: async (layers, { raster, ...rest }, _encoding, signal) =>
    degraded(
      'overview',
      await planPreview({ layer: onlyRaster(layers), params: raster, ...rest, degrade: 'overview' }, signal),
    ),
  empty: () => nothing('application/json'),
};

function vectors(layers: readonly Layer[]): VectorLayer[] {
  return layers.map(layer => {
    if (layer.kind !== 'vector')
      throw problem('wrong-kind', `${layer.id} is a ${layer.kind} layer, not a vector layer`);
    return layer;
  });
}

/** The one raster that an operation is about. */
export function onlyRaster(layers: readonly Layer[]): RasterLayer {
  const [layer] = layers;
  if (layer?.kind !== 'raster') throw problem('wrong-kind', `${layer?.id} is a ${layer?.kind} layer, not a raster`);
  return layer;
}

/** Statistics are of the blocks of a file: those of a mosaic would count what overlaps twice. */
export function oneFile(layer: RasterLayer): RasterLayer {
  if (!layer.mosaic) return layer;
  throw problem(
    'wrong-kind',
    `${layer.id} is a mosaic of ${layer.mosaic.members.length} files: statistics are of one file`,
  );
}

/** Says in what way the answer is less than was asked for. */
function degraded(how: 'thin' | 'overview', plan: Plan): Plan {
  if (plan.whole) return plan;
  return { ...plan, headers: { ...plan.headers, 'x-tile-degraded': how } };
}

function nothing(contentType: string, encoding: Encoding = 'identity'): Painted {
  return { body: null, contentType, encoding, headers: {}, peakBytes: 0, ms: 0 };
}

interface SessionTileJob extends Job, TileCoord {
  readonly layer: string;
  readonly encoding: Encoding;
}

/** Tiles of session layers are cut in the sessions' own thread, out of their geojson-vt index. */
export function sessionTile(sessions: Sessions): Operation<TileParams> {
  return {
    name: 'session-tile',
    class: 'tile',
    revision: 1,
    compressible: true,
    zoom: params => params.z,
    asked: ([id]) => sessions.used(id),
    plan: ([layer], { z, x, y }, encoding) => {
      const cost = sessions.tileCost(layer.id);
      const job: SessionTileJob = { task: 'session-tile', layer: layer.id, z, x, y, encoding };
      return { cost, job, explain: { source: 'geojson-vt index of the session' }, headers: {} };
    },
    empty: () => nothing(MVT),
    execute: (job, signal) => {
      const { layer, z, x, y, encoding } = job as SessionTileJob;
      return sessions.tile(layer, { z, x, y }, encoding, signal);
    },
  };
}
