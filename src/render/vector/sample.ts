/** What a tile would weigh, judged by painting some of its features. */
import type { Selection } from '../../source/fgb/lod.ts';
import type { VectorJob } from './job.ts';
import { createVectorPainter } from './paint.ts';

/** Features painted to judge what all of a tile would weigh, and most bytes of the file that are read for it. */
const SAMPLE_FEATURES = 2000;
const SAMPLE_BYTES_MAX = 1024 * 1024;
/** Many features compress a little better than a few: 4–7 % were seen. */
export const SAMPLE_GAIN = 0.95;

/** Features spread evenly over the selection. */
export function sampleOf(selection: Selection): Selection {
  const n = selection.ordinals.length;
  const step = Math.max(1, Math.ceil(n / SAMPLE_FEATURES));
  const picked: number[] = [];
  let bytes = 0;
  for (let i = 0; i < n && bytes < SAMPLE_BYTES_MAX; i += step) {
    picked.push(i);
    bytes += selection.lengths[i];
  }
  return {
    ...selection,
    offsets: Float64Array.from(picked, i => selection.offsets[i]),
    lengths: Uint32Array.from(picked, i => selection.lengths[i]),
    ordinals: Float64Array.from(picked, i => selection.ordinals[i]),
    ...(selection.crcs ? { crcs: Uint32Array.from(picked, i => selection.crcs?.[i] ?? 0) } : {}),
    counts: null,
  };
}

/** Painted here, in this thread, once for a zoom of a layer: some milliseconds. */
export function sampleBytes(job: VectorJob): number {
  const painter = createVectorPainter();
  try {
    return painter.paint(job, { cancelled: () => false, check: () => {} }).body?.length ?? 0;
  } finally {
    painter.close();
  }
}
