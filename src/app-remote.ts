/** Files of other servers: their settings, and how the rooms hold and release what is open of them. */
import type { Admission } from './admission/controller.ts';
import { createTurns, type Turns } from './admission/turns.ts';
import { turnsApart } from './admission/turns-apart.ts';
import { type IndexShare, rasterDefaults } from './app-parts.ts';
import type { ByteCache } from './cache/types.ts';
import type { Config } from './config/load.ts';
import { Problem } from './errors.ts';
import type { HttpContext } from './http/context.ts';
import { layerKey } from './identity.ts';
import { lazyRangeClient } from './io/files.ts';
import { type AllowRule, isUrl, parseAllowRule } from './io/http/allow.ts';
import type { FetchSettings } from './io/http/client.ts';
import { type RemoteCounts, readTally } from './io/http/tally.ts';
import { createFarFiles, type FarDeps, type FarFiles } from './layers/far.ts';
import { createRemotes } from './layers/remote.ts';
import type { RemoteDeps, Remotes } from './layers/remote-types.ts';
import type { Catalogue } from './layers/types.ts';
import type { Budget } from './memory/budget.ts';
import type { Memory } from './memory/memory.ts';
import type { BytesRef, FeatureReads, Job, Painted } from './plan.ts';
import { isFar } from './serve-layers.ts';
import { isFgbSource, openFgb } from './source/fgb/open.ts';
import { openCog } from './source/tiff/open.ts';
import type { Source } from './source/types.ts';

/** Of the tables of remote files, however small the limit. */
const INDEX_BYTES_MIN = 2 * 2 ** 20;

interface RemoteInput {
  readonly config: Config;
  readonly budget: Budget;
  readonly memory: Memory;
  readonly admission: Admission;
  readonly cache: ByteCache;
  readonly zoomsOf: RemoteDeps['zoomsOf'];
  readonly tally: SharedArrayBuffer;
  /** What indexes of vector files share. */
  readonly index: IndexShare;
}

/** Whether there may be files of other servers at all: where not, nothing is in the way of those of this machine. */
export function far({ remote, paths, layers }: Config): boolean {
  const named = Object.values(layers).flatMap(({ path, mosaic }) => [path ?? [], mosaic?.paths ?? []].flat());
  return remote.allow.length > 0 || [...paths, ...named].some(isUrl);
}

/** Of one thread: the main one opens files, the workers read them, and all count into `tally`. */
export function fetchSettings(remote: Config['remote'], workers: number, tally: SharedArrayBuffer): FetchSettings {
  return {
    tally,
    timeoutMs: remote.timeout,
    retries: remote.retries,
    addresses: remote.addresses,
    concurrency: Math.max(1, Math.floor(remote.concurrency / (workers + 1))),
  };
}

export interface FarRooms {
  /** By `url=`. */
  readonly remotes: Remotes;
  /** By the configuration. */
  readonly files: FarFiles;
  /** What all threads asked of other servers. */
  counts(): RemoteCounts;
}

/** Both are read by the same client, so that what bounds it bounds them together. */
export function createFarRooms(input: RemoteInput): FarRooms {
  const { config, budget, memory, admission, cache, zoomsOf, tally } = input;
  const { remote } = config;
  const now = () => performance.now();
  const client = lazyRangeClient(fetchSettings(remote, budget.workers, tally));
  const { openBytes, aheadBytes, treeBytes } = remote;
  const bounds = { ttlMs: remote.ttl, openBytes, aheadBytes };
  const remotes = createRemotes({
    settings: {
      ...bounds,
      allow: remote.allow.map(parseAllowRule).filter((rule): rule is AllowRule => rule !== null),
      filesMax: remote.maxFiles,
      indexBytes: remote.indexBytes ?? Math.max(INDEX_BYTES_MIN, budget.remoteIndexBytes),
      defaults: rasterDefaults(config.raster),
    },
    client,
    ledger: memory.ledger,
    zoomsOf,
    admit: (bytes, who) => admission.acquire({ bytes, class: 'window', ...who }),
    onGone: layer => cache.deleteLayer(layerKey(layer.id, layer.version)),
    now,
  });
  memory.register(remotes.sheddable);
  const hold = (bytes: number) => {
    const booking = memory.ledger.book('index', bytes, 'index leaves on their way');
    return () => booking.release();
  };
  const open: FarDeps['open'] = (ref, bytes, choices, beside) =>
    ref.remote?.features
      ? openFgb(ref, { ...input.index, ...choices, hold, beside, open: () => bytes })
      : openCog(ref, { ...choices, siblings: false, open: () => bytes });
  const files = createFarFiles({ ...bounds, treeBytes, features: featureReads(remote), client, open, now });
  return { remotes, files, counts: () => readTally(tally) };
}

/** Requests that a tile may take for each that may be under way: some seconds of a server that is not near. */
const REQUESTS_A_PLACE = 32;

function featureReads({
  gapBytes,
  tileRequests,
  tileBytes,
  indexReadBytes,
  concurrency,
}: Config['remote']): FeatureReads {
  const requestsMax = tileRequests ?? REQUESTS_A_PLACE * concurrency;
  return { gapBytes, requestsMax, bytesMax: tileBytes, indexBytes: indexReadBytes };
}

/** Plans of files that other servers have hold little while they wait, so more of one layer may. */
const FAR_WALKS_OF_ONE_LAYER = 4;

/** Turns of plans that walk an index: of files here, and of those elsewhere. `isFar`: of layers, joined by commas. */
export function turnsOf({ memory: { queue } }: Config, isFar: (layers: string) => boolean): Turns {
  const settings = { deadlineMs: queue.deadlineMs, waitingMax: queue.max };
  return turnsApart(createTurns(settings), createTurns({ ...settings, ofOneLayer: FAR_WALKS_OF_ONE_LAYER }), isFar);
}

type Run = (job: Job, signal: AbortSignal) => Promise<Painted>;

/** As aside() for jobs that go to the pool without it: features and zones. */
export function doubting({ files }: FarRooms, run: Run): Run {
  return async (job, signal) => {
    try {
      return await run(job, signal);
    } catch (error) {
      if (error instanceof Problem && error.code === 'source-changed') for (const ref of refsOf(job)) files.doubt(ref);
      throw error;
    }
  };
}

/** A file, and what is prepared of it. */
function sourceRefs(source: Source): BytesRef[] {
  const { current } = source.kind === 'vector' && isFgbSource(source) ? source.overview : { current: null };
  return current ? [source.ref, current.bytes.ref] : [source.ref];
}

function refsOf(job: Job & { readonly ref?: BytesRef; readonly features?: { readonly ref: BytesRef } }): BytesRef[] {
  return [job.ref ?? [], job.features?.ref ?? []].flat();
}

/**
 * A file that changed while it was read is asked for anew by the next request, not at the end of its time. And what waits for other
 * servers waits among the windows: the memory that is kept for tiles is not theirs.
 */
export function aside(
  { remotes, files }: FarRooms,
  catalogue: Catalogue,
  serve: HttpContext['serve'],
): HttpContext['serve'] {
  return async ask => {
    if (!isFar(catalogue, ask.layers)) return serve(ask);
    try {
      return await serve({ ...ask, operation: { ...ask.operation, class: 'window' } });
    } catch (error) {
      if (error instanceof Problem && error.code === 'source-changed')
        for (const id of ask.layers) {
          remotes.doubt(id);
          const layer = catalogue.get(id);
          if (layer && 'source' in layer) for (const ref of sourceRefs(layer.source)) files.doubt(ref);
        }
      throw error;
    }
  };
}
