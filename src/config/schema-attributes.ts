/** What an operator may choose for the attributes of a vector layer, and for its points. */
import { Type } from 'typebox';
import { clusterSchema } from './schema-cluster.ts';

const oneOf = <T extends string>(values: readonly T[], description: string) =>
  Type.Optional(Type.Unsafe<T>({ type: 'string', enum: values, description }));

export const ATTRIBUTE_CHOICES = {
  excludeProperties: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'Attributes that are left out, by the names that are served.',
    }),
  ),
  rename: Type.Optional(
    Type.Unsafe<Record<string, string>>({
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description: 'Other names for attributes: the name in the file, then the name that is served.',
    }),
  ),
  int64: oneOf(
    ['auto', 'string', 'number'],
    '64-bit integers: text in GeoJSON where a double would not hold them (auto), always, or never.',
  ),
  json: oneOf(['value', 'text'], 'JSON attributes of features: what they say, or their text. Tiles have text.'),
  binary: oneOf(
    ['base64', 'omit'],
    'Binary attributes: base64 in features and tiles, or in neither. Absent: in features alone.',
  ),
  cluster: Type.Optional(clusterSchema),
};
