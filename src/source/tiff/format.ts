/** One directory → the format of its blocks. Whatever cannot be decoded right is a reason here, before any block is read. */

import type { BlockFormat, DType } from '../types.ts';
import { codecNames } from './codecs.ts';
import { type Directory, one } from './ifd.ts';
import type { Findings } from './reasons.ts';
import { TAG } from './tags.ts';

export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly format: BlockFormat;
}

/** Bands a file may have at most. */
export const BANDS_MAX = 4096;

const KINDS = { 1: 'uint', 2: 'int', 3: 'float', 4: 'uint' } as const;
const DTYPES: Readonly<Record<string, DType>> = {
  uint8: 'uint8',
  int8: 'int8',
  uint16: 'uint16',
  int16: 'int16',
  uint32: 'uint32',
  int32: 'int32',
  uint64: 'uint64',
  int64: 'int64',
  float16: 'float16',
  float32: 'float32',
  float64: 'float64',
};

const LZW = 5;
const JPEG = 7;
const LERC = 34887;
const WEBP = 50001;
const PREDICTED = [LZW, 8, 32946, 50000];

/** Null where a reason was found; it is in `findings` then. */
export function geometryOf(directory: Directory, littleEndian: boolean, findings: Findings): Geometry | null {
  const where = `directory ${directory.index}`;
  const width = one(directory, TAG.ImageWidth, 0);
  const height = one(directory, TAG.ImageLength, 0);
  if (!sizeOk(width) || !sizeOk(height)) {
    findings.reason('tiff-tag-invalid', `${where} is ${width}×${height} pixels`);
    return null;
  }
  const samples = one(directory, TAG.SamplesPerPixel, 1);
  if (!(samples >= 1 && samples <= BANDS_MAX)) {
    findings.reason('tiff-too-many-bands', `${where} has ${samples} samples a pixel, at most ${BANDS_MAX} are served`);
    return null;
  }
  const type = typeOf(directory, samples, where, findings);
  const layout = layoutOf(directory, width, height, where, findings);
  const coded = codingOf(directory, where, findings);
  if (!type || !layout || !coded) return null;
  const tables = directory.numbers.get(TAG.JpegTables);
  const format: BlockFormat = {
    ...coded,
    ...type,
    ...layout,
    samples,
    littleEndian,
    jpegTables: tables ? Uint8Array.from(tables) : null,
    lerc: directory.numbers.get(TAG.LercParameters) ?? null,
    reversedBits: one(directory, TAG.FillOrder, 1) === 2,
  };
  return agrees(format, where, findings) ? { width, height, format } : null;
}

function sizeOk(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels >= 1 && pixels <= 0x7fffffff;
}

function typeOf(
  directory: Directory,
  samples: number,
  where: string,
  findings: Findings,
): { dtype: DType; bits: number } | null {
  const allBits = directory.numbers.get(TAG.BitsPerSample) ?? [1];
  const allKinds = directory.numbers.get(TAG.SampleFormat) ?? [1];
  const bits = allBits[0];
  const kind = allKinds[0];
  if (allBits.slice(0, samples).some(b => b !== bits) || allKinds.slice(0, samples).some(k => k !== kind)) {
    findings.reason(
      'tiff-mixed-types',
      `${where}: samples of different types (${allBits.slice(0, 8).join(', ')} bits)`,
    );
    return null;
  }
  if (kind === 5 || kind === 6) {
    findings.reason('tiff-complex', `${where} holds complex numbers of ${bits} bits`);
    return null;
  }
  const name = KINDS[kind as keyof typeof KINDS];
  const dtype = name === 'uint' && (bits === 1 || bits === 2 || bits === 4) ? 'uint8' : DTYPES[`${name}${bits}`];
  if (!dtype) {
    const code =
      bits === 12 && one(directory, TAG.Compression, 1) === JPEG ? 'tiff-jpeg-12-bit' : 'tiff-bits-unsupported';
    findings.reason(code, `${where} has samples of ${bits} bits in sample format ${kind}`);
    return null;
  }
  return { dtype, bits };
}

function layoutOf(
  directory: Directory,
  width: number,
  height: number,
  where: string,
  findings: Findings,
): { blockWidth: number; blockHeight: number; layout: 'tile' | 'strip'; planar: 1 | 2 } | null {
  const planar = one(directory, TAG.PlanarConfig, 1);
  if (planar !== 1 && planar !== 2) {
    findings.reason('tiff-planar-invalid', `${where} has PlanarConfiguration ${planar}`);
    return null;
  }
  if (!directory.present.has(TAG.TileWidth)) {
    const rows = Math.min(one(directory, TAG.RowsPerStrip, height), height);
    if (!sizeOk(rows)) {
      findings.reason('tiff-tag-invalid', `${where} has ${rows} rows a strip`);
      return null;
    }
    return { blockWidth: width, blockHeight: rows, layout: 'strip', planar };
  }
  const blockWidth = one(directory, TAG.TileWidth, 0);
  const blockHeight = one(directory, TAG.TileLength, 0);
  if (!sizeOk(blockWidth) || !sizeOk(blockHeight)) {
    findings.reason('tiff-tag-invalid', `${where} has tiles of ${blockWidth}×${blockHeight}`);
    return null;
  }
  return { blockWidth, blockHeight, layout: 'tile', planar };
}

function codingOf(
  directory: Directory,
  where: string,
  findings: Findings,
): { compression: number; predictor: number; photometric: number } | null {
  const compression = one(directory, TAG.Compression, 1);
  const photometric = one(directory, TAG.Photometric, 1);
  if (compression === 6) {
    findings.reason('tiff-old-jpeg', `${where} is compressed with old-style JPEG (6)`);
    return null;
  }
  if (!codecNames.served.has(compression)) {
    const name = codecNames.others[compression] ?? 'unknown';
    findings.reason('tiff-compression-unsupported', `${where} is compressed with ${compression} (${name})`);
    return null;
  }
  const ycbcr = photometric === 6 && compression === JPEG;
  if (![0, 1, 2, 3, 4].includes(photometric) && !ycbcr) {
    findings.reason('tiff-photometric-unsupported', `${where} has PhotometricInterpretation ${photometric}`);
    return null;
  }
  const predictor = PREDICTED.includes(compression) ? one(directory, TAG.Predictor, 1) : 1;
  return { compression, predictor, photometric };
}

/** What each part allows but not all of them together. */
function agrees(format: BlockFormat, where: string, findings: Findings): boolean {
  const { compression, predictor, dtype, bits, samples, planar } = format;
  const blockSamples = planar === 1 ? samples : 1;
  const float = dtype.startsWith('float');
  if (predictor === 3 && !float) {
    findings.reason('tiff-predictor-on-integer', `${where} has the floating point predictor on ${dtype}`);
  } else if (predictor !== 1 && ((predictor !== 2 && predictor !== 3) || bits < 8)) {
    findings.reason('tiff-predictor-unsupported', `${where} has predictor ${predictor} on samples of ${bits} bits`);
  } else if (compression === JPEG && (dtype !== 'uint8' || bits !== 8 || blockSamples > 4)) {
    findings.reason('tiff-bits-unsupported', `${where} has JPEG blocks of ${blockSamples} samples of ${bits} bits`);
  } else if (compression === WEBP && (bits !== 8 || dtype !== 'uint8' || blockSamples < 3 || blockSamples > 4)) {
    findings.reason('tiff-bits-unsupported', `${where} has WebP blocks of ${blockSamples} samples of ${bits} bits`);
  } else if (
    compression === LERC &&
    (bits < 8 || dtype === 'float16' || dtype.endsWith('64') !== (dtype === 'float64'))
  ) {
    findings.reason('tiff-bits-unsupported', `${where} has LERC blocks of ${dtype}`);
  } else {
    return true;
  }
  return false;
}
