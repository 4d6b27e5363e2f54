/**
 * TIFF JPEG (compression 7) through libjpeg in sharp. The stream is rebuilt before decoding: the shared tables are put
 * in front, and every APPn and comment is dropped (JFIF, Exif and ICC would change how libjpeg reads the components), with one
 * Adobe marker in their place, since in a TIFF it is PhotometricInterpretation that says whether there is YCbCr to undo.
 */
import sharp from 'sharp';
import type { BlockFormat } from '../../source/types.ts';
import { corrupt, type DecodedBlock, type Frame, frameOf } from './types.ts';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COM = 0xfe;
const YCBCR = 6;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly precision: number;
}

export async function decodeJpeg(encoded: Uint8Array, frame: Frame): Promise<DecodedBlock> {
  const { width, height, samples } = frame;
  const { stream, header } = rebuilt(encoded, frame);
  const pixels = await decodeStream(stream, header);
  return { data: crop(pixels, header, frame), mask: null, width, height, samples, rest: null };
}

/** What stands before a block's own segments in a file of its own: the same for all blocks of a level. Errors: corrupt-data. */
export function jpegHead({ samples, planar, photometric, jpegTables }: BlockFormat): Uint8Array {
  const colours = (planar === 1 ? samples : 1) === 3 ? adobe(photometric === YCBCR ? 1 : 0) : [];
  const tables = jpegTables ? keptOf(jpegTables, segments(jpegTables)) : new Uint8Array(0);
  const out = new Uint8Array(2 + colours.length + tables.length);
  out.set([0xff, SOI, ...colours]);
  out.set(tables, 2 + colours.length);
  return out;
}

/**
 * A full block as a JPEG file of its own, with the same pixels. Its entropy-coded data is not looked at, but it must end as a
 * JPEG ends. `head` is jpegHead of its format; the file is in `lent` where that is large enough.
 */
export function jpegFile(
  encoded: Uint8Array,
  format: BlockFormat,
  head: Uint8Array = jpegHead(format),
  lent?: Uint8Array,
): Uint8Array {
  const { blockWidth, blockHeight } = format;
  const body = segments(encoded);
  const { width, height } = checked(body.header, frameOf(format, blockWidth, blockHeight));
  if (width !== blockWidth || height !== blockHeight)
    throw corrupt(`JPEG block is ${width}×${height}, not ${blockWidth}×${blockHeight}`);
  return joined(head, encoded, body, endOf(encoded, body.scanAt), lent);
}

/** Behind the last EOI. */
function endOf(encoded: Uint8Array, scanAt: number): number {
  for (let at = encoded.length - 2; at > scanAt; at--)
    if (encoded[at] === 0xff && encoded[at + 1] === EOI) return at + 2;
  throw corrupt('JPEG block ends before its image does');
}

function joined(
  head: Uint8Array,
  encoded: Uint8Array,
  { kept, scanAt }: Segments,
  end: number,
  lent?: Uint8Array,
): Uint8Array {
  let length = head.length + end - scanAt;
  for (let i = 0; i < kept.length; i += 2) length += kept[i + 1] - kept[i];
  const out = lent && lent.length >= length ? lent.subarray(0, length) : new Uint8Array(length);
  out.set(head);
  let at = head.length;
  for (let i = 0; i < kept.length; i += 2) {
    out.set(encoded.subarray(kept[i], kept[i + 1]), at);
    at += kept[i + 1] - kept[i];
  }
  out.set(encoded.subarray(scanAt, end), at);
  return out;
}

function keptOf(bytes: Uint8Array, { kept }: Segments): Uint8Array {
  return joined(new Uint8Array(0), bytes, { kept, header: null, scanAt: bytes.length }, bytes.length);
}

function rebuilt(encoded: Uint8Array, frame: Frame): { stream: Uint8Array; header: Header } {
  const body = segments(encoded);
  const header = checked(body.header, frame);
  return { stream: joined(jpegHead(frame.format), encoded, body, encoded.length), header };
}

function checked(header: Header | null, { format, width, height, samples }: Frame): Header {
  if (!header) throw corrupt('JPEG block has no frame header');
  if (header.precision !== 8) throw corrupt(`JPEG block has ${header.precision} bits a sample, not 8`);
  if (header.components !== samples) throw corrupt(`JPEG block has ${header.components} components, not ${samples}`);
  const fits = header.width <= format.blockWidth && header.height <= format.blockHeight;
  if (!fits || header.width < width || header.height < height) {
    throw corrupt(`JPEG block is ${header.width}×${header.height}, not ${width}×${height}`);
  }
  return header;
}

async function decodeStream(stream: Uint8Array, { width, height, components }: Header): Promise<Uint8Array> {
  const image = sharp(stream, { failOn: 'error', ignoreIcc: true, limitInputPixels: width * height });
  if (components === 1) image.toColourspace('b-w');
  // libvips takes four components for CMYK, and CMYK for inverted; kept as it is and inverted back, they are the samples.
  if (components === 4) image.pipelineColourspace('cmyk').toColourspace('cmyk');
  try {
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height || info.channels !== components) {
      throw corrupt(`JPEG block decoded to ${info.width}×${info.height}×${info.channels}`);
    }
    if (components === 4) for (let i = 0; i < data.length; i++) data[i] = 255 - data[i];
    return data;
  } catch (error) {
    throw corrupt(`JPEG: ${(error as Error).message}`);
  }
}

/** A padded last strip is taller than what is asked for; a tile never is wider. */
function crop(pixels: Uint8Array, header: Header, { width, height, samples, rawBytes }: Frame): Uint8Array {
  if (header.width === width) return pixels.subarray(0, rawBytes);
  const out = new Uint8Array(rawBytes);
  const row = width * samples;
  for (let y = 0; y < height; y++) {
    const from = y * header.width * samples;
    out.set(pixels.subarray(from, from + row), y * row);
  }
  return out;
}

function adobe(transform: number): number[] {
  return [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform];
}

interface Segments {
  /** Where marker segments to keep begin and end, in their order, without SOI, APPn, COM and EOI. */
  readonly kept: readonly number[];
  readonly header: Header | null;
  /** Where the first scan (its SOS marker) begins. */
  readonly scanAt: number;
}

function segments(bytes: Uint8Array): Segments {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw corrupt('JPEG data does not begin with SOI');
  const kept: number[] = [];
  let header: Header | null = null;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) throw corrupt(`JPEG marker expected at byte ${at}`);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SOS || marker === EOI) break;
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) throw corrupt(`JPEG segment at byte ${at} overruns the block`);
    if (isFrame(marker)) header ??= frameHeader(bytes.subarray(at + 4, end), marker);
    if (marker !== COM && (marker & 0xf0) !== 0xe0) kept.push(at, end);
    at = end;
  }
  return { kept, header, scanAt: at };
}

/** SOF0–SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function frameHeader(body: Uint8Array, marker: number): Header {
  if (body.length < 6) throw corrupt('JPEG frame header is too short');
  if (marker > 0xc2) throw corrupt(`JPEG of kind SOF${marker - 0xc0} is not one libjpeg reads`);
  return {
    precision: body[0],
    height: (body[1] << 8) | body[2],
    width: (body[3] << 8) | body[4],
    components: body[5],
  };
}
