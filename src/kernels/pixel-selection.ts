/** Which of several values a pixel of a mosaic has: rio-tiler's ways of choosing, over pictures of the same grid. */
import { SAMPLE_TYPES, type Samples, type SampleType, workingArray } from './samples.ts';

/** By rio-tiler's names; `last` is `first` from the other end. */
export const PIXEL_SELECTIONS = ['first', 'last', 'highest', 'lowest', 'mean'] as const;
export type PixelSelection = (typeof PIXEL_SELECTIONS)[number];

/** Samples pixel by pixel; a mask of 0 is nothing. */
export interface Picture {
  readonly samples: Samples;
  readonly bands: number;
  readonly type: SampleType;
  readonly mask: Uint8Array;
}

/** True where the order of the pictures decides, so that a full one ends it. */
export function isOrdered(selection: PixelSelection): boolean {
  return selection === 'first' || selection === 'last';
}

/**
 * What `into` lacks is taken over. At a soft edge its value stays, and what lies behind makes it as opaque as that is: sheets
 * that touch have no seam. Answers how many pixels others could still change.
 */
export function fill(into: Picture, { samples, mask }: Picture): number {
  const { bands } = into;
  let lacking = 0;
  for (let p = 0; p < mask.length; p++) {
    const known = into.mask[p];
    if (known === 255) continue;
    if (mask[p] > known) into.mask[p] = mask[p];
    if (into.mask[p] !== 255) lacking++;
    if (known !== 0 || mask[p] === 0) continue;
    for (let i = p * bands; i < (p + 1) * bands; i++) into.samples[i] = samples[i];
  }
  return lacking;
}

/** Band by band the larger value (sign 1) or the smaller one (sign -1). */
export function takeExtreme(into: Picture, from: Picture, sign: 1 | -1): void {
  const { bands } = into;
  for (let p = 0; p < from.mask.length; p++) {
    if (from.mask[p] === 0) continue;
    const lacking = into.mask[p] === 0;
    for (let i = p * bands; i < (p + 1) * bands; i++) {
      const value = from.samples[i];
      if (lacking || (sign === 1 ? value > into.samples[i] : value < into.samples[i])) into.samples[i] = value;
    }
    if (from.mask[p] > into.mask[p]) into.mask[p] = from.mask[p];
  }
}

/** Sums, so that a mean takes no more memory for more pictures. */
export interface Sums {
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  readonly mask: Uint8Array;
  readonly bands: number;
  readonly type: SampleType;
}

/** Bytes of the sums of a picture. */
export function sumsBytes(pixels: number, bands: number): number {
  return pixels * (bands * 8 + 4 + 1);
}

export function createSums(pixels: number, bands: number, type: SampleType): Sums {
  return {
    sums: new Float64Array(pixels * bands),
    counts: new Uint32Array(pixels),
    mask: new Uint8Array(pixels),
    bands,
    type,
  };
}

/** `from` begins at that pixel of the sums. */
export function addTo({ sums, counts, mask, bands }: Sums, from: Picture, first = 0): void {
  for (let p = 0, at = first; p < from.mask.length; p++, at++) {
    if (from.mask[p] === 0) continue;
    counts[at]++;
    if (from.mask[p] > mask[at]) mask[at] = from.mask[p];
    for (let b = 0; b < bands; b++) sums[at * bands + b] += from.samples[p * bands + b];
  }
}

/** In the type of the pictures: as rio-tiler, what is behind the point of whole numbers is cut off. */
export function meanOf({ sums, counts, mask, bands, type }: Sums): Picture {
  const samples = workingArray(type, sums.length);
  const { integer } = SAMPLE_TYPES[type];
  for (let p = 0; p < counts.length; p++) {
    if (counts[p] === 0) continue;
    for (let i = p * bands; i < (p + 1) * bands; i++) {
      const mean = sums[i] / counts[p];
      samples[i] = integer ? Math.trunc(mean) : mean;
    }
  }
  return { samples, bands, type, mask };
}
