/** Tile matrix sets that the configuration names: read and judged at start, so that a wrong one is a wrong configuration. */
import { readFileSync, statSync } from 'node:fs';
import { Problem } from '../errors.ts';
import { parseTileMatrixSet } from '../grids/index.ts';
import type { TileMatrixSet } from '../tile.ts';

export interface TileMatrixSets {
  readonly sets: readonly TileMatrixSet[];
  /** Why a file is none: the id, and a sentence. */
  readonly faults: readonly { readonly id: string; readonly message: string }[];
}

/** A set of 64 matrices has 20 KB. */
const FILE_BYTES_MAX = 1024 * 1024;

export function readTileMatrixSets(paths: Readonly<Record<string, string>>): TileMatrixSets {
  const sets: TileMatrixSet[] = [];
  const faults: { id: string; message: string }[] = [];
  for (const [id, path] of Object.entries(paths)) {
    try {
      sets.push(parseTileMatrixSet(id, readJson(path)));
    } catch (error) {
      const { code } = error instanceof Problem ? error.extra : {};
      const why = error instanceof Error ? error.message : String(error);
      faults.push({ id, message: `${path} is no tile matrix set to serve: ${why}${code ? ` (${code})` : ''}` });
    }
  }
  return { sets, faults };
}

function readJson(path: string): unknown {
  const { size } = statSync(path);
  if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, more than ${FILE_BYTES_MAX}`);
  return JSON.parse(readFileSync(path, 'utf8'));
}
