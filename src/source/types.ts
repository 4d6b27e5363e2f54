/** What a source is: a format over io, judged when it opens. Everything here is metadata; no pixels, no features. */
import type { BytesRef } from '../plan.ts';
import type { BBox } from '../tile.ts';

/** One reason of a verdict, with a stable code of source/reasons.ts, a sentence, and the command line that mends it. */
export interface Reason {
  readonly code: string;
  readonly detail: string;
  readonly remedy?: string;
}

/** servable is false as soon as there is one reason; notes never refuse. */
export interface Verdict {
  readonly servable: boolean;
  readonly reasons: readonly Reason[];
  readonly notes: readonly Reason[];
}

interface SourceBase {
  readonly ref: BytesRef;
  readonly verdict: Verdict;
  /** Name from the file's own metadata, or null. */
  readonly title: string | null;
  readonly description: string | null;
  /** As crs.ts resolves it ('EPSG:28992', 'OGC:CRS84', a proj string); null where unknown (then not servable unless configured). */
  readonly crs: string | null;
  /** In units of `crs`, x before y; null where the file is empty or has no envelope. */
  readonly bounds: BBox | null;
  /** Degrees on WGS 84; null where there are no bounds or no CRS. minx > maxx where it crosses the antimeridian. */
  readonly lonLatBounds: BBox | null;
  /** Bytes that this open source keeps resident (header, upper index levels, block tables): goes to the ledger. */
  readonly residentBytes: number;
  close(): Promise<void>;
}

export type ColumnType =
  | 'byte'
  | 'ubyte'
  | 'bool'
  | 'short'
  | 'ushort'
  | 'int'
  | 'uint'
  | 'long'
  | 'ulong'
  | 'float'
  | 'double'
  | 'string'
  | 'json'
  | 'datetime'
  | 'binary';

/** How values are written where an operator wants it other than usual. */
export type WrittenAs = 'text' | 'number' | 'base64';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Absent: numbers while they are exact, JSON as what it says, binary only in features. */
  readonly as?: WrittenAs;
  readonly title: string | null;
  readonly description: string | null;
}

export type GeometryKind =
  | 'Unknown'
  | 'Point'
  | 'LineString'
  | 'Polygon'
  | 'MultiPoint'
  | 'MultiLineString'
  | 'MultiPolygon'
  | 'GeometryCollection'
  | 'CircularString'
  | 'CompoundCurve'
  | 'CurvePolygon'
  | 'MultiCurve'
  | 'MultiSurface'
  | 'Curve'
  | 'Surface'
  | 'PolyhedralSurface'
  | 'TIN'
  | 'Triangle';

export interface VectorSource extends SourceBase {
  readonly kind: 'vector';
  readonly geometry: GeometryKind;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  readonly columns: readonly Column[];
  readonly count: number;
  readonly indexed: boolean;
}

/** TIFF sample types after decoding. */
export type DType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64';

export type ColorInterp = 'gray' | 'red' | 'green' | 'blue' | 'alpha' | 'palette' | 'undefined';

export interface Band {
  /** 1-based, as in bidx. */
  readonly index: number;
  readonly colorInterp: ColorInterp;
  readonly description: string | null;
  readonly scale: number;
  readonly offset: number;
  readonly unit: string | null;
}

/** How the bytes of a block become samples: all a worker needs, plain data, one per level (GDAL allows them to differ). */
export interface BlockFormat {
  readonly compression: number;
  readonly predictor: number;
  readonly photometric: number;
  /** 1 chunky, 2 planar separate. */
  readonly planar: 1 | 2;
  /** Samples a pixel in the file, alpha included. */
  readonly samples: number;
  readonly dtype: DType;
  /** Bits of one sample in the file; 1 for bilevel, 16 for float16. */
  readonly bits: number;
  readonly littleEndian: boolean;
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly jpegTables: Uint8Array | null;
  /** LercParameters tag: [version, additional compression 0 none / 1 deflate / 2 zstd]. */
  readonly lerc: readonly number[] | null;
  /** FillOrder 2 (bits reversed), only for 1-bit data. */
  readonly reversedBits: boolean;
  /** 'strip': the last block of a column holds fewer rows; 'tile': blocks are always full. */
  readonly layout: 'tile' | 'strip';
}

/** Full resolution or an overview; its mask, if any, is a level of its own kind. */
export interface Level {
  readonly width: number;
  readonly height: number;
  readonly format: BlockFormat;
  readonly blocksAcross: number;
  readonly blocksDown: number;
  /** Bytes one decoded block takes (all samples of a chunky block, one sample of a planar one). */
  readonly decodedBlockBytes: number;
  /** Where the encoded bytes of a block are. Length 0: sparse. Index is row * across + column (+ sample plane * across * down). */
  blockRange(
    index: number,
  ):
    | Promise<{ readonly offset: number; readonly length: number }>
    | { readonly offset: number; readonly length: number };
  readonly mask: Level | null;
  /** The file this level is in: the main file, or an external .ovr / .msk. */
  readonly ref: BytesRef;
}

/** What a file's tags say of its system: GeoKeyDirectory, GeoDoubleParams and GeoAsciiParams. */
export interface CrsKeys {
  readonly words: readonly number[];
  readonly doubles: readonly number[];
  readonly ascii: string;
}

export interface RasterSource extends SourceBase {
  readonly kind: 'raster';
  readonly width: number;
  readonly height: number;
  readonly dtype: DType;
  readonly bands: readonly Band[];
  /** GDAL order: x = t[0] + col * t[1] + row * t[2], y = t[3] + col * t[4] + row * t[5]; corner of the pixel, PixelIsPoint already shifted. */
  readonly transform: readonly [number, number, number, number, number, number];
  readonly nodata: number | null;
  /** 256 or fewer RGBA entries (0–255), index-major; null where the file has no palette. */
  readonly palette: Uint8Array | null;
  /** ExtraSamples 1: colours are premultiplied by alpha. */
  readonly premultipliedAlpha: boolean;
  /** levels[0] is full resolution; then ever coarser. */
  readonly levels: readonly Level[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What the file's own tags say of its system, to be copied where no number names it; null: there is nothing to copy. */
  readonly crsKeys: CrsKeys | null;
}

export type Source = VectorSource | RasterSource;
