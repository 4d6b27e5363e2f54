/** What a layer is to the rest of the house: an id, a source, and the choices an operator made for it. */
import type { Aggregate } from '../kernels/aggregates.ts';
import type { PixelSelection } from '../kernels/pixel-selection.ts';
import type { Resampling } from '../kernels/resampling.ts';
import type { Level, RasterSource, Source, VectorSource, Verdict } from '../source/types.ts';
import type { BBox } from '../tile.ts';

export interface LayerOptions {
  readonly title?: string;
  readonly description?: string;
  readonly attribution?: string;
  readonly minzoom?: number;
  readonly maxzoom?: number;
  /** Vector: zooms beyond maxzoom that are cut out of the tiles of maxzoom. */
  readonly overzoom?: number;
  /** Replaces the file's CRS where that is missing or wrong. */
  readonly crs?: string;
  /** Vector: attributes that are served; all where absent. */
  readonly properties?: readonly string[];
  /** Vector: attributes that are left out; by the names that are served. */
  readonly excludeProperties?: readonly string[];
  /** Vector: names that are served, by the names in the file. Everything else, filters too, goes by the former. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Vector: 64-bit integers. 'auto': text in GeoJSON where a double would not hold them, exact integers in tiles. */
  readonly int64?: 'auto' | 'string' | 'number';
  /** Vector: JSON columns in features: what they say, or their text. Tiles have text. */
  readonly json?: 'value' | 'text';
  /** Vector: binary columns: base64 in features and tiles, or in neither. Absent: in features alone. */
  readonly binary?: 'base64' | 'omit';
  /** Vector: units a tile side and the buffer around it, in those units. Defaults 4096 and 64. */
  readonly extent?: number;
  readonly buffer?: number;
  /** Vector: column whose non-negative integers are feature ids; the ordinal + 1 where absent. */
  readonly idColumn?: string;
  /**
   * Vector: 'none' draws every feature at every zoom; 'cells' (default) thins where a tile would break its caps; 'dust' draws the
   * small features of a cell as one square of their area.
   */
  readonly drop?: 'cells' | 'dust' | 'none';
  /** Vector: what thins a zoom: most features of a tile, and its compressed bytes. Defaults 20,000 and 500 KB. */
  readonly maxFeatures?: number;
  readonly maxTileBytes?: number;
  /** Vector: most bytes of features that a filtered tile may read. */
  readonly filterReadBytes?: number;
  /** Vector: features of thinned tiles say how many they stand for: point_count, sqrt_point_count. */
  readonly pointCount?: boolean;
  /** Vector: tiles have a layer {id}_labels too, with one point a feature. */
  readonly labels?: boolean;
  /** Vector: points are drawn together; true: as supercluster does where nothing else is said. */
  readonly cluster?: boolean | ClusterChoice;
  /** Raster defaults, in titiler's words. */
  readonly rescale?: readonly (readonly [number, number])[];
  readonly colormapName?: string;
  readonly bidx?: readonly number[];
  readonly nodata?: number;
  readonly resampling?: Resampling;
  /** Raster: of what is encoded as JPEG or WebP, 1 to 100. Defaults 80 and 75. */
  readonly jpegQuality?: number;
  readonly webpQuality?: number;
  /** Raster: most source pixels that are decoded for a pixel of a tile or window; as many as it takes where absent. */
  readonly maxReadAmplification?: number;
  /** Mosaics: most files of one tile or window. Default 64. */
  readonly mosaicMaxAssets?: number;
  /** False: full quality or an error, never a coarser answer. */
  readonly degrade?: boolean;
  /** Seconds for Cache-Control. */
  readonly maxAge?: number;
}

/** How points are drawn together, in supercluster's words. Defaults: 40, 512, 2, 16. */
export interface ClusterChoice {
  /** In units of `extent` to a tile side. */
  readonly radius?: number;
  readonly extent?: number;
  readonly minPoints?: number;
  readonly maxZoom?: number;
  /** Attributes of clusters that are made of those of their points, by name. */
  readonly aggregates?: Readonly<Record<string, Aggregate>>;
}

/** What the configuration says of a mosaic. */
export interface MosaicChoice {
  /** Files, folders and patterns, the first first. */
  readonly paths: readonly string[];
  readonly pixelSelection: PixelSelection;
}

/** Several rasters that are one layer, in their order. */
export interface Mosaic {
  readonly selection: PixelSelection;
  readonly members: readonly RasterLayer[];
  /** Files that were named and are not served. */
  readonly refused: number;
  /** Most members of one tile or window. */
  readonly maxAssets: number;
}

/** Coarser levels of a file that lacks them, made by this server and kept in memory. */
export interface Shadow {
  /** Finest first. Where their blocks are is known before they are made. */
  readonly levels: readonly Level[];
  /** Full resolution pixels in one of theirs, an axis. */
  readonly factors: readonly number[];
  readonly bytes: number;
  readonly state: ShadowState;
  /** Sees that it is made, and waits for it. Errors: overview-building; what reading the file throws. */
  wanted(signal: AbortSignal): Promise<void>;
  /** A copy. Errors: overview-building, where it was given up meanwhile. */
  copy(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** absent: not made yet, or given up for want of memory. */
export type ShadowState = 'absent' | 'building' | 'ready' | 'failed';

export interface HeldShadow extends Shadow {
  /** The file is not served any more. */
  close(): void;
}

interface LayerBase {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly options: LayerOptions;
  readonly verdict: Verdict;
  /** Changes with the file and with the options: part of every key and ETag. */
  readonly version: string;
  readonly lonLatBounds: BBox | null;
  readonly minzoom: number;
  readonly maxzoom: number;
}

export interface VectorLayer extends LayerBase {
  readonly kind: 'vector';
  readonly source: VectorSource;
}

export interface RasterLayer extends LayerBase {
  readonly kind: 'raster';
  /** Of a mosaic: what its members have in common, and the box around them; there are no pixels in it. */
  readonly source: RasterSource;
  /** Absent: it is one file. */
  readonly mosaic?: Mosaic;
  /** Absent: the file has the levels it needs, or there is to be none. */
  readonly shadow?: Shadow;
}

/** A layer that a dashboard uploaded: tiles come out of its geojson-vt index in a worker; it ends with its session. */
export interface SessionLayer extends LayerBase {
  readonly kind: 'session';
  readonly session: string;
  readonly fields: Readonly<Record<string, 'Number' | 'String' | 'Boolean'>>;
  readonly count: number;
  readonly geometry: string;
}

/** A file that could not even be opened as a source: listed with its reasons, never served. */
export interface RefusedLayer extends LayerBase {
  readonly kind: 'refused';
  readonly href: string;
}

export type Layer = VectorLayer | RasterLayer | SessionLayer | RefusedLayer;

/** A lease keeps the layer's source open until released, so that a swap lets requests under way finish on the old file. */
export interface Lease<L extends Layer = Layer> {
  readonly layer: L;
  release(): void;
}

export interface Catalogue {
  /** Files by id. Session layers are in no list: who does not know the id of one must not come to know it. */
  list(): readonly Layer[];
  get(id: string): Layer | undefined;
  /** Throws layer-not-found (naming the nearest ids), session-gone. */
  lease(id: string): Lease;
}

export type OpenSource = Source;
