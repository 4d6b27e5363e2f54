/** The TIFF tags that are read at all, and how much of each is believed. A tag not listed here costs nothing. */

export const TAG = {
  NewSubfileType: 254,
  ImageWidth: 256,
  ImageLength: 257,
  BitsPerSample: 258,
  Compression: 259,
  Photometric: 262,
  FillOrder: 266,
  ImageDescription: 270,
  StripOffsets: 273,
  SamplesPerPixel: 277,
  RowsPerStrip: 278,
  StripByteCounts: 279,
  PlanarConfig: 284,
  Predictor: 317,
  ColorMap: 320,
  TileWidth: 322,
  TileLength: 323,
  TileOffsets: 324,
  TileByteCounts: 325,
  SubIfds: 330,
  ExtraSamples: 338,
  SampleFormat: 339,
  JpegTables: 347,
  ModelPixelScale: 33550,
  ModelTiepoint: 33922,
  ModelTransformation: 34264,
  GeoKeyDirectory: 34735,
  GeoDoubleParams: 34736,
  GeoAsciiParams: 34737,
  GdalMetadata: 42112,
  GdalNodata: 42113,
  LercParameters: 50674,
  RpcCoefficient: 50844,
} as const;

interface TagRule {
  readonly name: string;
  /** More values than this are not believed. */
  readonly max: number;
  readonly kind: 'numbers' | 'text' | 'presence' | 'table';
  /** Without it, or with nonsense in it, the image cannot be read right: refuse. Else: ignore it and say so. */
  readonly essential: boolean;
}

const SAMPLES_MAX = 65535;

function rule(name: string, max: number, kind: TagRule['kind'] = 'numbers', essential = true): TagRule {
  return { name, max, kind, essential };
}

export const RULES: Readonly<Record<number, TagRule>> = {
  [TAG.NewSubfileType]: rule('NewSubfileType', 1),
  [TAG.ImageWidth]: rule('ImageWidth', 1),
  [TAG.ImageLength]: rule('ImageLength', 1),
  [TAG.BitsPerSample]: rule('BitsPerSample', SAMPLES_MAX),
  [TAG.Compression]: rule('Compression', 1),
  [TAG.Photometric]: rule('PhotometricInterpretation', 1),
  [TAG.FillOrder]: rule('FillOrder', 1),
  [TAG.ImageDescription]: rule('ImageDescription', 65536, 'text', false),
  [TAG.StripOffsets]: rule('StripOffsets', Infinity, 'table'),
  [TAG.SamplesPerPixel]: rule('SamplesPerPixel', 1),
  [TAG.RowsPerStrip]: rule('RowsPerStrip', 1),
  [TAG.StripByteCounts]: rule('StripByteCounts', Infinity, 'table'),
  [TAG.PlanarConfig]: rule('PlanarConfiguration', 1),
  [TAG.Predictor]: rule('Predictor', 1),
  [TAG.ColorMap]: rule('ColorMap', 3 * 65536),
  [TAG.TileWidth]: rule('TileWidth', 1),
  [TAG.TileLength]: rule('TileLength', 1),
  [TAG.TileOffsets]: rule('TileOffsets', Infinity, 'table'),
  [TAG.TileByteCounts]: rule('TileByteCounts', Infinity, 'table'),
  [TAG.SubIfds]: rule('SubIFDs', Infinity, 'presence', false),
  [TAG.ExtraSamples]: rule('ExtraSamples', SAMPLES_MAX),
  [TAG.SampleFormat]: rule('SampleFormat', SAMPLES_MAX),
  [TAG.JpegTables]: rule('JPEGTables', 65536),
  [TAG.ModelPixelScale]: rule('ModelPixelScale', 16),
  [TAG.ModelTiepoint]: rule('ModelTiepoint', 60000),
  [TAG.ModelTransformation]: rule('ModelTransformation', 16),
  [TAG.GeoKeyDirectory]: rule('GeoKeyDirectory', 4096),
  [TAG.GeoDoubleParams]: rule('GeoDoubleParams', 4096),
  [TAG.GeoAsciiParams]: rule('GeoAsciiParams', 65536, 'text'),
  [TAG.GdalMetadata]: rule('GDAL_METADATA', 1 << 20, 'text', false),
  [TAG.GdalNodata]: rule('GDAL_NODATA', 1024, 'text', false),
  [TAG.LercParameters]: rule('LercParameters', 16),
  [TAG.RpcCoefficient]: rule('RPCCoefficient', Infinity, 'presence', false),
};

/** Tags of places and scales. All others count something, and half a sample or a byte of a fraction is none. */
export const REAL_TAGS: ReadonlySet<number> = new Set([
  TAG.ModelPixelScale,
  TAG.ModelTiepoint,
  TAG.ModelTransformation,
  TAG.GeoDoubleParams,
]);
/** Rationals and floats. */
export const REAL_TYPES: ReadonlySet<number> = new Set([5, 10, 11, 12]);

interface TypeRule {
  readonly size: number;
  read(view: DataView, at: number, little: boolean): number;
}

/** TIFF 6 types and BigTIFF's. 64-bit values beyond 2^53 come out inexact, hence beyond any file size, hence refused. */
export const TYPES: Readonly<Record<number, TypeRule>> = {
  1: { size: 1, read: (v, at) => v.getUint8(at) },
  2: { size: 1, read: (v, at) => v.getUint8(at) },
  3: { size: 2, read: (v, at, le) => v.getUint16(at, le) },
  4: { size: 4, read: (v, at, le) => v.getUint32(at, le) },
  5: { size: 8, read: (v, at, le) => v.getUint32(at, le) / v.getUint32(at + 4, le) },
  6: { size: 1, read: (v, at) => v.getInt8(at) },
  7: { size: 1, read: (v, at) => v.getUint8(at) },
  8: { size: 2, read: (v, at, le) => v.getInt16(at, le) },
  9: { size: 4, read: (v, at, le) => v.getInt32(at, le) },
  10: { size: 8, read: (v, at, le) => v.getInt32(at, le) / v.getInt32(at + 4, le) },
  11: { size: 4, read: (v, at, le) => v.getFloat32(at, le) },
  12: { size: 8, read: (v, at, le) => v.getFloat64(at, le) },
  13: { size: 4, read: (v, at, le) => v.getUint32(at, le) },
  16: { size: 8, read: (v, at, le) => Number(v.getBigUint64(at, le)) },
  17: { size: 8, read: (v, at, le) => Number(v.getBigInt64(at, le)) },
  18: { size: 8, read: (v, at, le) => Number(v.getBigUint64(at, le)) },
};
