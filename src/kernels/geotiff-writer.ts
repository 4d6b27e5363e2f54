/**
 * A GeoTIFF of raw values: little-endian, pixel-interleaved strips of about 64 KB, deflate. Invalid pixels hold the nodata
 * value where there is one, NaN in floats where there is none. Integers without nodata get an alpha band where GDAL takes
 * one for the mask (gray or RGB of 8 or 16 bits), else a mask in a directory of its own, which it takes whatever the bands.
 */
import { deflateSync } from 'node:zlib';
import { freeArray } from '../memory/segments.ts';
import { CRS_BYTES_MAX } from '../source/tiff/geokeys.ts';
import type { Transform } from '../source/tiff/georef.ts';
import type { CrsKeys } from '../source/types.ts';
import { SAMPLE_TYPES, type Samples, type SampleType, writeBand } from './samples.ts';

export interface Georeference {
  /** In GDAL's order. */
  readonly transform: Transform;
  /** Null: no number names the system. */
  readonly epsg: { readonly code: number; readonly geographic: boolean } | null;
  /** How another file says it, where no number does; null: the system is not told. */
  readonly keys: CrsKeys | null;
}

export interface TiffImage {
  readonly type: SampleType;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  /** Interleaved. */
  readonly samples: Samples;
  readonly mask: Uint8Array | null;
  readonly nodata: number | null;
  readonly georef: Georeference | null;
}

const STRIP_BYTES = 65536;
/** TIFF field types. */
const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const DOUBLE = 12;
const SIZES: Readonly<Record<number, number>> = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [DOUBLE]: 8 };

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[];
}

/** Upper bound of the file: raw strips with deflate's own overhead, two tables of strips, and the header. */
export function geotiffBytes(
  type: SampleType,
  { width, height }: { width: number; height: number },
  bands: number,
): number {
  const raw = width * height * bands * SAMPLE_TYPES[type].bytes;
  const strips = Math.min(height, Math.ceil(raw / STRIP_BYTES) + 1);
  // A mask's own directory and strips, at most as many: a bit a pixel, less than the plane that alpha would take.
  return raw + (raw >>> 10) + strips * 48 + CRS_BYTES_MAX + 4096;
}

export function encodeGeotiff(image: TiffImage): Uint8Array {
  const { type, width, height, bands, samples } = image;
  const filled = fillInvalid(image);
  const planes = bands + (filled.alpha ? 1 : 0);
  const bytes = SAMPLE_TYPES[type].bytes;
  const rowsPerStrip = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / (width * planes * bytes))));
  const strips: Uint8Array[] = [];
  for (let y = 0; y < height; y += rowsPerStrip) {
    strips.push(encodeStrip(image, filled, planes, y, Math.min(rowsPerStrip, height - y)));
  }
  const directories: Directory[] = [{ fields: fieldsOf(image, planes, filled, rowsPerStrip, strips), strips }];
  if (filled.mask) directories.push(maskDirectory(filled.mask, width, height));
  const file = assemble(directories);
  for (const directory of directories) for (const strip of directory.strips) freeArray(strip);
  if (filled.samples !== samples) freeArray(filled.samples);
  return file;
}

interface Filled {
  readonly samples: Samples;
  readonly alpha: Uint8Array | null;
  readonly mask: Uint8Array | null;
  readonly nodata: number | null;
}

/** GDALRasterBand::GetMaskFlags looks for alpha in unsigned samples of 8 or 16 bits, as the last of two or four bands. */
function takesAlpha(type: SampleType, bands: number): boolean {
  return (type === 'uint8' || type === 'uint16') && (bands === 1 || bands === 3);
}

function fillInvalid({ type, bands, samples, mask, nodata }: TiffImage): Filled {
  if (!mask || mask.every(m => m === 255)) return { samples, alpha: null, mask: null, nodata };
  const fill = nodata ?? (SAMPLE_TYPES[type].integer ? null : Number.NaN);
  if (fill === null) {
    return takesAlpha(type, bands)
      ? { samples, alpha: mask, mask: null, nodata }
      : { samples, alpha: null, mask, nodata };
  }
  const out = samples.slice();
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) out.fill(fill, i * bands, (i + 1) * bands);
  return { samples: out, alpha: null, mask: null, nodata: fill };
}

function encodeStrip(
  { type, width, bands }: TiffImage,
  filled: Filled,
  planes: number,
  y: number,
  rows: number,
): Uint8Array {
  const { bytes, max } = SAMPLE_TYPES[type];
  const count = width * rows;
  const raw = new Uint8Array(count * planes * bytes);
  const view = new DataView(raw.buffer);
  const part = filled.samples.subarray(y * width * bands, (y + rows) * width * bands);
  for (let band = 0; band < bands; band++) {
    writeBand(type, part, { band, bands, count }, view, { at: band * bytes, step: planes });
  }
  if (filled.alpha) {
    const alpha = Float64Array.from(filled.alpha.subarray(y * width, (y + rows) * width), a => (a * max) / 255);
    writeBand(type, alpha, { band: 0, bands: 1, count }, view, { at: bands * bytes, step: planes });
  }
  const strip = deflateSync(raw, { level: 1 });
  freeArray(raw);
  return strip;
}

interface Directory {
  readonly fields: readonly Field[];
  readonly strips: readonly Uint8Array[];
}

/** The mask as GDAL has it inside a file: a second directory (NewSubfileType 4) of one bit a pixel, 1 where it is valid. */
function maskDirectory(mask: Uint8Array, width: number, height: number): Directory {
  const rowBytes = (width + 7) >> 3;
  const rowsPerStrip = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / rowBytes)));
  const strips: Uint8Array[] = [];
  for (let y = 0; y < height; y += rowsPerStrip) {
    const rows = Math.min(rowsPerStrip, height - y);
    const bits = new Uint8Array(rows * rowBytes);
    for (let row = 0; row < rows; row++) {
      const from = (y + row) * width;
      for (let x = 0; x < width; x++) if (mask[from + x] > 0) bits[row * rowBytes + (x >> 3)] |= 0x80 >> (x & 7);
    }
    strips.push(deflateSync(bits, { level: 1 }));
    freeArray(bits);
  }
  const fields: Field[] = [
    { tag: 254, type: LONG, values: [4] },
    { tag: 256, type: LONG, values: [width] },
    { tag: 257, type: LONG, values: [height] },
    { tag: 258, type: SHORT, values: [1] },
    { tag: 259, type: SHORT, values: [8] },
    { tag: 262, type: SHORT, values: [4] },
    { tag: 273, type: LONG, values: strips.map(() => 0) },
    { tag: 277, type: SHORT, values: [1] },
    { tag: 278, type: LONG, values: [rowsPerStrip] },
    { tag: 279, type: LONG, values: strips.map(strip => strip.length) },
  ];
  return { fields, strips };
}

function fieldsOf(
  image: TiffImage,
  planes: number,
  filled: Filled,
  rowsPerStrip: number,
  strips: readonly Uint8Array[],
): Field[] {
  const { type, width, height, bands, georef } = image;
  const { bytes, tiffFormat } = SAMPLE_TYPES[type];
  const each = (value: number) => Array.from({ length: planes }, () => value);
  const rgb = bands === 3 && type === 'uint8';
  const extras = planes - (rgb ? 3 : 1);
  const fields: Field[] = [
    { tag: 256, type: LONG, values: [width] },
    { tag: 257, type: LONG, values: [height] },
    { tag: 258, type: SHORT, values: each(bytes * 8) },
    { tag: 259, type: SHORT, values: [8] },
    { tag: 262, type: SHORT, values: [rgb ? 2 : 1] },
    // Offsets are known once all other fields are placed.
    { tag: 273, type: LONG, values: strips.map(() => 0) },
    { tag: 277, type: SHORT, values: [planes] },
    { tag: 278, type: LONG, values: [rowsPerStrip] },
    { tag: 279, type: LONG, values: strips.map(strip => strip.length) },
    { tag: 284, type: SHORT, values: [1] },
  ];
  if (extras > 0) {
    const kinds = Array.from({ length: extras }, (_, i) => (filled.alpha && i === extras - 1 ? 2 : 0));
    fields.push({ tag: 338, type: SHORT, values: kinds });
  }
  fields.push({ tag: 339, type: SHORT, values: each(tiffFormat) });
  if (georef) fields.push(...geoFields(georef));
  if (filled.nodata !== null) fields.push({ tag: 42113, type: ASCII, values: ascii(nodataText(filled.nodata)) });
  return fields;
}

function nodataText(value: number): string {
  return Number.isNaN(value) ? 'nan' : String(value).replace('Infinity', 'inf');
}

function ascii(text: string): number[] {
  return [...`${text}\0`].map(char => char.charCodeAt(0));
}

/** North-up as GDAL writes it; what is turned or south-up by the whole matrix. */
function placeFields([x, dx, tiltX, y, tiltY, dy]: Transform): Field[] {
  if (tiltX === 0 && tiltY === 0 && dx > 0 && dy < 0)
    return [
      { tag: 33550, type: DOUBLE, values: [dx, -dy, 0] },
      { tag: 33922, type: DOUBLE, values: [0, 0, 0, x, y, 0] },
    ];
  return [{ tag: 34264, type: DOUBLE, values: [dx, tiltX, 0, x, tiltY, dy, 0, y, 0, 0, 0, 0, 0, 0, 0, 1] }];
}

/** ModelType 1 projected, 2 geographic; RasterType 1 area. */
function geoFields({ transform, epsg, keys }: Georeference): Field[] {
  const fields = placeFields(transform);
  if (epsg) {
    const named = [
      [1024, 0, 1, epsg.geographic ? 2 : 1],
      [1025, 0, 1, 1],
      [epsg.geographic ? 2048 : 3072, 0, 1, epsg.code],
    ];
    fields.push({ tag: 34735, type: SHORT, values: [1, 1, 0, named.length, ...named.flat()] });
  } else if (keys) {
    fields.push({ tag: 34735, type: SHORT, values: asArea(keys.words) });
    if (keys.doubles.length > 0) fields.push({ tag: 34736, type: DOUBLE, values: keys.doubles });
    if (keys.ascii !== '') fields.push({ tag: 34737, type: ASCII, values: ascii(keys.ascii) });
  }
  return fields;
}

/** The place of a picture is always told by the corner of its first pixel. */
function asArea(words: readonly number[]): number[] {
  return words.map((word, i) => (i >= 4 && i % 4 === 3 && words[i - 3] === 1025 ? 1 : word));
}

interface Placed extends Directory {
  readonly at: number;
  /** Of each field whose values do not fit into its entry; 0 where they do. */
  readonly places: readonly number[];
  readonly offsets: readonly number[];
}

function assemble(directories: readonly Directory[]): Uint8Array {
  let at = 8;
  const placed: Placed[] = [];
  for (const { fields, strips } of directories) {
    const start = at;
    at += 2 + fields.length * 12 + 4;
    const take = (size: number, align: number) => {
      const place = at + ((align - (at % align)) % align);
      at = place + size;
      return place;
    };
    const places = fields.map(({ type, values }) => {
      const size = values.length * SIZES[type];
      return size <= 4 ? 0 : take(size, 8);
    });
    const offsets = strips.map(strip => take(strip.length, 1));
    // Directories begin on a word.
    take(0, 2);
    placed.push({ fields, strips, at: start, places, offsets });
  }
  const out = new Uint8Array(at);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, 42, 0, placed[0].at]);
  placed.forEach((directory, i) => {
    writeDirectory(view, directory, placed[i + 1]?.at ?? 0);
    for (const [n, strip] of directory.strips.entries()) out.set(strip, directory.offsets[n]);
  });
  return out;
}

function writeDirectory(view: DataView, { fields, at, places, offsets }: Placed, next: number): void {
  view.setUint16(at, fields.length, true);
  fields.forEach((field, i) => {
    const values = field.tag === 273 ? offsets : field.values;
    const entry = at + 2 + i * 12;
    view.setUint16(entry, field.tag, true);
    view.setUint16(entry + 2, field.type, true);
    view.setUint32(entry + 4, values.length, true);
    if (places[i] > 0) view.setUint32(entry + 8, places[i], true);
    writeValues(view, places[i] || entry + 8, field.type, values);
  });
  view.setUint32(at + 2 + fields.length * 12, next, true);
}

function writeValues(view: DataView, at: number, type: number, values: readonly number[]): void {
  values.forEach((value, i) => {
    if (type === ASCII) view.setUint8(at + i, value);
    else if (type === SHORT) view.setUint16(at + i * 2, value, true);
    else if (type === LONG) view.setUint32(at + i * 4, value, true);
    else view.setFloat64(at + i * 8, value, true);
  });
}
