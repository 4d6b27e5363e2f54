/** A growing byte buffer and protobuf's varints: what the MVT writer is made of. Free functions, so that they inline. */

export interface Out {
  bytes: Uint8Array<ArrayBuffer>;
  at: number;
}

export function newOut(bytes: number): Out {
  return { bytes: new Uint8Array(bytes), at: 0 };
}

/** Makes room for `more` bytes behind `at`. */
export function ensure(out: Out, more: number): void {
  if (out.at + more <= out.bytes.length) return;
  let size = out.bytes.length * 2;
  while (size < out.at + more) size *= 2;
  const grown = new Uint8Array(size);
  grown.set(out.bytes.subarray(0, out.at));
  out.bytes = grown;
}

/** Writes a non-negative integer below 2^53 at `at`; answers where it ends. Takes at most 8 bytes. */
export function varint(bytes: Uint8Array, at: number, value: number): number {
  let v = value;
  while (v > 0x7fffffff) {
    bytes[at++] = (v % 128) | 0x80;
    v = Math.floor(v / 128);
  }
  while (v > 0x7f) {
    bytes[at++] = (v & 0x7f) | 0x80;
    v >>>= 7;
  }
  bytes[at++] = v;
  return at;
}

/** Writes a 64-bit unsigned integer of two halves. Takes at most 10 bytes. */
export function varint64(bytes: Uint8Array, at: number, low: number, high: number): number {
  let lo = low >>> 0;
  let hi = high >>> 0;
  while (hi !== 0) {
    bytes[at++] = (lo & 0x7f) | 0x80;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  return varint(bytes, at, lo);
}

export function varintSize(value: number): number {
  let n = 1;
  for (let v = value; v > 0x7f; v = Math.floor(v / 128)) n++;
  return n;
}

/** Copies bytes; a loop for short runs, where making a view would cost more than the copy. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > 64) {
    to.set(from.subarray(start, end), at);
    return at + end - start;
  }
  for (let i = start; i < end; i++) to[at++] = from[i];
  return at;
}
