/** Kinds of work about clusters of points. */
import { problem } from './errors.ts';
import type { Grids } from './grids/types.ts';
import type { ClusterPart } from './render/clusters/parts.ts';
import { planClusterPart } from './render/clusters/plan.ts';
import type { FilterSpec } from './render/filter/filter.ts';
import type { Operation } from './serve.ts';

export interface ClusterParams {
  /** Key of the tile matrix set. */
  readonly tms: string;
  readonly id: number;
  readonly part: ClusterPart;
  readonly offset: number;
  readonly limit: number;
  /** The cluster is of the points that match. */
  readonly filter?: FilterSpec;
}

export function clusterParts(grids: Grids): Operation<ClusterParams> {
  return {
    name: 'cluster',
    class: 'window',
    revision: 1,
    compressible: true,
    walks: () => true,
    plan: ([layer], { tms, filter = null, ...asked }, encoding, signal) => {
      if (layer.kind !== 'vector')
        throw problem('wrong-kind', `${layer.id} is a ${layer.kind} layer and has no clusters`);
      return planClusterPart({ ...asked, filter, layer, grid: grids.byKey(tms), encoding }, signal);
    },
    empty: () => {
      throw problem('internal', 'an answer about a cluster is never empty');
    },
  };
}
