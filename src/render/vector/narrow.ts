/** Of the candidates of a filtered layer those that are drawn: matches, and of those in cells the first of each. In a worker. */
import { NO_CELL } from '../../source/fgb/taken.ts';
import { createFilter } from '../filter/filter.ts';
import { runEnd, type VectorJobLayer } from './job.ts';

/** A run of the file: `base` is where it begins in the view. */
export interface RunView {
  readonly view: DataView;
  readonly base: number;
}

export interface Narrowed {
  readonly layer: VectorJobLayer;
  /** Matches that meet the tile and are left to the first of their cell. */
  readonly dropped: number;
  /** Bytes that were held at most. */
  readonly heldBytes: number;
}

/** Candidates between two looks at the cancel flag. */
const CHECK_EVERY = 512;

/** `read`: the run's bytes, in a buffer that the next run may take over. */
export function narrowed(
  layer: VectorJobLayer,
  read: (offset: number, length: number) => RunView,
  check: () => void,
): Narrowed {
  const { filter, offsets, lengths } = layer;
  if (filter === null) return { layer, dropped: 0, heldBytes: 0 };
  const { cells, shows } = filter;
  const matcher = createFilter(filter.spec, filter.schema);
  /** Matches of each cell. */
  const tally = new Uint32Array(filter.cellCount);
  const taken: number[] = [];
  let dropped = 0;
  let longest = 0;
  for (let i = 0; i < offsets.length; ) {
    const next = runEnd(offsets, lengths, i);
    const first = offsets[i];
    const length = offsets[next - 1] + lengths[next - 1] - first;
    const { view, base } = read(first, length);
    longest = Math.max(longest, length);
    for (; i < next; i++) {
      if (i % CHECK_EVERY === 0) check();
      const at = base + offsets[i] - first;
      if (!matcher.test(view, at, at + lengths[i])) continue;
      const cell = cells === null ? NO_CELL : cells[i];
      const opens = cell === NO_CELL || tally[cell]++ === 0;
      if (shows[i] === 0) continue;
      if (opens) taken.push(i);
      else dropped++;
    }
  }
  const counts = layer.counts && cells && Uint32Array.from(taken, i => (cells[i] === NO_CELL ? 1 : tally[cells[i]]));
  const drawn: VectorJobLayer = {
    ...layer,
    offsets: Float64Array.from(taken, i => offsets[i]),
    lengths: Uint32Array.from(taken, i => lengths[i]),
    ordinals: Float64Array.from(taken, i => layer.ordinals[i]),
    counts,
    filter: null,
  };
  return { layer: drawn, dropped, heldBytes: longest + tally.byteLength + taken.length * 8 };
}
