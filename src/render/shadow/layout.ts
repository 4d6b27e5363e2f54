/**
 * What the shadow overview of a file is: coarser levels that the file lacks, uncompressed, in one piece of memory. All of it
 * follows from the file and from how many bytes it may take, so that plans know where its blocks are before it is made, and
 * so that it is the same each time.
 */
import type { Shadow } from '../../layers/types.ts';
import type { BytesRef } from '../../plan.ts';
import type { BlockFormat, DType, Level, RasterSource } from '../../source/types.ts';

/** Pixels a side of its blocks. */
export const SHADOW_BLOCK = 256;
/** Pixels of the level it is made of in one of its own, an axis: finer ones would take too much of the memory. */
const FACTOR_MIN = 8;
/** The coarsest level has at most so many pixels a side. */
const COARSEST = SHADOW_BLOCK;

export interface ShadowPart {
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
  /** Where its first block is. */
  readonly offset: number;
  /** Where that of its mask is; -1: it has none. */
  readonly maskOffset: number;
}

/** Plain data. */
export interface ShadowLayout {
  /** The level of the file that it is made of: its coarsest. */
  readonly from: number;
  readonly factor: number;
  readonly dtype: DType;
  readonly samples: number;
  readonly parts: readonly ShadowPart[];
  readonly bytes: number;
}

/** Blocks hold what decoders make of the file's: halves are floats by then, and 64-bit integers doubles. */
function heldType(dtype: DType): DType {
  if (dtype === 'float16') return 'float32';
  return dtype === 'int64' || dtype === 'uint64' ? 'float64' : dtype;
}

const BYTES: Readonly<Record<DType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

const LERC = 34887;

/** The finest one that fits; null where none does, or where none is called for. */
export function shadowLayout(source: RasterSource, fits: (layout: ShadowLayout) => boolean): ShadowLayout | null {
  const from = source.levels.length - 1;
  const base = source.levels[from];
  for (let factor = FACTOR_MIN; Math.max(base.width, base.height) / factor > COARSEST / 2; factor *= 2) {
    const layout = layoutOf(base, from, factor);
    if (fits(layout)) return layout;
  }
  return null;
}

function layoutOf(base: Level, from: number, factor: number): ShadowLayout {
  const dtype = heldType(base.format.dtype);
  const { samples } = base.format;
  // A mask inside of the blocks becomes one of its own.
  const masked = base.mask !== null || base.format.compression === LERC;
  const pixels = SHADOW_BLOCK * SHADOW_BLOCK;
  const parts: ShadowPart[] = [];
  let bytes = 0;
  for (let f = factor; ; f *= 2) {
    const [width, height] = [Math.ceil(base.width / f), Math.ceil(base.height / f)];
    const [across, down] = [Math.ceil(width / SHADOW_BLOCK), Math.ceil(height / SHADOW_BLOCK)];
    const offset = bytes;
    bytes += across * down * pixels * samples * BYTES[dtype];
    parts.push({ width, height, across, down, offset, maskOffset: masked ? bytes : -1 });
    if (masked) bytes += across * down * pixels;
    if (Math.max(width, height) <= COARSEST) return { from, factor, dtype, samples, parts, bytes };
  }
}

export function sampleBytes({ dtype }: ShadowLayout): number {
  return BYTES[dtype];
}

export function shadowFormat({ dtype, samples }: ShadowLayout): BlockFormat {
  return formatOf(dtype, samples);
}

/** As levels beside those of the file. */
export function shadowLevels({ ref }: RasterSource, layout: ShadowLayout): Level[] {
  const own: BytesRef = {
    href: `${ref.href}#shadow`,
    size: layout.bytes,
    version: `${ref.version}~${layout.from}.${layout.factor}`,
  };
  return layout.parts.map(part => {
    const mask = part.maskOffset < 0 ? null : levelOf(part, part.maskOffset, formatOf('uint8', 1), null, own);
    return levelOf(part, part.offset, formatOf(layout.dtype, layout.samples), mask, own);
  });
}

function formatOf(dtype: DType, samples: number): BlockFormat {
  return {
    compression: 1,
    predictor: 1,
    photometric: 1,
    planar: 1,
    samples,
    dtype,
    bits: BYTES[dtype] * 8,
    littleEndian: true,
    blockWidth: SHADOW_BLOCK,
    blockHeight: SHADOW_BLOCK,
    jpegTables: null,
    lerc: null,
    reversedBits: false,
    layout: 'tile',
  };
}

function levelOf(part: ShadowPart, offset: number, format: BlockFormat, mask: Level | null, ref: BytesRef): Level {
  const length = SHADOW_BLOCK * SHADOW_BLOCK * format.samples * (format.bits / 8);
  return {
    width: part.width,
    height: part.height,
    format,
    blocksAcross: part.across,
    blocksDown: part.down,
    decodedBlockBytes: length,
    blockRange: index => ({ offset: offset + index * length, length }),
    mask,
    ref,
  };
}

/** The file with the levels of its shadow behind its own. */
export function withShadow<S extends { readonly source: RasterSource; readonly shadow?: Shadow }>(layer: S): S {
  const { shadow, ...rest } = layer;
  if (!shadow) return layer;
  const { source } = layer;
  return { ...rest, source: { ...source, levels: [...source.levels, ...shadow.levels] } } as unknown as S;
}
