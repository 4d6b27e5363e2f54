/** Raster layers over the shared test data, and the painting of them, as the server does it. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { statRef } from '../../src/io/bytes.ts';
import type { LayerOptions, RasterLayer } from '../../src/layers/types.ts';
import type { Painted, Plan, TaskContext } from '../../src/plan.ts';
import { rasterZooms } from '../../src/render/raster/info.ts';
import type { RasterPainter } from '../../src/render/raster/paint.ts';
import type { RasterJob } from '../../src/render/raster/plan.ts';
import { openCog } from '../../src/source/tiff/open.ts';

export const RASTERS = fileURLToPath(new URL('../../../shared/data/dev/raster/', import.meta.url));

export function rasterFiles(): string[] {
  return existsSync(RASTERS)
    ? readdirSync(RASTERS)
        .filter(name => name.endsWith('.tif'))
        .sort()
    : [];
}

export const noData = existsSync(RASTERS) ? false : 'the shared test data is not here';

export async function openLayer(path: string, options: LayerOptions = {}): Promise<RasterLayer> {
  const source = await openCog(statRef(path), options.crs ? { crs: options.crs } : {});
  const zooms = rasterZooms(source);
  return {
    kind: 'raster',
    id: path.split('/').at(-1) as string,
    title: path,
    description: null,
    options,
    verdict: source.verdict,
    version: source.version,
    lonLatBounds: source.lonLatBounds,
    minzoom: zooms?.minzoom ?? 0,
    maxzoom: zooms?.maxzoom ?? 0,
    source,
  };
}

export const quiet: TaskContext = { cancelled: () => false, check: () => undefined };
export const never = new AbortController().signal;

/** The job crosses a thread boundary in the server, so here it is cloned too. */
export async function paintPlan(painter: RasterPainter, plan: Plan): Promise<Painted> {
  if (!plan.job) throw new Error('nothing to paint');
  return painter.paint(structuredClone(plan.job) as RasterJob, quiet);
}
