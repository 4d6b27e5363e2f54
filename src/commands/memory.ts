/** `plimsoll memory --limit 256MiB`: the budget that a limit leads to, as the server would print it at start. */
import { availableParallelism } from 'node:os';
import { type Config, ConfigError, type FlagValue, formatIssue, loadConfig } from '../config/load.ts';
import { type Budget, type BudgetSettings, deriveBudget, describeBudget } from '../memory/budget.ts';
import { launchSettings } from '../memory/launch.ts';
import { readLimit } from '../memory/limit.ts';
import { segmentBytesFor } from '../memory/segments.ts';
import { EXIT_CONFIG, type Output } from './check-config.ts';

export interface MemoryOptions {
  readonly config: string | null;
  readonly flags: readonly FlagValue[];
  readonly json: boolean;
}

/** What an operator may set of the budget, in the words of the configuration. */
function budgetSettings({ memory, raster, vector, remote }: Config): Partial<BudgetSettings> {
  const { lineShare, workers, cacheBytes, requestCeilingBytes } = memory;
  const given = {
    workers,
    cacheBytes,
    requestCeilingBytes,
    blocksBytes: raster.tileCacheBytes,
    indexCacheBytes: vector.indexCacheBytes,
    remoteIndexBytes: remote.indexBytes,
  };
  return {
    lineShare,
    cpus: availableParallelism(),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)),
  };
}

/** One cache segment: the unit in which the cache gives memory back. */
export function segmentBytesOf({ cacheBytes }: Budget, { memory: { segmentBytes } }: Config): number {
  return segmentBytes ?? segmentBytesFor(cacheBytes);
}

/** Errors: RangeError with the table, where the limit cannot work or a cache could not hold two of its own segments. */
export function budgetFor(limitBytes: number, config: Config): Budget {
  const budget = deriveBudget(limitBytes, budgetSettings(config));
  const { segmentBytes } = config.memory;
  if (config.cache.enabled && segmentBytes !== null && 2 * segmentBytes > budget.cacheBytes) {
    throw new RangeError(
      `memory.segmentBytes: two segments of ${segmentBytes} bytes do not fit a cache of ${budget.cacheBytes} bytes\n` +
        describeBudget(budget),
    );
  }
  return budget;
}

export function memory(
  options: MemoryOptions,
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): number {
  let budget: Budget;
  let from = 'given';
  let segmentBytes: number;
  try {
    const config = loadConfig({ file: options.config ?? env['PLIMSOLL_CONFIG'] ?? null, env, flags: options.flags });
    const limit = config.memory.limit ?? readLimit().bytes;
    if (config.memory.limit === null) from = readLimit().source;
    budget = budgetFor(limit, config);
    segmentBytes = segmentBytesOf(budget, config);
  } catch (error) {
    if (error instanceof ConfigError) for (const issue of error.issues) output.err(formatIssue(issue));
    else if (error instanceof RangeError) output.err(error.message);
    else throw error;
    return EXIT_CONFIG;
  }
  const launch = launchSettings(budget, segmentBytes);
  if (options.json) output.out(JSON.stringify({ from, ...budget, segmentBytes, launch }, null, 2));
  else {
    const env = Object.entries(launch.env).map(([name, value]) => `${name}=${value}`);
    const words = [...env, 'node', ...launch.execArgv].join(' ');
    output.out(`${describeBudget(budget)}\n(limit: ${from})\nstarted as: ${words}`);
  }
  return 0;
}
