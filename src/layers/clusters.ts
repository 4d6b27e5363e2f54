/** Whether what a layer holds can be drawn together. */
import { type Aggregate, ofBooleans } from '../kernels/aggregates.ts';
import { clusterSettings } from '../kernels/clusters.ts';
import { didYouMean } from '../nearest.ts';
import type { Column, Reason, Source, Verdict } from '../source/types.ts';
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
  const settings = clusterSettings(options);
  if (!settings) return [];
  const is = source.kind === 'vector' ? source.geometry : 'raster';
  if (source.kind === 'vector' && is === 'Point')
    return Object.entries(settings.aggregates).flatMap(([name, one]) => aggregateFaults(name, one, source.columns));
  const detail = `cluster: draws points together, and this layer is of ${is === 'raster' ? 'pixels' : `geometry ${is}`}`;
  const points = is === 'MultiPoint' || is === 'Unknown';
  const remedy = 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -explodecollections -nlt POINT out.fgb in.fgb';
  return [{ code: 'cluster-not-points', detail, ...(points ? { remedy } : {}) }];
}

/** Attributes go by the names that are served, also where they are not served themselves. */
function aggregateFaults(name: string, { op, property }: Aggregate, columns: readonly Column[]): Reason[] {
  const where = `cluster.aggregates.${name}`;
  const column = columns.find(one => one.name === property);
  if (!column) {
    const near = didYouMean(
      property,
      columns.map(one => one.name),
    );
    return [{ code: 'attribute-unknown', detail: `${where}: there is no attribute "${property}"${near}` }];
  }
  const is = column.type;
  const boolean = is === 'bool';
  const number = !boolean && is !== 'string' && is !== 'json' && is !== 'datetime' && is !== 'binary';
  if (op === 'count' || (ofBooleans(op) ? boolean : number)) return [];
  const wanted = ofBooleans(op) ? 'booleans' : 'numbers';
  return [{ code: 'aggregate-type', detail: `${where}: ${op} is of ${wanted}, and "${property}" is ${is}` }];
}
