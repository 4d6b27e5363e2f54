/** Tile matrix sets of no register, as OGC's JSON: what the built-in ones do not have. */

interface Step {
  readonly cellSize: number;
  readonly matrixWidth: number;
  readonly matrixHeight: number;
}

function matrices(steps: readonly Step[], common: object, metresPerUnit = 1): object[] {
  return steps.map((step, i) => ({
    id: String(i),
    scaleDenominator: (step.cellSize * metresPerUnit) / 0.00028,
    ...step,
    ...common,
  }));
}

/** Germany in UTM: tiles twice as wide as high, rows from the bottom, scales that do not halve, axes named. */
export const WIDE_UTM = {
  id: 'WideUTM',
  title: 'Wide tiles in UTM 32',
  crs: 'http://www.opengis.net/def/crs/EPSG/0/25832',
  orderedAxes: ['E', 'N'],
  tileMatrices: matrices(
    [
      { cellSize: 2500, matrixWidth: 1, matrixHeight: 2 },
      { cellSize: 1000, matrixWidth: 3, matrixHeight: 4 },
      { cellSize: 500, matrixWidth: 5, matrixHeight: 8 },
      { cellSize: 200, matrixWidth: 13, matrixHeight: 20 },
      { cellSize: 50, matrixWidth: 50, matrixHeight: 79 },
      { cellSize: 10, matrixWidth: 250, matrixHeight: 391 },
    ],
    { cornerOfOrigin: 'bottomLeft', pointOfOrigin: [0, 5_000_000], tileWidth: 512, tileHeight: 256 },
  ),
};

/** The Netherlands in their own system, whose URI has x first; no orderedAxes; 400 × 300 pixels. */
export const DUTCH = {
  id: 'Dutch',
  crs: { uri: 'http://www.opengis.net/def/crs/EPSG/0/28992' },
  tileMatrices: matrices(
    [
      { cellSize: 1000, matrixWidth: 1, matrixHeight: 2 },
      { cellSize: 300, matrixWidth: 3, matrixHeight: 4 },
      { cellSize: 100, matrixWidth: 8, matrixHeight: 12 },
      { cellSize: 25, matrixWidth: 32, matrixHeight: 48 },
    ],
    { pointOfOrigin: [-50_000, 640_000], tileWidth: 400, tileHeight: 300 },
  ),
};

/** Web mercator from another corner, one part of the world only. */
export const MERCATOR_PART = {
  id: 'MercatorPart',
  crs: 'http://www.opengis.net/def/crs/EPSG/0/3857',
  orderedAxes: ['X', 'Y'],
  tileMatrices: matrices(
    [
      { cellSize: 9000, matrixWidth: 2, matrixHeight: 2 },
      { cellSize: 3000, matrixWidth: 5, matrixHeight: 5 },
    ],
    { pointOfOrigin: [-1_000_000, 9_000_000], tileWidth: 512, tileHeight: 512 },
  ),
};

/** EPSG:4326 with latitude first, tiles of 128 × 64. */
export const LAT_LON = {
  id: 'LatLon',
  crs: 'http://www.opengis.net/def/crs/EPSG/0/4326',
  tileMatrices: matrices(
    [
      { cellSize: 1, matrixWidth: 3, matrixHeight: 3 },
      { cellSize: 1 / 3, matrixWidth: 9, matrixHeight: 9 },
    ],
    { pointOfOrigin: [90, -180], tileWidth: 128, tileHeight: 64 },
    (Math.PI * 6378137) / 180,
  ),
};

export const CUSTOM = [WIDE_UTM, DUTCH, MERCATOR_PART, LAT_LON];
