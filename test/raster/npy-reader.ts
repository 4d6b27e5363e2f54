/** Reads what encodeNpy and numpy.save write: version 1, C order, numbers. */
export interface Cube {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  readonly descr: string;
}

const READERS: Readonly<Record<string, [number, (view: DataView, at: number) => number]>> = {
  '|u1': [1, (v, at) => v.getUint8(at)],
  '|i1': [1, (v, at) => v.getInt8(at)],
  '<u2': [2, (v, at) => v.getUint16(at, true)],
  '<i2': [2, (v, at) => v.getInt16(at, true)],
  '<u4': [4, (v, at) => v.getUint32(at, true)],
  '<i4': [4, (v, at) => v.getInt32(at, true)],
  '<u8': [8, (v, at) => Number(v.getBigUint64(at, true))],
  '<i8': [8, (v, at) => Number(v.getBigInt64(at, true))],
  '<f2': [2, (v, at) => v.getFloat16(at, true)],
  '<f4': [4, (v, at) => v.getFloat32(at, true)],
  '<f8': [8, (v, at) => v.getFloat64(at, true)],
};

export function readNpy(bytes: Uint8Array): Cube {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x934e554d) throw new Error('not a .npy');
  const start = 10 + view.getUint16(8, true);
  const header = new TextDecoder('latin1').decode(bytes.subarray(10, start));
  const descr = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter(Boolean).map(Number);
  const [size, get] = READERS[descr];
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== start + count * size) throw new Error(`${bytes.length} bytes for ${count} × ${size}`);
  return { shape, descr, values: Float64Array.from({ length: count }, (_, i) => get(view, start + i * size)) };
}
