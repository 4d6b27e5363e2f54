/** What a worker can do, by name. Adding a kind of work is one line here and a painter in render/. */
import { createFiles } from '../io/files.ts';
import type { FetchSettings } from '../io/http/client.ts';
import type { Job, Painted, TaskContext } from '../plan.ts';
import type { ClusterPartsJob } from '../render/clusters/types.ts';
import type { ItemsJob } from '../render/items/task.ts';
import type { MosaicJob } from '../render/mosaic/types.ts';
import type { RasterJob } from '../render/raster/types.ts';
import type { ShadowJob } from '../render/shadow/plan.ts';
import type { TranscodeJob } from '../render/transcode.ts';
import type { VectorJob } from '../render/vector/job.ts';
import type { CellsJob } from '../render/vector/measure.ts';
import type { OverzoomJob } from '../render/vector/overzoom.ts';
import type { ZonalJob } from '../render/zonal/types.ts';

/** Limits of one worker, plain data. */
export interface WorkerSettings {
  /** Decoded raster blocks that one thread may keep, bytes. */
  readonly blockCacheBytes: number;
  /** How files of other servers are read; absent: they are not. */
  readonly remote?: FetchSettings;
}

export type Task = (job: Job, context: TaskContext) => Promise<Painted> | Painted;

/** Painters are loaded with their first job: a thread that only draws rasters keeps no code for vectors, nor the other way. */
export function createTasks(settings: WorkerSettings): Readonly<Record<string, Task>> {
  const files = createFiles(settings.remote ?? null);
  const vector = once(async () => (await import('../render/vector/paint.ts')).createVectorPainter());
  const vectorTiles = once(async () => {
    const { paintVector } = await import('../render/vector/far.ts');
    const painter = await vector();
    return (job: VectorJob, context: TaskContext) => paintVector(painter, job, context, files);
  });
  const raster = once(async () => {
    const { createRasterPainter } = await import('../render/raster/paint.ts');
    return createRasterPainter({ blockCacheBytes: settings.blockCacheBytes, files });
  });
  return {
    'vector-tile': async (job, context) => (await vectorTiles())(job as VectorJob, context),
    raster: async (job, context) => (await raster()).paint(job as RasterJob, context),
    mosaic: async (job, context) => {
      const { paintMosaic } = await import('../render/mosaic/paint.ts');
      return (await raster()).withStore((_, workshop) => paintMosaic(job as MosaicJob, workshop, context));
    },
    zonal: async (job, context) => {
      const { paintZonal } = await import('../render/zonal/paint.ts');
      return (await raster()).withStore(store => paintZonal(job as ZonalJob, store, context, files));
    },
    shadow: async (job, context) =>
      (await import('../render/shadow/build.ts')).buildShadow(job as ShadowJob, files, context),
    cells: async (job, context) =>
      (await import('../render/vector/measure.ts')).runCells(job as CellsJob, context, await vector(), files),
    'cluster-parts': async (job, context) =>
      (await import('../render/clusters/task.ts')).runClusterParts(job as ClusterPartsJob, context, files),
    overzoom: async (job, context) =>
      (await import('../render/vector/overzoom.ts')).runOverzoom(job as OverzoomJob, context),
    items: async (job, context) =>
      (await import('../render/items/task.ts')).runItemsOf(job as ItemsJob, context, files),
    transcode: async job => (await import('../render/transcode.ts')).transcode(job as TranscodeJob),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
