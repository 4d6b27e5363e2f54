/** A layer as those of its features that are drawn: a filtered one as those that match, a clustered one as clusters and single points. */
import { clustered } from './cluster-paint.ts';
import type { VectorJobLayer } from './job.ts';
import type { Passes } from './matches.ts';
import { type Narrowed, narrowed } from './narrow.ts';

export type { Narrowed } from './narrow.ts';

export function narrowing(layer: VectorJobLayer): Passes<Narrowed> {
  return layer.toCluster ? clustered(layer, layer.toCluster) : narrowed(layer);
}
