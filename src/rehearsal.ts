/**
 * Before the server says that it is ready it paints some tiles of its layers, the way requests are served, for a second of each kind
 * at most: V8 compiles what it has run some hundreds of times, and the first clients would otherwise be the ones to run it. Nothing
 * of it is kept or counted; every tile has a permit like any other.
 */

import { createFlight } from './cache/flight.ts';
import type { ByteCache } from './cache/types.ts';
import { rasterParams } from './http/raster-params.ts';
import type { Ladder } from './ladder.ts';
import type { Layer } from './layers/types.ts';
import type { TileOperations } from './operations.ts';
import type { RasterFormat } from './render/raster/plan.ts';
import { type Ask, type Observer, type Rooms, serve } from './serve.ts';
import { type BBox, latToMercator, lonToMercator, MERCATOR_HALF, type TileCoord, WEB_MERCATOR_QUAD } from './tile.ts';

export interface RehearsalSettings {
  /** As long as it may take, for vector tiles and for raster tiles each. */
  readonly ms: number;
  /** Tiles at once. */
  readonly atOnce: number;
  /** Collects garbage: of code that was compiled and of arrays there is a heap's worth, which the first clients would pay for. */
  readonly collect?: (() => void) | undefined;
}

export interface Rehearsal {
  readonly underway: boolean;
  /** Never rejects. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Of each kind: layers differ in what code they need, but not without end. */
const LAYERS_MAX = 4;
/** Features that a tile of a vector layer has, about, at the coarsest of the zooms that are painted. */
const FEATURES = 1000;
const ZOOMS = 4;
/** How many times as long the first tile may take. */
const FIRST_SHARE = 3;

const WORLD = 2 * MERCATOR_HALF;

type AnyAsk = Ask<never>;

export function rehearse(rooms: Rooms, tiles: TileOperations, { ms, atOnce, collect }: RehearsalSettings): Rehearsal {
  const stop = new AbortController();
  const state = { underway: true };
  const kinds = kindsOf(rooms.catalogue.list(), tiles, stop.signal);
  // What is chosen once for a layer, before its first tile, is no rehearsal, but is not waited for without end either.
  const time = { until: performance.now() + FIRST_SHARE * ms, begun: false };
  const begin = () => {
    if (!time.begun) time.until = performance.now() + kinds.length * ms;
    time.begun = true;
  };
  const quiet: Rooms = {
    ...rooms,
    cache: FORGETFUL,
    ladder: { ...rooms.ladder, ...UNCOUNTED },
    observer: SILENT,
    flight: createFlight(),
  };
  const one = async (): Promise<void> => {
    while (performance.now() < time.until && !stop.signal.aborted) {
      const kind = kinds.reduce((a, b) => (b.ms < a.ms ? b : a));
      const since = performance.now();
      if (await serveAndDrop(kind.next(), quiet)) begin();
      kind.ms += performance.now() - since;
    }
  };
  const done = (async () => {
    if (kinds.length > 0) await Promise.all(Array.from({ length: atOnce }, one));
    if (time.begun && !stop.signal.aborted) collect?.();
    state.underway = false;
  })();
  return {
    get underway() {
      return state.underway;
    },
    done,
    close() {
      stop.abort();
      return done;
    },
  };
}

/** Questions of one kind, and the time that they have taken: a raster tile takes several times a vector tile's. */
interface Kind {
  /** Of its layers in turn. */
  next(): AnyAsk;
  ms: number;
}

/** Of the layers that are near. */
function kindsOf(layers: readonly Layer[], tiles: TileOperations, signal: AbortSignal): Kind[] {
  const near = layers.filter(layer => layer.verdict.servable && 'source' in layer && !layer.source.ref.remote);
  return (['vector', 'raster'] as const).flatMap(kind => {
    const some = near.filter(each => each.kind === kind).slice(0, LAYERS_MAX);
    const chosen = some.flatMap(layer => {
      const bounds = layer.lonLatBounds && inMercator(layer.lonLatBounds);
      return bounds ? formatsOf(layer).map(format => ({ layer, bounds, format })) : [];
    });
    return chosen.length === 0 ? [] : [{ next: inTurn(chosen, tiles, signal), ms: 0 }];
  });
}

interface Chosen {
  readonly layer: Layer;
  readonly bounds: BBox;
  readonly format: RasterFormat;
}

function inTurn(chosen: readonly Chosen[], tiles: TileOperations, signal: AbortSignal): () => AnyAsk {
  const random = seeded();
  let turn = 0;
  return () => {
    const { layer, bounds, format } = chosen[turn++ % chosen.length];
    const tile = tileIn(bounds, zoomFrom(layer, bounds) + Math.floor(random() * ZOOMS), random);
    return askOf({ layer, format, tile }, tiles, signal);
  };
}

interface Wanted {
  readonly layer: Layer;
  readonly format: RasterFormat;
  readonly tile: TileCoord;
}

/** Blocks that are pictures may be handed on as they are. */
function formatsOf(layer: Layer): RasterFormat[] {
  const compression = layer.kind === 'raster' ? layer.source.levels[0]?.format.compression : undefined;
  return compression === 7 ? ['png', 'jpg'] : compression === 50001 ? ['png', 'webp'] : ['png'];
}

function askOf({ layer, format, tile }: Wanted, tiles: TileOperations, signal: AbortSignal): AnyAsk {
  const place = { tms: WEB_MERCATOR_QUAD.key, ...tile };
  const common = {
    layers: [layer.id],
    ifNoneMatch: undefined,
    client: 'rehearsal',
    signal: () => signal,
    explain: false,
    strict: true,
  };
  const ask =
    layer.kind === 'raster'
      ? {
          ...common,
          operation: tiles.rasterTile,
          encoding: 'identity',
          params: { ...place, scale: 1, tilesize: null, buffer: 0, format, raster: rasterParams({}, layer) },
        }
      : { ...common, operation: tiles.vectorTile, encoding: 'gzip', params: { ...place, properties: null } };
  return ask as unknown as AnyAsk;
}

/** The coarsest zoom that is painted: of a raster near its own pixels, of a vector layer where tiles are of a middling size. */
function zoomFrom(layer: Layer, [minx, miny, maxx, maxy]: BBox): number {
  const { minzoom, maxzoom } = layer;
  const last = Math.max(minzoom, maxzoom - ZOOMS + 1);
  if (layer.kind !== 'vector') return last;
  const worlds = ((maxx - minx) / WORLD) * ((maxy - miny) / WORLD);
  const zoom = Math.round(Math.log2(layer.source.count / FEATURES / worlds) / 2);
  return Math.min(last, Math.max(minzoom, zoom));
}

/** Somewhere in the box: whole tiles, each as likely. */
function tileIn([minx, miny, maxx, maxy]: BBox, z: number, random: () => number): TileCoord {
  const side = WORLD / 2 ** z;
  const at = (low: number, high: number) =>
    Math.min(2 ** z - 1, Math.max(0, Math.floor((low + random() * (high - low) + MERCATOR_HALF) / side)));
  return { z, x: at(minx, maxx), y: at(-maxy, -miny) };
}

/** Of a box in degrees; one that crosses the antimeridian counts as the whole world's width. */
function inMercator([west, south, east, north]: BBox): BBox {
  const [from, to] = west < east ? [west, east] : [-180, 180];
  return [lonToMercator(from), latToMercator(south), lonToMercator(to), latToMercator(north)];
}

/** False where that failed. */
async function serveAndDrop(ask: AnyAsk, rooms: Rooms): Promise<boolean> {
  try {
    const reply = await serve(ask, rooms);
    reply.release();
    // What is answered within a turn of the loop would leave no turn to others.
    await new Promise(setImmediate);
    return true;
  } catch {
    // A layer that cannot be painted tells its first client why. Here it must only not be tried in a tight loop.
    await new Promise(resolve => setTimeout(resolve, FAILED_MS));
    return false;
  }
}

const FAILED_MS = 20;

/** Numbers from 0 to 1, the same at every start, so that starts can be compared. (Park and Miller's generator.) */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const SILENT: Observer = { planned() {}, waited() {}, rendered() {} };
/** All that serve() asks of a cache. */
const FORGETFUL = { get: () => undefined, peek: () => undefined, offer: () => false } as unknown as ByteCache;
const UNCOUNTED: Pick<Ladder, 'count'> = { count() {} };
