/** Kinds of work over rasters whose answers are numbers, and what a request brings polygons for. */
import { isLonLat } from './crs/index.ts';
import { problem } from './errors.ts';
import type { StatisticsOptions } from './kernels/statistics/types.ts';
import type { Layer, RasterLayer } from './layers/types.ts';
import { oneFile, onlyRaster } from './operations.ts';
import type { Painted, Plan } from './plan.ts';
import { planMosaicPoint, planMosaicPoints, planMosaicProfile } from './render/mosaic/places.ts';
import {
  planFeatureStatistics,
  planPoint,
  planPoints,
  planProfile,
  planStatistics,
  planWindow,
  type RasterFormat,
  type RasterParams,
} from './render/raster/plan.ts';
import type { FeaturesAnswer } from './render/raster/types.ts';
import { joinedZone, type Zone } from './render/raster/zone.ts';
import type { Operation } from './serve.ts';

interface Where {
  readonly coordCrs: string;
  readonly raster: RasterParams;
}

export interface PointParams extends Where {
  readonly lon: number;
  readonly lat: number;
}

/** Of a request with a body: what the body was, for the cache. */
interface Sent {
  readonly digest: string;
}

export interface ProfileParams extends Where, Sent {
  readonly samples: number;
}

export interface StatisticsParams {
  /** null: the full resolution. */
  readonly maxSize: number | null;
  readonly options: StatisticsOptions;
  readonly raster: RasterParams;
}

export interface FeatureParams extends Where, Sent {
  readonly dstCrs: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly maxSize: number | null;
  readonly format: RasterFormat;
}

type Places = readonly (readonly [number, number])[];

function values<P extends { readonly raster: RasterParams }>(
  name: string,
  plan: (layer: RasterLayer, params: P, signal: AbortSignal) => Promise<Plan>,
): Operation<P> {
  return {
    name,
    class: 'window',
    revision: 2,
    compressible: false,
    plan: (layers: readonly Layer[], params: P, _encoding, signal) => plan(onlyRaster(layers), params, signal),
    empty: outside,
  };
}

function outside(): Painted {
  throw problem('outside-bounds', 'what was asked for lies outside the raster');
}

export const rasterPoint = values<PointParams>('point', (layer, { raster, ...rest }, signal) =>
  (layer.mosaic ? planMosaicPoint : planPoint)({ layer, params: raster, ...rest }, signal),
);

export const rasterStatistics = values<StatisticsParams>('statistics', (layer, { raster, ...rest }, signal) =>
  planStatistics({ layer: oneFile(layer), params: raster, ...rest }, signal),
);

/** Made for one request, since what it is about is in its body. So are the others. */
export function rasterPoints(coordinates: Places): Operation<Where & Sent> {
  return values('points', (layer, { raster, coordCrs }, signal) =>
    (layer.mosaic ? planMosaicPoints : planPoints)({ layer, params: raster, coordCrs, coordinates }, signal),
  );
}

export function rasterProfile(line: Places): Operation<ProfileParams> {
  return values('profile', (layer, { raster, coordCrs, samples }, signal) =>
    (layer.mosaic ? planMosaicProfile : planProfile)({ layer, params: raster, coordCrs, line, samples }, signal),
  );
}

export function featureStatistics(
  zones: readonly Zone[],
  answer: FeaturesAnswer,
): Operation<StatisticsParams & Where & Sent> {
  return values('feature-statistics', (layer, { raster, coordCrs, maxSize, options }, signal) =>
    planFeatureStatistics({ layer: oneFile(layer), params: raster, coordCrs, maxSize, options, zones, answer }, signal),
  );
}

export function rasterFeature(zone: Zone): Operation<FeatureParams> {
  return values('feature', (layer, { raster, coordCrs, digest: _, ...rest }, signal) => {
    const whole = isLonLat(coordCrs) ? joinedZone(zone) : zone;
    const cutline = { zone: whole, crs: coordCrs };
    return planWindow({ layer, params: raster, bbox: boxOf(whole), bboxCrs: coordCrs, cutline, ...rest }, signal);
  });
}

function boxOf(zone: Zone): readonly [number, number, number, number] {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of zone.flat()) {
    for (let i = 0; i < ring.length; i += 2) {
      [west, east] = [Math.min(west, ring[i]), Math.max(east, ring[i])];
      [south, north] = [Math.min(south, ring[i + 1]), Math.max(north, ring[i + 1])];
    }
  }
  return [west, south, east, north];
}
