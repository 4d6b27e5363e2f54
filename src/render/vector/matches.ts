/** Features of a file, read run by run, and those of them that match a filter. In a worker. */
import type { Places } from '../../source/fgb/clusters.ts';
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

/** Visits the features that match (no filter: all), in their order; `row`: gets their attributes. Answers with the longest run, bytes. */
export function eachMatch(
  { offsets, lengths }: Places,
  { spec, schema }: { readonly spec: FilterSpec | null; readonly schema: FilterSchema },
  { read, check }: Reading,
  row: Row | null,
  visit: (i: number) => void,
): number {
  const matcher = spec && createFilter(spec, schema);
  let longest = 0;
  for (let i = 0; i < offsets.length; ) {
    const next = runEnd(offsets, lengths, i);
    const start = offsets[i];
    const length = offsets[next - 1] + lengths[next - 1] - start;
    const { view, base } = read(start, length);
    longest = Math.max(longest, length);
    for (; i < next; i++) {
      if (i % CHECK_EVERY === 0) check();
      const at = base + offsets[i] - start;
      if (matcher && !matcher.test(view, at, at + lengths[i])) continue;
      row?.load(view, at, at + lengths[i]);
      visit(i);
    }
  }
  return longest;
}
