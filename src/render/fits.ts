/** What would fit where a tile does not: nobody can ask for a smaller tile, but for a deeper one. */
import { inGrid, type TileCoord, type TileMatrixSet } from '../tile.ts';

/** Zooms that are tried: each plans four tiles, of a quarter of the area each. */
const DEEPER = 3;

/**
 * The first zoom below the tile at which what lies under it costs at most `bytes` a tile, followed where it is dearest.
 * Nothing where none of the next few does.
 */
export async function fittingZoom(
  grid: TileMatrixSet,
  tile: TileCoord,
  bytes: number,
  costOf: (tile: TileCoord) => Promise<number>,
): Promise<{ zoom?: number }> {
  let at = tile;
  for (let down = 1; down <= DEEPER; down++) {
    let dearest = at;
    let most = -1;
    for (const child of children(grid, at)) {
      const cost = await costOf(child);
      if (cost > most) [most, dearest] = [cost, child];
    }
    if (most < 0) return {};
    if (most <= bytes) return { zoom: tile.z + down };
    at = dearest;
  }
  return {};
}

/** The four tiles below one, in grids whose zooms double. */
function children(grid: TileMatrixSet, { z, x, y }: TileCoord): TileCoord[] {
  const [here, below] = [grid.matrices[z], grid.matrices[z + 1]];
  if (!here || !below || here.tileWidth !== below.tileWidth) return [];
  if (Math.abs(here.resolution / below.resolution - 2) > 1e-6) return [];
  return [0, 1, 2, 3]
    .map(quarter => ({ z: z + 1, x: 2 * x + (quarter % 2), y: 2 * y + (quarter >> 1) }))
    .filter(child => inGrid(grid, child));
}
