/** What a layer's clusters may not be: more than ids can tell apart, or more than a tile may draw. */
import type { Aggregate } from '../kernels/aggregates.ts';
import { CLUSTER_NAMES, cellsATile, clusterSettings } from '../kernels/clusters.ts';
import type { Breach } from './checks.ts';
import type { Config, LayerConfig } from './schema.ts';

/** Cells a side of the world whose numbers still fit into ids that a double holds. */
const CELLS_MAX = 2 ** 24;

/** Characters of the name of an aggregate, which every tile repeats. */
const NAME_MAX = 64;
const RESERVED: readonly string[] = [...CLUSTER_NAMES, 'sqrt_point_count'];

export function clusterBreaches(
  id: string,
  layer: LayerConfig,
  { maxFeatures, extent, buffer }: Config['vector'],
): Breach[] {
  const settings = clusterSettings(layer);
  if (!settings) return [];
  const { radius, minPoints, maxZoom } = settings;
  const breach = (key: string, message: string) => [{ path: ['layers', id, 'cluster', key], message }];
  if (radius > settings.extent)
    return breach('radius', `must not exceed extent, a tile side (${settings.extent}), not ${radius}`);
  if (layer.maxzoom !== undefined && maxZoom >= layer.maxzoom)
    return breach('maxZoom', `must be below maxzoom (${layer.maxzoom}), or clusters never fall apart, not ${maxZoom}`);
  for (const [name, one] of Object.entries(settings.aggregates)) {
    const fault = aggregateFault(name, one);
    if (fault !== null) return [{ path: ['layers', id, 'cluster', 'aggregates', name], message: fault }];
  }
  const cells = cellsATile(settings);
  if (cells * 2 ** maxZoom > CELLS_MAX)
    return breach(
      'radius',
      `is too small for maxZoom ${maxZoom}: clusters would be more than ids can tell apart, not ${radius}`,
    );
  // Of the tile with its buffer, cut through cells on all sides; each with one point fewer than makes a cluster.
  const side = Math.ceil(cells * (1 + (2 * (layer.buffer ?? buffer)) / (layer.extent ?? extent))) + 1;
  const most = layer.maxFeatures ?? maxFeatures;
  const drawn = side * side * (minPoints - 1);
  if (drawn <= most) return [];
  const why = `a tile could draw ${drawn} clusters and points, more than maxFeatures (${most})`;
  return breach('radius', `is too small for minPoints ${minPoints}: ${why}, not ${radius}`);
}

/** A file may leave out what the type has. */
function aggregateFault(name: string, { op, property }: Partial<Aggregate>): string | null {
  if (RESERVED.includes(name)) return 'is the name of an attribute that every cluster has';
  if (name === '' || name.length > NAME_MAX) return `must be a name of 1 to ${NAME_MAX} characters`;
  return op === undefined || property === undefined ? 'must say op and property' : null;
}
