/** NumPy's .npy, version 1.0: what titiler answers for format npy, shape (bands, height, width). */
import { SAMPLE_TYPES, type Samples, type SampleType, writeBand } from './samples.ts';

export interface NpyCube {
  readonly type: SampleType;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  /** Interleaved. */
  readonly samples: Samples;
  /** 0 or 255 a pixel; becomes one more band. */
  readonly mask: Uint8Array | null;
}

const HEADER = 128;

/** A mask of 255 does not fit into int8, so those cubes become int16, as NumPy itself promotes them. */
function cubeType(type: SampleType, mask: boolean): SampleType {
  return mask && type === 'int8' ? 'int16' : type;
}

export function npyBytes(type: SampleType, count: number, bands: number, mask: boolean): number {
  return HEADER + count * (bands + (mask ? 1 : 0)) * SAMPLE_TYPES[cubeType(type, mask)].bytes;
}

export function encodeNpy({ type, width, height, bands, samples, mask }: NpyCube): Uint8Array {
  const target = cubeType(type, mask !== null);
  const { bytes, npy } = SAMPLE_TYPES[target];
  const count = width * height;
  const planes = bands + (mask ? 1 : 0);
  const out = new Uint8Array(npyBytes(type, count, bands, mask !== null));
  const shape = `{'descr': '${npy}', 'fortran_order': False, 'shape': (${planes}, ${height}, ${width}), }`;
  // 6 magic, 2 version, 2 length; NumPy wants the data on a 64-byte boundary.
  const text = shape.padEnd(HEADER - 11) + '\n';
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (HEADER - 10) & 255, (HEADER - 10) >> 8]);
  for (let i = 0; i < text.length; i++) out[10 + i] = text.charCodeAt(i);
  const view = new DataView(out.buffer);
  for (let band = 0; band < bands; band++) {
    writeBand(target, samples, { band, bands, count }, view, { at: HEADER + band * count * bytes, step: 1 });
  }
  if (mask)
    writeBand(target, mask, { band: 0, bands: 1, count }, view, { at: HEADER + bands * count * bytes, step: 1 });
  return out;
}
