/** /zonal: statistics of a raster in the features of a vector layer. */
import { ZONAL_FORMATS } from '../zonal.ts';
import { booleanParam, EXPLAIN, queryParam, ref, WORK_PROBLEMS } from './parts.ts';
import { RASTER_PARAMETERS } from './raster-parameters.ts';
import type { Endpoint, Samples } from './types.ts';

const TAKEN = ['bidx', 'nodata', 'unscale'];
const WHOLE = { type: 'integer', minimum: 0 };

export function zonalEndpoints(samples: Samples): Endpoint[] {
  const layer = { type: 'string', minLength: 1 };
  return [
    {
      tag: 'features',
      method: 'get',
      id: 'getZonal',
      route: '/zonal',
      path: '/zonal',
      summary: 'Statistics of a raster in each feature of a vector layer',
      description:
        'A line a zone, in the order of the file, streamed: what the server holds does not grow with the zones. A pixel counts where its centre lies in the polygon, at the full resolution. A zone that cannot be worked out says why in its line.',
      parameters: [
        queryParam('zones', 'Layer id of the polygons or points.', layer, { required: true, example: samples.vector }),
        queryParam('raster', 'Layer id of the raster.', layer, { required: true, example: samples.raster }),
        queryParam(
          'bbox',
          'Zones whose box meets this one, in degrees: minx,miny,maxx,maxy.',
          { type: 'string', pattern: '^[-+0-9.eE]+(,[-+0-9.eE]+){3}$' },
          { example: '-10,-10,10,10' },
        ),
        queryParam(
          'properties',
          'Attributes of the zones in each line: a comma list; all where absent, none where empty.',
          { type: 'string' },
          { example: '' },
        ),
        queryParam('limit', 'Zones at most; all where absent.', { ...WHOLE, minimum: 1 }, { example: 2 }),
        queryParam('cursor', 'Place in the file of the first zone, from 0.', WHOLE, { example: 0 }),
        booleanParam('categorical', 'true: also the pixels by value, of at most 1024 different values.'),
        queryParam(
          'f',
          'A JSON object a line, or CSV.',
          { type: 'string', enum: ZONAL_FORMATS, default: 'ndjson' },
          { example: 'csv' },
        ),
        ...RASTER_PARAMETERS.filter(({ name }) => TAKEN.includes(name)),
        EXPLAIN,
      ],
      answers: {
        200: {
          description: 'The lines; the plan as JSON with explain=true.',
          headers: ['Cache-Control', 'X-Plimsoll-Cost', 'Server-Timing'],
          content: { 'application/x-ndjson': null, 'text/csv': null, 'application/json': ref('Plan') },
        },
      },
      problems: [...WORK_PROBLEMS, 'bad-parameter', 'unprocessable', 'wrong-kind'],
    },
  ];
}
