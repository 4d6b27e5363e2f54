/**
 * What painting a mosaic takes: the picture that the members are put into, and beside it the dearest member alone, since they
 * are painted one after the other. How many there are only counts for the bytes read.
 */
import { outsideBytes } from '../../kernels/coverage.ts';
import { sumsBytes } from '../../kernels/pixel-selection.ts';
import { workingBytes } from '../../kernels/samples.ts';
import type { RasterLayer } from '../../layers/types.ts';
import type { Cost } from '../../plan.ts';
import { gatherBytes, heldInputBytes, inputBytes } from '../raster/blocks.ts';
import { productChoice, rangingBytes } from '../raster/cost.ts';
import { derivedBytes } from '../raster/derive.ts';
import { bodyBound, encodingBytes } from '../raster/encode.ts';
import { positionBytes } from '../raster/geometry.ts';
import type { BandChoice, Derivation, ImageJob, WindowRead } from '../raster/types.ts';
import type { MosaicImageJob } from './types.ts';

export interface Reading {
  readonly layer: RasterLayer;
  readonly job: ImageJob;
}

/** A member's plan as it is sent to the worker: its blocks apart. */
const JOB_BYTES = 4096;

export function mosaicCost(
  { grid, shown, style, cutline, selection }: Omit<MosaicImageJob, 'members' | 'ranging'>,
  choice: BandChoice,
  derivation: Derivation,
  members: readonly Reading[],
  ranging: readonly Reading[] | null,
): Cost {
  const pixels = grid.width * grid.height;
  const { expression } = derivation.derive ?? { expression: null };
  const bands = expression ? expression.parts.length : choice.bands.length;
  const valueBytes = expression || style.scales ? 8 : workingBytes(choice.dtype);
  const whole = pixels * (bands * valueBytes + 1);
  const held = selection === 'mean' ? sumsBytes(pixels, bands) + whole : whole;
  const rows = Math.max(...members.map(({ job }) => job.grid.height));
  const band = grid.width * rows;
  const real = (count: number) => (style.scales ? count * choice.bands.length * 8 : 0);
  const canvas = band * (choice.bands.length * workingBytes(choice.dtype) + 1);
  const making = derivedBytes(derivation, pixels);
  const gathered = dearest(members, ({ job: { parts } }) => parts);
  const stretched = dearest(ranging ?? [], ({ job: { stretch } }) => stretch ?? []);
  const windows = (ranging ?? []).flatMap(({ job }) => job.stretch ?? []);
  const stretching = stretched + Math.max(0, ...windows.map(({ window }) => rangingBytes(derivation, style, window)));
  const product = productChoice(choice, derivation);
  const outputBytes = bodyBound(style.format, shown, product);
  const encoding = encodingBytes(style, shown.width * shown.height, product, ranging !== null, outputBytes);
  const values = derivedBytes(derivation, band) + real(band);
  const painting = held + canvas + Math.max(positionBytes({ ...grid, height: rows }) + gathered, values);
  const finishing = held + making + (cutline ? outsideBytes(cutline, shown) : 0) + encoding + outputBytes;
  const reads = [...members.flatMap(({ job }) => job.parts), ...windows];
  const jobs = (members.length + (ranging?.length ?? 0)) * JOB_BYTES;
  return {
    inputBytes: reads.reduce((sum, read) => sum + inputBytes(read), 0),
    heldInputBytes: heldInputBytes(reads),
    decodedBytes: Math.max(0, Math.max(painting, stretching, finishing) - outputBytes) + jobs,
    outputBytes,
  };
}

function dearest(of: readonly Reading[], reads: (each: Reading) => readonly WindowRead[]): number {
  let most = 0;
  for (const each of of)
    for (const read of reads(each)) most = Math.max(most, gatherBytes(read, each.layer.source, each.job.choice));
  return most;
}
