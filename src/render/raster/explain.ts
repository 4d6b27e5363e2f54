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

/** Blocks a side of a group: where tiles lie within blocks, and where they lie across them. */
const GROUP_ALIGNED = 2;
const GROUP = 4;

/**
 * Jobs of the same few blocks of a level go to the same worker, which may still have them decoded. Small groups spread a row of
 * tiles over the workers, so that none of them takes what another has; but where tiles lie across blocks the blocks at the edge of
 * a group are decoded on both sides, so there are fewer edges.
 */
export function affinityOf(
  layer: string,
  { level, parts, aligned }: Pick<GridRead, 'level' | 'parts' | 'aligned'>,
): number {
  const {
    window,
    level: { format },
  } = parts[0];
  const side = aligned ? GROUP_ALIGNED : GROUP;
  const column = Math.floor(window.x / (side * format.blockWidth));
  const area = [level, column, Math.floor(window.y / (side * format.blockHeight))];
  let hash = 0x811c9dc5;
  for (const char of `${layer}/${area.join('/')}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
