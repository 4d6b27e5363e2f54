/** The bytes of neighbouring features, read in one go, and what is said of one that is broken. */
import { crc32 } from 'node:zlib';
import { Problem, problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import { FEATURE_GEOMETRY, featureEnd, field, follow } from '../../source/fgb/layout.ts';
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

/** A frame that one feature after another is put into: an object each was a third of the young generation's garbage. */
export type Frame = { -readonly [K in keyof FeatureFrame]: FeatureFrame[K] };

export function frameOf({ view, raw, doubles }: Run): Frame {
  return { view, raw, doubles, start: 0, end: 0 };
}

/** Takes the size-prefixed feature whose bytes the frame has: ends the frame with it, and answers with its root table. */
export function enter(frame: Frame): number {
  const { view, start } = frame;
  frame.end = featureEnd(view, start, frame.end);
  return follow(view, start + 4, start, frame.end);
}

/** The table of the feature's geometry; 0: it has none. */
export function geometryOf({ view, start, end }: FeatureFrame, root: number): number {
  const at = field(view, root, FEATURE_GEOMETRY, start, end);
  return at === 0 ? 0 : follow(view, at, start, end);
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
