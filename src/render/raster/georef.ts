/** Where a picture lies: in the tags of a GeoTIFF, and in headers for those forms that cannot say it (PNG, WebP, NPY). */
import type { Georeference } from '../../kernels/geotiff-writer.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Job } from '../../plan.ts';
import type { MosaicImageJob } from '../mosaic/types.ts';
import { epsgOf } from './crs.ts';
import { sameCrs } from './geometry.ts';
import { crsOf } from './read.ts';
import type { Affine, ImageJob, OutputGrid } from './types.ts';

/** A system that no number names is written as the file itself has it, where it is the file's. */
export function georefOf(layer: RasterLayer, grid: OutputGrid): Georeference {
  const own = crsOf(layer);
  const crs = grid.crs ?? own;
  const keys = grid.crs === null || sameCrs(grid.crs, own) ? layer.source.crsKeys : null;
  return {
    transform: transformOf(layer, grid),
    epsg: epsgOf(crs),
    keys: layer.options.crs === undefined ? keys : null,
  };
}

/**
 * X-Raster-Bbox: left, bottom, right and top edge, x before y whatever the axes of the system. X-Raster-Crs: that system. Of a
 * preview of a raster that is not north-up there is no such box: nothing is told.
 */
export function placeHeaders(layer: RasterLayer, grid: OutputGrid): Record<string, string> {
  const [left, dx, tiltX, top, tiltY, dy] = transformOf(layer, grid);
  if (tiltX !== 0 || tiltY !== 0 || !(dx > 0 && dy < 0)) return {};
  const box = [left, top + grid.height * dy, left + grid.width * dx, top];
  return { 'x-raster-bbox': box.join(','), 'x-raster-crs': grid.crs ?? crsOf(layer) };
}

/** X-Raster-Nodata: what a GeoTIFF of the same picture says in its tag; not of what is computed from the file's values. */
export function nodataHeader(job: Job | null): Record<string, string> {
  const image = job as ImageJob | MosaicImageJob | null;
  if (image?.kind !== 'image' || (image.style.format !== 'tif' && image.style.format !== 'npy')) return {};
  const kept = 'choice' in image && image.derive === null && image.style.scales === null;
  const nodata = 'nodata' in image ? image.nodata : kept ? image.choice.nodata : null;
  return nodata === null ? {} : { 'x-raster-nodata': String(nodata) };
}

/** A grid without a system shows the whole raster. */
function transformOf({ source }: RasterLayer, grid: OutputGrid): Affine {
  if (grid.crs !== null) return [grid.originX, grid.resX, 0, grid.originY, 0, -grid.resY];
  const [x, dx, tiltX, y, tiltY, dy] = source.transform;
  const across = source.width / grid.width;
  const down = source.height / grid.height;
  return [x, dx * across, tiltX * down, y, tiltY * across, dy * down];
}
