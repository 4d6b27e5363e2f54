/** Every line of the description. A route that is added has its line in the file of its group. */
import { clusterEndpoints } from './clusters.ts';
import { cogEndpoints, type ImageLimits } from './cog.ts';
import { type FeatureLimits, featureEndpoints } from './features.ts';
import { operationEndpoints } from './operations.ts';
import { sessionEndpoints } from './sessions.ts';
import { tileEndpoints } from './tiles.ts';
import { tilesetEndpoints } from './tilesets.ts';
import type { Endpoint, Samples } from './types.ts';
import { catalogueEndpoints, viewerEndpoints } from './viewer.ts';
import { zonalEndpoints } from './zonal.ts';

export type ApiLimits = FeatureLimits & ImageLimits;

export function endpoints(samples: Samples, limits: ApiLimits): Endpoint[] {
  return [
    ...catalogueEndpoints(samples),
    ...tileEndpoints(samples),
    ...clusterEndpoints(samples, limits),
    ...tilesetEndpoints(samples),
    ...cogEndpoints(samples, limits),
    ...zonalEndpoints(samples),
    ...featureEndpoints(samples, limits),
    ...sessionEndpoints(),
    ...operationEndpoints(),
    ...viewerEndpoints(),
  ];
}
