/** Clusters of points by cells of a grid: what is chosen of them, and the numbers that they go by. */
import type { Aggregate } from './aggregates.ts';

export interface ClusterSettings {
  /** In units of `extent` to a tile side. */
  readonly radius: number;
  readonly extent: number;
  readonly minPoints: number;
  readonly maxZoom: number;
  /** By the names of the attributes that clusters have of them. */
  readonly aggregates: Readonly<Record<string, Aggregate>>;
}

/** Those of supercluster. */
export const CLUSTER_DEFAULTS: ClusterSettings = { radius: 40, extent: 512, minPoints: 2, maxZoom: 16, aggregates: {} };

/** What an operator chose of a layer. */
interface Chosen {
  readonly cluster?: boolean | Partial<ClusterSettings>;
  /** Last zoom with tiles of its own. */
  readonly maxzoom?: number;
}

/** With supercluster's own for the rest, but that clusters fall apart before the tiles end; null: points are not drawn together. */
export function clusterSettings({ cluster, maxzoom = Number.POSITIVE_INFINITY }: Chosen): ClusterSettings | null {
  if (!cluster) return null;
  const last = Math.min(CLUSTER_DEFAULTS.maxZoom, maxzoom - 1);
  return { ...CLUSTER_DEFAULTS, maxZoom: last, ...(cluster === true ? {} : cluster) };
}

/** A cell that has about as many points as a circle of the radius around one of them: sides of √π radii would be as large. */
const CELL_RADII = 1.2;

/** Cells along a tile side; seldom a whole number. */
export function cellsATile({ radius, extent }: ClusterSettings): number {
  return extent / (CELL_RADII * radius);
}

/** Zooms that ids know. */
const ZOOMS = 32;

/** A grid of cells as plain data. */
export interface CellPlane {
  /** From degrees to web mercator; else by a factor alone. */
  readonly mercator: boolean;
  readonly originX: number;
  readonly originY: number;
  /** Cells a unit: metres of mercator, or the layer's. */
  readonly scale: number;
}

/** The cells of a layer at a zoom: the first column and row that it reaches, and how many. */
export interface CellFrame {
  /** Place of the zoom among those of its grid of tiles. */
  readonly z: number;
  readonly col0: number;
  readonly row0: number;
  readonly cols: number;
  readonly rows: number;
}

/** Whether every cell of the frame has an id of its own, beside the features' 1 … `features`. */
export function numbered({ z, cols, rows }: CellFrame, features: number): boolean {
  return z < ZOOMS && Number.isSafeInteger(cols * rows * ZOOMS + features);
}

export function clusterId({ z, col0, row0, cols }: CellFrame, features: number, col: number, row: number): number {
  return features + 1 + ((row - row0) * cols + col - col0) * ZOOMS + z;
}

/** The zoom that an id is of; −1 where it is a feature's. */
export function zoomOfCluster(id: number, features: number): number {
  return id > features ? (id - features - 1) % ZOOMS : -1;
}

/** Column and row; null where the frame has no such cell. */
export function cellOfCluster(
  { col0, row0, cols, rows }: CellFrame,
  features: number,
  id: number,
): [number, number] | null {
  const place = Math.floor((id - features - 1) / ZOOMS);
  const row = Math.floor(place / cols);
  return row < rows ? [col0 + (place % cols), row0 + row] : null;
}

/** As supercluster writes it: 999, '1.2k', '12k'. */
export function abbreviated(count: number): number | string {
  if (count >= 10_000) return `${Math.round(count / 1000)}k`;
  return count >= 1000 ? `${Math.round(count / 100) / 10}k` : count;
}

/** Attributes of clusters, beside `sqrt_point_count`. */
export const CLUSTER_NAMES = ['cluster', 'cluster_id', 'point_count', 'point_count_abbreviated'] as const;
