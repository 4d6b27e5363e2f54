/** What `?explain=1` tells of an image, and which worker had better paint it. */
import type { RasterLayer } from '../../layers/types.ts';
import { blockCount, requestsOf } from './blocks.ts';
import type { GridRead } from './read.ts';
import type { OutputGrid, WindowRead } from './types.ts';

export function explainRead(
  layer: RasterLayer,
  grid: OutputGrid,
  bands: readonly number[],
  read: GridRead,
  stretch: readonly WindowRead[] | null,
): Record<string, unknown> {
  const level = layer.source.levels[read.level];
  return {
    layer: layer.id,
    bands,
    width: grid.width,
    height: grid.height,
    crs: grid.crs,
    level: read.level,
    levels: layer.source.levels.length,
    levelSize: [level.width, level.height],
    ratio: [round3(read.ratio.x), round3(read.ratio.y)],
    resampling: read.resampling,
    windows: read.parts.map(({ window }) => [window.x, window.y, window.width, window.height]),
    blocks: read.parts.reduce((sum, part) => sum + blockCount(part), 0),
    ...(layer.source.ref.remote ? { requests: requestsOf([...read.parts, ...(stretch ?? [])]) } : {}),
    ...(stretch ? { rangeBlocks: stretch.reduce((sum, part) => sum + blockCount(part), 0) } : {}),
  };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Jobs of the same 4 × 4 blocks of a level go to the same worker, which may still have them decoded. */
export function affinityOf(layer: string, { level, parts }: GridRead): number {
  const {
    window,
    level: { format },
  } = parts[0];
  const area = [level, Math.floor(window.x / (4 * format.blockWidth)), Math.floor(window.y / (4 * format.blockHeight))];
  let hash = 0x811c9dc5;
  for (const char of `${layer}/${area.join('/')}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
