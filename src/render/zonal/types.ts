/** What the plan of zonal statistics sends to a worker: zones with the windows of the raster that their boxes meet. */
import type { BytesRef, Job } from '../../plan.ts';
import type { FeatureSchema } from '../../source/fgb/feature.ts';
import type { Affine, BandChoice, WindowRead } from '../raster/types.ts';

export interface ZonePart {
  /** Added to x of the zone in units of the raster's CRS: the same place by another longitude. */
  readonly shift: number;
  /** One a block or less, row by row. */
  readonly windows: readonly WindowRead[];
}

export interface Zone {
  readonly ordinal: number;
  readonly offset: number;
  readonly length: number;
  /** Of the moved zone's box, in the raster's x: its rings are named as it is. Null: they are in the raster's own system. */
  readonly middle: number | null;
  readonly parts: readonly ZonePart[];
  /** Why its pixels are not read: its line says so. */
  readonly fault: string | null;
}

export interface ZonesRead {
  readonly ref: BytesRef;
  readonly crs: string;
  readonly schema: FeatureSchema;
  readonly properties: readonly string[];
  readonly idColumn: string | null;
}

export interface ZonalJob extends Job {
  readonly task: 'zonal';
  readonly zones: readonly Zone[];
  readonly features: ZonesRead;
  readonly choice: BandChoice;
  readonly rasterCrs: string;
  readonly transform: Affine;
  readonly scales: readonly number[] | null;
  readonly offsets: readonly number[] | null;
  readonly categorical: boolean;
  readonly format: ZonalFormat;
}

export type ZonalFormat = 'ndjson' | 'csv';
