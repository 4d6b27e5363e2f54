/** The whole server over real files, for app.inject: no port, no relaunch, everything else as in production. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { deriveBudget } from '../../src/memory/budget.ts';
import { readLimit } from '../../src/memory/limit.ts';

export const DEMO = fileURLToPath(new URL('../../demo', import.meta.url));
export const SHARED = fileURLToPath(new URL('../../../shared/data/dev', import.meta.url));

/** For test options: false where the shared data is there, else the reason to skip. */
export const WITHOUT_SHARED = existsSync(SHARED) ? false : 'the shared test data is not beside this checkout';

export interface TestAppOptions {
  readonly paths?: readonly string[];
  readonly memory?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly log?: Logger;
  /** A limit that changes while the server runs, as that of a pod may. */
  readonly limitNow?: () => number;
}

const silent = pino({ level: 'silent' });

export async function testApp(options: TestAppOptions = {}): Promise<App> {
  const { paths = [DEMO], memory = '512MiB', set = {}, log = silent, limitNow } = options;
  const all = { 'memory.limit': memory, 'memory.workers': '1', 'discovery.watch': 'false', ...set };
  const flags = Object.entries(all).map(([key, text]) => ({ flag: `--set ${key}`, key, text }));
  const config = loadConfig({ env: {}, flags, paths });
  const limit = readLimit({ flag: config.memory.limit ?? undefined });
  const budget = deriveBudget(config.memory.limit ?? limit.bytes, { workers: 1 });
  return createApp({
    config,
    limit,
    budget,
    log,
    ...(limitNow ? { readLimit: () => ({ ...limit, bytes: limitNow() }) } : {}),
  });
}
