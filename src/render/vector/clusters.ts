/**
 * Points drawn together up to a zoom, live from the index: supercluster's attributes over cells of a grid. Cells are laid from the
 * grid's origin and halve from zoom to zoom, so clusters nest; a cell's points are one cluster from `minPoints` on, and drawn as
 * themselves below. Nothing of a tile enters, so all tiles that see a cluster see the same one.
 */
import { problem } from '../../errors.ts';
import {
  type CellFrame,
  type CellPlane,
  type ClusterSettings,
  cellsATile,
  clusterId,
  clusterSettings,
  numbered,
} from '../../kernels/clusters.ts';
import type { LayerOptions, VectorLayer } from '../../layers/types.ts';
import { selectCandidates } from '../../source/fgb/candidates.ts';
import { cellPoints } from '../../source/fgb/cell-points.ts';
import { type CellRange, type Clustered, clusterCells } from '../../source/fgb/clusters.ts';
import type { CellGrid, Selection } from '../../source/fgb/lod.ts';
import { meets } from '../../source/fgb/rtree.ts';
import type { TileCoord } from '../../tile.ts';
import type { FilterSpec } from '../filter/filter.ts';
import { type LayerView, queryBoxes } from './boxes.ts';
import { cellPlane, cellsAcross, cellsOn } from './cells.ts';
import {
  CLUSTER_HELD_BYTES,
  CLUSTER_TILE_BYTES,
  type ClusterCost,
  mustRead,
  readLimit,
  selectToRead,
} from './cluster-read.ts';
import { narrowing, readableZoom } from './filtered.ts';
import type { JobClusters, ReadClusters } from './job.ts';

/** The cells of a layer at one zoom. */
export interface ClusterCells extends CellFrame {
  readonly cells: CellGrid;
  readonly plane: CellPlane;
  /** How often they were halved since the first zoom. */
  readonly step: number;
  /** How many there are along the shorter side of a tile. */
  readonly across: number;
  readonly settings: ClusterSettings;
}

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
  const plane = cellPlane(source, projection, grid, step, base);
  const cells = cellsOn(plane);
  const [minx, miny, maxx, maxy] = source.bounds;
  const [col0, row0] = [Math.floor(cells.col(minx)), Math.floor(cells.row(maxy))];
  const cols = Math.floor(cells.col(maxx)) - col0 + 1;
  const rows = Math.floor(cells.row(miny)) - row0 + 1;
  const found = { z, col0, row0, cols, rows, cells, plane, step, across: base * cellsAcross(grid, z, step), settings };
  if (cols > 0 && rows > 0 && !numbered(found, source.count)) {
    const detail = `${id}: at zoom ${z} its clusters, ${cols} × ${rows}, are more than ids can tell apart`;
    throw problem('unprocessable', `${detail}; a larger cluster.radius or a lesser cluster.maxZoom has fewer`);
  }
  return found;
}

export interface ClustersAsk {
  readonly tile: TileCoord;
  readonly filter?: FilterSpec | null;
}

export interface TileClusters {
  readonly selection: Selection;
  /** null where there is none, or where only reading tells. */
  readonly clusters: JobClusters | null;
  readonly toCluster: ReadClusters | null;
  readonly cost: ClusterCost;
  /** Along a tile side. */
  readonly cells: number;
}

/** What a tile shows of a layer at a zoom with clusters; null where the zoom has none. Errors: too-large, unprocessable. */
export async function selectClusters(
  view: LayerView,
  layer: VectorLayer,
  { tile, filter = null }: ClustersAsk,
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<TileClusters | null> {
  const at = clusterCellsAt(view, layer, tile.z);
  if (!at) return null;
  const ranges = rangesOf(at, boxes);
  if (mustRead(at.settings, filter)) {
    const part = { at, ranges, filter, layer };
    const found = await selectToRead(view.source, part, signal);
    if (found.bytes > readLimit(layer)) throw await tooLarge(view, layer, tile, found.bytes, filter, signal);
    return { ...found, clusters: null, cells: at.across };
  }
  const found = await clusterCells(view.source, at.cells, ranges, boxes, at.settings.minPoints, signal);
  const { singles, visited } = found;
  const clusters = shownIn(boxes, at, found, view.source.count, layer.options);
  const count = clusters.ids.length;
  const cost = { tileBytes: count * CLUSTER_TILE_BYTES, heldBytes: count * CLUSTER_HELD_BYTES, drawnBytes: null };
  return {
    selection: { ...singles, dropped: 0, counts: null, visited },
    clusters: count > 0 ? clusters : null,
    toCluster: null,
    cost,
    cells: at.across,
  };
}

/** Down the heaviest quarters: the first zoom of which a tile can be read. */
async function tooLarge(
  view: LayerView,
  layer: VectorLayer,
  tile: TileCoord,
  bytes: number,
  filter: FilterSpec | null,
  signal?: AbortSignal,
): Promise<Error> {
  const limit = readLimit(layer);
  const narrow = narrowing(layer, filter);
  const fits = await readableZoom(view, { tile, bytes }, limit, async child => {
    const { boxes } = queryBoxes(view, child);
    const at = clusterCellsAt(view, layer, child.z);
    if (at) return (await cellPoints(view.source, at.cells, rangesOf(at, boxes), narrow, 0, signal)).bytes;
    return filter ? (await selectCandidates(view.source, boxes, null, null, narrow, 0, signal)).bytes : 0;
  });
  const what = filter ? 'the filter would have to be asked' : 'aggregates would have to be made';
  const detail = `${layer.id}: for the clusters of this tile ${what} of ${bytes} bytes of points; at most ${limit} (filter.maxReadBytes)`;
  return problem('too-large', detail, { limitBytes: limit, neededBytes: bytes, ...fits });
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
    aggregates: [],
  };
}
