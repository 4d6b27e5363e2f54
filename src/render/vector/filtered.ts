/** The plan of a filtered layer: all its candidates are read, and told as what they are. Too many: 413 and the zoom that fits. */
import { problem } from '../../errors.ts';
import type { VectorLayer } from '../../layers/types.ts';
import { type Candidates, selectCandidates } from '../../source/fgb/candidates.ts';
import type { DustRule } from '../../source/fgb/dust.ts';
import type { CellGrid, Selection } from '../../source/fgb/lod.ts';
import type { BBox, TileCoord } from '../../tile.ts';
import { type FilterSpec, filterSchema } from '../filter/filter.ts';
import { filterBoxes } from '../filter/pushdown.ts';
import { commonBoxes } from '../layer-boxes.ts';
import { type LayerView, queryBoxes } from './boxes.ts';
import type { LayerFilter } from './job.ts';

/** What a filtered tile may read where the layer does not say. */
export const READ_BYTES_MAX = 128 << 20;

/** Place, length, cell, area and number of a candidate, on both sides of the thread. */
export const CANDIDATE_BYTES = 80;

export interface FilteredPlan {
  readonly selection: Selection;
  readonly filter: LayerFilter;
  /** Most bytes of features that can be drawn. */
  readonly drawnBytes: number;
}

/** `grid`: of cells; null where the layer is not thinned at this zoom. Errors: too-large. */
export async function selectFiltered(
  view: LayerView,
  layer: VectorLayer,
  spec: FilterSpec,
  tile: TileCoord,
  grid: CellGrid | null,
  dust: DustRule | null,
  signal?: AbortSignal,
): Promise<FilteredPlan> {
  const limit = layer.options.filterReadBytes ?? READ_BYTES_MAX;
  const narrow = narrowing(layer, spec);
  const { boxes } = queryBoxes(view, tile);
  const found = await selectCandidates(view.source, boxes, grid, dust, narrow, limit, signal);
  if (found.bytes > limit) throw await tooLarge(view, layer, tile, found.bytes, narrow, signal);
  return {
    selection: selectionOf(found),
    filter: {
      spec,
      schema: filterSchema(layer),
      cells: found.cells,
      shows: found.shows,
      cellCount: found.cellCount,
      dust: dust && { ...dust, areas: found.areas, rects: found.rects },
    },
    drawnBytes: found.drawnBytes,
  };
}

/** Boxes to those in which matches can be. */
export function narrowing(layer: VectorLayer, spec: FilterSpec | null): (boxes: Float64Array) => Float64Array {
  if (!spec) return boxes => boxes;
  const where = filterBoxes(spec, layer);
  return boxes => flat(commonBoxes(listed(boxes), where) ?? []);
}

function selectionOf({ offsets, lengths, ordinals, visited, cells }: Candidates): Selection {
  return { offsets, lengths, ordinals, visited, dropped: 0, counts: cells && new Uint32Array(0) };
}

function listed(boxes: Float64Array): BBox[] {
  return Array.from(
    { length: boxes.length / 4 },
    (_, i) => Array.from(boxes.subarray(i * 4, i * 4 + 4)) as unknown as BBox,
  );
}

function flat(boxes: readonly BBox[]): Float64Array {
  return Float64Array.from(boxes.flat());
}

async function tooLarge(
  view: LayerView,
  { id, options }: VectorLayer,
  tile: TileCoord,
  bytes: number,
  narrow: (boxes: Float64Array) => Float64Array,
  signal?: AbortSignal,
): Promise<Error> {
  const limit = options.filterReadBytes ?? READ_BYTES_MAX;
  const fits = await readableZoom(view, { tile, bytes }, limit, async child => {
    const { boxes } = queryBoxes(view, child);
    return (await selectCandidates(view.source, boxes, null, null, narrow, 0, signal)).bytes;
  });
  const detail = `${id}: the filter would have to be asked of ${bytes} bytes of features in this tile; at most ${limit} (filter.maxReadBytes)`;
  return problem('too-large', detail, { limitBytes: limit, neededBytes: bytes, ...fits });
}

/** The first zoom at which the heaviest tile under this one fits, going down its heaviest quarter; empty: there is none. */
export async function readableZoom(
  view: LayerView,
  asked: { readonly tile: TileCoord; readonly bytes: number },
  limit: number,
  bytesOf: (tile: TileCoord) => Promise<number>,
): Promise<{ fits?: { z: number } }> {
  let heaviest = asked;
  while (heaviest.bytes > limit && halves(view, heaviest.tile.z)) {
    const { z, x, y } = heaviest.tile;
    let next = { tile: { z: z + 1, x: x * 2, y: y * 2 }, bytes: -1 };
    for (const child of [0, 1, 2, 3].map(k => ({ z: z + 1, x: x * 2 + (k & 1), y: y * 2 + (k >> 1) }))) {
      const bytes = await bytesOf(child);
      if (bytes > next.bytes) next = { tile: child, bytes };
    }
    heaviest = next;
  }
  return heaviest.bytes <= limit ? { fits: { z: heaviest.tile.z } } : {};
}

/** True where the next zoom has four tiles for each of this one. */
function halves({ grid: { matrices } }: LayerView, z: number): boolean {
  const next = matrices[z + 1];
  return (
    next !== undefined &&
    next.matrixWidth === matrices[z].matrixWidth * 2 &&
    next.matrixHeight === matrices[z].matrixHeight * 2
  );
}
