/** /tiles/{layer}/clusters: what the clusters of a layer of points are made of. */
import { WEB_MERCATOR_QUAD } from '../../tile.ts';
import { LEAVES_DEFAULT } from '../clusters.ts';
import { filterParameters } from './filter-parameters.ts';
import { EXPLAIN, IF_NONE_MATCH, pathParam, queryParam, ref, SERVED_NOT_MODIFIED, WORK_PROBLEMS } from './parts.ts';
import type { Answer, Endpoint, Parameter, Samples, Schema } from './types.ts';

const TMS = queryParam(
  'tms',
  'Tile matrix set of the tile that had the cluster, one of /tileMatrixSets.',
  { type: 'string', minLength: 1, default: WEB_MERCATOR_QUAD.id },
  { example: WEB_MERCATOR_QUAD.id },
);

const OFFSET = queryParam(
  'offset',
  'Points that are passed over, in file order.',
  { type: 'integer', minimum: 0, default: 0 },
  { example: 1 },
);

/** The id is one of a tile with the same filter. */
const FILTER = filterParameters([], 'The cluster of the points that match: ');

export function clusterEndpoints({ clustered }: Samples, { limitMax }: { readonly limitMax: number }): Endpoint[] {
  const named = [
    pathParam(
      'layer',
      'Layer id of points with the setting cluster.',
      { type: 'string', minLength: 1 },
      clustered.layer,
    ),
    pathParam('clusterId', 'cluster_id of a feature of a tile.', { type: 'integer', minimum: 1 }, clustered.id),
  ];
  const limit = queryParam(
    'limit',
    `Points at most; more than ${limitMax} is taken as ${limitMax}.`,
    { type: 'integer', minimum: 1, default: LEAVES_DEFAULT },
    { example: 2 },
  );
  const geojson = { 'application/geo+json': ref('ClusterParts'), 'application/json': ref('Plan') };
  return [
    endpoint(named, [], {
      id: 'getClusterExpansionZoom',
      part: 'expansion-zoom',
      summary: 'Zoom at which a cluster falls apart',
      description:
        'The first at which its points lie in more than one cell; the first zoom without clusters where they never do.',
      content: { 'application/json': { anyOf: [ref('ExpansionZoom'), ref('Plan')] } },
    }),
    endpoint(named, [], {
      id: 'getClusterChildren',
      part: 'children',
      summary: 'Clusters and points of the next zoom that a cluster is made of',
      description: `Where the next zoom has no clusters: its points, ${limitMax} at most.`,
      content: geojson,
    }),
    endpoint(named, [limit, OFFSET], {
      id: 'getClusterLeaves',
      part: 'leaves',
      summary: 'Points of a cluster',
      description: 'In file order, a part at a time; numberMatched is how many there are.',
      content: geojson,
    }),
  ];
}

interface Part {
  readonly id: string;
  readonly part: string;
  readonly summary: string;
  readonly description: string;
  readonly content: Readonly<Record<string, Schema>>;
}

function endpoint(
  named: readonly Parameter[],
  more: readonly Parameter[],
  { id, part, summary, description, content }: Part,
): Endpoint {
  const answer: Answer = {
    description: 'The answer; the plan as JSON with explain=true.',
    headers: ['ETag', 'Cache-Control', 'Vary', 'X-Plimsoll', 'X-Plimsoll-Cost', 'Server-Timing'],
    content,
  };
  return {
    tag: 'tiles',
    // Which cells have clusters, only a tile tells.
    untried:
      'To try it, take the cluster_id of a feature of a tile; layers of points with the setting cluster have them.',
    method: 'get',
    id,
    route: `/tiles/:layer/clusters/:id/${part}`,
    path: `/tiles/{layer}/clusters/{clusterId}/${part}`,
    summary,
    description,
    parameters: [...named, ...more, TMS, ...FILTER, EXPLAIN, IF_NONE_MATCH],
    answers: { 200: answer, 304: SERVED_NOT_MODIFIED },
    problems: [
      ...WORK_PROBLEMS,
      'bad-parameter',
      'bad-filter',
      'unprocessable',
      'wrong-kind',
      'not-found',
      'feature-not-found',
    ],
  };
}
