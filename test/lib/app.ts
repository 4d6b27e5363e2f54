/** The whole server over real files, for app.inject: no port, no relaunch, everything else as in production. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { type App, createApp } from '../../src/app.ts';
import { budgetFor } from '../../src/commands/memory.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { createGauge, type Gauge } from '../../src/memory/gauge.ts';
import { type Limit, readLimit } from '../../src/memory/limit.ts';

export const DEMO = fileURLToPath(new URL('../../demo', import.meta.url));
export const SHARED = fileURLToPath(new URL('../../../shared/data/dev', import.meta.url));

/** For test options: false where the shared data is there, else the reason to skip. */
export const WITHOUT_SHARED = existsSync(SHARED) ? false : 'the shared test data is not beside this checkout';

export interface TestAppOptions {
  readonly paths?: readonly string[];
  /** A configuration file, beside what `set` says. */
  readonly file?: string;
  readonly memory?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly log?: Logger;
  /** The configuration in other hands: everything that reads it reads this one. */
  readonly watched?: (config: Config) => Config;
  /** A limit that changes while the server runs, as that of a pod may; this process's own memory is held against it. */
  readonly limitNow?: () => number;
}

const silent = pino({ level: 'silent' });

/**
 * A process that holds little, whatever the test beside the server holds: without it a test that makes its own large
 * file is refused by the server it tests, now and then, as it should be.
 */
function calmGauge(limit: Limit): Gauge {
  const heap = { used: 12 << 20, committed: 24 << 20, limit: 128 << 20, external: 4 << 20 };
  const figures = { rss: 80 << 20, file: 40 << 20 };
  return createGauge({ limit, reader: { group: () => null, process: () => figures, heap: () => heap, close() {} } });
}

export async function testApp(options: TestAppOptions = {}): Promise<App> {
  const { paths = [DEMO], file, memory = '512MiB', set = {}, log = silent, limitNow, watched } = options;
  const all = {
    'memory.limit': memory,
    'memory.workers': '1',
    'discovery.watch': 'false',
    'server.rehearsal': '0s',
    'vector.warmUp': 'false',
    'raster.shadow.warmUp': 'false',
    ...set,
  };
  const flags = Object.entries(all).map(([key, text]) => ({ flag: `--set ${key}`, key, text }));
  const loaded = loadConfig({ env: {}, file, flags, paths });
  const config = watched ? watched(loaded) : loaded;
  const read = readLimit({ flag: config.memory.limit ?? undefined });
  const limit = limitNow ? { ...read, bytes: limitNow() } : read;
  const budget = budgetFor(config.memory.limit ?? limit.bytes, config);
  return createApp({
    config,
    limit,
    budget,
    log,
    ...(limitNow ? { readLimit: () => ({ ...limit, bytes: limitNow() }) } : { gauge: calmGauge(limit) }),
  });
}
