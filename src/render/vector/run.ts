/** The bytes of neighbouring features, read in one go, and what is said of one that is broken. */
import { crc32 } from 'node:zlib';
import { Problem, problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import type { FeatureFrame } from './geometry.ts';
import type { VectorJobLayer } from './job.ts';

export interface Run {
  /** 8 bytes more than the longest run, so that a run begins at the file's own alignment. */
  raw: Uint8Array<ArrayBuffer>;
  view: DataView;
  doubles: Float64Array;
}

export function newRun(length: number): Run {
  const buffer = new ArrayBuffer((length + 15) & ~7);
  return { raw: new Uint8Array(buffer), view: new DataView(buffer), doubles: new Float64Array(buffer) };
}

export function readInto(bytes: Bytes, offset: number, into: Uint8Array): void {
  if (!bytes.readInto) throw problem('internal', `${bytes.ref.href} cannot be read in place`);
  bytes.readInto(offset, into);
}

/** An overview may be damaged unseen. */
export function vet({ crcs, ref }: VectorJobLayer, { raw, start, end }: FeatureFrame, i: number): void {
  if (crcs === null || crc32(raw.subarray(start, end)) === crcs[i]) return;
  throw problem('corrupt-data', `${ref.href} is damaged; make it again with plimsoll overview`);
}

/** Says of what is wrong with feature i which one it is. */
export function saying<T>(layer: VectorJobLayer, i: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Problem && error.code !== 'corrupt-data') throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw problem('corrupt-data', `${layer.id}: the feature at byte ${layer.offsets[i]} is broken: ${detail}`);
  }
}
