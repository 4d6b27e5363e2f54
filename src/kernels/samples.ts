/**
 * Sample types. Windows and canvases hold samples in one of three array types only (so that the resampling loops see
 * three kinds of array, not eleven): bytes as they are, whatever a float32 holds exactly as float32, the rest as float64.
 * 64-bit integers beyond 2^53 lose their last digits there.
 */

export type SampleType =
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

export type Samples = Uint8Array | Float32Array | Float64Array;

/** What decoders may hand over. */
export type AnySamples =
  | Samples
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array;

interface TypeFacts {
  readonly bytes: number;
  readonly integer: boolean;
  readonly min: number;
  readonly max: number;
  /** NumPy's type string, little-endian. */
  readonly npy: string;
  /** TIFF SampleFormat: 1 unsigned, 2 signed, 3 float. */
  readonly tiffFormat: 1 | 2 | 3;
}

const int = (bytes: number, signed: boolean): TypeFacts => ({
  bytes,
  integer: true,
  min: signed ? -(2 ** (bytes * 8 - 1)) : 0,
  max: signed ? 2 ** (bytes * 8 - 1) - 1 : 2 ** (bytes * 8) - 1,
  npy: `${bytes === 1 ? '|' : '<'}${signed ? 'i' : 'u'}${bytes}`,
  tiffFormat: signed ? 2 : 1,
});

const float = (bytes: number, max: number): TypeFacts => ({
  bytes,
  integer: false,
  min: -max,
  max,
  npy: `<f${bytes}`,
  tiffFormat: 3,
});

export const SAMPLE_TYPES: Readonly<Record<SampleType, TypeFacts>> = {
  uint8: int(1, false),
  int8: int(1, true),
  uint16: int(2, false),
  int16: int(2, true),
  uint32: int(4, false),
  int32: int(4, true),
  uint64: int(8, false),
  int64: int(8, true),
  float16: float(2, 65504),
  float32: float(4, 3.4028234663852886e38),
  float64: float(8, Number.MAX_VALUE),
};

/** Bytes of one sample in a window or canvas of this type. */
export function workingBytes(type: SampleType): 1 | 4 | 8 {
  if (type === 'uint8') return 1;
  return type === 'int8' || type === 'uint16' || type === 'int16' || type === 'float16' || type === 'float32' ? 4 : 8;
}

export function workingArray(type: SampleType, length: number): Samples {
  const bytes = workingBytes(type);
  return bytes === 1 ? new Uint8Array(length) : bytes === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** The nodata value as it compares after the cast to the sample type; null where no sample can have it. */
export function castNodata(type: SampleType, value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  const { integer, min, max } = SAMPLE_TYPES[type];
  if (integer) return Number.isInteger(value) && value >= min && value <= max ? value : null;
  return type === 'float64' ? value : Math.fround(value);
}

function rounded(value: number, min: number, max: number): number {
  const v = Math.floor(value + 0.5);
  return v < min ? min : v > max ? max : Number.isNaN(v) ? 0 : v;
}

/**
 * One band of interleaved working samples as little-endian bytes of `type`, written to `out` at `at`, `step` samples
 * apart in the result. Integers are rounded and clamped.
 */
export function writeBand(
  type: SampleType,
  from: Samples,
  { band, bands, count }: { band: number; bands: number; count: number },
  out: DataView,
  { at, step }: { at: number; step: number },
): void {
  const { bytes, min, max } = SAMPLE_TYPES[type];
  const stride = step * bytes;
  for (let i = 0, p = at, s = band; i < count; i++, p += stride, s += bands) {
    const v = from[s];
    switch (type) {
      case 'uint8':
        out.setUint8(p, rounded(v, min, max));
        break;
      case 'int8':
        out.setInt8(p, rounded(v, min, max));
        break;
      case 'uint16':
        out.setUint16(p, rounded(v, min, max), true);
        break;
      case 'int16':
        out.setInt16(p, rounded(v, min, max), true);
        break;
      case 'uint32':
        out.setUint32(p, rounded(v, min, max), true);
        break;
      case 'int32':
        out.setInt32(p, rounded(v, min, max), true);
        break;
      case 'uint64':
        out.setBigUint64(p, BigInt(rounded(v, min, 2 ** 64 - 2048)), true);
        break;
      case 'int64':
        out.setBigInt64(p, BigInt(rounded(v, min, 2 ** 63 - 1024)), true);
        break;
      case 'float64':
        out.setFloat64(p, v, true);
        break;
      case 'float16':
        out.setFloat16(p, v, true);
        break;
      default:
        out.setFloat32(p, v, true);
    }
  }
}
