/** `plimsoll memory --limit 256MiB`: the budget that a limit leads to, as the server would print it at start. */
import { availableParallelism } from 'node:os';
import { type Config, ConfigError, type FlagValue, formatIssue, loadConfig } from '../config/load.ts';
import { type Budget, type BudgetSettings, deriveBudget, describeBudget } from '../memory/budget.ts';
import { readLimit } from '../memory/limit.ts';
import { EXIT_CONFIG, type Output } from './check-config.ts';

export interface MemoryOptions {
  readonly config: string | null;
  readonly flags: readonly FlagValue[];
  readonly json: boolean;
}

/** What an operator may set of the budget, in the words of the configuration; app.ts derives its own budget from it too. */
export function budgetSettings({ memory }: Config): Partial<BudgetSettings> {
  const { lineShare, workers, cacheBytes, requestCeilingBytes } = memory;
  return {
    lineShare,
    cpus: availableParallelism(),
    ...(workers === null ? {} : { workers }),
    ...(cacheBytes === null ? {} : { cacheBytes }),
    ...(requestCeilingBytes === null ? {} : { requestCeilingBytes }),
  };
}

export function memory(
  options: MemoryOptions,
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): number {
  let budget: Budget;
  let from = 'given';
  try {
    const config = loadConfig({ file: options.config ?? env['PLIMSOLL_CONFIG'] ?? null, env, flags: options.flags });
    const limit = config.memory.limit ?? readLimit().bytes;
    if (config.memory.limit === null) from = readLimit().source;
    budget = deriveBudget(limit, budgetSettings(config));
  } catch (error) {
    if (error instanceof ConfigError) for (const issue of error.issues) output.err(formatIssue(issue));
    else if (error instanceof RangeError) output.err(error.message);
    else throw error;
    return EXIT_CONFIG;
  }
  if (options.json) output.out(JSON.stringify({ from, ...budget }, null, 2));
  else output.out(`${describeBudget(budget)}\n(limit: ${from})`);
  return 0;
}
