/** What a raster is, in titiler's /info shape; and the zooms at which it has something to show. */
import { crsUri, resolveCrs } from '../../crs/index.ts';
import { Problem } from '../../errors.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { RasterSource, Reason } from '../../source/types.ts';
import { type BBox, EARTH_RADIUS } from '../../tile.ts';
import { movedBox } from './boxes.ts';

export interface RasterInfo {
  readonly bounds: BBox | null;
  /** OGC URI where there is one, else the name this server knows it by. */
  readonly crs: string | null;
  readonly band_metadata: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  readonly band_descriptions: readonly (readonly [string, string])[];
  readonly dtype: string;
  readonly nodata_type: 'Alpha' | 'Mask' | 'Internal' | 'Nodata' | 'None';
  readonly nodata_value?: number | string;
  readonly colorinterp: readonly string[];
  readonly scales: readonly number[];
  readonly offsets: readonly number[];
  readonly colormap: Readonly<Record<string, readonly number[]>> | null;
  readonly driver: 'GTiff';
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly overviews: readonly number[];
  /** Overviews that this server makes where the file has too few. Absent: none. */
  readonly shadow?: { readonly state: string; readonly factors: readonly number[]; readonly bytes: number };
  readonly minzoom: number | null;
  readonly maxzoom: number | null;
  readonly servable: boolean;
  readonly reasons: readonly Reason[];
  readonly notes: readonly Reason[];
}

export function rasterInfo(layer: RasterLayer): RasterInfo {
  const { source, verdict } = layer;
  const zooms = rasterZooms(source);
  const nodata = layer.options.nodata ?? source.nodata;
  return {
    bounds: source.bounds,
    crs: nameOf(layer.options.crs ?? source.crs),
    band_metadata: source.bands.map(band => [`b${band.index}`, band.unit ? { unit: band.unit } : {}]),
    band_descriptions: source.bands.map(band => [`b${band.index}`, band.description ?? `b${band.index}`]),
    dtype: source.dtype,
    nodata_type: nodataType(source, nodata),
    ...(nodata === null ? {} : { nodata_value: Number.isFinite(nodata) ? nodata : String(nodata).toLowerCase() }),
    colorinterp: source.bands.map(band => band.colorInterp),
    scales: source.bands.map(band => band.scale),
    offsets: source.bands.map(band => band.offset),
    colormap: source.palette ? paletteEntries(source.palette) : null,
    driver: 'GTiff',
    count: source.bands.length,
    width: source.width,
    height: source.height,
    overviews: source.levels.slice(1).map(level => Math.round(source.width / level.width)),
    ...(layer.shadow
      ? { shadow: { state: layer.shadow.state, factors: layer.shadow.factors, bytes: layer.shadow.bytes } }
      : {}),
    minzoom: zooms?.minzoom ?? null,
    maxzoom: zooms?.maxzoom ?? null,
    servable: verdict.servable,
    reasons: verdict.reasons,
    notes: verdict.notes,
  };
}

function nameOf(crs: string | null): string | null {
  if (crs === null) return null;
  try {
    return crsUri(resolveCrs(crs)) ?? crs;
  } catch (error) {
    // A refused layer may have a CRS that cannot be computed; its name is still worth telling.
    if (error instanceof Problem) return crs;
    throw error;
  }
}

/** In the order in which this server itself decides, which is GDAL's. */
function nodataType(source: RasterSource, nodata: number | null): RasterInfo['nodata_type'] {
  if (source.levels[0]?.mask) return 'Mask';
  if (nodata !== null) return 'Nodata';
  return source.bands.some(band => band.colorInterp === 'alpha') ? 'Alpha' : 'None';
}

function paletteEntries(palette: Uint8Array): Record<string, number[]> {
  const out: Record<string, number[]> = {};
  for (let i = 0; i * 4 < palette.length; i++) out[String(i)] = [...palette.subarray(i * 4, i * 4 + 4)];
  return out;
}

/** Deeper zooms would only magnify; MapLibre does that itself. */
const ZOOM_MAX = 24;

/**
 * Zooms of WebMercatorQuad: maxzoom is the first whose pixels are at least as fine as the raster's, minzoom the last at
 * which it fits into one tile. Null where the raster has no place in web mercator.
 */
export function rasterZooms(source: RasterSource): { minzoom: number; maxzoom: number } | null {
  if (source.crs === null || source.bounds === null || source.width < 1 || source.height < 1) return null;
  const box = mercatorBox(source.crs, source.bounds);
  if (!box) return null;
  const across = box[2] - box[0];
  const resolution = Math.hypot(across, box[3] - box[1]) / Math.hypot(source.width, source.height);
  if (!(resolution > 0)) return null;
  const world = (2 * Math.PI * EARTH_RADIUS) / 256;
  // A tenth of a zoom of slack: 10.01 m pixels do not need another level. As rio-tiler, which rounds likewise.
  const maxzoom = clampZoom(Math.ceil(Math.log2(world / resolution) - 0.1));
  const minzoom = clampZoom(Math.floor(Math.log2((world * 256) / Math.max(across, box[3] - box[1]))));
  return { minzoom: Math.min(minzoom, maxzoom), maxzoom };
}

function mercatorBox(crs: string, bounds: BBox): BBox | null {
  try {
    return movedBox(crs, 'EPSG:3857', bounds);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function clampZoom(zoom: number): number {
  return Math.max(0, Math.min(ZOOM_MAX, zoom));
}
