/**
 * Sets of OGC's and LINZ's registers beside WebMercatorQuad and WorldCRS84Quad, as numbers: the top of a pyramid whose
 * cells halve, or a list of scales. Left out are the two of OGC's with rows of variable width (CDB1GlobalGrid, GNOSISGlobalGrid).
 */
import { MERCATOR_HALF, pyramid, type TileMatrix, type TileMatrixSet, WORLD_CRS84_QUAD } from '../tile.ts';
import { zoomOf } from './scale.ts';

const OGC = 'http://www.opengis.net/def/tilematrixset/OGC/1.0/';

function registered(id: string, title: string, crs: string, axes: TileMatrixSet['axes'], matrices: TileMatrix[]) {
  return { id, key: id, title, crs, axes, uri: `${OGC}${id}`, matrices, wrapsX: false };
}

/** A pixel of 96 to the survey inch: Canada's scales are of those. */
const SCREEN_METRES = 100 / 3937 / 96;

/** A set whose scales do not halve: tiles from one corner to cover what the coarsest covers. */
function scales(denominators: readonly number[], origin: readonly [number, number], sizes: readonly number[]) {
  return denominators.map((denominator, i): TileMatrix => {
    const resolution = denominator * SCREEN_METRES;
    return {
      id: String(i),
      zoom: zoomOf(resolution),
      resolution,
      originX: origin[0],
      originY: origin[1],
      tileWidth: 256,
      tileHeight: 256,
      matrixWidth: sizes[i * 2],
      matrixHeight: sizes[i * 2 + 1],
      bottomUp: false,
    };
  });
}

const CANADA = scales(
  [
    145e6, 85e6, 50e6, 30e6, 17.5e6, 10e6, 6e6, 3.5e6, 2e6, 1.2e6, 7e5, 4.2e5, 2.5e5, 1.45e5, 85e3, 5e4, 3e4, 17500,
    1e4, 6000, 3500, 2000, 1200, 700, 420, 250,
  ],
  [-34655800, 39310000],
  [
    5, 5, 8, 8, 13, 14, 21, 22, 36, 38, 62, 66, 103, 110, 177, 188, 309, 329, 515, 548, 882, 938, 1470, 1563, 2469,
    2626, 4257, 4528, 7262, 7723, 12344, 13130, 20574, 21882, 35269, 37512, 61720, 65646, 102866, 109409, 176341,
    187558, 308596, 328227, 514327, 547044, 881703, 937790, 1469505, 1562983, 2468768, 2625811,
  ],
);

const UPS_TOP = { res: 128443.432384375, ox: -14440759.350252, oy: 18440759.350252, w: 1, h: 1, zoom: 0 };

export const PROJECTED_SETS: readonly TileMatrixSet[] = [
  {
    ...WORLD_CRS84_QUAD,
    id: 'WGS1984Quad',
    key: 'WGS1984Quad',
    title: 'EPSG:4326 for the World',
    crs: 'EPSG:4326',
    axes: ['Lat', 'Lon'],
    uri: `${OGC}WGS1984Quad`,
  },
  {
    ...registered(
      'WorldMercatorWGS84Quad',
      'World Mercator WGS84 (ellipsoid)',
      'EPSG:3395',
      ['E', 'N'],
      pyramid(25, { res: MERCATOR_HALF / 128, ox: -MERCATOR_HALF, oy: MERCATOR_HALF, w: 1, h: 1, zoom: 0 }),
    ),
    wrapsX: true,
  },
  registered(
    'EuropeanETRS89_LAEAQuad',
    'Lambert Azimuthal Equal Area ETRS89 for Europe',
    'EPSG:3035',
    ['Y', 'X'],
    pyramid(16, { res: 17578.125, ox: 2e6, oy: 5.5e6, w: 1, h: 1, zoom: 3 }),
  ),
  registered(
    'UTM31WGS84Quad',
    'Universal Transverse Mercator Zone 31 WGS84 Quad',
    'EPSG:32631',
    ['E', 'N'],
    pyramid(24, { res: 78140.3572602559, ox: -9501965.72931276, oy: 20003931.4586255, w: 1, h: 2, zoom: 1, first: 1 }),
  ),
  registered(
    'UPSArcticWGS84Quad',
    'Universal Polar Stereographic WGS 84 Quad for Arctic',
    'EPSG:5041',
    ['E', 'N'],
    pyramid(25, UPS_TOP),
  ),
  registered(
    'UPSAntarcticWGS84Quad',
    'Universal Polar Stereographic WGS 84 Quad for Antarctic',
    'EPSG:5042',
    ['E', 'N'],
    pyramid(25, UPS_TOP),
  ),
  registered('CanadianNAD83_LCC', 'Lambert conformal conic NAD83 for Canada', 'EPSG:3978', ['E', 'N'], CANADA),
  {
    ...registered(
      'NZTM2000Quad',
      'LINZ NZTM2000Quad Map Tile Grid',
      'EPSG:2193',
      ['Y', 'X'],
      pyramid(22, { res: 39135.75848201011, ox: -3260586.7284, oy: 10438190.1652, w: 1, h: 1, zoom: 2 }),
    ),
    uri: null,
  },
];
