/** Schemas after OGC Two Dimensional Tile Matrix Set and Tile Set Metadata 2.0. */
import { arrayOf, COUNT, NUMBER, object, ref, TEXT, URL } from './parts.ts';
import type { Schema } from './types.ts';

const POINT: Schema = { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 };
const SIDE: Schema = { type: 'integer', minimum: 1 };

const TILESET_ITEM = { dataType: { type: 'string', enum: ['vector', 'map'] }, crs: TEXT, links: arrayOf(ref('Link')) };

export const TILESET_SCHEMAS: Readonly<Record<string, Schema>> = {
  TileMatrixSets: object({
    tileMatrixSets: arrayOf(object({ id: TEXT, title: TEXT, crs: TEXT, links: arrayOf(ref('Link')) }, { uri: URL })),
    links: arrayOf(ref('Link')),
  }),
  TileMatrixSet: object(
    {
      id: TEXT,
      crs: TEXT,
      orderedAxes: arrayOf(TEXT),
      tileMatrices: arrayOf(
        object({
          id: TEXT,
          scaleDenominator: NUMBER,
          cellSize: NUMBER,
          cornerOfOrigin: { type: 'string', enum: ['topLeft', 'bottomLeft'] },
          pointOfOrigin: POINT,
          tileWidth: SIDE,
          tileHeight: SIDE,
          matrixWidth: SIDE,
          matrixHeight: SIDE,
        }),
      ),
    },
    { title: TEXT, uri: URL },
  ),
  Tilesets: object({
    tilesets: arrayOf(object(TILESET_ITEM, { title: TEXT, tileMatrixSetURI: URL })),
    links: arrayOf(ref('Link')),
  }),
  Tileset: object(
    { ...TILESET_ITEM, layers: arrayOf({ type: 'object' }), mediaTypes: arrayOf(TEXT) },
    {
      title: TEXT,
      description: TEXT,
      attribution: TEXT,
      tileMatrixSetURI: URL,
      boundingBox: object({ lowerLeft: POINT, upperRight: POINT, crs: TEXT }),
      tileMatrixSetLimits: arrayOf(
        object({ tileMatrix: TEXT, minTileRow: COUNT, maxTileRow: COUNT, minTileCol: COUNT, maxTileCol: COUNT }),
      ),
    },
  ),
};
