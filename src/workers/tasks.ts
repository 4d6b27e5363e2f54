/** What a worker can do, by name. Adding a kind of work is one line here and a painter in render/. */
import { createFiles } from '../io/files.ts';
import type { FetchSettings } from '../io/http/client.ts';
import type { Job, Painted, TaskContext } from '../plan.ts';
import { runClusterParts } from '../render/clusters/task.ts';
import type { ClusterPartsJob } from '../render/clusters/types.ts';
import { type ItemsJob, runItems } from '../render/items/task.ts';
import { paintMosaic } from '../render/mosaic/paint.ts';
import type { MosaicJob } from '../render/mosaic/types.ts';
import { createRasterPainter } from '../render/raster/paint.ts';
import { buildShadow } from '../render/shadow/build.ts';
import type { ShadowJob } from '../render/shadow/plan.ts';
import { type TranscodeJob, transcode } from '../render/transcode.ts';
import { type CellsJob, runCells } from '../render/vector/measure.ts';
import { type OverzoomJob, runOverzoom } from '../render/vector/overzoom.ts';
import { createVectorPainter } from '../render/vector/paint.ts';
import { paintZonal } from '../render/zonal/paint.ts';
import type { ZonalJob } from '../render/zonal/types.ts';

/** Limits of one worker, plain data. */
export interface WorkerSettings {
  /** Decoded raster blocks that one thread may keep, bytes. */
  readonly blockCacheBytes: number;
  /** How files of other servers are read; absent: they are not. */
  readonly remote?: FetchSettings;
}

export type Task = (job: Job, context: TaskContext) => Promise<Painted> | Painted;

export function createTasks(settings: WorkerSettings): Readonly<Record<string, Task>> {
  const vector = createVectorPainter();
  const files = createFiles(settings.remote ?? null);
  const raster = createRasterPainter({ blockCacheBytes: settings.blockCacheBytes, files });
  return {
    'vector-tile': (job, context) => vector.paint(job as Parameters<typeof vector.paint>[0], context),
    raster: (job, context) => raster.paint(job as Parameters<typeof raster.paint>[0], context),
    mosaic: (job, context) => raster.withStore((_, workshop) => paintMosaic(job as MosaicJob, workshop, context)),
    zonal: (job, context) => raster.withStore(store => paintZonal(job as ZonalJob, store, context)),
    shadow: (job, context) => buildShadow(job as ShadowJob, files, context),
    cells: (job, context) => runCells(job as CellsJob, context),
    'cluster-parts': (job, context) => runClusterParts(job as ClusterPartsJob, context),
    overzoom: (job, context) => runOverzoom(job as OverzoomJob, context),
    items: (job, context) => runItems(job as ItemsJob, context),
    transcode: job => transcode(job as TranscodeJob),
  };
}
