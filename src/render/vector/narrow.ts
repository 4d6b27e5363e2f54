/** Of the candidates of a filtered layer those that are drawn: matches, and of those in cells the first of each, or dust. In a worker. */
import { dustAt, squareOf } from '../../source/fgb/dust.ts';
import { meets } from '../../source/fgb/rtree.ts';
import { NO_CELL } from '../../source/fgb/taken.ts';
import type { JobDust, LayerFilter, VectorJobLayer } from './job.ts';
import type { Passes } from './matches.ts';

export interface Narrowed {
  readonly layer: VectorJobLayer;
  /** Matches that meet the tile and are left to the first of their cell. */
  readonly dropped: number;
  /** Bytes that were held at most. */
  readonly heldBytes: number;
}

export function* narrowed(layer: VectorJobLayer): Passes<Narrowed> {
  const { filter, offsets, lengths } = layer;
  if (filter === null) return { layer, dropped: 0, heldBytes: 0 };
  const { cells, shows } = filter;
  /** Matches of each cell. */
  const tally = new Uint32Array(filter.cellCount);
  /** Matches that stand for themselves or for their cell; of the latter those that do not show may show as dust. */
  const first: number[] = [];
  const sums = filter.dust && new Float64Array(filter.cellCount);
  let dropped = 0;
  const visit = (i: number): boolean => {
    const cell = cells === null ? NO_CELL : cells[i];
    const opens = cell === NO_CELL || tally[cell]++ === 0;
    if (sums && cell !== NO_CELL) sums[cell] += filter.dust?.areas[i] ?? 0;
    const taken = opens && (shows[i] === 1 || (sums !== null && cell !== NO_CELL));
    if (taken) first.push(i);
    else if (shows[i] === 1) dropped++;
    return taken;
  };
  const longest = yield { places: layer, spec: filter.spec, schema: filter.schema, row: null, visit };
  const countOf = (i: number) => (cells === null || cells[i] === NO_CELL ? 1 : tally[cells[i]]);
  const { taken, dust } = sums ? asDust(layer, filter, first, countOf, sums) : { taken: first, dust: null };
  const drawn: VectorJobLayer = {
    ...layer,
    offsets: Float64Array.from(taken, i => offsets[i]),
    lengths: Uint32Array.from(taken, i => lengths[i]),
    ordinals: Float64Array.from(taken, i => layer.ordinals[i]),
    counts: layer.counts && cells && Uint32Array.from(taken, countOf),
    dust,
    filter: null,
  };
  const held = tally.byteLength + (sums?.byteLength ?? 0) + first.length * 8;
  return { layer: drawn, dropped: sums ? 0 : dropped, heldBytes: longest + held };
}

/** Of the first of each cell those whose square, or who themselves, show in the tile. */
function asDust(
  { boxes }: VectorJobLayer,
  { cells, shows, dust }: LayerFilter,
  first: readonly number[],
  countOf: (i: number) => number,
  sums: Float64Array,
): { taken: number[]; dust: JobDust | null } {
  if (!dust || !cells) return { taken: [...first], dust: null };
  const areas = new Float64Array(first.length);
  const squares = new Float64Array(first.length * 4);
  const places: number[] = [];
  first.forEach((i, k) => {
    const several = countOf(i) > 1;
    if (several) {
      areas[k] = sums[cells[i]] * dust.fill;
      squareOf(dust.rects, cells[i] * 4, areas[k], dust.degrees, squares, k * 4);
    }
    if (several ? meets(squares, k * 4, boxes) : shows[i] === 1) places.push(k);
  });
  const taken = places.map(k => first[k]);
  return { taken, dust: { ...dustAt({ areas, squares }, places), counts: Uint32Array.from(taken, countOf) } };
}
