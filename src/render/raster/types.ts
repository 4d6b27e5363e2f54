/** What the raster operations pass around: parameters, the output grid, and the job a worker gets. All plain data. */
import type { Params } from '../../kernels/algorithms/types.ts';
import type { Range } from '../../kernels/colour.ts';
import type { ColourOperation } from '../../kernels/colour-formula.ts';
import type { ColourMap } from '../../kernels/colour-map.ts';
import type { Rings } from '../../kernels/coverage.ts';
import type { Expression } from '../../kernels/expression/parse.ts';
import type { Georeference } from '../../kernels/geotiff-writer.ts';
import type { Resampling } from '../../kernels/resampling.ts';
import type { SampleType } from '../../kernels/samples.ts';
import type { StatisticsOptions } from '../../kernels/statistics/types.ts';
import type { BytesRef, Job } from '../../plan.ts';
import type { BlockPlace } from '../../source/tiff/blocks.ts';
import type { BlockFormat } from '../../source/types.ts';

export type RasterFormat = 'png' | 'webp' | 'jpg' | 'tif' | 'npy';

/** titiler's words for it. */
export interface RasterParams {
  /** 1-based bands, in the order wanted. */
  readonly bidx?: number[];
  readonly rescale?: [number, number][];
  readonly colormapName?: string;
  /** Colours that the request brings itself. */
  readonly colormap?: ColourMap;
  readonly colorFormula?: string;
  /** Instead of ranges: percentiles of the values, between 0 and 100. */
  readonly percentiles?: readonly [number, number];
  /** Makes the bands; bidx does not count then. */
  readonly expression?: string;
  readonly algorithm?: NamedAlgorithm;
  /** Replaces the file's nodata value; NaN is one. */
  readonly nodata?: number;
  /** Where pixels are read in the raster's own system, at any resolution. */
  readonly resampling: Resampling;
  /** Where they are warped into another; absent: as resampling. */
  readonly reproject?: Resampling;
  readonly returnMask: boolean;
  /** Values are multiplied by the band's scale, and its offset is added. */
  readonly unscale: boolean;
}

export interface NamedAlgorithm {
  readonly name: string;
  /** Every parameter it has, with its value. */
  readonly params: Params;
}

export type Affine = readonly [number, number, number, number, number, number];

/** The pixels wanted: north up. crs null: the raster's own pixel space, stretched to width × height (previews). */
export interface OutputGrid {
  readonly crs: string | null;
  readonly originX: number;
  readonly originY: number;
  readonly resX: number;
  readonly resY: number;
  readonly width: number;
  readonly height: number;
  /** Some rows of a preview: the first of them, and how many the whole has. Absent: it is the whole. */
  readonly rows?: { readonly from: number; readonly of: number };
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type BlockRead = BlockPlace;

export interface LevelRead {
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly format: BlockFormat;
  readonly ref: BytesRef;
}

/** A window of a level that is gathered block by block. */
export interface WindowRead {
  readonly level: LevelRead;
  readonly window: Rect;
  readonly blocks: readonly BlockRead[];
  /** True where some block in the window's rectangle is not needed and not listed. */
  readonly gaps: boolean;
  readonly mask: { readonly level: LevelRead; readonly blocks: readonly BlockRead[] } | null;
}

/** A window and what is added to a level pixel position to be in it; a second part is the other side of the antimeridian. */
export interface Part extends WindowRead {
  readonly dx: number;
  readonly dy: number;
}

/** Which samples are wanted and what makes one invalid. */
export interface BandChoice {
  /** 0-based samples in the file, in output order. */
  readonly bands: readonly number[];
  /** 0-based sample that is alpha and counts for validity; -1 where a mask or nodata decides, or nothing. */
  readonly alpha: number;
  /** Samples a pixel in the file. */
  readonly samples: number;
  readonly dtype: SampleType;
  readonly nodata: number | null;
  readonly premultiplied: boolean;
}

/** Everything of the source that maps a place to a pixel of a level. */
export interface Placement {
  readonly crs: string;
  readonly transform: Affine;
  /** Level pixels in one full resolution pixel, an axis. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly width: number;
  readonly height: number;
}

export interface ImageStyle {
  readonly format: RasterFormat;
  /** Of JPEG and WebP, 1 to 100. */
  readonly quality: number;
  readonly rescale: readonly (readonly [number, number])[] | null;
  /** RGBA by index: a named colour map, or the file's palette. */
  readonly table: Uint8Array | null;
  /** Samples are indices of the table as they are: it is the file's palette, or colours by value of a request. */
  readonly indexed: boolean;
  /** Colours by value where no table of bytes says them. */
  readonly map: ColourMap | null;
  /** Done to bytes, before they become colours. */
  readonly formula: readonly ColourOperation[] | null;
  /** What a stretch leaves out on either side. */
  readonly percentiles: readonly [number, number] | null;
  readonly returnMask: boolean;
  /** Of a GeoTIFF: where it lies. */
  readonly georef?: Georeference;
  /** Per wanted band, or null where values stay as stored. */
  readonly scales: readonly number[] | null;
  readonly offsets: readonly number[] | null;
}

/** What is made of the values read, before they are shown. */
export interface Derive {
  readonly expression: Expression | null;
  readonly algorithm: NamedAlgorithm | null;
  /** Pixels around the picture that the algorithm looks at. */
  readonly margin: number;
}

/** What reaches the encoder. */
export interface Product {
  readonly bands: number;
  readonly type: SampleType;
  /** Values that can occur, where that is known beforehand. */
  readonly range: Range | null;
}

/** Bands to be read (from 1), what is made of them, and what comes out. */
export interface Derivation {
  readonly wanted: readonly number[];
  readonly derive: Derive | null;
  readonly product: Product;
}

interface RasterJobBase extends Job {
  readonly task: 'raster';
  readonly choice: BandChoice;
}

/** A few rows of a large picture, painted and encoded before the next. */
export interface Strip {
  /** Its first row in the picture. */
  readonly y: number;
  readonly grid: OutputGrid;
  readonly parts: readonly Part[];
}

/** Where a picture is painted in strips: it is never in memory as a whole. */
export interface Strips {
  readonly list: readonly Strip[];
  /** False: every pixel is known to be valid. */
  readonly alpha: boolean;
  /** Decoded blocks of a row of blocks, kept from strip to strip. */
  readonly keepBytes: number;
}

export interface ImageJob extends RasterJobBase {
  readonly kind: 'image';
  /** The pixels that are made: those that are shown, and a margin that an algorithm needs. */
  readonly grid: OutputGrid;
  readonly shown: OutputGrid;
  readonly derive: Derive | null;
  readonly placement: Placement;
  readonly parts: readonly Part[];
  /** null: painted in one go. With strips `parts` is empty. */
  readonly strips: Strips | null;
  /** Rings in the pixels of what is shown; what they do not touch is not valid. null: all is shown. */
  readonly cutline: Rings | null;
  readonly resampling: Resampling;
  /** Output pixels are level pixels, one to one. */
  readonly aligned: boolean;
  /** Times that the kernel is stretched, in level pixels: of bilinear the half width of its triangle. */
  readonly radiusX: number;
  readonly radiusY: number;
  readonly style: ImageStyle;
  /** Blocks that say the value range, where neither the request nor the layer does. */
  readonly stretch: readonly WindowRead[] | null;
}

/** What every answer of numbers is made by. */
interface ValuesJobBase extends RasterJobBase {
  readonly derive: Derive | null;
  readonly style: Pick<ImageStyle, 'scales' | 'offsets'>;
  readonly names: readonly string[];
  readonly descriptions: readonly string[];
}

export interface PointJob extends ValuesJobBase {
  readonly kind: 'point';
  /** A pixel each; null: outside the raster. Pixels of the same block stand together in `order`. */
  readonly reads: readonly (WindowRead | null)[];
  readonly order: readonly number[];
  readonly places: PlacesAnswer;
}

/** How the values at places are told: titiler's single point, or ours of many. */
export type PlacesAnswer =
  | { readonly form: 'point'; readonly coordinates: readonly [number, number] }
  | { readonly form: 'points'; readonly coordinates: Float64Array }
  | { readonly form: 'profile'; readonly coordinates: Float64Array; readonly distances: Float64Array };

/** Where the blocks of a rectangle of a level are, row by row, a plane after the other: two numbers a block, however many. */
export interface BlockTable {
  readonly level: LevelRead;
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
  readonly planes: readonly number[];
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/** A window that is looked at block by block and never in memory as a whole. */
export interface Scan {
  readonly window: Rect;
  readonly table: BlockTable;
  readonly mask: BlockTable | null;
  /** Pixels count by the share of them that lies in it; null: all of them, whole. */
  readonly zone: Rings | null;
}

export interface StatisticsJob extends ValuesJobBase {
  readonly kind: 'statistics';
  /** One, or one a feature; null: the feature does not touch the raster. */
  readonly scans: readonly (Scan | null)[];
  readonly level: number;
  readonly product: Product;
  readonly options: StatisticsOptions;
  /** Bands that are counted at once. */
  readonly batch: number;
  /** Size of a pixel in units of the CRS, for algorithms that ask. */
  readonly resX: number;
  readonly resY: number;
  readonly features: FeaturesAnswer | null;
}

/** GeoJSON that statistics are put into. */
export interface FeaturesAnswer {
  /** Of a FeatureCollection, without its features; null: a single feature is answered. */
  readonly collection: string | null;
  /** Each as JSON. */
  readonly features: readonly string[];
}

/** A block that is the picture: handed on as it is. */
export interface PassJob extends RasterJobBase {
  readonly kind: 'pass';
  readonly level: LevelRead;
  readonly block: BlockRead;
  readonly format: RasterFormat;
}

export type RasterJob = ImageJob | PassJob | PointJob | StatisticsJob;
