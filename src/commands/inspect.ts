/** `plimsoll inspect FILE…`: the verdict the server would pass, and what it rests on. */
import { resolve } from 'node:path';
import { formatBytes } from '../config/units.ts';
import { statRef } from '../io/bytes.ts';
import { reasonsOf } from '../layers/open.ts';
import { isFgbSource } from '../source/fgb/open.ts';
import { openSource } from '../source/registry.ts';
import type { RasterSource, Reason, Source, VectorSource } from '../source/types.ts';
import type { Output } from './check-config.ts';

export interface InspectOptions {
  readonly json: boolean;
  readonly crs: string | null;
}

/** 0: every file can be served; 1: at least one cannot. */
export async function inspect(files: readonly string[], options: InspectOptions, output: Output): Promise<number> {
  let code = 0;
  for (const file of files) {
    const facts = await inspectFile(file, options.crs);
    if (!facts.servable) code = 1;
    if (options.json) output.out(JSON.stringify(facts));
    else for (const line of describe(facts)) output.out(line);
  }
  return code;
}

export interface Inspected {
  readonly file: string;
  readonly servable: boolean;
  readonly kind: 'vector' | 'raster' | null;
  readonly reasons: readonly Reason[];
  readonly notes: readonly Reason[];
  readonly [fact: string]: unknown;
}

export async function inspectFile(file: string, crs: string | null): Promise<Inspected> {
  let source: Source;
  try {
    source = await openSource(statRef(resolve(file)), crs === null ? {} : { crs });
  } catch (error) {
    return { file, servable: false, kind: null, reasons: reasonsOf(error), notes: [] };
  }
  try {
    const { verdict, kind, ref, title, crs: fileCrs, bounds, lonLatBounds, residentBytes } = source;
    const common = { title, bytes: ref.size, crs: fileCrs, bounds, lonLatBounds, residentBytes };
    const facts = kind === 'vector' ? vectorFacts(source) : rasterFacts(source);
    return { file, kind, ...verdict, ...common, ...facts };
  } finally {
    await source.close();
  }
}

function vectorFacts(source: VectorSource): Record<string, unknown> {
  const { geometry, hasZ, hasM, count, indexed, columns } = source;
  const fields = columns.map(({ name, type }) => ({ name, type }));
  const overview = isFgbSource(source) ? source.overview.current : null;
  const prepared = overview && {
    bytes: overview.bytes.ref.size,
    steps: overview.meta.levels.map(({ step, entries, featuresAt }) => ({
      step,
      entries,
      copied: featuresAt !== null,
    })),
  };
  return { geometry, hasZ, hasM, features: count, indexed, overview: prepared, fields };
}

/** TIFF 6.0 and its registered additions, as GDAL names them. */
const COMPRESSIONS: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'CCITT RLE',
  3: 'CCITT G3',
  4: 'CCITT G4',
  5: 'LZW',
  6: 'old JPEG',
  7: 'JPEG',
  8: 'deflate',
  32773: 'PackBits',
  32946: 'deflate',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'zstd',
  50001: 'WebP',
  50002: 'JPEG XL',
};

function rasterFacts(source: RasterSource): Record<string, unknown> {
  const { width, height, dtype, nodata, bands, levels, palette, transform } = source;
  const format = levels[0]?.format;
  return {
    width,
    height,
    dtype,
    nodata: Number.isNaN(nodata) ? 'nan' : nodata,
    bands: bands.map(({ index, colorInterp, description }) => ({ index, colorInterp, description })),
    paletteEntries: palette ? palette.length / 4 : 0,
    transform,
    compression: format ? (COMPRESSIONS[format.compression] ?? String(format.compression)) : null,
    predictor: format?.predictor ?? null,
    block: format ? [format.blockWidth, format.blockHeight] : null,
    layout: format?.layout ?? null,
    overviews: levels.slice(1).map(level => [level.width, level.height]),
    mask: levels[0] ? levels[0].mask !== null : false,
  };
}

function describe(facts: Inspected): string[] {
  const lines = [`${facts.file}: ${facts.servable ? 'servable' : 'NOT servable'}${facts.kind ? ` ${facts.kind}` : ''}`];
  for (const reason of facts.reasons) lines.push(...reasonLines('refused', reason));
  for (const note of facts.notes) lines.push(...reasonLines('note', note));
  for (const [name, value] of Object.entries(facts)) {
    if (['file', 'servable', 'kind', 'reasons', 'notes'].includes(name) || value === null) continue;
    lines.push(`  ${name}: ${shown(name, value)}`);
  }
  return lines;
}

function reasonLines(what: string, { code, detail, remedy }: Reason): string[] {
  const line = `  ${what}: ${code}: ${detail}`;
  return remedy === undefined ? [line] : [line, `    remedy: ${remedy}`];
}

function shown(name: string, value: unknown): string {
  if ((name === 'bytes' || name === 'residentBytes') && typeof value === 'number')
    return `${value} (${formatBytes(value)})`;
  if (name === 'fields')
    return (value as { name: string; type: string }[]).map(field => `${field.name} ${field.type}`).join(', ');
  if (name === 'bands') {
    const bands = value as { index: number; colorInterp: string; description: string | null }[];
    return bands
      .map(band => `${band.index} ${band.colorInterp}${band.description ? ` (${band.description})` : ''}`)
      .join(', ');
  }
  if (name === 'overview') {
    const { bytes, steps } = value as { bytes: number; steps: { step: number; entries: number }[] };
    return `${formatBytes(bytes)}, steps ${steps.map(({ step, entries }) => `${step} (${entries})`).join(', ')}`;
  }
  if (name === 'overviews') return (value as number[][]).map(size => size.join('×')).join(', ') || 'none';
  if (name === 'block') return (value as number[]).join('×');
  return Array.isArray(value) ? value.join(', ') : String(value);
}
