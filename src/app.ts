/** Composition root: builds each room once, by hand, and knows in which order they are taken down again. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Admission } from './admission/controller.ts';
import { buildAdmission, buildCatalogue, buildSessions, catalogueConfig, indexShare, zoomsOf } from './app-parts.ts';
import { aside, createFarRooms, doubting, type FarRooms, far, fetchSettings, turnsOf } from './app-remote.ts';
import { buildShadows } from './app-shadows.ts';
import { createByteCache } from './cache/byte-cache.ts';
import { createFlight } from './cache/flight.ts';
import type { ByteCache } from './cache/types.ts';
import { readTileMatrixSets } from './config/grids.ts';
import type { Config } from './config/load.ts';
import { createGrids } from './grids/index.ts';
import type { Grids } from './grids/types.ts';
import type { HttpContext } from './http/context.ts';
import { createServer } from './http/server.ts';
import { tallyBuffer } from './io/http/tally.ts';
import { createLadder } from './ladder.ts';
import type { CatalogueRoom } from './layers/catalogue.ts';
import { type Budget, levelMarks, warmsUp } from './memory/budget.ts';
import type { Gauge } from './memory/gauge.ts';
import { Allocations } from './memory/leak/allocations.ts';
import type { Limit } from './memory/limit.ts';
import { createMemory, type Memory } from './memory/memory.ts';
import { segmentBytesFor } from './memory/segments.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { sessionTile, type TileOperations, tileOperations } from './operations.ts';
import { createPast } from './past.ts';
import type { Job } from './plan.ts';
import { rehearse } from './rehearsal.ts';
import { batchBytesFor } from './render/items/stream.ts';
import { createHandOn, type HandOn } from './render/raster/hand-on.ts';
import { createBodies } from './reply-bodies.ts';
import { createReports, type Reports } from './reports.ts';
import { type Observer, type Rooms, serve } from './serve.ts';
import { type Cells, createCells } from './serve-cells.ts';
import { isFar } from './serve-layers.ts';
import type { Shadows } from './serve-shadow-types.ts';
import type { Sessions } from './sessions/types.ts';
import { WEB_MERCATOR_QUAD } from './tile.ts';
import { createPool, type Pool } from './workers/pool.ts';

export interface AppInput {
  readonly config: Config;
  readonly limit: Limit;
  readonly budget: Budget;
  readonly log: Logger;
  readonly readLimit?: () => Limit;
  /** Tests: figures of their own in place of this machine's. */
  readonly gauge?: Gauge;
}

export interface App {
  readonly server: FastifyInstance;
  readonly catalogue: CatalogueRoom;
  readonly memory: Memory;
  readonly rooms: Rooms;
  /** SIGHUP: other paths, layers, what holds for all layers, and discovery; the rest of a configuration needs a restart. */
  reload(config: Config): Promise<number>;
  /** Lets requests under way finish, then ends every room. */
  close(): Promise<void>;
}

/** Share of the queue's deadline that a full answer may wait; the rest is for a degraded one. */
const PATIENCE = 0.4;
/** Life of a degraded answer. */
const DEGRADED_MS = 15_000;

interface Built extends Omit<Rooms, 'observer'> {
  readonly memory: Memory;
  readonly catalogue: CatalogueRoom;
  readonly cache: ByteCache;
  readonly admission: Admission;
  readonly pool: Pool;
  readonly cells: Cells;
  readonly shadows: Shadows;
  readonly sessions: Sessions | null;
  readonly farRooms: FarRooms;
  readonly handOn: HandOn;
}

export async function createApp(input: AppInput): Promise<App> {
  const state = { draining: false, rehearsing: () => true };
  const built = await buildRooms(input);
  const reports = createReports({
    ...built,
    ...built.farRooms,
    budget: input.budget,
    limit: input.limit,
    draining: () => state.draining,
    rehearsing: () => state.rehearsing(),
  });
  const metrics = createMetrics(reports.sources);
  const observer: Observer = {
    planned: reports.planned,
    waited: (permitClass, ms) => metrics.waited(permitClass, ms / 1000),
    rendered: (operation, ms) => metrics.rendered(operation, ms / 1000),
  };
  const catalogue = far(input.config) ? built.farRooms.remotes.beside(built.catalogue) : built.catalogue;
  const rooms: Rooms = { ...built, catalogue, observer };
  const grids = createGrids(readTileMatrixSets(input.config.tileMatrixSets).sets);
  const tiles = tileOperations(grids, built.cells.measure, built.handOn);
  const server = createServer(
    serverOptions(input, metrics),
    routes(input, built, rooms, { reports, metrics, grids, tiles }),
  );
  const rehearsal = rehearse(rooms, tiles, {
    ms: rehearsalMs(input),
    atOnce: 4 * input.budget.workers,
    collect: globalThis.gc as (() => void) | undefined,
  });
  state.rehearsing = () => rehearsal.underway;
  return {
    server,
    catalogue: built.catalogue,
    memory: built.memory,
    rooms,
    reload: async config => (await built.catalogue.reload(catalogueConfig(config))).length,
    close: async () => {
      state.draining = true;
      built.admission.close();
      built.turns.close();
      await rehearsal.close();
      await server.close();
      await built.cells.close();
      await built.shadows.close();
      await built.sessions?.close();
      built.farRooms.files.close();
      built.farRooms.remotes.close();
      await built.catalogue.close();
      await built.pool.close();
      built.handOn.close();
      built.cache.close();
      built.memory.close();
    },
  };
}

/** Compiled code takes memory too, and a second of both cores: small servers start at once. */
function rehearsalMs({ config, budget }: AppInput): number {
  return config.server.rehearsal ?? (warmsUp(budget) ? 1000 : 0);
}

async function buildRooms(input: AppInput): Promise<Built> {
  const { config, limit, budget, log, readLimit, gauge } = input;
  const memory = createMemory({
    limit,
    budget,
    levels: levelMarks(budget, config.memory),
    collect: globalThis.gc as (() => void) | undefined,
    ...(readLimit ? { readLimit } : {}),
    ...(gauge ? { gauge } : {}),
    onAuditFailure: err => log.error({ err }, 'the books of memory do not agree: please report this'),
  });
  memory.onLevel((level, before) =>
    log.warn({ level, before, used: memory.gauge.last.used }, 'the memory level changed'),
  );
  const bodies = createBodies(memory.ledger);
  memory.gauge.onSample(() => bodies.sweep(memory.budgetBytes()));
  const admission = buildAdmission(config, budget, memory, bodies);
  const tally = tallyBuffer();
  const pool = createPool({
    threads: budget.workers,
    workerHeapMb: budget.workerOldSpaceMb,
    blockCacheBytes: Math.floor(budget.blocksBytes / budget.workers),
    ...(far(config) ? { remote: fetchSettings(config.remote, budget.workers, tally) } : {}),
  });
  const shadows = buildShadows(input, memory, admission, pool);
  const cache = createByteCache({
    maxBytes: config.cache.enabled ? budget.cacheBytes : 0,
    roomBytes: () => memory.cacheBytes() - shadows.heldBytes,
    segmentBytes: config.memory.segmentBytes ?? segmentBytesFor(budget.cacheBytes),
    maxEntryBytes: config.cache.maxEntryBytes,
    ledger: memory.ledger,
  });
  memory.register(cache);
  memory.ledger.book('blocks', budget.blocksBytes, 'decoded blocks kept by the workers');
  const past = createPast();
  const cells = createCells({
    admission,
    pool,
    ledger: memory.ledger,
    level: () => memory.level(),
    ahead: (config.vector.warmUp ?? warmsUp(budget)) ? WEB_MERCATOR_QUAD : null,
  });
  const index = indexShare(config, budget, memory);
  const farRooms = createFarRooms({ config, budget, memory, admission, cache, zoomsOf, tally, index });
  const catalogue = await buildCatalogue(input, memory, { cells, shadows, far: farRooms.files, index }, changes => {
    for (const key of past.changed(changes)) cache.deleteLayer(key);
  });
  const sessions = config.sessions.enabled ? buildSessions(config, budget, catalogue, memory, cache) : null;
  const turns = turnsOf(config, layer => isFar(catalogue, layer.split(',')));
  const ladder = createLadder({ level: () => memory.level(), patienceMs: config.memory.queue.deadlineMs * PATIENCE });
  const caching = { maxAge: config.cache.maxAge, staleWhileRevalidate: config.cache.swr, degradedMs: DEGRADED_MS };
  return {
    memory,
    bodies,
    cache,
    admission,
    turns,
    pool,
    cells,
    shadows,
    catalogue,
    sessions,
    farRooms,
    handOn: createHandOn(),
    flight: createFlight(),
    ladder,
    past,
    caching,
  };
}

function serverOptions({ config, log }: AppInput, metrics: Metrics) {
  const { accessLog, bodyLimit, keepAliveTimeout, requestTimeout, trustProxy, cors, publicUrl } = config.server;
  return {
    log,
    accessLog,
    bodyLimit,
    keepAliveTimeout,
    requestTimeout,
    trustProxy,
    corsOrigins: cors.origins,
    basePath: publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, ''),
    observe: metrics.http,
  };
}

interface Parts {
  readonly reports: Reports;
  readonly metrics: Metrics;
  readonly grids: Grids;
  readonly tiles: TileOperations;
}

function routes({ config, budget }: AppInput, built: Built, rooms: Rooms, { reports, metrics, grids, tiles }: Parts) {
  const { catalogue, admission, sessions } = built;
  const publicUrl = publicUrlOf(config.server.publicUrl);
  const http: HttpContext = {
    catalogue,
    remotes: built.farRooms.remotes,
    serve: far(config) ? aside(built.farRooms, rooms.catalogue, ask => serve(ask, rooms)) : ask => serve(ask, rooms),
    maxSize: config.raster.maxSize,
    encodings: config.cache.defaultEncodings,
    filter: config.filter,
    publicUrl,
    grids,
    tiles,
    sessionTile: sessions === null ? null : sessionTile(sessions),
    fieldsOf: reports.fieldsOf,
  };
  return {
    http,
    ops: {
      notReady: reports.notReady,
      metrics: metrics.scrape,
      memory: reports.memory,
      debug: {
        debugMemory: reports.debugMemory,
        leak: reports.leak,
        allocations: new Allocations(() => built.memory.headroom()),
        adminToken: config.adminToken,
      },
    },
    features: {
      catalogue,
      publicUrl,
      filter: config.filter,
      limitDefault: config.features.limitDefault,
      limitMax: config.features.limitMax,
      batchBytes: batchBytesFor(budget.requestCeilingBytes),
      admit: reports.admit(admission),
      price: admission.price.bind(admission),
      turns: built.turns,
      learn: reports.learn(admission),
      run: doubting(built.farRooms, (job: Job, signal: AbortSignal) => built.pool.run(job, { signal })),
    },
    sessions: sessions === null ? null : { sessions, publicUrl, admit: reports.admit(admission) },
  };
}

/** --public-url where it is given; else what the client itself used to reach us. */
function publicUrlOf(configured: string | null): (request: FastifyRequest) => string {
  const fixed = configured?.replace(/\/+$/, '');
  return request => fixed ?? `${request.protocol}://${request.host}`;
}
