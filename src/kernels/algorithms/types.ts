/** What algorithms share: pictures in, pictures out. */
import type { Range } from '../colour.ts';
import type { Samples, SampleType } from '../samples.ts';

/** Interleaved samples with their mask (0: not valid), and how far apart pixels lie, in units of the CRS. */
export interface Field {
  readonly samples: Samples;
  readonly bands: number;
  readonly type: SampleType;
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly resX: number;
  readonly resY: number;
}

export type Params = Readonly<Record<string, number | null>>;

export interface Parameter {
  readonly default: number | null;
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
  readonly description: string;
}

export interface Algorithm {
  readonly title: string;
  readonly description: string;
  /** Bands that it takes; null: as many as there are. */
  readonly inputBands: readonly number[] | null;
  /** Bands that it makes of so many. */
  outputBands(bands: number): number;
  outputType(type: SampleType): SampleType;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Values that it can make, where that is known: what a picture without `rescale` is stretched from. */
  readonly range: Range | null;
  /** Pixels around the picture that it looks at. */
  margin(params: Params): number;
  /** Writes the whole of `out`, which has the size of the field, and may clear pixels of `mask`. */
  apply(field: Field, params: Params, out: Samples, mask: Uint8Array): void;
}
