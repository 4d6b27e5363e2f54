/** Features of a file, gone through run by run, and those of them that match a filter. In a worker. */
import type { Bytes } from '../../io/bytes.ts';
import type { Files } from '../../io/files.ts';
import { type Places, spansCost } from '../../io/http/spans.ts';
import { readSpans, type Staged } from '../../io/staged.ts';
import type { RemoteRef } from '../../plan.ts';
import { createFilter, type FilterSchema, type FilterSpec } from '../filter/filter.ts';
import type { Row } from '../filter/row.ts';
import { runEnd } from './job.ts';

/** A run of the file: `base` is where it begins in the view. */
export interface RunView {
  readonly view: DataView;
  readonly base: number;
}

/** Features between two looks at the cancel flag. */
const CHECK_EVERY = 512;

export interface Reading {
  /** A run's bytes, in a buffer that the next run may take over. */
  readonly read: (offset: number, length: number) => RunView;
  readonly check: () => void;
}

/** One way through features: those that match (no filter: all) are visited, in their order. */
export interface Pass {
  readonly places: Places;
  readonly spec: FilterSpec | null;
  readonly schema: FilterSchema;
  /** Gets the attributes of those that match. */
  readonly row: Row | null;
  /** True where the feature's bytes may be wanted again. */
  readonly visit: (i: number) => boolean;
}

/** Work that goes through features once or more: it hands out a pass, and is told the most bytes that were held of it at once. */
export type Passes<T> = Generator<Pass, T, number>;

/** Where runs are read as they are wanted. */
export function passesHere<T>(passes: Passes<T>, reading: Reading): T {
  let step = passes.next();
  while (!step.done) step = passes.next(passHere(step.value, reading));
  return step.value;
}

function passHere(pass: Pass, { read, check }: Reading): number {
  const { offsets, lengths } = pass.places;
  const look = looking(pass, check);
  let longest = 0;
  for (let i = 0; i < offsets.length; ) {
    const next = runEnd(offsets, lengths, i);
    const start = offsets[i];
    const length = offsets[next - 1] + lengths[next - 1] - start;
    const { view, base } = read(start, length);
    longest = Math.max(longest, length);
    for (; i < next; i++) look(i, view, base + offsets[i] - start);
  }
  return longest;
}

/** Where another server has the file: requests come as they were asked for ahead, and what is wanted again is kept. */
export async function passesThere<T>(
  passes: Passes<T>,
  files: Pick<Files, 'ahead'>,
  bytes: Bytes,
  check: () => void,
  kept: Staged | null,
): Promise<T> {
  let step = passes.next();
  while (!step.done) {
    const { places } = step.value;
    const look = looking(step.value, check);
    const { offsets, lengths } = places;
    await readSpans(files, bytes, places, check, ({ offset, from, to }, data) => {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      for (let i = from; i < to; i++) {
        const at = offsets[i] - offset;
        if (look(i, view, at)) kept?.put(offsets[i], data.subarray(at, at + lengths[i]));
      }
    });
    step = passes.next(spansCost(places, bytes.ref.remote as RemoteRef).heldBytes);
  }
  return step.value;
}

/** Asks of feature i, which begins there, whether it matches, and visits it then. */
function looking(
  { places, spec, schema, row, visit }: Pass,
  check: () => void,
): (i: number, view: DataView, at: number) => boolean {
  const matcher = spec && createFilter(spec, schema);
  const { lengths } = places;
  return (i, view, at) => {
    if (i % CHECK_EVERY === 0) check();
    if (matcher && !matcher.test(view, at, at + lengths[i])) return false;
    row?.load(view, at, at + lengths[i]);
    return visit(i);
  };
}
