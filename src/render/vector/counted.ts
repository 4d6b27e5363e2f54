/** Attributes that no column has: what a feature that stands for several says of them. */
import { ensure, type Out, varint } from '../../kernels/bytes-out.ts';
import { type Dictionary, named, putInteger, valueNumber } from './properties.ts';

export const POINT_COUNT = 'point_count';
export const SQRT_POINT_COUNT = 'sqrt_point_count';
export const DUST = 'dust';
export const AREA = 'area';

/** A square of dust: that it is one, the area that it stands for to seven digits, and how many features. */
export function putDust(count: number, area: number, d: Dictionary, tags: Out): void {
  ensure(d.values, 32);
  ensure(tags, 48);
  const { values } = d;
  values.bytes[values.at++] = 0x38;
  values.bytes[values.at++] = 1;
  putTag(DUST, d, tags);
  values.bytes[values.at++] = 0x15;
  new DataView(values.bytes.buffer).setFloat32(values.at, area, true);
  values.at += 4;
  putTag(AREA, d, tags);
  putInteger(values, count);
  putTag(POINT_COUNT, d, tags);
}

/** The value that has just been written, under that name; the tags have room for it. */
export function putTag(name: string, d: Dictionary, tags: Out): void {
  tags.at = varint(tags.bytes, tags.at, named(d, name));
  tags.at = varint(tags.bytes, tags.at, valueNumber(d));
}

/** How many features this one stands for, and the root of it, for the size of a circle. */
export function putCount(count: number, d: Dictionary, tags: Out): void {
  ensure(d.values, 32);
  ensure(tags, 32);
  putInteger(d.values, count);
  putTag(POINT_COUNT, d, tags);
  putRoot(count, d, tags);
}

/** The root of it alone. */
export function putRoot(count: number, d: Dictionary, tags: Out): void {
  ensure(d.values, 32);
  ensure(tags, 32);
  const { values } = d;
  values.bytes[values.at++] = 0x19;
  new DataView(values.bytes.buffer).setFloat64(values.at, Math.round(Math.sqrt(count) * 100) / 100, true);
  values.at += 8;
  putTag(SQRT_POINT_COUNT, d, tags);
}
