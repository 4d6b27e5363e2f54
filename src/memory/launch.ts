/**
 * What must be set before the process starts, derived from the limit: V8 sizes its heap by the machine (259–268 MB in
 * containers of 128 to 512 MB, so the kernel kills first), and glibc keeps freed segments once any larger buffer has been
 * freed, unless its mmap threshold is pinned. The launcher starts node again with these where they are not set.
 */
import type { Budget } from './budget.ts';
import { mmapThresholdFor } from './segments.ts';

const NODE_MAJOR = Number(process.versions.node.split('.')[0]);

export interface LaunchSettings {
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** V8 keeps up to 32 MiB of freed heap pages for 8 s before it gives them back; older V8 ends at a flag it does not know. */
const POOL_FLAGS = ['--no-memory-pool', '--no-large-page-pool'] as const;

/**
 * A heap of 30 MiB is marked whole after every 4 MiB or so, which is a sixth of the CPU of a vector tile. Where memory is ample it may grow
 * to two and a half times its size first, within --max-old-space-size, which the budget has set aside for it anyway.
 */
const ROOMY_BYTES = 2 ** 30;
const ROOMY_FLAGS = ['--heap-growing-percent=150'] as const;

export function launchSettings(budget: Budget, segmentBytes: number, nodeMajor: number = NODE_MAJOR): LaunchSettings {
  return {
    execArgv: [
      `--max-old-space-size=${budget.maxOldSpaceMb}`,
      `--max-semi-space-size=${budget.semiSpaceMb}`,
      '--expose-gc',
      ...(budget.limit >= ROOMY_BYTES ? ROOMY_FLAGS : []),
      ...(nodeMajor >= 26 ? POOL_FLAGS : []),
    ],
    env: {
      MALLOC_ARENA_MAX: '2',
      MALLOC_MMAP_THRESHOLD_: String(Math.min(mmapThresholdFor(segmentBytes), mapFrom(budget.limit))),
    },
  };
}

/** Below this the arenas of malloc must be kept small. */
const TIGHT_BYTES = 256 * 2 ** 20;
const TIGHT_MAP_FROM = 2 ** 16;

/**
 * Buffers from this size on are mapped. What is freed within an arena stays with it: under 128 MiB a few dozen tiles left 35 MiB
 * of holes. So where memory is short all but small buffers are mapped; elsewhere a mapping a buffer is not worth its faults.
 */
function mapFrom(limitBytes: number): number {
  return limitBytes < TIGHT_BYTES ? TIGHT_MAP_FROM : 2 ** 20;
}

/** Which of them the running process lacks; empty: nothing to start again for. */
export function missingLaunch(
  wanted: LaunchSettings,
  have: { execArgv: readonly string[]; nodeOptions: string; env: Readonly<Record<string, string | undefined>> },
): string[] {
  const words = [...have.execArgv, ...have.nodeOptions.split(/\s+/)].map(word => word.split('=')[0]);
  // A value that an operator chose counts as set. jemalloc reads MALLOC_CONF and knows no mmap threshold.
  const jemalloc = have.env['LD_PRELOAD']?.includes('jemalloc') === true;
  const flags = wanted.execArgv.filter(flag => !words.includes(flag.split('=')[0]));
  const env = Object.keys(wanted.env).filter(name => have.env[name] === undefined && !jemalloc);
  return [...flags, ...env];
}
