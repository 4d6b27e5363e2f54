/**
 * The value range of a raster whose samples are not bytes, where neither the request nor the layer gives one: minimum and
 * maximum of its coarsest level, or of at most STRETCH_BLOCKS blocks evenly spread over it. The choice depends on the
 * file alone, so every tile of it is stretched the same, and the answer says the range in X-Raster-Rescale.
 */
import type { RasterSource } from '../../source/types.ts';
import { planRead } from './blocks.ts';
import type { BandChoice, WindowRead } from './types.ts';

export const STRETCH_BLOCKS = 16;

export async function planStretch(
  source: RasterSource,
  choice: BandChoice,
  signal: AbortSignal,
): Promise<WindowRead[]> {
  const index = source.levels.length - 1;
  const level = source.levels[index];
  const { blockWidth, blockHeight } = level.format;
  const total = level.blocksAcross * level.blocksDown;
  const take = Math.min(total, STRETCH_BLOCKS);
  const reads: WindowRead[] = [];
  for (let i = 0; i < take; i++) {
    const block = Math.floor(((i + 0.5) * total) / take);
    const x = (block % level.blocksAcross) * blockWidth;
    const y = Math.floor(block / level.blocksAcross) * blockHeight;
    const window = {
      x,
      y,
      width: Math.min(blockWidth, level.width - x),
      height: Math.min(blockHeight, level.height - y),
    };
    reads.push(await planRead(source, index, window, choice, null, signal));
  }
  return reads;
}
