/** What passes to the worker that writes what a cluster is made of. */
import type { Encoding, Job } from '../../plan.ts';
import type { ItemsJob } from '../items/task.ts';
import type { JobClusters } from '../vector/job.ts';

export type WrittenClusters = Omit<JobClusters, 'rooted'>;

export interface ClusterPartsJob extends Job {
  readonly task: 'cluster-parts';
  readonly encoding: Encoding;
  /** The zoom at which it falls apart, which is all the answer; null: its parts are. */
  readonly zoom: number | null;
  /** CRS of `clusters`. */
  readonly crs: string;
  readonly clusters: WrittenClusters;
  readonly items: ItemsJob | null;
  /** Parts on all pages. */
  readonly matched: number;
}
