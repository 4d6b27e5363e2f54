/** A zone as a line of NDJSON or CSV (RFC 4180). */
import type { Tallied } from '../../kernels/statistics/one-pass.ts';
import type { ZonalFormat, ZonalJob } from './types.ts';

export interface Line {
  readonly id: number | null;
  readonly properties: Readonly<Record<string, unknown>>;
  /** One a band; null where the zone could not be worked out. */
  readonly statistics: readonly Tallied[] | null;
  readonly fault: string | null;
}

/** Columns of CSV for each band, after the id, the attributes and the fault. */
const FIGURES = ['min', 'max', 'mean', 'sum', 'std', 'valid_pixels', 'masked_pixels', 'valid_percent'] as const;

export function lineOf(line: Line, job: ZonalJob): Uint8Array {
  const names = job.choice.bands.map(band => `b${band + 1}`);
  const text = job.format === 'csv' ? csvLine(line, job, names) : jsonLine(line, job, names);
  return new TextEncoder().encode(`${text}${job.format === 'csv' ? '\r\n' : '\n'}`);
}

function jsonLine(
  { id, properties, statistics, fault }: Line,
  { features }: ZonalJob,
  names: readonly string[],
): string {
  const kept = Object.fromEntries(features.properties.map(name => [name, properties[name] ?? null]));
  const figures = statistics && Object.fromEntries(statistics.map((of, i) => [names[i], of]));
  return JSON.stringify({ id, properties: kept, statistics: figures, ...(fault === null ? {} : { error: fault }) });
}

/** The first line of CSV. */
export function csvHeader(properties: readonly string[], bands: readonly number[], categorical: boolean): string {
  const figures = categorical ? [...FIGURES, 'categories'] : FIGURES;
  const columns = bands.flatMap(band => figures.map(figure => `b${band}_${figure}`));
  return `${['id', ...properties, 'error', ...columns].map(cell).join(',')}\r\n`;
}

function csvLine(
  { id, properties, statistics, fault }: Line,
  { features, categorical }: ZonalJob,
  names: readonly string[],
): string {
  const own = features.properties.map(name => properties[name]);
  const figures = names.flatMap((_, i) => {
    const of = statistics?.[i];
    const numbers: unknown[] = FIGURES.map(figure => of?.[figure] ?? null);
    return categorical ? [...numbers, of?.categories ?? null] : numbers;
  });
  return [id, ...own, fault, ...figures].map(cell).join(',');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function zonalType(format: ZonalFormat): string {
  return format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson';
}
