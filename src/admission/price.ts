/**
 * The price of a plan: its cost times what jobs like it were found to hold at their peak. Per layer and operation the
 * correction is the mean of the ratios plus two deviations, so that it covers nearly all jobs and not half of them, never
 * below 1 (the plan's input bytes are exact) and never above 8 (one mad job must not shut a layer out).
 */
import { type Cost, costBytes } from '../plan.ts';

export interface PriceBook {
  /** Bytes to ask a permit for. */
  price(cost: Cost, op: string, layer: string): number;
  /** What a job that had this cost held at its peak. */
  learn(op: string, layer: string, cost: Cost, peakBytes: number): void;
  corrections(): readonly Correction[];
}

export interface Correction {
  readonly op: string;
  readonly layer: string;
  readonly factor: number;
  readonly mean: number;
  readonly deviation: number;
  readonly samples: number;
}

export interface PriceSettings {
  /** Weight of the newest ratio. */
  readonly weight?: number;
  readonly factorMax?: number;
  /** Fewer ratios than this correct nothing. */
  readonly samplesMin?: number;
  /** (layer, operation) pairs remembered; the one learned longest ago goes first. */
  readonly entriesMax?: number;
}

interface Learned {
  readonly op: string;
  readonly layer: string;
  mean: number;
  variance: number;
  samples: number;
}

export function createPriceBook(settings: PriceSettings = {}): PriceBook {
  const { weight = 0.05, factorMax = 8, samplesMin = 5, entriesMax = 1024 } = settings;
  /** The one learned longest ago first. */
  const learned = new Map<string, Learned>();
  let latest: Learned | undefined;

  function factor(entry: Learned): number {
    if (entry.samples < samplesMin) return 1;
    return Math.max(1, Math.min(factorMax, entry.mean + 2 * Math.sqrt(entry.variance)));
  }

  return {
    price(cost, op, layer) {
      const entry = learned.get(`${op} ${layer}`);
      return Math.ceil(costBytes(cost) * (entry === undefined ? 1 : factor(entry)));
    },
    learn(op, layer, cost, peakBytes) {
      const bytes = costBytes(cost);
      if (!(bytes > 0) || !(peakBytes >= 0)) return;
      const key = `${op} ${layer}`;
      const entry = learned.get(key) ?? { op, layer, mean: 1, variance: 0, samples: 0 };
      observe(entry, Math.min(peakBytes / bytes, 4 * factorMax), weight);
      if (entry !== latest) {
        learned.delete(key);
        learned.set(key, entry);
        latest = entry;
      }
      if (learned.size > entriesMax) learned.delete(learned.keys().next().value as string);
    },
    corrections() {
      return [...learned.values()].map(entry => ({
        op: entry.op,
        layer: entry.layer,
        factor: factor(entry),
        mean: entry.mean,
        deviation: Math.sqrt(entry.variance),
        samples: entry.samples,
      }));
    },
  };
}

/** Exponentially weighted mean and variance; the first ratios weigh 1/n, so that they are not dwarfed by the start. */
function observe(entry: Learned, ratio: number, weight: number): void {
  entry.samples++;
  const w = Math.max(weight, 1 / entry.samples);
  const off = ratio - entry.mean;
  entry.mean += w * off;
  entry.variance = (1 - w) * (entry.variance + w * off * off);
}
