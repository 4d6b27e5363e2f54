/** Leaf nouns of place: bounding boxes, tile matrix sets and the tiles in them. No I/O, no state. */
/** minx, miny, maxx, maxy in units of some CRS. Longitudes may have minx > maxx only where a caller says so (RFC 7946). */
export type BBox = readonly [number, number, number, number];

export interface TileCoord {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** One zoom of a grid. Origin is the top left corner, resolution is CRS units a pixel. (OGC TileMatrix, 17-083r4.) */
export interface TileMatrix {
  /** What stands for it in a URL; in most sets its place among the matrices. */
  readonly id: string;
  /** The zoom of WebMercatorQuad whose pixels are nearest in size: what a layer's own zooms are compared with. */
  readonly zoom: number;
  readonly resolution: number;
  readonly originX: number;
  readonly originY: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly matrixWidth: number;
  readonly matrixHeight: number;
  /** True where rows count from the bottom (cornerOfOrigin bottomLeft). */
  readonly bottomUp: boolean;
}

export interface TileMatrixSet {
  readonly id: string;
  /** What stands for it in cache keys: another definition under the same id has another. */
  readonly key: string;
  readonly title: string;
  /** Anything crs.ts resolves; WebMercatorQuad has 'EPSG:3857', WorldCRS84Quad 'OGC:CRS84'. Axis order is always x, y here. */
  readonly crs: string;
  /** Names of the CRS' axes in its own order, as the set's document has them. */
  readonly axes: readonly [string, string];
  readonly uri: string | null;
  /** Coarsest first. */
  readonly matrices: readonly TileMatrix[];
  /** True where x wraps around the world (so a tile's buffer continues on the other side). */
  readonly wrapsX: boolean;
}

export const EARTH_RADIUS = 6378137;
/** Half of the web mercator world, metres. */
export const MERCATOR_HALF = Math.PI * EARTH_RADIUS;
/** The latitude at which web mercator is square. */
export const MERCATOR_MAX_LAT = 85.0511287798066;

/** The coarsest matrix of a pyramid whose cells halve: resolution, top left corner, tiles across and down. */
export interface PyramidTop {
  readonly res: number;
  readonly ox: number;
  readonly oy: number;
  readonly w: number;
  readonly h: number;
  /** Zoom of WebMercatorQuad with pixels of that size. */
  readonly zoom: number;
  /** Id of the first matrix; 0 where absent. */
  readonly first?: number;
}

export function pyramid(zooms: number, top: PyramidTop): TileMatrix[] {
  return Array.from({ length: zooms }, (_, z) => ({
    id: String(z + (top.first ?? 0)),
    zoom: Math.max(0, top.zoom + z),
    resolution: top.res / 2 ** z,
    originX: top.ox,
    originY: top.oy,
    tileWidth: 256,
    tileHeight: 256,
    matrixWidth: top.w * 2 ** z,
    matrixHeight: top.h * 2 ** z,
    bottomUp: false,
  }));
}

export const WEB_MERCATOR_QUAD: TileMatrixSet = {
  id: 'WebMercatorQuad',
  key: 'WebMercatorQuad',
  title: 'Google Maps Compatible for the World',
  crs: 'EPSG:3857',
  axes: ['X', 'Y'],
  uri: 'http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad',
  matrices: pyramid(25, { res: (2 * MERCATOR_HALF) / 256, ox: -MERCATOR_HALF, oy: MERCATOR_HALF, w: 1, h: 1, zoom: 0 }),
  wrapsX: true,
};

export const WORLD_CRS84_QUAD: TileMatrixSet = {
  id: 'WorldCRS84Quad',
  key: 'WorldCRS84Quad',
  title: 'CRS84 for the World',
  crs: 'OGC:CRS84',
  axes: ['Lon', 'Lat'],
  uri: 'http://www.opengis.net/def/tilematrixset/OGC/1.0/WorldCRS84Quad',
  matrices: pyramid(24, { res: 180 / 256, ox: -180, oy: 90, w: 2, h: 1, zoom: 1 }),
  wrapsX: true,
};

/** True where the tile exists in the grid. */
export function inGrid(set: TileMatrixSet, { z, x, y }: TileCoord): boolean {
  const m = set.matrices[z];
  return m !== undefined && x >= 0 && y >= 0 && x < m.matrixWidth && y < m.matrixHeight;
}

/** The tile's bounds in CRS units of the set. */
export function tileBounds(set: TileMatrixSet, { z, x, y: row }: TileCoord): BBox {
  const m = set.matrices[z];
  const y = rowFromTop(m, row);
  const w = m.resolution * m.tileWidth;
  const h = m.resolution * m.tileHeight;
  return [m.originX + x * w, m.originY - (y + 1) * h, m.originX + (x + 1) * w, m.originY - y * h];
}

/** From the row in a URL to the one counted from the top, and back. */
export function rowFromTop({ bottomUp, matrixHeight }: TileMatrix, row: number): number {
  return bottomUp ? matrixHeight - 1 - row : row;
}

export function intersects(a: BBox, b: BBox): boolean {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

export function intersection(a: BBox, b: BBox): BBox | null {
  const box: BBox = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  return box[0] <= box[2] && box[1] <= box[3] ? box : null;
}

export function expand(b: BBox, dx: number, dy: number): BBox {
  return [b[0] - dx, b[1] - dy, b[2] + dx, b[3] + dy];
}

export function lonToMercator(lon: number): number {
  return (lon * MERCATOR_HALF) / 180;
}

/** Latitudes beyond ±85.0511° are clamped: web mercator has no poles. */
export function latToMercator(lat: number): number {
  const clamped = Math.max(-MERCATOR_MAX_LAT, Math.min(MERCATOR_MAX_LAT, lat));
  return EARTH_RADIUS * Math.log(Math.tan(Math.PI / 4 + (clamped * Math.PI) / 360));
}

export function mercatorToLon(x: number): number {
  return (x / MERCATOR_HALF) * 180;
}

export function mercatorToLat(y: number): number {
  return (Math.atan(Math.exp(y / EARTH_RADIUS)) * 360) / Math.PI - 90;
}
