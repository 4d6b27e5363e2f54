/** What a tile would weigh, judged by painting some of its features. */
import { stagedBytes } from '../../io/staged.ts';
import type { Painted } from '../../plan.ts';
import { dustAt } from '../../source/fgb/dust.ts';
import type { Selection } from '../../source/fgb/lod.ts';
import { OUTPUT_SHARE, RUN_BYTES_MAX, SCRATCH_SHARE, type VectorJob } from './job.ts';
import { labelScratchBytes } from './label-plan.ts';
import type { VectorPainter } from './paint.ts';

/** Features painted to judge what all of a tile would weigh, and most bytes of the file that are read for it. */
const SAMPLE_FEATURES = 2000;
const SAMPLE_BYTES_MAX = 1024 * 1024;
/** Many features compress a little better than a few: 4–7 % were seen. */
const SAMPLE_GAIN = 0.95;

/** Some of the features of a selection, and how many that has. */
export interface Sample {
  readonly selection: Selection;
  readonly of: number;
}

/** Features spread evenly over the selection. */
export function sampleOf(selection: Selection): Sample {
  const n = selection.ordinals.length;
  const step = Math.max(1, Math.ceil(n / SAMPLE_FEATURES));
  const picked: number[] = [];
  let bytes = 0;
  for (let i = 0; i < n && bytes < SAMPLE_BYTES_MAX; i += step) {
    picked.push(i);
    bytes += selection.lengths[i];
  }
  const some: Selection = {
    ...selection,
    offsets: Float64Array.from(picked, i => selection.offsets[i]),
    lengths: Uint32Array.from(picked, i => selection.lengths[i]),
    ordinals: Float64Array.from(picked, i => selection.ordinals[i]),
    ...(selection.crcs ? { crcs: Uint32Array.from(picked, i => selection.crcs?.[i] ?? 0) } : {}),
    counts: selection.dust && selection.counts ? Uint32Array.from(picked, i => selection.counts?.[i] ?? 1) : null,
    ...(selection.dust ? { dust: dustAt(selection.dust, picked) } : {}),
  };
  return { selection: some, of: n };
}

/** What the whole selection weighs where its sample, painted, weighs that. */
export function scaled({ selection, of }: Sample, painted: number): number {
  const n = selection.ordinals.length;
  return n === 0 ? 0 : (painted * (of > n ? SAMPLE_GAIN : 1) * of) / n;
}

/** Bytes that judging a sample takes at most, in a layer whose longest feature has so many; with its labels or without. */
export function sampleCostBytes(longest: number, labels: boolean): number {
  const featureBytes = SAMPLE_BYTES_MAX + longest;
  const painted =
    Math.max(RUN_BYTES_MAX, longest) + longest * SCRATCH_SHARE + 2 * Math.ceil(featureBytes * OUTPUT_SHARE);
  return labels
    ? painted +
        Math.max(RUN_BYTES_MAX, longest) +
        labelScratchBytes(longest) +
        2 * Math.ceil(featureBytes * OUTPUT_SHARE)
    : painted;
}

/** The features of one from another server: on their way, and in memory. */
export function stagedSampleBytes(longest: number, aheadBytes: number): number {
  return 2 * Math.max(aheadBytes, longest) + stagedBytes(SAMPLE_FEATURES, SAMPLE_BYTES_MAX + longest);
}

/** Paints a sample, wherever its features are. */
export type SamplePaint = (job: VectorJob) => Painted | Promise<Painted>;

/** In this thread: some milliseconds. */
export function samplesBy(painter: VectorPainter): SamplePaint {
  return job => painter.paint(job, { cancelled: () => false, check: () => {} });
}
