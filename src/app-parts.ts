/** Rooms whose making takes more than a line, for app.ts. */
import { type Admission, createAdmission } from './admission/controller.ts';
import type { AppInput } from './app.ts';
import type { ByteCache } from './cache/types.ts';
import type { Config } from './config/load.ts';
import { layerKey } from './identity.ts';
import { type CatalogueConfig, type CatalogueRoom, type Change, createCatalogue } from './layers/catalogue.ts';
import type { FarFiles } from './layers/far.ts';
import type { Zooms } from './layers/open.ts';
import type { LayerOptions } from './layers/types.ts';
import type { Budget } from './memory/budget.ts';
import type { Memory } from './memory/memory.ts';
import { rasterZooms } from './render/raster/info.ts';
import { defaultZooms } from './render/vector/plan.ts';
import type { Bodies } from './reply-bodies.ts';
import type { Cells } from './serve-cells.ts';
import type { Shadows } from './serve-shadow-types.ts';
import { createSessions } from './sessions/keeper.ts';
import { SESSION_DEFAULTS } from './sessions/settings.ts';
import type { Sessions } from './sessions/types.ts';
import { PageBudget } from './source/fgb/rtree-pages.ts';
import { SpareTaken } from './source/fgb/taken.ts';
import { type OpenOptions, openSource } from './source/registry.ts';
import type { Source } from './source/types.ts';

/** Of index leaves that are kept, however small the limit. */
const INDEX_CACHE_MIN = 256 * 1024;

export function buildAdmission(
  { memory: settings }: Config,
  budget: Budget,
  memory: Memory,
  bodies: Bodies,
): Admission {
  return createAdmission({
    ledger: memory.ledger,
    budgetBytes: () => memory.budgetBytes(),
    ceilingBytes: budget.requestCeilingBytes,
    level: () => memory.level(),
    repliesOf: client => bodies.bytesOf(client),
    mode: settings.admission,
    floors: { tile: settings.tileFloor },
    clientShare: settings.clientShare,
    queueCountMax: settings.queue.max,
    deadlineMs: settings.queue.deadlineMs,
  });
}

/** What the indexes of all vector files share: one cache of leaves, and arrays for walks. */
export type IndexShare = Pick<OpenOptions, 'pages' | 'taken' | 'pageBytes' | 'unindexedBytesMax'>;

/** Booked whole. */
export function indexShare({ vector }: Config, budget: Budget, { ledger }: Memory): IndexShare {
  const pages = new PageBudget(vector.indexCacheBytes ?? Math.max(INDEX_CACHE_MIN, budget.indexCacheBytes));
  ledger.book('index', pages.bytesMax, 'pages of index leaves');
  return {
    pages,
    taken: new SpareTaken(),
    pageBytes: vector.indexPageBytes,
    unindexedBytesMax: vector.unindexedMaxBytes,
  };
}

export function zoomsOf(source: Source): Zooms {
  return source.kind === 'vector' ? defaultZooms(source) : (rasterZooms(source) ?? { minzoom: 0, maxzoom: 0 });
}

interface CatalogueRooms {
  readonly cells: Cells;
  readonly shadows: Shadows;
  readonly far: FarFiles;
  readonly index: IndexShare;
}

/** Files that are new or other by now have their cells measured ahead, those of the first look once all are there. */
export async function buildCatalogue(
  { config, log }: Pick<AppInput, 'config' | 'log'>,
  memory: Memory,
  { cells, shadows, far, index }: CatalogueRooms,
  changed: (changes: readonly Change[]) => void,
): Promise<CatalogueRoom> {
  let opened: CatalogueRoom | null = null;
  const catalogue = await createCatalogue({
    ...catalogueConfig(config),
    open: (ref, choices) => openSource(ref, { ...index, ...choices }),
    far,
    zoomsOf,
    shadowOf: (id, source, cap) => shadows.of(id, source, cap),
    ledger: memory.ledger,
    log,
    onChange: changes => {
      changed(changes);
      const layers = changes.map(({ layer }) => layer);
      if (opened) cells.queue(layers, opened);
    },
  });
  opened = catalogue;
  cells.queue(catalogue.list(), catalogue);
  return catalogue;
}

export function buildSessions(
  config: Config,
  budget: Budget,
  catalogue: CatalogueRoom,
  memory: Memory,
  cache: ByteCache,
): Sessions {
  const { ttl, idle, quotaBytes, maxSessions, maxLayers, maxBodyBytes } = config.sessions;
  const sessions = createSessions({
    ledger: memory.ledger,
    settings: {
      ...SESSION_DEFAULTS,
      totalBytes: budget.sessionsBytes,
      quotaBytes: quotaBytes ?? budget.sessionsBytes,
      ttlMs: ttl,
      idleMs: idle,
      maxSessions,
      maxLayers,
      maxBodyBytes,
    },
    catalogue: {
      addSession: layer => catalogue.addSession(layer),
      removeSession: (id, why) => {
        const layer = catalogue.get(id);
        catalogue.removeSession(id, why);
        if (layer) cache.deleteLayer(layerKey(id, layer.version));
      },
    },
  });
  memory.register(sessions.sheddable);
  return sessions;
}

export function catalogueConfig({ paths, layers, discovery, vector, raster, filter }: Config): CatalogueConfig {
  const { maxFeatures, maxTileBytes, extent, buffer } = vector;
  const { mosaicMaxAssets } = raster;
  const limits = { filterReadBytes: filter.maxReadBytes, mosaicMaxAssets };
  const defaults = { maxFeatures, maxTileBytes, extent, buffer, ...limits, ...rasterDefaults(raster) };
  return { paths, layers: layers as CatalogueConfig['layers'], defaults, discovery };
}

/** What holds for every raster, those of other servers too. */
export function rasterDefaults({ jpegQuality, webpQuality, maxReadAmplification }: Config['raster']): LayerOptions {
  return { jpegQuality, webpQuality, maxReadAmplification };
}
