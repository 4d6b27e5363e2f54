/** Jobs of mosaics: those of their members, one after the other, and how they become one answer. */
import type { Rings } from '../../kernels/coverage.ts';
import type { PixelSelection } from '../../kernels/pixel-selection.ts';
import type { Job } from '../../plan.ts';
import type { Derive, ImageJob, ImageStyle, OutputGrid, PlacesAnswer, PointJob } from '../raster/types.ts';

interface MosaicJobBase extends Job {
  readonly task: 'mosaic';
  readonly selection: PixelSelection;
}

/** One file on the rows of the picture that it can touch. */
export interface MemberJob {
  /** The first of these rows; a multiple of the projection's cells, so that they are those of the whole picture. */
  readonly row: number;
  readonly job: ImageJob;
}

export interface MosaicImageJob extends MosaicJobBase {
  readonly kind: 'image';
  /** In the order in which they count. Each makes the values of its expression. */
  readonly members: readonly MemberJob[];
  /** Files that say the value range, where neither the request nor the layer does. */
  readonly ranging: readonly ImageJob[] | null;
  readonly grid: OutputGrid;
  readonly shown: OutputGrid;
  /** What is made of the values chosen: an algorithm. */
  readonly derive: Derive | null;
  readonly cutline: Rings | null;
  readonly style: ImageStyle;
  /** What stands for nothing in the files, where it is the same in all of them and still means that in the answer. */
  readonly nodata: number | null;
}

export interface MosaicPlacesJob extends MosaicJobBase {
  readonly kind: 'places';
  readonly members: readonly PointJob[];
  /** Means are cut off to whole numbers. */
  readonly integer: boolean;
  readonly places: PlacesAnswer;
  readonly names: readonly string[];
  readonly descriptions: readonly string[];
}

export type MosaicJob = MosaicImageJob | MosaicPlacesJob;
