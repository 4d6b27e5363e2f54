/** Whether what a layer holds can be drawn together. */
import { clusterSettings } from '../kernels/clusters.ts';
import type { Reason, Source, Verdict } from '../source/types.ts';
import type { LayerOptions } from './types.ts';

/** Tiles go on until there are no clusters any more, unless an operator ends them. */
export function clusterZooms<Z extends { readonly maxzoom: number }>(zooms: Z, options: LayerOptions): Z {
  const settings = clusterSettings(options);
  return settings ? { ...zooms, maxzoom: Math.max(zooms.maxzoom, settings.maxZoom + 1) } : zooms;
}

/** The verdict of the file with what the operator asks of it. */
export function judgeClusters(source: Source, options: LayerOptions): Verdict {
  const { verdict } = source;
  const faults = clusterFaults(source, options);
  return faults.length === 0 ? verdict : { ...verdict, servable: false, reasons: [...verdict.reasons, ...faults] };
}

/** Lines and polygons have no one place, and a multipoint has several. */
function clusterFaults(source: Source, options: LayerOptions): Reason[] {
  if (!clusterSettings(options)) return [];
  const is = source.kind === 'vector' ? source.geometry : 'raster';
  if (is === 'Point') return [];
  const detail = `cluster: draws points together, and this layer is of ${is === 'raster' ? 'pixels' : `geometry ${is}`}`;
  const points = is === 'MultiPoint' || is === 'Unknown';
  const remedy = 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -explodecollections -nlt POINT out.fgb in.fgb';
  return [{ code: 'cluster-not-points', detail, ...(points ? { remedy } : {}) }];
}
