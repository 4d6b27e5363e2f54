/** Which format opens which file: by its name ending. Adding a format is its file and a line here. */
import { extname } from 'node:path';
import { problem } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { BytesRef } from '../plan.ts';
import type { Source } from './types.ts';

/** What an operator may say about a file that the file itself does not, or says wrongly. */
export interface OpenOptions {
  readonly crs?: string;
  readonly nodata?: number;
}

type Open = (ref: BytesRef, options: OpenOptions) => Promise<Source>;

/** The two formats land in their own files; resolved when first used, so that neither costs memory where it is not served. */
async function lazy(module: string, name: string): Promise<Open> {
  return ((await import(module)) as Record<string, Open>)[name] as Open;
}

const fgb: Open = async (ref, options) => (await lazy('./fgb.ts', 'openFgb'))(ref, options);
const cog: Open = async (ref, options) => (await lazy('./cog.ts', 'openCog'))(ref, options);

export const FORMATS: Readonly<Record<string, Open>> = { '.fgb': fgb, '.tif': cog, '.tiff': cog };

/** Throws Problem (corrupt-data, read-failed, layer-not-servable …) where the file is no such source at all. */
export function openSource(ref: BytesRef, options: OpenOptions): Promise<Source> {
  const ending = extname(ref.href).toLowerCase();
  const open = FORMATS[ending];
  if (open) return open(ref, options);
  const known = Object.keys(FORMATS);
  const detail = `${ref.href}: no format for ${JSON.stringify(ending)}; known are ${known.join(', ')}`;
  return Promise.reject(problem('layer-not-servable', detail + didYouMean(ending, known), { code: 'unknown-format' }));
}
