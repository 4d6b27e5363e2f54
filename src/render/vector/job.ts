/** What passes from the plan of a vector tile to the worker that paints it: plain data, no source, no index. */
import type { Aggregated, AggregateOp } from '../../kernels/aggregates.ts';
import type { CellFrame, CellPlane } from '../../kernels/clusters.ts';
import type { BytesRef, Encoding, Job } from '../../plan.ts';
import type { CellRange } from '../../source/fgb/clusters.ts';
import type { DustRule } from '../../source/fgb/dust.ts';
import type { WrittenAs } from '../../source/types.ts';
import type { FilterSchema, FilterSpec } from '../filter/filter.ts';

/** 'same': coordinates are the grid's already; 'mercator': degrees to web mercator; 'other': through crs.ts. */
export type Projection = 'same' | 'mercator' | 'other';

export interface JobColumn {
  readonly name: string;
  /** Number of the FlatGeobuf column type. */
  readonly type: number;
  readonly wanted: boolean;
  /** Written as text, where it is not text already. */
  readonly as: WrittenAs | null;
}

/** What the features of a layer are drawn as where they stand for several, in their order (source/fgb/dust.ts). */
export interface JobDust {
  /** 4 numbers a feature, in the layer's CRS. */
  readonly squares: Float64Array;
  readonly areas: Float64Array;
  /** 1: the feature itself is drawn. */
  readonly counts: Uint32Array;
}

/** What makes dust of the matches of a filter: only reading tells how many a cell has. */
export interface FilterDust extends DustRule {
  /** Areas of the candidates' boxes, and the cells, 4 numbers each. */
  readonly areas: Float64Array;
  readonly rects: Float64Array;
}

/** A filter, and what chooses among its matches. */
export interface LayerFilter {
  readonly spec: FilterSpec;
  readonly schema: FilterSchema;
  /** Of each feature: number of its cell, or NO_CELL; null: no grid. */
  readonly cells: Uint32Array | null;
  /** 1 where the feature meets the tile, 0 where only its cell does. */
  readonly shows: Uint8Array;
  readonly cellCount: number;
  readonly dust: FilterDust | null;
}

/** Where in its matrix a tile is, for the layer of labels beside a layer. */
export interface LabelPlace {
  /** Name of the layer of labels. */
  readonly id: string;
  /** Top left corner of the matrix, and sides of a tile, grid units. */
  readonly originX: number;
  readonly originY: number;
  readonly spanX: number;
  readonly spanY: number;
  /** Tiles across and down, and which of them this one is; rows from the top. */
  readonly cols: number;
  readonly rows: number;
  readonly col: number;
  readonly row: number;
  /** Whether the first column follows the last. */
  readonly wraps: boolean;
}

/** Clusters of points that are drawn beside the features. */
export interface JobClusters {
  readonly ids: Float64Array;
  readonly counts: Uint32Array;
  /** Two numbers each, in the layer's CRS. */
  readonly xy: Float64Array;
  /** Whether they have sqrt_point_count too. */
  readonly rooted: boolean;
  /** What is made of their points' attributes, a value a cluster. */
  readonly aggregates: readonly { readonly name: string; readonly values: readonly Aggregated[] }[];
}

export interface JobAggregate {
  readonly name: string;
  readonly op: AggregateOp;
  /** Place among the columns of the file. */
  readonly column: number;
}

/** How points are counted by cells where only reading tells which match, or what they have. */
export interface CellsRead {
  readonly plane: CellPlane;
  readonly frame: CellFrame;
  /** Of the file, below whose ids none of a cluster is. */
  readonly features: number;
  readonly ranges: readonly CellRange[];
  readonly minPoints: number;
  /** null: all points. */
  readonly filter: FilterSpec | null;
  readonly schema: FilterSchema;
  readonly aggregates: readonly JobAggregate[];
  readonly rooted: boolean;
}

/** Features are candidates, and reading tells the clusters and who is alone. */
export interface ReadClusters extends CellsRead {
  /** Where the features are, two numbers each, in the layer's CRS. */
  readonly xy: Float64Array;
}

export interface VectorJobLayer {
  readonly id: string;
  readonly ref: BytesRef;
  readonly crs: string;
  readonly projection: Projection;
  /** The header's geometry type; 0 where features say their own. */
  readonly geometryType: number;
  readonly columns: readonly JobColumn[];
  /** Column whose values are feature ids, or −1. */
  readonly idColumn: number;
  readonly extent: number;
  readonly buffer: number;
  /** Douglas–Peucker, in units of the tile. */
  readonly tolerance: number;
  /** Worlds to the east at which the features show as well, in tile units; [0] nearly always. */
  readonly shifts: readonly number[];
  /** Width of the world in tile units, where a jump of half of it between two points is the antimeridian; else 0. */
  readonly world: number;
  /** Boxes of the tile and its buffer in the layer's CRS, four numbers each. */
  readonly boxes: Float64Array;
  /** Features in file order: first byte in the file, bytes, place in the file. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly ordinals: Float64Array;
  /** CRC-32 of each feature's bytes, where `ref` is an overview, which may be damaged unseen; else null. */
  readonly crcs: Uint32Array | null;
  /** How many features each one stands for, where the layer's tiles say so. */
  readonly counts: Uint32Array | null;
  readonly dust: JobDust | null;
  readonly clusters: JobClusters | null;
  readonly toCluster: ReadClusters | null;
  /** Names of the attributes that are served, for features that bring columns of their own; null: all. */
  readonly served: readonly string[] | null;
  /** Names that such columns are served under, by those in the file; null: their own. */
  readonly rename: Readonly<Record<string, string>> | null;
  /** The features are candidates: those that match are drawn, of each cell the first. null: all are drawn. */
  readonly filter: LayerFilter | null;
  /** null: no labels. */
  readonly labels: LabelPlace | null;
  /** Name of the id column, for the same; null: ids are places in the file. */
  readonly idName: string | null;
}

export interface VectorJob extends Job {
  readonly task: 'vector-tile';
  readonly encoding: Encoding;
  readonly gridCrs: string;
  /** Top left corner of the tile and its side lengths, grid units. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly layers: readonly VectorJobLayer[];
}

/** Side of what stands for a polygon too small to have an area, as a share of the extent: a pixel of a map of 512. */
const PIXEL_SHARE = 512;

export function pixelSide(extent: number): number {
  return Math.max(1, Math.round(extent / PIXEL_SHARE));
}

/** Ranges closer than this are read as one: cheaper than another read. */
export const GAP_BYTES = 16 * 1024;
/** Bytes of one read, unless a single feature is larger. */
export const RUN_BYTES_MAX = 512 * 1024;

/** First feature after i that is not read together with it. */
export function runEnd(offsets: Float64Array, lengths: Uint32Array, i: number): number {
  const start = offsets[i];
  let end = start + lengths[i];
  let j = i + 1;
  while (j < offsets.length && offsets[j] - end <= GAP_BYTES && offsets[j] + lengths[j] - start <= RUN_BYTES_MAX) {
    end = offsets[j] + lengths[j];
    j++;
  }
  return j;
}

/** Projected, clipped and rounded points against the bytes of the points in the file (pen.ts: 134 against 16), and what mending takes. */
export const SCRATCH_SHARE = 10;
/** An encoded feature against its bytes in the file, at worst of what was seen (points with short attributes). */
export const OUTPUT_SHARE = 0.5;
/** The square of a cell of dust and its attributes, in a tile. */
export const DUST_BYTES = 80;
/** The same for finding labels (label-pen.ts: 108 against 16), and what that takes whatever the geometry. */
export const LABEL_SCRATCH_SHARE = 7;
export const LABEL_SCRATCH_BYTES = 128 * 1024;
