/** Coordinate reference systems: what a text means, and how points and boxes get from one to another. */
import type { Crs } from './types.ts';

export { xPeriod } from './period.ts';
export { resolveCrs } from './resolve.ts';
export { isLonLat, type Transformer, transformBounds, transformer } from './transform.ts';
export type { Crs } from './types.ts';

/** The OGC URI of a CRS, as Features part 2 wants it in `crs` and `Content-Crs`; null where no authority names it. */
export function crsUri(crs: Crs): string | null {
  if (crs.id === 'OGC:CRS84') return 'http://www.opengis.net/def/crs/OGC/1.3/CRS84';
  return crs.id.startsWith('EPSG:') ? `http://www.opengis.net/def/crs/EPSG/0/${crs.id.slice(5)}` : null;
}

export function crsTitle(crs: Crs): string {
  return crs.title ?? crs.id;
}
