/** The tiles of a zoom that are likeliest to break a cap: most features, and most bytes of features, by a look at every leaf. */

import { transformer } from '../../src/crs/index.ts';
import { leafEnd, leafOffset, STRIDE } from '../../src/source/fgb/rtree.ts';
import { type TileCoord, type TileMatrixSet, WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import type { FgbLayer } from './rig.ts';

export interface Leaf {
  readonly ordinal: number;
  readonly box: readonly [number, number, number, number];
  readonly length: number;
}

export async function* leavesOf({ source }: FgbLayer): AsyncGenerator<Leaf> {
  const { tree } = source;
  if (!tree) return;
  for (let index = 0, first = 0; first < tree.shape.count; index++) {
    const page = await tree.pages.load(index);
    for (let i = 0; i < page.count; i++) {
      const [a, b, c, d] = page.boxes.subarray(i * STRIDE, i * STRIDE + 4);
      yield { ordinal: first + i, box: [a, b, c, d], length: leafEnd(page, i) - leafOffset(page, i) };
    }
    first += page.count;
  }
}

/** For each zoom the `n` tiles with most features and the `n` with most bytes, by the middles of the features' boxes. */
export async function heaviest(
  layer: FgbLayer,
  zooms: readonly number[],
  n: number,
  grid: TileMatrixSet = WEB_MERCATOR_QUAD,
): Promise<TileCoord[]> {
  const move = transformer(layer.source.crs as string, grid.crs);
  const at = new Float64Array(2);
  const counts = zooms.map(() => new Map<number, [number, number]>());
  for await (const { box, length } of leavesOf(layer)) {
    if (!move.forward((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, at, 0)) continue;
    zooms.forEach((z, i) => {
      const m = grid.matrices[z];
      const x = Math.floor((at[0] - m.originX) / (m.resolution * m.tileWidth));
      const y = Math.floor((m.originY - at[1]) / (m.resolution * m.tileHeight));
      if (!(x >= 0 && y >= 0 && x < m.matrixWidth && y < m.matrixHeight)) return;
      const key = y * m.matrixWidth + x;
      const entry = counts[i].get(key);
      if (entry) {
        entry[0]++;
        entry[1] += length;
      } else counts[i].set(key, [1, length]);
    });
  }
  return zooms.flatMap((z, i) => {
    const { matrixWidth } = grid.matrices[z];
    const all = [...counts[i]];
    const top = (which: 0 | 1) => all.sort((a, b) => b[1][which] - a[1][which]).slice(0, n);
    const keys = new Set([...top(0), ...top(1)].map(([key]) => key));
    return [...keys].map(key => ({ z, x: key % matrixWidth, y: Math.floor(key / matrixWidth) }));
  });
}
