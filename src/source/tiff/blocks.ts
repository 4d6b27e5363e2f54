/**
 * One block for a worker: read, decode, or fill where the file is sparse. The decoder is handed in (kernels/codecs has it),
 * so this room stays below the kernels.
 */
import { Problem, problem } from '../../errors.ts';
import type { Bytes, LocalBytes } from '../../io/bytes.ts';
import type { BlockFormat, Level } from '../types.ts';

/** A block of a level: where it is in the grid and in the file. `row` counts blocks, `plane` the samples of a planar file. */
export interface BlockPlace {
  readonly column: number;
  readonly row: number;
  readonly plane: number;
  readonly offset: number;
  /** 0: sparse. */
  readonly length: number;
}

/** What a job must carry of a level to have its blocks decoded: plain data. */
export interface BlockLevel {
  readonly height: number;
  readonly format: BlockFormat;
}

/** Where block `index` of a level (as in Level.blockRange) is. Synchronous where its table is resident. */
export function placeOf(level: Level, index: number): MaybePromise<BlockPlace> {
  const { blocksAcross, blocksDown } = level;
  const plane = Math.floor(index / (blocksAcross * blocksDown));
  const inPlane = index % (blocksAcross * blocksDown);
  const grid = { column: inPlane % blocksAcross, row: Math.floor(inPlane / blocksAcross), plane };
  const range = level.blockRange(index);
  return range instanceof Promise ? range.then(found => ({ ...grid, ...found })) : { ...grid, ...range };
}

/** Rows that the block really holds: the last strip has fewer. */
export function blockRows({ height, format }: BlockLevel, row: number): number {
  return format.layout === 'tile'
    ? format.blockHeight
    : Math.min(format.blockHeight, height - row * format.blockHeight);
}

type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface FetchedBlock {
  readonly data: Samples;
  readonly mask: Uint8Array | null;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** Null: all rows are there. */
  readonly rest: BlockRest | null;
}

/** A block of which the first rows are decoded. */
export interface BlockRest {
  readonly rows: number;
  /** Bytes kept to go on with. */
  readonly heldBytes: number;
  /** The first of its encoded bytes that going on needs. */
  readonly from: number;
  /** Decodes on, into the block's data, until at least `rows` rows are there. Throws corrupt-data. */
  more(encoded: Uint8Array, rows: number): void;
}

export type MaybePromise<T> = T | Promise<T>;
export type Decode = (
  format: BlockFormat,
  encoded: Uint8Array,
  width: number,
  height: number,
  scratch?: Uint8Array,
  rows?: number,
) => MaybePromise<FetchedBlock>;

export interface FetchOptions {
  /** What a sparse block holds: the nodata value, or 0. */
  readonly fill: number;
  readonly decode: Decode;
  /** Lent to the decoder, 8-byte aligned; the result may be a view of it. */
  readonly scratch?: Uint8Array;
  /** Lent for the encoded bytes; only local files use it. */
  readonly encoded?: Uint8Array;
  /** Rows that are wanted, from the first; all where absent. A codec may decode no more than these. */
  readonly rows?: number;
}

/** Synchronous for local files and codecs that are; the error names file and block. */
export function fetchBlock(
  bytes: Bytes,
  level: BlockLevel,
  place: BlockPlace,
  options: FetchOptions,
): MaybePromise<FetchedBlock> {
  const { format } = level;
  const rows = blockRows(level, place.row);
  if (place.length === 0) return sparseBlock(format, rows, options.fill);
  const decode = (encoded: Uint8Array) => decodeNamed(bytes, format, place, encoded, rows, options);
  if (!bytes.readInto) return bytes.read(place.offset, place.length).then(decode);
  checkInside(bytes, place);
  const lent = options.encoded;
  const encoded = lent && lent.length >= place.length ? lent.subarray(0, place.length) : new Uint8Array(place.length);
  bytes.readInto(place.offset, encoded);
  return decode(encoded);
}

export interface Growth {
  readonly rest: BlockRest;
  readonly rows: number;
  /** Lent for the encoded bytes; only local files use it. */
  readonly encoded: Uint8Array;
}

/** Decodes more of a block of a local file that was begun; the error names file and block. */
export function growBlock(bytes: Bytes, place: BlockPlace, { rest, rows, encoded }: Growth): void {
  if (!bytes.readInto) throw problem('internal', 'only blocks of local files are decoded in part');
  const length = place.length - rest.from;
  const lent = encoded.length >= length ? encoded.subarray(0, length) : new Uint8Array(length);
  bytes.readInto(place.offset + rest.from, lent);
  try {
    rest.more(lent, rows);
  } catch (error) {
    throw named(error, bytes, place);
  }
}

/** A block's bytes as they are in the file, through `make`, whose errors name file and block. */
export function fetchEncoded(
  bytes: Bytes,
  place: BlockPlace,
  make: (encoded: Uint8Array) => Uint8Array,
): MaybePromise<Uint8Array> {
  if (bytes.readInto) return readEncoded(bytes as LocalBytes, place, make);
  checkInside(bytes, place);
  return bytes.read(place.offset, place.length).then(encoded => madeNamed(bytes, place, encoded, make));
}

/** The same of a file of this machine, at once. `lent` is where the encoded bytes may be for as long as `make` works. */
export function readEncoded(
  bytes: LocalBytes,
  place: BlockPlace,
  make: (encoded: Uint8Array) => Uint8Array,
  lent?: Uint8Array,
): Uint8Array {
  checkInside(bytes, place);
  const { offset, length } = place;
  const encoded = lent && lent.length >= length ? lent.subarray(0, length) : new Uint8Array(length);
  bytes.readInto(offset, encoded);
  return madeNamed(bytes, place, encoded, make);
}

function checkInside(bytes: Bytes, place: BlockPlace): void {
  if (place.offset + place.length > bytes.ref.size)
    throw named(problem('corrupt-data', 'it lies outside the file'), bytes, place);
}

function madeNamed(
  bytes: Bytes,
  place: BlockPlace,
  encoded: Uint8Array,
  make: (encoded: Uint8Array) => Uint8Array,
): Uint8Array {
  try {
    return make(encoded);
  } catch (error) {
    throw named(error, bytes, place);
  }
}

function decodeNamed(
  bytes: Bytes,
  format: BlockFormat,
  place: BlockPlace,
  encoded: Uint8Array,
  rows: number,
  { decode, scratch, rows: wanted }: FetchOptions,
): MaybePromise<FetchedBlock> {
  try {
    const block = decode(format, encoded, format.blockWidth, rows, scratch, wanted);
    if (!(block instanceof Promise)) return block;
    return block.catch(error => {
      throw named(error, bytes, place);
    });
  } catch (error) {
    throw named(error, bytes, place);
  }
}

function named(error: unknown, bytes: Bytes, { column, row, plane, offset, length }: BlockPlace): Problem {
  const detail = error instanceof Error ? error.message : String(error);
  return problem(
    'corrupt-data',
    `${bytes.ref.href}, block ${column}/${row}${plane ? ` of sample ${plane + 1}` : ''} at byte ${offset}+${length}: ${detail}`,
    {
      ...(error instanceof Problem ? error.extra : {}),
      block: [column, row, plane],
    },
  );
}

/** As GDAL: an absent block holds nodata where there is one that the type can hold, else 0. */
export function sparseBlock(format: BlockFormat, rows: number, fill: number): FetchedBlock {
  const samples = format.planar === 1 ? format.samples : 1;
  const data = samplesOf(format, format.blockWidth * rows * samples);
  if (fill !== 0) data.fill(fill);
  return { data, mask: null, width: format.blockWidth, height: rows, samples, rest: null };
}

function samplesOf({ dtype }: BlockFormat, n: number): Samples {
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(n);
    case 'int8':
      return new Int8Array(n);
    case 'uint16':
      return new Uint16Array(n);
    case 'int16':
      return new Int16Array(n);
    case 'uint32':
      return new Uint32Array(n);
    case 'int32':
      return new Int32Array(n);
    case 'float16':
    case 'float32':
      return new Float32Array(n);
    default:
      return new Float64Array(n);
  }
}
