/**
 * A fully transparent WebP without an encoder: lossless, where each of the five prefix codes has the single symbol 0, so
 * that a pixel takes no bits at all. 36 bytes whatever the size.
 */
export function emptyWebp(width: number, height: number): Uint8Array {
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = 0; i < count; i++) bits.push((value >> i) & 1);
  };
  put(width - 1, 14);
  put(height - 1, 14);
  put(1, 1); // alpha is used
  put(0, 3); // version
  put(0, 1); // no transforms
  put(0, 1); // no colour cache
  put(0, 1); // one set of codes for the whole image
  for (let code = 0; code < 5; code++) {
    put(1, 1); // simple code
    put(0, 1); // one symbol
    put(0, 1); // of one bit
    put(0, 1); // which is 0
  }
  const length = 1 + Math.ceil(bits.length / 8);
  const padded = length + (length & 1);
  const out = new Uint8Array(20 + padded);
  const view = new DataView(out.buffer);
  const text = (at: number, word: string) => {
    for (let i = 0; i < 4; i++) out[at + i] = word.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, 12 + padded, true);
  text(8, 'WEBP');
  text(12, 'VP8L');
  view.setUint32(16, length, true);
  out[20] = 0x2f;
  for (let i = 0; i < bits.length; i++) if (bits[i]) out[21 + (i >> 3)] |= 1 << (i & 7);
  return out;
}
