/** The ways of resampling by titiler's (GDAL's) names, and the kernels of those that weigh by distance. */

export const RESAMPLINGS = ['nearest', 'bilinear', 'cubic', 'average', 'rms', 'mode'] as const;

export type Resampling = (typeof RESAMPLINGS)[number];

export interface Kernel {
  /** Source pixels from the centre to where it ends, where an output pixel is a source pixel. */
  readonly support: number;
  /** `distance` from the centre, 0 to support. */
  weight(distance: number): number;
  /** Weights below zero can carry a value beyond all that it is made of. */
  readonly overshoots: boolean;
}

const triangle: Kernel = { support: 1, weight: d => 1 - d, overshoots: false };

/** Catmull and Rom's, as GDAL takes it. */
const cubic: Kernel = {
  support: 2,
  weight: d => (d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2),
  overshoots: true,
};

const KERNELS: Readonly<Partial<Record<Resampling, Kernel>>> = { bilinear: triangle, cubic };

/** Null where pixels are not weighed by their distance. */
export function kernelOf(resampling: Resampling): Kernel | null {
  return KERNELS[resampling] ?? null;
}

/** Whole pixels under the output pixel are counted, each by how much of it lies there. */
export type AreaKind = 'average' | 'rms' | 'mode';

export function areaKind(resampling: Resampling): AreaKind | null {
  return resampling === 'average' || resampling === 'rms' || resampling === 'mode' ? resampling : null;
}
