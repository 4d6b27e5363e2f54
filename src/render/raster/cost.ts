/** What painting an image takes, at its peak: windows gathered one after the other, a canvas, what is made of it, its encoder. */
import { outsideBytes } from '../../kernels/coverage.ts';
import { workingBytes } from '../../kernels/samples.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Cost } from '../../plan.ts';
import { gatherBytes, heldInputBytes, inputBytes } from './blocks.ts';
import { derivedBytes } from './derive.ts';
import { bodyBound, encodingBytes } from './encode.ts';
import { positionBytes } from './geometry.ts';
import type { GridRead } from './read.ts';
import type { BandChoice, Derivation, ImageJob, ImageStyle, Rect, WindowRead } from './types.ts';
import { PERCENTILE_VALUES } from './values.ts';

export function imageCost(
  layer: RasterLayer,
  { grid, shown, choice, style, cutline }: Pick<ImageJob, 'grid' | 'shown' | 'choice' | 'style' | 'cutline'>,
  derivation: Derivation,
  read: GridRead,
  stretch: readonly WindowRead[] | null,
): Cost {
  const pixels = grid.width * grid.height;
  const bands = choice.bands.length;
  const canvas = pixels * (bands * workingBytes(choice.dtype) + 1);
  const positions = positionBytes(grid);
  // Parts are gathered one after the other, and before them the blocks of the stretch, so only the largest counts.
  const reads = [...read.parts, ...(stretch ?? [])];
  const gathered = Math.max(0, ...reads.map(part => gatherBytes(part, layer.source, choice)));
  // First the windows are gathered, then the canvas is encoded: the larger of the two is the peak.
  const product = productChoice(choice, derivation);
  const outputBytes = bodyBound(style.format, shown, product);
  const encoding = encodingBytes(style, shown.width * shown.height, product, stretch !== null, outputBytes);
  const ranging = Math.max(0, ...(stretch ?? []).map(({ window }) => rangingBytes(derivation, style, window)));
  const making = derivedBytes(derivation, pixels) + (cutline ? outsideBytes(cutline, shown) : 0);
  const peak = canvas + Math.max(positions + gathered + ranging, making + encoding + outputBytes);
  return {
    inputBytes: reads.reduce((sum, part) => sum + inputBytes(part), 0),
    heldInputBytes: heldInputBytes(reads),
    decodedBytes: Math.max(0, peak - outputBytes),
    outputBytes,
  };
}

/** The bands that are encoded, as the encoder is told of them. */
export function productChoice(choice: BandChoice, { product }: Derivation): BandChoice {
  return { ...choice, bands: new Array<number>(product.bands).fill(0), dtype: product.type };
}

/** What finding a range makes of one window of the stretch. */
export function rangingBytes(derivation: Derivation, style: ImageStyle, { width, height }: Rect): number {
  const kept = style.percentiles ? PERCENTILE_VALUES * derivation.product.bands * 24 : 0;
  const real = style.scales ? width * height * derivation.wanted.length * 8 : 0;
  return derivedBytes(derivation, width * height) + real + kept;
}
