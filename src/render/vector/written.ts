/** Attribute values that an operator wants as text, as MVT strings: rare enough to be made by way of JavaScript's own. */
import { ensure, type Out, varint } from '../../kernels/bytes-out.ts';
import { COLUMN_TYPES } from '../../source/fgb/layout.ts';

const LONG = COLUMN_TYPES.indexOf('long');
const BINARY = COLUMN_TYPES.indexOf('binary');

/** Digits of a 64-bit integer, base64 of bytes; null where the type is text already. */
function textOf(view: DataView, p: number, length: number, type: number): string | null {
  if (type === BINARY) return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + p, length).toString('base64');
  if (length !== 8) return null;
  return (type === LONG ? view.getBigInt64(p, true) : view.getBigUint64(p, true)).toString();
}

/** Writes the value as a Value message; false where it is to be written as usual. */
export function putWritten(view: DataView, p: number, length: number, type: number, out: Out): boolean {
  const text = textOf(view, p, length, type);
  if (text === null) return false;
  ensure(out, text.length + 16);
  out.bytes[out.at++] = 0x0a;
  out.at = varint(out.bytes, out.at, text.length);
  for (let i = 0; i < text.length; i++) out.bytes[out.at++] = text.charCodeAt(i);
  return true;
}
