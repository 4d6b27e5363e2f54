/** What making a shadow overview takes: every block of a level once, in the order of the file, and a few rows of what comes out. */
import { problem } from '../../errors.ts';
import { SAMPLE_TYPES } from '../../kernels/samples.ts';
import { type ShrinkSettings, shrinkBytes } from '../../kernels/shrink.ts';
import type { Cost, Job } from '../../plan.ts';
import type { BlockFormat, Level, RasterSource } from '../../source/types.ts';
import { tableOf } from '../raster/blocks.ts';
import type { BlockTable } from '../raster/types.ts';
import type { ShadowLayout } from './layout.ts';

export interface ShadowJob extends Job {
  readonly task: 'shadow';
  readonly layout: ShadowLayout;
  readonly table: BlockTable;
  readonly mask: BlockTable | null;
  readonly shrink: ShadowShrink;
}

/** How pixels become one, whatever the level. */
export type ShadowShrink = Pick<ShrinkSettings, 'method' | 'integer' | 'max' | 'nodata' | 'alpha' | 'whole' | 'bands'>;

export function shrinkOf(source: RasterSource, { from, samples }: ShadowLayout): ShadowShrink {
  const { bands, dtype, nodata, levels } = source;
  const { integer, max } = SAMPLE_TYPES[dtype];
  const level = levels[from];
  const masked = level.mask !== null || level.format.compression === LERC;
  const alpha = bands.findIndex(band => band.colorInterp === 'alpha');
  return {
    // Classes have no mean.
    method: bands.some(band => band.colorInterp === 'palette') ? 'nearest' : 'average',
    integer,
    max,
    nodata,
    alpha,
    whole: integer && nodata === null && !masked && alpha < 0,
    bands: samples,
  };
}

const LERC = 34887;

/** Errors: those of reading its block tables. */
export async function planShadow(source: RasterSource, layout: ShadowLayout, signal: AbortSignal): Promise<ShadowJob> {
  const level = source.levels[layout.from];
  const whole = (each: Level) => ({ x: 0, y: 0, width: each.width, height: each.height });
  const planes = Array.from({ length: level.format.planar === 2 ? layout.samples : 1 }, (_, plane) => plane);
  const table = await tableOf(level, layout.from, whole(level), planes, signal);
  const mask = level.mask && (await tableOf(level.mask, layout.from, whole(level.mask), [0], signal));
  checkLengths(source, level, table);
  if (level.mask && mask) checkLengths(source, level.mask, mask);
  return { task: 'shadow', long: true, layout, table, mask, shrink: shrinkOf(source, layout) };
}

/** No codec makes more of a block: what the file says beyond it was not priced. */
function encodedMax({ decodedBlockBytes }: Level): number {
  return 2 * decodedBlockBytes + 65536;
}

function checkLengths({ ref }: RasterSource, level: Level, { lengths }: BlockTable): void {
  const most = encodedMax(level);
  const at = lengths.findIndex(length => length > most);
  if (at >= 0)
    throw problem(
      'corrupt-data',
      `${ref.href}: block ${at} is said to have ${lengths[at]} bytes, more than twice what it holds`,
    );
}

/** Known from the layout alone; the largest encoded block is bounded by two decoded ones, and some. */
export function shadowCost(source: RasterSource, layout: ShadowLayout): Cost {
  const level = source.levels[layout.from];
  const { mask } = level;
  const [first] = layout.parts;
  const settings = {
    ...shrinkOf(source, layout),
    width: level.width,
    height: level.height,
    outWidth: first.width,
    outHeight: first.height,
    pieceRows: level.format.blockHeight,
  };
  const blocks = level.blocksAcross * level.blocksDown * (level.format.planar === 2 ? layout.samples : 1);
  const maskHeld = mask ? mask.decodedBlockBytes * (sameGrid(level, mask) ? 2 : heldMaskBlocks(level, mask)) : 0;
  const maskBlocks = mask ? mask.blocksAcross * mask.blocksDown : 0;
  const validity = level.format.blockWidth * level.format.blockHeight;
  // Codecs may change a block's form, so it counts twice; of a planar file the alpha is there beside it.
  const decoded = 3 * level.decodedBlockBytes + maskHeld + validity;
  return {
    inputBytes: source.ref.size,
    heldInputBytes: encodedMax(level) + (mask ? encodedMax(mask) : 0),
    decodedBytes: decoded + shrinkBytes(settings) + (blocks + maskBlocks) * 2 * 16,
    outputBytes: layout.bytes,
  };
}

/** The mask is cut into the same blocks as the image: each is wanted once. */
export function sameGrid(a: { readonly format: BlockFormat }, b: { readonly format: BlockFormat }): boolean {
  return a.format.blockWidth === b.format.blockWidth && a.format.blockHeight === b.format.blockHeight;
}

/** Else those beside a row of blocks are kept for all of it. */
function heldMaskBlocks(level: Level, mask: Level): number {
  return (Math.ceil(level.format.blockHeight / mask.format.blockHeight) + 2) * mask.blocksAcross;
}
