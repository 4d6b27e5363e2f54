/** What is asked of a cluster, which cell it stands for, and what both ways of telling its parts share. */
import { problem } from '../../errors.ts';
import { type ClusterSettings, cellOfCluster, zoomOfCluster } from '../../kernels/clusters.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { Encoding } from '../../plan.ts';
import type { CellRange } from '../../source/fgb/clusters.ts';
import type { TileMatrixSet } from '../../tile.ts';
import type { FilterSpec } from '../filter/filter.ts';
import { fgbOf } from '../items/stream.ts';
import { projectionOf } from '../vector/boxes.ts';
import { type ClusterCells, clusterCellsAt } from '../vector/clusters.ts';
import type { WrittenClusters } from './types.ts';

export const CLUSTER_PARTS = ['expansion-zoom', 'children', 'leaves'] as const;
export type ClusterPart = (typeof CLUSTER_PARTS)[number];

export interface ClusterAsk {
  readonly layer: VectorLayer;
  readonly grid: TileMatrixSet;
  readonly id: number;
  readonly part: ClusterPart;
  /** Of leaves: which, and at most how many; children are never more than `limit` points. */
  readonly offset: number;
  readonly limit: number;
  /** The cluster is of the points that match; null: of all. */
  readonly filter: FilterSpec | null;
  readonly encoding: Encoding;
}

/** Children are looked for in so many cells at most: grids whose next zoom is 64 times as fine have no more. */
const CHILD_CELLS_MAX = 4096;
/** A cluster as text, and as the strings that it was; an aggregate of it beside its name. */
const CLUSTER_TEXT_BYTES = 320;
const AGGREGATE_TEXT_BYTES = 32;
export const DOCUMENT_BYTES = 1024;
export const NONE: WrittenClusters = {
  ids: new Float64Array(0),
  counts: new Uint32Array(0),
  xy: new Float64Array(0),
  aggregates: [],
};

export function clusterTextBytes({ aggregates }: ClusterSettings): number {
  const names = Object.keys(aggregates);
  return CLUSTER_TEXT_BYTES + names.reduce((sum, name) => sum + name.length * 6 + AGGREGATE_TEXT_BYTES, 0);
}

/** The cell that an id stands for. */
export interface Located {
  readonly at: ClusterCells;
  readonly cell: readonly [col: number, row: number];
}

export function cellsAt({ layer, grid }: ClusterAsk, z: number): ClusterCells | null {
  const source = fgbOf(layer);
  return z < grid.matrices.length
    ? clusterCellsAt({ source, projection: projectionOf(source.crs as string, grid.crs), grid }, layer, z)
    : null;
}

/** Errors: unprocessable, feature-not-found. */
export function located(ask: ClusterAsk): Located {
  const { layer, id } = ask;
  if (!layer.options.cluster)
    throw problem('unprocessable', `${layer.id} draws no clusters; the setting "cluster" of a layer of points does`);
  const source = fgbOf(layer);
  const z = zoomOfCluster(id, source.count);
  const at = z < 0 ? null : cellsAt(ask, z);
  const cell = at && cellOfCluster(at, source.count, id);
  if (!at || !cell) throw unknownCluster(ask);
  return { at, cell };
}

export function unknownCluster({ layer, id, grid }: ClusterAsk): Error {
  return problem('feature-not-found', `${layer.id} has no cluster ${id} in ${grid.id}`);
}

/** The cells of the next zoom that the cell is made of. Errors: too-large. */
export function childRange({ id, limit }: ClusterAsk, { at, cell }: Located, next: ClusterCells): CellRange {
  const halved = 2 ** (next.step - at.step);
  if (halved * halved > CHILD_CELLS_MAX)
    throw tooManyChildren(id, limit, `cells of the next zoom that are ${halved} times as fine`);
  return {
    col0: Math.max(next.col0, cell[0] * halved),
    row0: Math.max(next.row0, cell[1] * halved),
    col1: Math.min(next.col0 + next.cols, (cell[0] + 1) * halved) - 1,
    row1: Math.min(next.row0 + next.rows, (cell[1] + 1) * halved) - 1,
  };
}

export function tooManyChildren(id: number, limit: number, what: string): Error {
  const detail = `children of cluster ${id} are ${what}; at most ${limit} points at once: ask for its leaves, a part at a time`;
  return problem('too-large', detail, { fits: { limit } });
}
