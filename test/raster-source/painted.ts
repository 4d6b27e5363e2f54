/** The same fixtures as they are served: the whole raster in its own pixels, and a tile of it, against GDAL. */
import assert from 'node:assert/strict';
import { kernelOf, type Resampling } from '../../src/kernels/resampling.ts';
import type { RasterLayer } from '../../src/layers/types.ts';
import type { Plan } from '../../src/plan.ts';
import type { RasterPainter } from '../../src/render/raster/paint.ts';
import { planPreview, planRasterTile } from '../../src/render/raster/plan.ts';
import type { ImageJob } from '../../src/render/raster/types.ts';
import { latToMercator, lonToMercator, MERCATOR_HALF, WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import type { Gdal } from '../raster/gdal.ts';
import { never, openLayer, paintPlan } from '../raster/layers.ts';
import { type Cube, readNpy } from '../raster/npy-reader.ts';
import type { Fixture } from './oracle.ts';

interface Rig {
  readonly gdal: Gdal;
  readonly painter: RasterPainter;
}

/** What differs, a line each. `twin`: the file that GDAL is asked about. */
export async function paintedDifferences(rig: Rig, path: string, twin: string, fixture: Fixture): Promise<string[]> {
  const layer = await openLayer(path);
  try {
    const bidx = layer.source.bands.filter(band => band.colorInterp !== 'alpha').map(band => band.index);
    const params = (resampling: Resampling) => ({ resampling, returnMask: true, unscale: false, bidx });
    const size = { maxSize: null, width: layer.source.width, height: layer.source.height } as const;
    const whole = { layer, ...size, maxSize: 10_000, format: 'npy', params: params('nearest') } as const;
    const found = await compared(rig, await planPreview(whole, never), layer, twin, fixture);
    // Where the place itself is not PROJ's, or GDAL's warper minds something else than its reader, only the first says something.
    if (fixture.place || fixture.warped === false || layer.source.premultipliedAlpha || !layer.lonLatBounds)
      return found;
    for (const resampling of ['nearest', 'bilinear'] as const) {
      const plan = await planRasterTile({ ...tileOf(layer), layer, format: 'npy', params: params(resampling) }, never);
      found.push(...(await compared(rig, plan, layer, twin, fixture)));
    }
    return found;
  } finally {
    await layer.source.close();
  }
}

/** The one at a quarter of the width, a zoom below the deepest, so that edges are seen. */
function tileOf({ lonLatBounds, maxzoom }: RasterLayer) {
  const [west, south, east, north] = lonLatBounds!;
  const z = Math.max(0, maxzoom - 1);
  const side = (2 * MERCATOR_HALF) / 2 ** z;
  const x = lonToMercator(west + ((east < west ? east + 360 : east) - west) / 4);
  const y = (latToMercator(Math.max(south, -85)) + latToMercator(Math.min(north, 85))) / 2;
  const tile = { z, x: Math.floor((x + MERCATOR_HALF) / side), y: Math.floor((MERCATOR_HALF - y) / side) };
  return { tile, grid: WEB_MERCATOR_QUAD, scale: 1 } as const;
}

async function compared(
  { gdal, painter }: Rig,
  plan: Plan,
  layer: RasterLayer,
  twin: string,
  fixture: Fixture,
): Promise<string[]> {
  const job = plan.job as ImageJob;
  assert.ok(job.parts.length > 0, 'there is something to compare');
  const ours = readNpy((await paintPlan(painter, plan)).body!);
  const theirs = await gdal.ask({
    path: twin,
    level: job.parts[0].level.index,
    ...job.grid,
    resampling: job.resampling,
    bands: job.choice.bands.map(band => band + 1),
    ...(kernelOf(job.resampling) ? { radiusX: job.radiusX, radiusY: job.radiusY } : {}),
  });
  const whole = job.grid.crs === null;
  const said = differences(ours, theirs, { exact: job.resampling === 'nearest', whole, fixture, layer });
  return said === null ? [] : [`${whole ? 'whole' : `tile, ${job.resampling}`}: ${said}`];
}

interface How {
  readonly exact: boolean;
  /** In the raster's own pixels. */
  readonly whole: boolean;
  readonly fixture: Fixture;
  readonly layer: RasterLayer;
}

/** NaN is never valid here; to GDAL it is unless nodata says so. */
function differences(ours: Cube, theirs: Cube, { exact, whole, fixture, layer }: How): string | null {
  assert.deepEqual(ours.shape, theirs.shape);
  const count = ours.shape[1] * ours.shape[2];
  const bands = ours.shape[0] - 1;
  const integer = !layer.source.dtype.startsWith('float');
  const premultiplied = layer.source.premultipliedAlpha;
  const [low, high] = theirs.values
    .subarray(0, bands * count)
    .reduce(([a, b], v) => (Number.isFinite(v) ? [Math.min(a, v), Math.max(b, v)] : [a, b]), [Infinity, -Infinity]);
  // A thousandth of a pixel is what GDAL's transformer may be off; a quarter of 1/255 of the range is far more than comes of it.
  const allowed = fixture.tolerance + (exact ? 0 : (high - low) / 1000 + (integer ? 1 : 0) + (fixture.rough ?? 0));
  let [masks, values, valid, worst] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const a = ours.values[bands * count + i] > 0;
    const b = theirs.values[bands * count + i] > 0 || (whole && fixture.hides !== undefined);
    const nan = Array.from({ length: bands }, (_, n) => theirs.values[n * count + i]).some(Number.isNaN);
    if (a !== (b && !nan)) masks++;
    if (!a || !b || nan) continue;
    valid++;
    for (let n = 0; n < bands; n++) {
      const v = ours.values[n * count + i];
      const stored = theirs.values[n * count + i];
      // The mask that is read is alpha itself.
      const w = premultiplied ? Math.min(255, Math.round((stored * 255) / theirs.values[bands * count + i])) : stored;
      if (Math.abs(v - w) <= allowed) continue;
      values++;
      worst = Math.max(worst, Math.abs(v - w));
    }
  }
  // Of a tile, pixels whose centre is on the edge of one of the file's; what is whole has none.
  const slack = whole ? 0 : count / 2000;
  if (masks <= slack && values <= slack * bands) return null;
  return `${masks} of ${count} in the mask, ${values} of ${valid * bands} values, up to ${worst}`;
}
