/** How the points of a layer are clustered, in supercluster's words. */
import { type Static, Type } from 'typebox';
import { AGGREGATE_OPS, type AggregateOp } from '../kernels/aggregates.ts';

const aggregate = Type.Object(
  {
    op: Type.Unsafe<AggregateOp>({ type: 'string', enum: [...AGGREGATE_OPS], description: 'How values become one.' }),
    property: Type.String({ minLength: 1, description: 'The attribute of points that has the values.' }),
  },
  { additionalProperties: false },
);

const options = Type.Object({
  radius: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: 4096,
      description: 'Within which points are drawn together, in units of extent.',
    }),
  ),
  extent: Type.Optional(Type.Integer({ minimum: 64, maximum: 8192, description: 'Units a tile side.' })),
  minPoints: Type.Optional(Type.Integer({ minimum: 2, maximum: 1000, description: 'Fewest points of a cluster.' })),
  maxZoom: Type.Optional(Type.Integer({ minimum: 0, maximum: 20, description: 'Last zoom with clusters.' })),
  aggregates: Type.Optional(
    Type.Unsafe<Record<string, Static<typeof aggregate>>>({
      type: 'object',
      additionalProperties: aggregate,
      maxProperties: 16,
      description:
        'Attributes of clusters from those of their points, by name, such as `total: {op: sum, property: population}`.',
    }),
  ),
});

export const clusterSchema = Type.Unsafe<boolean | Static<typeof options>>({
  type: ['boolean', 'object'],
  properties: options.properties,
  additionalProperties: false,
  description:
    'Points: drawn together up to a zoom, as supercluster does: true, or `radius` (40), `extent` (512), `minPoints` (2), `maxZoom` (16), `aggregates`.',
});
