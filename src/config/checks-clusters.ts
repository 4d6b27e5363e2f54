/** What a layer's clusters may not be: more than ids can tell apart, or more than a tile may draw. */
import { cellsATile, clusterSettings } from '../kernels/clusters.ts';
import type { Breach } from './checks.ts';
import type { Config, LayerConfig } from './schema.ts';

/** Cells a side of the world whose numbers still fit into ids that a double holds. */
const CELLS_MAX = 2 ** 24;

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
