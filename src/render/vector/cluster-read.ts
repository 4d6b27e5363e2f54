/** Clusters that the index alone does not tell: their points are read, to ask a filter of them or to make aggregates, and priced so. */
import type { ClusterSettings } from '../../kernels/clusters.ts';
import type { VectorLayer } from '../../layers/types.ts';
import { type CellPoints, cellPoints } from '../../source/fgb/cell-points.ts';
import type { CellRange } from '../../source/fgb/clusters.ts';
import type { Selection } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { type FilterSpec, filterSchema } from '../filter/filter.ts';
import { cellBytes } from './cluster-gather.ts';
import type { ClusterCells } from './clusters.ts';
import { narrowing, READ_BYTES_MAX } from './filtered.ts';
import type { CellsRead, JobAggregate, ReadClusters } from './job.ts';

/** Bytes of a cluster in a job, on both sides of the thread. */
export const CLUSTER_HELD_BYTES = 80;
/** Most that one takes in a tile: id, place, four or five attributes with values of their own. */
export const CLUSTER_TILE_BYTES = 128;
/** An aggregate of a cluster in a tile: its value, which others seldom have, and its tag; and as a value of JavaScript. */
const AGGREGATE_TILE_BYTES = 24;
const AGGREGATE_HELD_BYTES = 24;
/** The place of a point, on both sides of the thread, and what is held of one that may turn out to be alone. */
export const POINT_READ_BYTES = 48;

/** What clusters take in a tile, and beside it while it is painted. */
export interface ClusterCost {
  readonly tileBytes: number;
  readonly heldBytes: number;
  /** Most bytes of points that are drawn, where that is fewer than are read; null: all are. */
  readonly drawnBytes: number | null;
}

/** How many points a cell has the index knows, and not which of them match, nor what they have. */
export function mustRead({ aggregates }: ClusterSettings, filter: FilterSpec | null): boolean {
  return filter !== null || Object.keys(aggregates).length > 0;
}

/** Bytes of points that clusters of one tile may be made of. */
export function readLimit({ options }: VectorLayer): number {
  return options.filterReadBytes ?? READ_BYTES_MAX;
}

export interface ClustersToRead {
  readonly at: ClusterCells;
  readonly ranges: readonly CellRange[];
  readonly filter: FilterSpec | null;
  readonly layer: VectorLayer;
}

export interface ToRead {
  readonly selection: Selection;
  readonly toCluster: ReadClusters;
  readonly cost: ClusterCost;
  readonly bytes: number;
}

/** `bytes` above the limit: the selection is not whole. */
export async function selectToRead(source: FgbSource, asked: ClustersToRead, signal?: AbortSignal): Promise<ToRead> {
  const { at, ranges, filter, layer } = asked;
  const points = await cellPoints(source, at.cells, ranges, narrowing(layer, filter), readLimit(layer), signal);
  const { ordinals, offsets, lengths, xy, visited, bytes } = points;
  return {
    selection: { ordinals, offsets, lengths, visited, dropped: 0, counts: null },
    toCluster: { ...cellsRead(source, asked), xy },
    cost: readCost(points, asked),
    bytes,
  };
}

export function cellsRead(source: FgbSource, { at, ranges, filter, layer }: ClustersToRead): CellsRead {
  const { z, col0, row0, cols, rows, plane, settings } = at;
  return {
    plane,
    frame: { z, col0, row0, cols, rows },
    features: source.count,
    ranges,
    minPoints: settings.minPoints,
    filter,
    schema: filterSchema(layer),
    aggregates: aggregatesOf(layer, settings),
    rooted: layer.options.pointCount === true,
  };
}

function aggregatesOf({ source }: VectorLayer, { aggregates }: ClusterSettings): JobAggregate[] {
  return Object.entries(aggregates).map(([name, { op, property }]) => ({
    name,
    op,
    column: source.columns.findIndex(column => column.name === property),
  }));
}

/** Every cell is a cluster at most, or has one point fewer than makes one. */
export function readCost({ ordinals, bytes, largest }: CellPoints, { at, ranges }: ClustersToRead): ClusterCost {
  const { minPoints, aggregates } = at.settings;
  const names = Object.keys(aggregates);
  const cells = ranges.reduce((sum, r) => sum + (r.col1 - r.col0 + 1) * (r.row1 - r.row0 + 1), 0);
  const clusters = Math.min(cells, Math.floor(ordinals.length / minPoints));
  const nameBytes = names.reduce((sum, name) => sum + Buffer.byteLength(name) + 8, 0);
  return {
    tileBytes: clusters * (CLUSTER_TILE_BYTES + names.length * AGGREGATE_TILE_BYTES) + nameBytes,
    heldBytes:
      clusters * (2 * CLUSTER_HELD_BYTES + names.length * AGGREGATE_HELD_BYTES) +
      cells * cellBytes(names.length) +
      ordinals.length * POINT_READ_BYTES,
    drawnBytes: Math.min(bytes, cells * (minPoints - 1) * largest),
  };
}
