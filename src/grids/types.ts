/** The tile matrix sets that are served, by id. */
import type { TileMatrixSet } from '../tile.ts';

export interface Grids {
  /** Built-in sets first, then configured ones. */
  list(): readonly TileMatrixSet[];
  /** Errors: not-found, naming the nearest id. */
  get(id: string): TileMatrixSet;
  /** By what stands for it in parameters and cache keys. */
  byKey(key: string): TileMatrixSet;
}
