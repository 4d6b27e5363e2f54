/** Vector tiles without a server: their jobs, and the CPU that a thread takes. */
import type { VectorLayer } from '../../src/layers/types.ts';
import type { VectorJob } from '../../src/render/vector/job.ts';
import { planVectorTile } from '../../src/render/vector/plan.ts';
import { WEB_MERCATOR_QUAD } from '../../src/tile.ts';

/** z, x, y. */
export type TileAt = readonly [number, number, number];

export const always = { cancelled: () => false, check: () => {} };

export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Of the tiles that have something to draw. */
export async function jobsOf(layer: VectorLayer, tiles: readonly TileAt[]): Promise<VectorJob[]> {
  const jobs: VectorJob[] = [];
  for (const [z, x, y] of tiles) {
    const ask = { layers: [layer], grid: WEB_MERCATOR_QUAD, tile: { z, x, y }, properties: null };
    const plan = await planVectorTile({ ...ask, encoding: 'identity' });
    if (plan.job) jobs.push(plan.job as VectorJob);
  }
  return jobs;
}
