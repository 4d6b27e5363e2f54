/** JSON Schemas of what the answers must be, after RFC 7946 and OGC API Features part 1 (17-069r4). */
const position = { type: 'array', minItems: 2, maxItems: 3, items: { type: 'number' } };
const line = { type: 'array', minItems: 2, items: position };
const ring = { type: 'array', minItems: 4, items: position };
const geometryOf = (type: string, coordinates: object) => ({
  type: 'object',
  required: ['type', 'coordinates'],
  additionalProperties: false,
  properties: { type: { const: type }, coordinates },
});
const simple = [
  geometryOf('Point', position),
  geometryOf('MultiPoint', { type: 'array', items: position }),
  geometryOf('LineString', line),
  geometryOf('MultiLineString', { type: 'array', items: line }),
  geometryOf('Polygon', { type: 'array', minItems: 1, items: ring }),
  geometryOf('MultiPolygon', { type: 'array', minItems: 1, items: { type: 'array', minItems: 1, items: ring } }),
];
const geometry = {
  oneOf: [
    { type: 'null' },
    ...simple,
    {
      type: 'object',
      required: ['type', 'geometries'],
      properties: { type: { const: 'GeometryCollection' }, geometries: { type: 'array', items: { oneOf: simple } } },
    },
  ],
};
const link = {
  type: 'object',
  required: ['href', 'rel'],
  properties: {
    href: { type: 'string', pattern: '^https?://[^{}]+$' },
    rel: { type: 'string' },
    type: { type: 'string' },
  },
};

export const featureSchema = {
  type: 'object',
  required: ['type', 'geometry', 'properties'],
  properties: {
    type: { const: 'Feature' },
    id: { type: ['integer', 'string'] },
    geometry,
    properties: { type: ['object', 'null'] },
    links: { type: 'array', items: link },
  },
};

export const featureCollectionSchema = {
  type: 'object',
  required: ['type', 'features', 'links', 'timeStamp', 'numberReturned'],
  additionalProperties: false,
  properties: {
    type: { const: 'FeatureCollection' },
    features: { type: 'array', items: featureSchema },
    links: { type: 'array', items: link, contains: { properties: { rel: { const: 'self' } } } },
    timeStamp: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' },
    numberMatched: { type: 'integer', minimum: 0 },
    numberReturned: { type: 'integer', minimum: 0 },
  },
};

export const collectionSchema = {
  type: 'object',
  required: ['id', 'links'],
  properties: {
    id: { type: 'string' },
    title: { type: 'string' },
    itemType: { const: 'feature' },
    crs: {
      type: 'array',
      items: { type: 'string' },
      contains: { const: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84' },
    },
    extent: {
      type: 'object',
      properties: {
        spatial: {
          type: 'object',
          properties: {
            bbox: {
              type: 'array',
              minItems: 1,
              items: { type: 'array', minItems: 4, maxItems: 6, items: { type: 'number' } },
            },
          },
        },
      },
    },
    links: { type: 'array', items: link, contains: { properties: { rel: { const: 'items' } } } },
  },
};
