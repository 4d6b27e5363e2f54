/** Tile matrix sets: the built-in ones, those of the configuration, and what names one. */
import { problem } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { type TileMatrixSet, WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD } from '../tile.ts';
import { PROJECTED_SETS } from './builtin.ts';
import type { Grids } from './types.ts';

export { tileMatrixSetJson } from './document.ts';
export { parseTileMatrixSet } from './parse.ts';
export type { Grids } from './types.ts';

export const BUILT_IN: readonly TileMatrixSet[] = [WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD, ...PROJECTED_SETS];

export function createGrids(configured: readonly TileMatrixSet[] = []): Grids {
  const sets = [...BUILT_IN.filter(({ id }) => !configured.some(set => set.id === id)), ...configured];
  const byId = new Map(sets.map(set => [set.id, set]));
  const byKey = new Map(sets.map(set => [set.key, set]));
  return {
    list: () => sets,
    get(id) {
      const set = byId.get(id);
      if (set) return set;
      const shown = id.length > 80 ? `${id.slice(0, 77)}…` : id;
      throw problem('not-found', `no tile matrix set is called "${shown}"${didYouMean(id, byId.keys())}`);
    },
    byKey(key) {
      const set = byKey.get(key);
      if (set) return set;
      throw problem('internal', `no tile matrix set has the key ${key}`);
    },
  };
}
