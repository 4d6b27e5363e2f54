/** What the samples mean: bands, colours, palette, nodata. As GDAL's GTiff driver has it, differences are noted beside. */

import type { Band, BlockFormat, ColorInterp, DType } from '../types.ts';
import type { Directory } from './ifd.ts';
import type { Findings } from './reasons.ts';
import { TAG } from './tags.ts';
import type { MetadataItem } from './xml.ts';

const WEBP = 50001;
const INTERPS: Readonly<Record<string, ColorInterp>> = {
  gray: 'gray',
  red: 'red',
  green: 'green',
  blue: 'blue',
  alpha: 'alpha',
  palette: 'palette',
  undefined: 'undefined',
};

/** `unit`: of the file's vertical datum, for bands that name none. */
export function bandsOf(
  directory: Directory,
  format: BlockFormat,
  items: readonly MetadataItem[],
  unit: string | null,
): Band[] {
  const interps = interpsOf(directory, format);
  const bands: Band[] = [];
  for (let sample = 0; sample < format.samples; sample++) {
    const own = (role: string) => items.find(item => item.sample === sample && item.role === role)?.text;
    bands.push({
      index: sample + 1,
      colorInterp: isBilevel(format)
        ? 'palette'
        : (INTERPS[own('colorinterp')?.toLowerCase() ?? ''] ?? interps[sample]),
      description: own('description') ?? null,
      scale: finiteOr(own('scale'), 1),
      offset: finiteOr(own('offset'), 0),
      unit: own('unittype') || unit,
    });
  }
  return bands;
}

function finiteOr(text: string | undefined, fallback: number): number {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : fallback;
}

/** One band of single bits is black and white, and not a range of values to be stretched. */
function isBilevel({ photometric, samples, bits }: BlockFormat): boolean {
  return bits === 1 && samples === 1 && photometric <= 1;
}

function interpsOf(directory: Directory, format: BlockFormat): ColorInterp[] {
  const { photometric, samples, compression } = format;
  const colours: ColorInterp[] =
    photometric === 2 || photometric === 6 || (compression === WEBP && samples >= 3)
      ? ['red', 'green', 'blue']
      : photometric === 3 || isBilevel(format)
        ? ['palette']
        : ['gray'];
  const extras = directory.numbers.get(TAG.ExtraSamples) ?? [];
  const firstExtra = samples - extras.length;
  let alpha = false;
  return Array.from({ length: samples }, (_, sample) => {
    const extra = extras[sample - firstExtra];
    if (!alpha && (extra === 1 || extra === 2)) {
      alpha = true;
      return 'alpha';
    }
    return colours[sample] ?? 'undefined';
  });
}

export function isPremultiplied(directory: Directory): boolean {
  const extras = directory.numbers.get(TAG.ExtraSamples) ?? [];
  return extras.find(extra => extra === 1 || extra === 2) === 1;
}

/** RGBA, index-major. 16-bit map entries are divided by 257; maps that hold 8-bit values in 16 are taken as they are. */
export function paletteOf(directory: Directory, format: BlockFormat, findings: Findings): Uint8Array | null {
  const { photometric, dtype, bits, samples } = format;
  if (photometric === 3) return colourMap(directory, format, findings);
  if (isBilevel(format)) return grays(2, photometric === 0);
  if (photometric !== 0) return null;
  findings.note('tiff-min-is-white', 'PhotometricInterpretation says that 0 is white; values are served as stored');
  return dtype === 'uint8' && samples === 1 ? grays(2 ** bits, true) : null;
}

/** From black to white, or the other way round. */
function grays(entries: number, fromWhite: boolean): Uint8Array {
  const palette = new Uint8Array(entries * 4);
  for (let i = 0; i < entries; i++) {
    const gray = Math.floor(((fromWhite ? entries - 1 - i : i) * 255) / (entries - 1));
    palette.set([gray, gray, gray, 255], i * 4);
  }
  return palette;
}

function colourMap(directory: Directory, { bits, dtype, samples }: BlockFormat, findings: Findings): Uint8Array | null {
  const map = directory.numbers.get(TAG.ColorMap);
  const entries = 2 ** bits;
  if (dtype !== 'uint8' || samples !== 1 || !map || map.length < 3 * entries) {
    const detail = `a palette image of ${samples} × ${dtype} with ${map?.length ?? 0} colour values`;
    findings.reason('tiff-palette-invalid', detail);
    return null;
  }
  const divisor = map.some(value => value > 255) ? 257 : 1;
  const palette = new Uint8Array(entries * 4);
  for (let i = 0; i < entries; i++) {
    for (let c = 0; c < 3; c++) palette[i * 4 + c] = Math.floor(map[c * entries + i] / divisor);
    palette[i * 4 + 3] = 255;
  }
  return palette;
}

const RANGES: Partial<Readonly<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint32: [0, 4294967295],
  int32: [-2147483648, 2147483647],
  uint64: [0, 2 ** 64 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1],
};

/** The value that marks missing pixels, as it compares with decoded samples. What cannot occur is ignored and told. */
export function nodataOf(text: string | undefined, dtype: DType, findings: Findings): number | null {
  if (text === undefined || text.trim() === '') return null;
  const ignore = (why: string) => {
    findings.note('tiff-nodata-ignored', `nodata '${text.trim().slice(0, 40)}' ${why}; it is ignored`);
    return null;
  };
  const value = parseNumber(text.trim());
  if (value === null) return ignore('is no number');
  const range = RANGES[dtype];
  if (range) {
    if (!(value >= range[0] && value <= range[1])) return ignore(`cannot occur in ${dtype}`);
    return Number.isInteger(value) ? value : ignore(`cannot occur in ${dtype}`);
  }
  if (dtype === 'float64') return value;
  const rounded = Math.fround(value);
  if (Number.isFinite(value) && !Number.isFinite(rounded)) return ignore(`cannot occur in ${dtype}`);
  return rounded;
}

function parseNumber(text: string): number | null {
  if (/^[+-]?nan$/i.test(text) || /^[+-]?1\.#(qnan|snan|ind)/i.test(text)) return NaN;
  if (/^[+-]?(inf|infinity|1\.#inf)/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  const match = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(text);
  return match ? Number(match[0]) : null;
}

/** Lossy codecs bleed nodata into its neighbours: pixels near it are neither one nor the other. */
export function warnOfLossyNodata(format: BlockFormat, nodata: number | null, findings: Findings): void {
  const lossy = format.compression === 7 || format.compression === WEBP;
  if (lossy && nodata !== null) {
    findings.note('tiff-lossy-nodata', `nodata ${nodata} in a lossy codec: pixels at its edge keep near values`);
  }
}

export function descriptionOf(directory: Directory): string | null {
  return directory.texts.get(TAG.ImageDescription)?.trim() || null;
}
