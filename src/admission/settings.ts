/** Every limit of the gate, by name. */
import type { Ledger, Level } from '../memory/types.ts';
import type { PriceSettings } from './price.ts';
import type { AdmissionMode, PermitClass } from './types.ts';

export interface AdmissionSettings {
  readonly ledger: Ledger;
  /** Bytes that requests may hold now. */
  readonly budgetBytes: () => number;
  readonly ceilingBytes: number;
  /** Reply bytes that a client has yet to take: they count against its share. */
  readonly repliesOf?: (client: string) => number;
  /** With nothing at work one is always admitted, unless replies hold more than this share of the ceiling. */
  readonly aloneRepliesShare?: number;
  readonly level: () => Level;
  readonly mode?: AdmissionMode;
  readonly floors?: Partial<Record<PermitClass, number>>;
  readonly clientShare?: number;
  readonly clientBorrowShare?: number;
  readonly queueCountMax?: number;
  /** Waiting bytes, as a multiple of the budget. */
  readonly queueBudgets?: number;
  readonly clientQueueCountMax?: number;
  readonly deadlineMs?: number;
  /** With less than this share of its deadline left, a request is refused rather than begun. */
  readonly deadlineShareMin?: number;
  /** A queue that has not been empty for so long, and in which somebody's time was up no longer ago: newest first. */
  readonly loadedAfterMs?: number;
  readonly retryAfterMax?: number;
  readonly price?: PriceSettings;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly schedule?: (ms: number, run: () => void) => () => void;
}

export function scheduleTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export const ADMISSION_DEFAULTS = {
  mode: 'enforce' as AdmissionMode,
  floors: { tile: 0.3, window: 0.1, bulk: 0 },
  clientShare: 0.25,
  aloneRepliesShare: 0.35,
  clientBorrowShare: 0.5,
  queueCountMax: 512,
  queueBudgets: 8,
  clientQueueCountMax: 128,
  deadlineMs: 1500,
  deadlineShareMin: 0.3,
  loadedAfterMs: 1000,
  retryAfterMax: 30,
} as const;
