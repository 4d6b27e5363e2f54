/**
 * What the members of a mosaic are together: the CRS and bands of the first, the finest of their resolutions, the box around
 * them all. It has no pixels of its own: whoever would read some must go to the members.
 */
import { isLonLat, transformBounds } from '../crs/index.ts';
import { problem } from '../errors.ts';
import type { Level, RasterSource, Reason } from '../source/types.ts';
import { type BBox, latToMercator, lonToMercator, MERCATOR_HALF } from '../tile.ts';
import type { RasterLayer } from './types.ts';

/** Why a raster cannot be a member beside the first one; null: it can. */
export function misfit(lead: RasterSource, source: RasterSource): string | null {
  const bands = source.bands.length;
  if (bands !== lead.bands.length) return `it has ${bands} bands where the first file has ${lead.bands.length}`;
  if (source.dtype !== lead.dtype)
    return `its samples are ${source.dtype} where those of the first file are ${lead.dtype}`;
  const alpha = (of: RasterSource) => of.bands.findIndex(band => band.colorInterp === 'alpha');
  if (alpha(source) !== alpha(lead)) return 'alpha is not the band that it is in the first file';
  if (String(source.palette) !== String(lead.palette)) return 'its palette is not that of the first file';
  return null;
}

export interface Together {
  readonly id: string;
  readonly version: string;
  readonly notes: readonly Reason[];
  /** Replaces the CRS of all files. */
  readonly crs: string | undefined;
}

export function unionSource(
  members: readonly RasterLayer[],
  { id, version, notes, crs: given }: Together,
): RasterSource {
  const sources = members.map(({ source }) => source);
  const [lead] = sources;
  const crs = given ?? (lead.crs as string);
  const lonLatBounds = lonLatUnion(sources.flatMap(source => source.lonLatBounds ?? []));
  const { bounds, resX, resY } = extentIn(crs, given === undefined, sources, lonLatBounds);
  const width = Math.max(1, Math.round((bounds[2] - bounds[0]) / resX));
  const height = Math.max(1, Math.round((bounds[3] - bounds[1]) / resY));
  // There are no bytes of its own either: it says whether work on it waits for other servers.
  const remote = sources.find(({ ref }) => ref.remote)?.ref.remote;
  const far = remote ? { remote } : {};
  return {
    ...lead,
    ref: { href: `mosaic:${id}`, size: sources.reduce((sum, { ref }) => sum + ref.size, 0), version, ...far },
    verdict: { servable: true, reasons: [], notes },
    title: null,
    description: null,
    crs,
    bounds,
    lonLatBounds,
    width,
    height,
    transform: [bounds[0], (bounds[2] - bounds[0]) / width, 0, bounds[3], 0, -(bounds[3] - bounds[1]) / height],
    nodata: sources.every(({ nodata }) => Object.is(nodata, lead.nodata)) ? lead.nodata : null,
    levels: [pixelless(lead.levels[0], width, height)],
    metadata: {},
    residentBytes: sources.reduce((sum, source) => sum + source.residentBytes, 0),
    // Its members are others' too: who opened them lets them go.
    close: async () => {},
  };
}

function pixelless(level: Level, width: number, height: number): Level {
  return {
    ...level,
    width,
    height,
    blockRange: () => {
      throw problem('internal', 'a mosaic has no blocks of its own');
    },
  };
}

interface Extent {
  readonly bounds: BBox;
  readonly resX: number;
  readonly resY: number;
}

/** `moves`: members may be in another CRS than the first. Beyond 180° where the members lie around the antimeridian. */
function extentIn(crs: string, moves: boolean, sources: readonly RasterSource[], lonLat: BBox | null): Extent {
  const wraps = isLonLat(crs) && lonLat !== null && lonLat[0] > lonLat[2];
  let [minx, miny, maxx, maxy] = [Infinity, Infinity, -Infinity, -Infinity];
  let [resX, resY] = [Infinity, Infinity];
  for (const source of sources) {
    const { transform: t, bounds: own } = source;
    const same = !moves || source.crs === crs;
    const box = own && (same ? own : transformBounds(source.crs as string, crs, own));
    if (!box) continue;
    const width = box[2] < box[0] ? box[2] + 360 - box[0] : box[2] - box[0];
    const west = wraps && box[0] < (lonLat as BBox)[2] ? box[0] + 360 : box[0];
    const diagonal = Math.hypot(width, box[3] - box[1]) / Math.hypot(source.width, source.height);
    resX = Math.min(resX, same ? Math.hypot(t[1], t[4]) : diagonal);
    resY = Math.min(resY, same ? Math.hypot(t[2], t[5]) : diagonal);
    [minx, maxx] = [Math.min(minx, west), Math.max(maxx, west + width)];
    [miny, maxy] = [Math.min(miny, box[1]), Math.max(maxy, box[3])];
  }
  return { bounds: [minx, miny, maxx, maxy], resX, resY };
}

/** The shortest stretch of longitudes that holds all boxes: west > east where it crosses the antimeridian. */
export function lonLatUnion(flat: readonly number[]): BBox | null {
  if (flat.length === 0) return null;
  const boxes = Array.from({ length: flat.length / 4 }, (_, i) => flat.slice(i * 4, i * 4 + 4) as unknown as BBox);
  const south = Math.min(...boxes.map(box => box[1]));
  const north = Math.max(...boxes.map(box => box[3]));
  const spans = boxes
    .flatMap(([w, , e]) =>
      w <= e
        ? [[w, e]]
        : [
            [w, 180],
            [-180, e],
          ],
    )
    .sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [west, east] of spans) {
    const last = merged.at(-1);
    if (last && west <= last[1]) last[1] = Math.max(last[1], east);
    else merged.push([west, east]);
  }
  const [first, last] = [merged[0][0], (merged.at(-1) as [number, number])[1]];
  let [widest, west, east] = [first + 360 - last, first, last];
  for (let i = 1; i < merged.length; i++) {
    const gap = merged[i][0] - merged[i - 1][1];
    if (gap > widest) [widest, west, east] = [gap, merged[i][0], merged[i - 1][1]];
  }
  return [west, south, east, north];
}

const ZOOM_MAX = 24;

/** The first zoom of WebMercatorQuad at which no tile has more than `most` of the boxes; null where none has. */
export function zoomOfFew(boxes: readonly BBox[], most: number): number | null {
  if (boxes.length <= most) return 0;
  for (let zoom = 1; zoom <= ZOOM_MAX; zoom++) {
    const counts = new Map<number, number>();
    if (boxes.every(box => countTiles(box, zoom, most, counts))) return zoom;
  }
  return null;
}

/** False as soon as a tile has too many. A box over many tiles is counted in the few that its corners and middle are in. */
function countTiles([w, s, e, n]: BBox, zoom: number, most: number, counts: Map<number, number>): boolean {
  const across = 2 ** zoom;
  const column = (lon: number) => Math.floor(((lonToMercator(lon) + MERCATOR_HALF) / (2 * MERCATOR_HALF)) * across);
  const row = (lat: number) => Math.floor(((MERCATOR_HALF - latToMercator(lat)) / (2 * MERCATOR_HALF)) * across);
  const clamp = (at: number) => Math.max(0, Math.min(across - 1, at));
  const [top, bottom] = [clamp(row(n)), clamp(row(s))];
  const [left, right] = [clamp(column(w)), clamp(column(e < w ? e + 360 : e))];
  const stepX = Math.max(1, Math.ceil((right - left) / TILES_A_SIDE));
  const stepY = Math.max(1, Math.ceil((bottom - top) / TILES_A_SIDE));
  for (let y = top; y <= bottom; y += stepY) {
    for (let x = left; x <= right; x += stepX) {
      const key = y * across + x;
      const count = (counts.get(key) ?? 0) + 1;
      if (count > most) return false;
      counts.set(key, count);
    }
  }
  return true;
}

const TILES_A_SIDE = 16;
