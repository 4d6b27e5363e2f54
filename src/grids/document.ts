/** A tile matrix set as OGC's JSON (17-083r4): points in the order of the CRS' own axes. */
import { crsUri, resolveCrs } from '../crs/index.ts';
import type { TileMatrix, TileMatrixSet } from '../tile.ts';
import { isNorthFirst } from './axes.ts';
import { PIXEL_METRES } from './scale.ts';

export function tileMatrixSetJson(set: TileMatrixSet): Record<string, unknown> {
  const { metresPerUnit } = resolveCrs(set.crs);
  const swap = isNorthFirst(set.axes);
  return {
    id: set.id,
    title: set.title,
    ...(set.uri ? { uri: set.uri } : {}),
    crs: gridCrsUri(set),
    orderedAxes: set.axes,
    tileMatrices: set.matrices.map(matrix => matrixJson(matrix, metresPerUnit, swap)),
  };
}

/** The URI of the CRS, or what else names it. */
export function gridCrsUri({ crs }: TileMatrixSet): string {
  return crsUri(resolveCrs(crs)) ?? crs;
}

function matrixJson(m: TileMatrix, metresPerUnit: number, swap: boolean): Record<string, unknown> {
  const y = m.bottomUp ? m.originY - m.resolution * m.tileHeight * m.matrixHeight : m.originY;
  return {
    id: m.id,
    scaleDenominator: (m.resolution * metresPerUnit) / PIXEL_METRES,
    cellSize: m.resolution,
    cornerOfOrigin: m.bottomUp ? 'bottomLeft' : 'topLeft',
    pointOfOrigin: swap ? [y, m.originX] : [m.originX, y],
    tileWidth: m.tileWidth,
    tileHeight: m.tileHeight,
    matrixWidth: m.matrixWidth,
    matrixHeight: m.matrixHeight,
  };
}
