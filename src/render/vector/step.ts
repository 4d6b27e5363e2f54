/** The features of a tile at a step of the ladder of cells: from the file's overview where it has that step, else by a walk of the index. */
import { Problem } from '../../errors.ts';
import { type DustRule, dustOf, selectDust } from '../../source/fgb/dust.ts';
import { type Selection, selectCells, widened } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { type Ladder, levelFor, selectFromOverview } from '../../source/fgb/overview.ts';
import { abandon } from '../../source/fgb/overview-open.ts';
import type { TileMatrixSet } from '../../tile.ts';
import { cellGrid } from './cells.ts';
import type { Projection } from './job.ts';

export interface StepView {
  readonly source: FgbSource;
  readonly projection: Projection;
  readonly grid: TileMatrixSet;
}

/** What of a grid of tiles the ladder of cells knows; any two grids that agree in it share their cells. */
export function ladderOf({ crs, matrices: [first] }: TileMatrixSet): Ladder {
  const { originX, originY, resolution, tileWidth } = first;
  return { crs, originX, originY, side: resolution * tileWidth };
}

/** `dust`: cells that have several features are drawn as squares. Ends early where the index is walked, with what it has, once more than `stopAfter` are taken. */
export async function selectStep(
  { source, projection, grid }: StepView,
  step: number,
  boxes: Float64Array,
  dust: DustRule | null,
  signal?: AbortSignal,
  stopAfter?: number,
): Promise<Selection> {
  const cells = cellGrid(source, projection, grid, step);
  const overview = source.overview.current;
  const level = overview ? levelFor(overview, ladderOf(grid), step) : -1;
  if (overview && level >= 0 && overview.meta.levels[level].step === step) {
    try {
      if (!dust) return await selectFromOverview(source, overview, level, boxes, signal);
      const found = await selectFromOverview(source, overview, level, widened(boxes, cells), signal);
      return dustOf(found, boxes, cells, dust.degrees);
    } catch (error) {
      // Another server that does not answer says nothing of its file.
      if (!(error instanceof Problem) || (source.ref.remote && error.code !== 'corrupt-data')) throw error;
      abandon(source.overview, error.message, source.ref.href);
    }
  }
  return dust
    ? selectDust(source, boxes, cells, dust, signal, stopAfter)
    : selectCells(source, boxes, cells, signal, stopAfter);
}
