// AssemblyScript. TIFF's predictors undone in place, sixteen bytes at a time, and the Adler-32 of zlib streams.

/** A row of floats while its bytes are put in order: 16 KiB. */
const ROW: usize = 24576;
export const FLOATS_MAX: u32 = 4096;

/** Predictor 2 on bytes: every sample is the difference to the one `stride` before it in its row. */
export function undoBytes(at: usize, rowBytes: u32, rows: u32, stride: u32): void {
  for (let row: u32 = 0; row < rows; row++, at += rowBytes) {
    if (stride == 3) undo3(at, rowBytes);
    else if (stride == 1) undo1(at, at, rowBytes);
    else if (stride == 4) undo4(at, rowBytes);
    else undoAny(at, stride, rowBytes, stride);
  }
}

@inline
function undoAny(at: usize, from: u32, to: u32, stride: u32): void {
  for (let i = from; i < to; i++) store<u8>(at + i, load<u8>(at + i) + load<u8>(at + i - stride));
}

function undo3(at: usize, rowBytes: u32): void {
  const by3 = i8x16(16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const by6 = i8x16(16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const by12 = i8x16(16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3);
  const last = i8x16(12, 13, 14, 12, 13, 14, 12, 13, 14, 12, 13, 14, 12, 13, 14, 12);
  let carry = i8x16.splat(0);
  let i: u32 = 0;
  if (rowBytes >= 31) {
    let next = v128.load(at);
    for (; i + 31 <= rowBytes; i += 15) {
      let x = next;
      next = v128.load(at + i, 15);
      x = i8x16.add(x, i8x16.swizzle(x, by3));
      x = i8x16.add(x, i8x16.swizzle(x, by6));
      x = i8x16.add(x, i8x16.swizzle(x, by12));
      x = i8x16.add(x, carry);
      carry = i8x16.swizzle(x, last);
      v128.store(at + i, x);
    }
    // The last store reached one byte into what is left.
    store<u8>(at + i, i8x16.extract_lane_u(next, 0));
  }
  undoAny(at, i == 0 ? 3 : i, rowBytes, 3);
}

function undo4(at: usize, rowBytes: u32): void {
  let carry = i8x16.splat(0);
  const last = i8x16(12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
  const by4 = i8x16(16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  const by8 = i8x16(16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7);
  let i: u32 = 0;
  for (; i + 16 <= rowBytes; i += 16) {
    let x = v128.load(at + i);
    x = i8x16.add(x, i8x16.swizzle(x, by4));
    x = i8x16.add(x, i8x16.swizzle(x, by8));
    x = i8x16.add(x, carry);
    carry = i8x16.swizzle(x, last);
    v128.store(at + i, x);
  }
  undoAny(at, i == 0 ? 4 : i, rowBytes, 4);
}

@inline
function undo1(from: usize, to: usize, bytes: u32): void {
  const by1 = i8x16(16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
  const by2 = i8x16(16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
  const by4 = i8x16(16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  const by8 = i8x16(16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7);
  const last = i8x16.splat(15);
  let carry = i8x16.splat(0);
  let i: u32 = 0;
  for (; i + 16 <= bytes; i += 16) {
    let x = v128.load(from + i);
    x = i8x16.add(x, i8x16.swizzle(x, by1));
    x = i8x16.add(x, i8x16.swizzle(x, by2));
    x = i8x16.add(x, i8x16.swizzle(x, by4));
    x = i8x16.add(x, i8x16.swizzle(x, by8));
    x = i8x16.add(x, carry);
    carry = i8x16.swizzle(x, last);
    v128.store(to + i, x);
  }
  let sum = i == 0 ? <u8>0 : load<u8>(to + i - 1);
  for (; i < bytes; i++) {
    sum += load<u8>(from + i);
    store<u8>(to + i, sum);
  }
}

/** Predictor 3 on rows of `n` float32: four planes of bytes by significance, differenced as one row. n ≤ FLOATS_MAX. */
export function undoFloats(at: usize, n: u32, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++, at += n << 2) {
    undo1(at, ROW, n << 2);
    let i: u32 = 0;
    for (; i + 16 <= n; i += 16) {
      const a = v128.load(ROW + i);
      const b = v128.load(ROW + n + i);
      const c = v128.load(ROW + 2 * n + i);
      const d = v128.load(ROW + 3 * n + i);
      const low = i8x16.shuffle(d, c, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const low2 = i8x16.shuffle(d, c, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const high = i8x16.shuffle(b, a, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const high2 = i8x16.shuffle(b, a, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const to = at + (i << 2);
      v128.store(to, i16x8.shuffle(low, high, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(to, i16x8.shuffle(low, high, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      v128.store(to, i16x8.shuffle(low2, high2, 0, 8, 1, 9, 2, 10, 3, 11), 32);
      v128.store(to, i16x8.shuffle(low2, high2, 4, 12, 5, 13, 6, 14, 7, 15), 48);
    }
    for (; i < n; i++) {
      const to = at + (i << 2);
      store<u8>(to, load<u8>(ROW + 3 * n + i));
      store<u8>(to, load<u8>(ROW + 2 * n + i), 1);
      store<u8>(to, load<u8>(ROW + n + i), 2);
      store<u8>(to, load<u8>(ROW + i), 3);
    }
  }
}

/** Of what went before (1: nothing), with `length` more bytes. */
export function adler32(before: u32, at: usize, length: u32): u32 {
  let a = before & 0xffff;
  let b = before >> 16;
  const end = at + length;
  const falling = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const falling2 = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  while (at < end) {
    // zlib's 5552 bytes: so long 32 bits hold the sums.
    const stop = min<usize>(end, at + 5552);
    let sums = i32x4.splat(0);
    let before4 = i32x4.splat(0);
    let weighed = i32x4.splat(0);
    const blocks = <u32>(stop - at) >> 4;
    for (let k: u32 = 0; k < blocks; k++, at += 16) {
      const x = v128.load(at);
      before4 = i32x4.add(before4, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(x)));
      weighed = i32x4.add(weighed, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(x), falling));
      weighed = i32x4.add(weighed, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(x), falling2));
    }
    b += a * (blocks << 4) + (sum4(before4) << 4) + sum4(weighed);
    a += sum4(sums);
    for (; at < stop; at++) {
      a += load<u8>(at);
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return a | (b << 16);
}

@inline
function sum4(x: v128): u32 {
  return (
    i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3)
  );
}
