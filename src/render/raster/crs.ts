/** EPSG numbers of CRS names, for what can only name them so. */
import { resolveCrs } from '../../crs/index.ts';

export interface EpsgName {
  readonly code: number;
  readonly geographic: boolean;
}

/** CRS84 is EPSG:4326 with the axes in the order that GeoTIFF has them anyway. Null where no number names it. */
export function epsgOf(text: string): EpsgName | null {
  const crs = resolveCrs(text);
  if (crs.id === 'OGC:CRS84') return { code: 4326, geographic: true };
  const match = /^EPSG:(\d+)$/.exec(crs.id);
  return match ? { code: Number(match[1]), geographic: crs.geographic } : null;
}
