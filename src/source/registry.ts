/** Which format opens which file: by its name ending. Adding a format is its file and a line here. */
import { extname } from 'node:path';
import { problem } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { BytesRef } from '../plan.ts';
import { type FgbOptions, openFgb } from './fgb/open.ts';
import { type CogOptions, openCog } from './tiff/open.ts';
import type { Source } from './types.ts';

/** What an operator may say about a file, and what all files share. Each format takes what it knows. */
export interface OpenOptions {
  readonly crs?: string;
  readonly nodata?: number;
  readonly signal?: AbortSignal;
  /** FlatGeobuf: leaf pages kept by all files together, bytes of one, arrays of walks, and how large a file without an index may be. */
  readonly pages?: FgbOptions['pages'];
  readonly taken?: FgbOptions['taken'];
  readonly pageBytes?: FgbOptions['pageBytes'];
  readonly unindexedBytesMax?: FgbOptions['unindexedBytesMax'];
  /** COG: decoded bytes that one block may take. */
  readonly blockBytesMax?: CogOptions['blockBytesMax'];
}

type Open = (ref: BytesRef, options: OpenOptions) => Promise<Source>;

export const FORMATS: Readonly<Record<string, Open>> = { '.fgb': openFgb, '.tif': openCog, '.tiff': openCog };

/** Throws Problem (corrupt-data, read-failed, layer-not-servable …) where the file is no such source at all. */
export function openSource(ref: BytesRef, options: OpenOptions): Promise<Source> {
  const ending = extname(ref.href).toLowerCase();
  const open = FORMATS[ending];
  if (open) return open(ref, options);
  const known = Object.keys(FORMATS);
  const detail = `${ref.href}: no format for ${JSON.stringify(ending)}; known are ${known.join(', ')}`;
  return Promise.reject(problem('layer-not-servable', detail + didYouMean(ending, known), { code: 'unknown-format' }));
}
