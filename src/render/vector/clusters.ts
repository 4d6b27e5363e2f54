/**
 * Points drawn together up to a zoom, live from the index: supercluster's attributes over cells of a grid. Cells are laid from the
 * grid's origin and halve from zoom to zoom, so clusters nest; a cell's points are one cluster from `minPoints` on, and drawn as
 * themselves below. Nothing of a tile enters, so all tiles that see a cluster see the same one.
 */
import { problem } from '../../errors.ts';
import {
  type CellFrame,
  type ClusterSettings,
  cellsATile,
  clusterId,
  clusterSettings,
  numbered,
} from '../../kernels/clusters.ts';
import type { LayerOptions, VectorLayer } from '../../layers/types.ts';
import { type CellRange, type Clustered, clusterCells } from '../../source/fgb/clusters.ts';
import type { CellGrid, Selection } from '../../source/fgb/lod.ts';
import { meets } from '../../source/fgb/rtree.ts';
import type { LayerView } from './boxes.ts';
import { cellGrid, cellsAcross } from './cells.ts';
import type { JobClusters } from './job.ts';

/** The cells of a layer at one zoom. */
export interface ClusterCells extends CellFrame {
  readonly cells: CellGrid;
  /** How often they were halved since the first zoom. */
  readonly step: number;
  /** How many there are along the shorter side of a tile. */
  readonly across: number;
  readonly settings: ClusterSettings;
}

/** Bytes of a cluster in a job, on both sides of the thread. */
export const CLUSTER_HELD_BYTES = 80;
/** Most that one takes in a tile: id, place, four or five attributes with values of their own. */
export const CLUSTER_TILE_BYTES = 128;

/** null where the zoom, by its place among the grid's, has no clusters. Errors: unprocessable. */
export function clusterCellsAt(
  { source, projection, grid }: Pick<LayerView, 'source' | 'projection' | 'grid'>,
  { id, options }: Pick<VectorLayer, 'id' | 'options'>,
  z: number,
): ClusterCells | null {
  const settings = clusterSettings(options);
  if (!settings || !source.bounds || grid.matrices[z].zoom > settings.maxZoom) return null;
  // As often as leaves them no smaller than the radius asks for.
  const step = Math.floor(Math.log2(cellsAcross(grid, 0, 0) / cellsAcross(grid, z, 0)) + 1e-9);
  const [first] = grid.matrices;
  const base = cellsATile(settings) * (first.tileWidth / Math.min(first.tileWidth, first.tileHeight));
  const cells = cellGrid(source, projection, grid, step, base);
  const [minx, miny, maxx, maxy] = source.bounds;
  const [col0, row0] = [Math.floor(cells.col(minx)), Math.floor(cells.row(maxy))];
  const cols = Math.floor(cells.col(maxx)) - col0 + 1;
  const rows = Math.floor(cells.row(miny)) - row0 + 1;
  const found = { z, col0, row0, cols, rows, cells, step, across: base * cellsAcross(grid, z, step), settings };
  if (cols > 0 && rows > 0 && !numbered(found, source.count)) {
    const detail = `${id}: at zoom ${z} its clusters, ${cols} × ${rows}, are more than ids can tell apart`;
    throw problem('unprocessable', `${detail}; a larger cluster.radius or a lesser cluster.maxZoom has fewer`);
  }
  return found;
}

export interface TileClusters {
  readonly selection: Selection;
  /** null where there is none. */
  readonly clusters: JobClusters | null;
  /** Along a tile side. */
  readonly cells: number;
}

/** What a tile shows of a layer at a zoom with clusters; null where the zoom has none. Errors: unprocessable. */
export async function selectClusters(
  view: LayerView,
  layer: VectorLayer,
  { z, filtered }: { readonly z: number; readonly filtered: boolean },
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<TileClusters | null> {
  const at = clusterCellsAt(view, layer, z);
  if (!at) return null;
  if (filtered) throw filterFault(layer.id, at.settings);
  const found = await clusterCells(view.source, at.cells, rangesOf(at, boxes), boxes, at.settings.minPoints, signal);
  const { singles, visited } = found;
  const clusters = shownIn(boxes, at, found, view.source.count, layer.options);
  return {
    selection: { ...singles, dropped: 0, counts: null, visited },
    clusters: clusters.ids.length > 0 ? clusters : null,
    cells: at.across,
  };
}

/** Counts come from the index, which knows nothing of attributes. */
export function filterFault(id: string, { maxZoom }: ClusterSettings): Error {
  const detail = `${id}: its clusters are counted from the index, which knows no attributes: no filter up to zoom ${maxZoom}`;
  return problem('unprocessable', detail, { layer: id, clusterMaxZoom: maxZoom });
}

/** The cells that the boxes meet, as far as the layer reaches. */
function rangesOf({ cells, col0, row0, cols, rows }: ClusterCells, boxes: Float64Array): CellRange[] {
  const ranges: CellRange[] = [];
  for (let b = 0; b < boxes.length; b += 4) {
    const range = {
      col0: Math.max(col0, Math.floor(cells.col(boxes[b]))),
      row0: Math.max(row0, Math.floor(cells.row(boxes[b + 3]))),
      col1: Math.min(col0 + cols - 1, Math.floor(cells.col(boxes[b + 2]))),
      row1: Math.min(row0 + rows - 1, Math.floor(cells.row(boxes[b + 1]))),
    };
    if (range.col0 <= range.col1 && range.row0 <= range.row1) ranges.push(range);
  }
  return ranges;
}

/** Of the cells found those whose middle lies in the boxes; a cell that two ranges have comes once. */
function shownIn(
  boxes: Float64Array,
  at: ClusterCells,
  { cols, rows, counts, xs, ys }: Clustered,
  features: number,
  { pointCount }: LayerOptions,
): JobClusters {
  const ids: number[] = [];
  const sums: number[] = [];
  const xy: number[] = [];
  const place = new Float64Array(4);
  for (let i = 0; i < counts.length; i++) {
    place[0] = place[2] = at.cells.x(xs[i]);
    place[1] = place[3] = at.cells.y(ys[i]);
    if (!meets(place, 0, boxes)) continue;
    ids.push(clusterId(at, features, cols[i], rows[i]));
    sums.push(counts[i]);
    xy.push(place[0], place[1]);
  }
  return {
    ids: Float64Array.from(ids),
    counts: Uint32Array.from(sums),
    xy: Float64Array.from(xy),
    rooted: pointCount === true,
  };
}
