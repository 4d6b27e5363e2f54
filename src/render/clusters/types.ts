/** What passes to the worker that writes what a cluster is made of. */
import type { CellPlane } from '../../kernels/clusters.ts';
import type { Encoding, Job } from '../../plan.ts';
import type { FilterSchema, FilterSpec } from '../filter/filter.ts';
import type { ItemsJob } from '../items/task.ts';
import type { CellsRead, JobClusters } from '../vector/job.ts';

export type WrittenClusters = Omit<JobClusters, 'rooted'>;

/** A part of a cluster that only reading its points tells. */
export interface PartRead {
  readonly id: number;
  /** For messages: the layer, and the grid. */
  readonly layer: string;
  readonly grid: string;
  readonly part: 'expansion-zoom' | 'children' | 'leaves';
  readonly offset: number;
  readonly limit: number;
  readonly minPoints: number;
  readonly filter: FilterSpec | null;
  readonly schema: FilterSchema;
  /** Of the candidates in `items`, two numbers each. */
  readonly xy: Float64Array;
  /** The cells of the next zoom; null: there are none. */
  readonly next: CellsRead | null;
  /** Cells of the zooms below, and their names; the last has a name alone where there are no cells any more. */
  readonly zooms: readonly { readonly zoom: number; readonly plane: CellPlane | null }[];
}

export interface ClusterPartsJob extends Job {
  readonly task: 'cluster-parts';
  readonly encoding: Encoding;
  /** The zoom at which it falls apart, which is all the answer; null: its parts are. */
  readonly zoom: number | null;
  /** CRS of `clusters`. */
  readonly crs: string;
  readonly clusters: WrittenClusters;
  /** Points that are written; with `read` its candidates. */
  readonly items: ItemsJob | null;
  /** Parts on all pages. */
  readonly matched: number;
  /** null: all of it is known. */
  readonly read: PartRead | null;
}
