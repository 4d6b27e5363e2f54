/**
 * The division of the limit, pure arithmetic, printed at start and by `plimsoll memory --limit`.
 *
 *   limit ├──────────────────────────── line (85 %) ───────────────────────────┤ kernel, bursts, error │
 *         │ baseline │ workers │ heap allowance │ safety │ cache │ blocks │ index │ sessions │ inflight │
 *
 * What is left of the line after the fixed parts is shared out. Where a part is given by the operator it is taken as
 * said; where the whole cannot work the cache gives way first, and then the server refuses to start.
 */
const MIB = 2 ** 20;

export interface BudgetSettings {
  /** Share of the limit that the books may fill. */
  readonly lineShare: number;
  /** Private memory of an idle server with its libraries loaded, and the code pages it cannot do without. */
  readonly baselineBytes: number;
  /** Committed heap that is part of the baseline already. */
  readonly baselineHeapBytes: number;
  /** One idle worker thread. */
  readonly workerBytes: number;
  readonly safetyShare: number;
  readonly safetyBytesMax: number;
  readonly cpus: number;
  /** The most that one request may ever cost, whatever the limit. */
  readonly requestCeilingBytesMax: number;
  /** Below this no request of use fits, and the server refuses to start. */
  readonly requestCeilingBytesMin: number;
  readonly cacheBytesMin: number;
  /** Given by the operator; derived where absent. */
  readonly workers?: number | undefined;
  readonly cacheBytes?: number | undefined;
  readonly blocksBytes?: number | undefined;
  /** Pages of index leaves, and tables of remote files: what of the index is given rather than derived. */
  readonly indexCacheBytes?: number | undefined;
  readonly remoteIndexBytes?: number | undefined;
  readonly requestCeilingBytes?: number | undefined;
  readonly maxOldSpaceMb?: number | undefined;
}

/** Measured on Node 26.10 with every library loaded: docs/memory.md says how. */
export const BUDGET_DEFAULTS: BudgetSettings = {
  lineShare: 0.85,
  baselineBytes: 54 * MIB,
  baselineHeapBytes: 29 * MIB,
  workerBytes: 18 * MIB,
  safetyShare: 0.03,
  safetyBytesMax: 256 * MIB,
  cpus: 2,
  requestCeilingBytesMax: 512 * MIB,
  requestCeilingBytesMin: 4 * MIB,
  cacheBytesMin: 1 * MIB,
};

export interface Budget {
  readonly limit: number;
  readonly line: number;
  readonly baseline: number;
  readonly safety: number;
  readonly workers: number;
  readonly workersBytes: number;
  readonly heapAllowance: number;
  readonly cacheBytes: number;
  /** Decoded blocks kept by the workers, all of them together. */
  readonly blocksBytes: number;
  readonly indexBytes: number;
  /** Of it: pages of index leaves, and tables of remote files. */
  readonly indexCacheBytes: number;
  readonly remoteIndexBytes: number;
  readonly sessionsBytes: number;
  readonly inflightBytes: number;
  readonly requestCeilingBytes: number;
  readonly maxOldSpaceMb: number;
  readonly semiSpaceMb: number;
  /** Old space of one worker, for its resourceLimits. */
  readonly workerOldSpaceMb: number;
}

/** An idle server lives on 26 to 28 MiB of heap: with 32 V8 spends half of the main thread on collecting under load. */
const OLD_SPACE_MIN_MB = 36;

/** Shares of what is left after the fixed parts. They sum to 1. */
const SHARES = { inflight: 0.5, cache: 0.28, blocks: 0.1, index: 0.07, sessions: 0.05 } as const;

/** Of the index: what pages of leaves and tables of remote files take of it where nobody says. */
const INDEX_SHARES = { pages: 0.5, remote: 0.25 } as const;

/** Other classes keep their floors, so one request may take at most this share of the inflight bytes. */
const CEILING_SHARE = 0.7;

export function deriveBudget(limit: number, overrides: Partial<BudgetSettings> = {}): Budget {
  const s = { ...BUDGET_DEFAULTS, ...overrides };
  if (!(limit > 0) || !Number.isFinite(limit)) throw new RangeError(`a memory limit of ${limit} bytes is no limit`);
  const workers = s.workers ?? workersFor(limit, s.cpus);
  const maxOldSpaceMb = s.maxOldSpaceMb ?? clamp(Math.floor((limit / MIB) * 0.25), OLD_SPACE_MIN_MB, 2048);
  const semiSpaceMb = limit < 512 * MIB ? 1 : limit < 4096 * MIB ? 4 : 16;
  const fixed = {
    limit,
    line: Math.floor(limit * s.lineShare),
    baseline: s.baselineBytes,
    safety: Math.min(Math.ceil(limit * s.safetyShare), s.safetyBytesMax),
    workers,
    workersBytes: workers * s.workerBytes,
    heapAllowance: Math.max(0, (maxOldSpaceMb + 3 * semiSpaceMb) * MIB - s.baselineHeapBytes),
    maxOldSpaceMb,
    semiSpaceMb,
    workerOldSpaceMb: clamp(Math.floor(maxOldSpaceMb / 2), 24, 512),
  };
  const budget: Budget = { ...fixed, ...shareOut(fixed, s) };
  assertBudget(budget, s);
  return budget;
}

/** Whether what files need is made ahead of the first request: below 512 MiB the memory is better kept. */
export function warmsUp({ limit }: Budget): boolean {
  return limit >= 512 * MIB;
}

/** Of what lies between a server at rest and the critical mark, the part below the warning mark; and where that is left again. */
const WARNING_SHARE = 0.25;
const CALM_SHARE = 0.125;
/** Points between the warning mark and where it is left, where there is room for them. */
const CALM_POINTS = 0.08;

/**
 * Shares of the limit at which the memory is said to be short, and is no longer. What is always held (an idle server, its threads, its
 * heap) is above 70 % of the smallest limits: they would be short of memory for as long as they live, and degrade for nothing.
 */
export function levelMarks(
  budget: Budget,
  { warning, critical: criticalAt }: { readonly warning: number; readonly critical: number },
): { warningAt: number; calmAt: number; criticalAt: number } {
  const { limit, baseline, workersBytes, heapAllowance, blocksBytes, indexBytes, safety } = budget;
  const rest = (baseline + workersBytes + heapAllowance + blocksBytes + indexBytes + safety) / limit;
  const above = (share: number) => rest + share * Math.max(0, criticalAt - rest);
  if (rest <= warning - CALM_POINTS) return { warningAt: warning, calmAt: warning - CALM_POINTS, criticalAt };
  return { warningAt: Math.max(warning, above(WARNING_SHARE)), calmAt: above(CALM_SHARE), criticalAt };
}

/** Few threads on small limits: an idle one costs a tenth of 128 MiB. One core stays with the event loop. */
function workersFor(limit: number, cpus: number): number {
  if (limit < 192 * MIB) return 1;
  if (limit < 768 * MIB) return 2;
  return clamp(cpus, 2, Math.floor(limit / (256 * MIB)));
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

type Fixed = Pick<Budget, 'line' | 'baseline' | 'safety' | 'workersBytes' | 'heapAllowance'>;
type IndexParts = Pick<Budget, 'indexBytes' | 'indexCacheBytes' | 'remoteIndexBytes'>;
type Shared = IndexParts &
  Pick<Budget, 'cacheBytes' | 'blocksBytes' | 'sessionsBytes' | 'inflightBytes' | 'requestCeilingBytes'>;

function shareOut(f: Fixed, s: BudgetSettings): Shared {
  const left = Math.max(0, f.line - f.baseline - f.safety - f.workersBytes - f.heapAllowance);
  let cacheBytes = Math.floor(s.cacheBytes ?? left * SHARES.cache);
  const rest = Math.max(0, left - cacheBytes - (s.blocksBytes ?? 0)) / restShare(s);
  const blocksBytes = Math.floor(s.blocksBytes ?? rest * SHARES.blocks);
  const { indexBytes, ...ofIndex } = indexOf(rest * SHARES.index, s);
  const sessionsBytes = Math.floor(rest * SHARES.sessions);
  let inflightBytes = left - cacheBytes - blocksBytes - indexBytes - sessionsBytes;
  // The cache gives way before the ceiling does.
  const wanted = Math.ceil((s.requestCeilingBytes ?? s.requestCeilingBytesMin) / CEILING_SHARE);
  const moved = clamp(wanted - inflightBytes, 0, Math.max(0, cacheBytes - s.cacheBytesMin));
  cacheBytes -= moved;
  inflightBytes += moved;
  const room = Math.floor(inflightBytes * CEILING_SHARE);
  const requestCeilingBytes = Math.min(s.requestCeilingBytes ?? s.requestCeilingBytesMax, room);
  return { cacheBytes, blocksBytes, indexBytes, ...ofIndex, sessionsBytes, inflightBytes, requestCeilingBytes };
}

/** What is given by the operator is off before the others have their shares. */
function restShare({ blocksBytes }: BudgetSettings): number {
  return 1 - SHARES.cache - (blocksBytes === undefined ? 0 : SHARES.blocks);
}

function indexOf(derived: number, s: BudgetSettings): IndexParts {
  const indexCacheBytes = Math.floor(s.indexCacheBytes ?? derived * INDEX_SHARES.pages);
  const remoteIndexBytes = Math.floor(s.remoteIndexBytes ?? derived * INDEX_SHARES.remote);
  const others = Math.floor(derived * (1 - INDEX_SHARES.pages - INDEX_SHARES.remote));
  return { indexBytes: indexCacheBytes + remoteIndexBytes + others, indexCacheBytes, remoteIndexBytes };
}

/** The sum of all parts that may be held at once. */
export function budgetSum(b: Budget): number {
  const books = b.cacheBytes + b.blocksBytes + b.indexBytes + b.sessionsBytes + b.inflightBytes;
  return b.baseline + b.safety + b.workersBytes + b.heapAllowance + books;
}

/** What can be lowered for the sake of requests, and the key of what can only where it is given. */
const LOWER = [
  ['workers', null],
  ['cacheBytes', null],
  ['maxOldSpaceMb', null],
  ['raster.tileCacheBytes', 'blocksBytes'],
  ['vector.indexCacheBytes', 'indexCacheBytes'],
  ['remote.indexBytes', 'remoteIndexBytes'],
] as const satisfies readonly (readonly [string, keyof BudgetSettings | null])[];

export function assertBudget(b: Budget, s: BudgetSettings): void {
  const wanted = s.requestCeilingBytes ?? s.requestCeilingBytesMin;
  if (b.requestCeilingBytes < wanted) {
    throw new RangeError(
      `a limit of ${mib(b.limit)} leaves ${mib(b.requestCeilingBytes)} for one request, ${mib(wanted)} are needed: ` +
        `raise the limit, or lower ${LOWER.filter(([, key]) => key === null || s[key] !== undefined)
          .map(([name]) => name)
          .join(', ')} or requestCeilingBytes\n` +
        describeBudget(b),
    );
  }
  if (s.cacheBytes !== undefined && b.cacheBytes < s.cacheBytes) {
    throw new RangeError(
      `a cache of ${mib(s.cacheBytes)} does not fit a limit of ${mib(b.limit)}; ${mib(b.cacheBytes)} would\n${describeBudget(b)}`,
    );
  }
  if (b.cacheBytes < s.cacheBytesMin) {
    throw new RangeError(`a cache of ${mib(b.cacheBytes)} is below its least, ${mib(s.cacheBytesMin)}`);
  }
  if (budgetSum(b) > b.line) {
    throw new RangeError(
      `the parts sum to ${mib(budgetSum(b))}, above the line of ${mib(b.line)}\n${describeBudget(b)}`,
    );
  }
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** The table that start-up prints. */
export function describeBudget(b: Budget): string {
  const rows: [string, number, string][] = [
    ['limit', b.limit, 'the kernel kills above it'],
    ['line', b.line, 'the books stay below it; the sum of all that follows'],
    ['  baseline', b.baseline, 'an idle server, its libraries and code'],
    ['  workers', b.workersBytes, `${b.workers} render thread${b.workers === 1 ? '' : 's'}`],
    ['  heap', b.heapAllowance, `--max-old-space-size=${b.maxOldSpaceMb} --max-semi-space-size=${b.semiSpaceMb}`],
    ['  safety', b.safety, 'error of the figures'],
    ['  cache', b.cacheBytes, 'encoded answers, in segments'],
    ['  blocks', b.blocksBytes, 'decoded raster blocks'],
    ['  index', b.indexBytes, 'upper index levels, block offsets'],
    ['  sessions', b.sessionsBytes, 'layers that dashboards uploaded'],
    ['  inflight', b.inflightBytes, 'requests at work and replies on the wire'],
    ['ceiling', b.requestCeilingBytes, 'the most that one request may cost (413 beyond)'],
  ];
  return rows.map(([name, bytes, what]) => `${name.padEnd(12)}${mib(bytes).padStart(12)}   ${what}`).join('\n');
}
