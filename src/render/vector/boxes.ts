/** Where in a layer to look for what a tile shows: the tile and its buffer, in the layer's CRS, in every world that it reaches. */
import { isLonLat, resolveCrs, transformBounds } from '../../crs/index.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import {
  type BBox,
  expand,
  intersection,
  latToMercator,
  lonToMercator,
  MERCATOR_HALF,
  type TileCoord,
  type TileMatrixSet,
  tileBounds,
} from '../../tile.ts';
import type { Projection } from './job.ts';

export function projectionOf(crs: string, gridCrs: string): Projection {
  if (crs === gridCrs) return 'same';
  if (isLonLat(crs) && isLonLat(gridCrs)) return 'same';
  if (isLonLat(crs) && gridCrs === 'EPSG:3857') return 'mercator';
  return 'other';
}

/** A layer as a grid of tiles sees it. */
export interface LayerView {
  readonly source: FgbSource;
  readonly projection: Projection;
  readonly grid: TileMatrixSet;
  readonly extent: number;
  readonly buffer: number;
  /** How far beyond the tile a feature may lie that shows in it, as a share of its side. */
  readonly margin: number;
}

export interface QueryBoxes {
  /** Four numbers a box. */
  readonly boxes: Float64Array;
  /** Worlds to the east at which what is found shows as well. */
  readonly shifts: readonly number[];
}

/**
 * The tile and its buffer in the layer's CRS. Where the grid wraps, also one world to the east and one to the west, if the
 * layer reaches there: a feature found k worlds to the east is drawn k worlds to the west of where it lies.
 */
export function queryBoxes(view: LayerView, coord: TileCoord): QueryBoxes {
  const { source, projection, grid, margin } = view;
  const matrix = grid.matrices[coord.z];
  const tile = tileBounds(grid, coord);
  const around = expand(tile, (tile[2] - tile[0]) * margin, (tile[3] - tile[1]) * margin);
  const world = matrix.matrixWidth * matrix.tileWidth * matrix.resolution;
  const found: number[] = [];
  const shifts: number[] = [];
  for (const worlds of grid.wrapsX ? [0, -1, 1] : [0]) {
    const box: BBox = [around[0] + worlds * world, around[1], around[2] + worlds * world, around[3]];
    const back = toLayer(source, projection, grid, box, world);
    if (!back || !touches(source.bounds, back)) continue;
    found.push(...back);
    shifts.push(-worlds);
  }
  // What crosses the antimeridian is drawn in one piece, out of the world's side, and so once more a world from there.
  const everywhere = jumps(view) && shifts.length > 0;
  return { boxes: Float64Array.from(found), shifts: everywhere ? [0, 1, -1] : shifts };
}

/** True where a shape's points may come out on the other side of the world. In degrees it ends at the antimeridian by itself. */
export function jumps({ source, projection, grid }: LayerView): boolean {
  return projection === 'other' && grid.wrapsX && !isLonLat(source.crs as string);
}

function touches(bounds: BBox | null, box: BBox): boolean {
  return bounds !== null && box[0] <= bounds[2] && box[2] >= bounds[0] && box[1] <= bounds[3] && box[3] >= bounds[1];
}

function toLayer(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  box: BBox,
  world: number,
): BBox | null {
  if (projection === 'same') return openPoles(box, grid);
  if (projection === 'mercator') {
    const lat = (y: number) => (Math.atan(Math.exp(y / 6378137)) * 360) / Math.PI - 90;
    const lon = (x: number) => (x / MERCATOR_HALF) * 180;
    const north = box[3] >= MERCATOR_HALF ? 90 : lat(box[3]);
    const south = box[1] <= -MERCATOR_HALF ? -90 : lat(box[1]);
    return [lon(box[0]), south, lon(box[2]), north];
  }
  // Other systems know one world: the part of the box that lies in it, and near the data, where the system is at home.
  const inside = intersection(grid.wrapsX ? oneWorld(box, grid, world) : box, homeOf(source, grid));
  if (!inside || inside[0] >= inside[2]) return null;
  const target = transformBounds(grid.crs, source.crs as string, inside);
  if (!target) return null;
  // A geographic target across the antimeridian has west > east: take the whole range of longitudes.
  if (target[0] > target[2])
    return resolveCrs(source.crs as string).geographic ? [-180, target[1], 180, target[3]] : null;
  // Sides come out curved, and may bulge between the points that were transformed.
  const bulge = Math.max(target[2] - target[0], target[3] - target[1]) * BULGE_SHARE;
  return expand(target, bulge, bulge);
}

function oneWorld(box: BBox, grid: TileMatrixSet, world: number): BBox {
  const origin = grid.matrices[0].originX;
  return [Math.max(box[0], origin), box[1], Math.min(box[2], origin + world), box[3]];
}

/** Of the chord between two of 22 points a side, for an arc as long as it is wide. */
const BULGE_SHARE = 1 / 1000;
const HOME_MARGIN_DEGREES = 1;

/** The layer's bounds in the grid's CRS, generously; everything where they cross the antimeridian or are not known. */
function homeOf({ lonLatBounds }: FgbSource, grid: TileMatrixSet): BBox {
  const all: BBox = [
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
  if (!lonLatBounds || lonLatBounds[0] > lonLatBounds[2]) return all;
  const [west, south, east, north] = expand(lonLatBounds, HOME_MARGIN_DEGREES, HOME_MARGIN_DEGREES);
  if (grid.crs === 'EPSG:3857') {
    const bottom = south <= -85 ? Number.NEGATIVE_INFINITY : latToMercator(south);
    const top = north >= 85 ? Number.POSITIVE_INFINITY : latToMercator(north);
    return [lonToMercator(west), bottom, lonToMercator(east), top];
  }
  return isLonLat(grid.crs) ? [west, south, east, north] : all;
}

/** What lies beyond the square world is drawn nowhere, but a shape that reaches there must still be found. */
function openPoles(box: BBox, grid: TileMatrixSet): BBox {
  if (!grid.wrapsX) return box;
  const { originY, resolution, tileHeight, matrixHeight } = grid.matrices[0];
  const bottom = originY - resolution * tileHeight * matrixHeight;
  return [
    box[0],
    box[1] <= bottom ? Number.NEGATIVE_INFINITY : box[1],
    box[2],
    box[3] >= originY ? Number.POSITIVE_INFINITY : box[3],
  ];
}
