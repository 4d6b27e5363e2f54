/** Schemas after RFC 7946 and OGC API Features part 1. */
import { arrayOf, COUNT, object, orNull, ref, TEXT, TIME, URL } from './parts.ts';
import type { Schema } from './types.ts';

const POSITION: Schema = { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 4 };
const LINE = arrayOf(POSITION);
const AREA = arrayOf(LINE);

/** Coordinates of each simple geometry type. */
const SIMPLE: Readonly<Record<string, Schema>> = {
  Point: POSITION,
  MultiPoint: arrayOf(POSITION),
  LineString: LINE,
  MultiLineString: arrayOf(LINE),
  Polygon: AREA,
  MultiPolygon: arrayOf(AREA),
};

const GEOMETRY: Schema = {
  oneOf: [
    ...Object.entries(SIMPLE).map(([type, coordinates]) => object({ type: { const: type }, coordinates })),
    object({ type: { const: 'GeometryCollection' }, geometries: arrayOf(ref('Geometry')) }),
  ],
};

const FEATURE = object(
  { type: { const: 'Feature' }, geometry: orNull(ref('Geometry')), properties: { type: ['object', 'null'] } },
  { id: { type: ['integer', 'string'] }, links: arrayOf(ref('Link')) },
);

const COLLECTION = object(
  { id: TEXT, links: arrayOf(ref('Link')) },
  {
    title: TEXT,
    description: TEXT,
    attribution: TEXT,
    itemType: { const: 'feature' },
    extent: object({ spatial: object({ bbox: arrayOf(arrayOf({ type: 'number' })), crs: TEXT }) }),
    crs: arrayOf(URL),
    storageCrs: URL,
    bboxCrs: arrayOf(URL),
    itemCount: COUNT,
  },
);

export const FEATURE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Link: object({ rel: TEXT, href: TEXT }, { type: TEXT, title: TEXT, templated: { type: 'boolean' } }),
  Landing: object({ title: TEXT, links: arrayOf(ref('Link')) }, { description: TEXT }),
  Conformance: object({ conformsTo: arrayOf(URL) }),
  Collections: object({ links: arrayOf(ref('Link')), collections: arrayOf(ref('Collection')) }),
  Collection: COLLECTION,
  Queryables: object(
    { $schema: URL, $id: URL, type: { const: 'object' }, properties: { type: 'object' } },
    { title: TEXT, additionalProperties: { type: 'boolean' } },
  ),
  Geometry: GEOMETRY,
  Feature: FEATURE,
  FeatureCollection: object(
    {
      type: { const: 'FeatureCollection' },
      features: arrayOf(ref('Feature')),
      numberReturned: COUNT,
      timeStamp: TIME,
      links: arrayOf(ref('Link')),
    },
    { numberMatched: COUNT },
  ),
  ClusterParts: object({
    type: { const: 'FeatureCollection' },
    features: arrayOf(ref('Feature')),
    numberMatched: COUNT,
    numberReturned: COUNT,
  }),
  ExpansionZoom: object({ expansionZoom: COUNT }),
  GeoJson: {
    description: 'A FeatureCollection, a Feature or a geometry.',
    anyOf: [
      object({ type: { const: 'FeatureCollection' }, features: arrayOf(ref('Feature')) }),
      ref('Feature'),
      ref('Geometry'),
    ],
  },
};
