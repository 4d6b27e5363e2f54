/** Undoes TIFF predictors in place. Differences restart at every row of every block. */

type Integers = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

/** Predictor 2 on host-order samples: each adds the sample `stride` before it, modulo the width of the type. */
export function undoHorizontal(bytes: Uint8Array, bits: number, rowSamples: number, stride: number): void {
  if (bits === 8) undo8(bytes, rowSamples, stride);
  else if (bits === 16) undoRows(viewOf(bytes, Uint16Array), rowSamples, stride);
  else if (bits === 32) undoRows(viewOf(bytes, Uint32Array), rowSamples, stride);
  else undo64(viewOf(bytes, BigUint64Array), rowSamples, stride);
}

function viewOf<T extends Integers>(
  bytes: Uint8Array,
  type: { new (buffer: ArrayBufferLike, at: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
): T {
  return new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT);
}

/** Three and four samples a pixel are what images have; keeping the running sums in locals is twice as fast. */
function undo8(data: Uint8Array, rowSamples: number, stride: number): void {
  if (stride === 1) {
    for (let row = 0; row < data.length; row += rowSamples) {
      let a = 0;
      for (let i = row; i < row + rowSamples; i++) data[i] = a = (a + data[i]) & 255;
    }
  } else if (stride === 3) {
    for (let row = 0; row < data.length; row += rowSamples) undo8x3(data, row, row + rowSamples);
  } else {
    undoRows(data, rowSamples, stride);
  }
}

function undo8x3(data: Uint8Array, from: number, to: number): void {
  let a = 0;
  let b = 0;
  let c = 0;
  for (let i = from; i < to; i += 3) {
    data[i] = a = (a + data[i]) & 255;
    data[i + 1] = b = (b + data[i + 1]) & 255;
    data[i + 2] = c = (c + data[i + 2]) & 255;
  }
}

function undoRows(data: Uint8Array | Uint16Array | Uint32Array, rowSamples: number, stride: number): void {
  for (let row = 0; row < data.length; row += rowSamples) {
    const end = row + rowSamples;
    for (let i = row + stride; i < end; i++) data[i] += data[i - stride];
  }
}

function undo64(data: BigUint64Array, rowSamples: number, stride: number): void {
  for (let row = 0; row < data.length; row += rowSamples) {
    const end = row + rowSamples;
    for (let i = row + stride; i < end; i++) data[i] += data[i - stride];
  }
}

/**
 * Predictor 3: a row is its samples' bytes by significance (all the most significant first), differenced bytewise. The
 * result is in host (little-endian) order whatever the file's byte order: the layout names bytes by significance.
 */
export function undoFloat(bytes: Uint8Array, size: number, rowSamples: number, stride: number): void {
  const rowBytes = rowSamples * size;
  const row = new Uint8Array(rowBytes);
  if (size === 4 && stride === 1 && bytes.byteOffset % 4 === 0) {
    const out = viewOf(bytes, Uint32Array);
    for (let at = 0; at < out.length; at += rowSamples) {
      row.set(bytes.subarray(at * 4, at * 4 + rowBytes));
      undoFloats1(row, out, at, rowSamples);
    }
    return;
  }
  for (let at = 0; at < bytes.length; at += rowBytes) {
    row.set(bytes.subarray(at, at + rowBytes));
    if (stride === 1) {
      let a = 0;
      for (let i = 0; i < rowBytes; i++) row[i] = a = (a + row[i]) & 255;
    } else {
      for (let i = stride; i < rowBytes; i++) row[i] += row[i - stride];
    }
    if (size === 4) gather4(row, bytes, at, rowSamples);
    else gather(row, bytes, at, rowSamples, size);
  }
}

/**
 * One float32 a pixel, the usual elevation model: the four byte planes of a row are summed side by side, each from what those
 * before it add up to, which a processor does at once where one sum over all must wait for itself.
 */
function undoFloats1(row: Uint8Array, out: Uint32Array, at: number, n: number): void {
  const n2 = 2 * n;
  const n3 = 3 * n;
  let [b, c, d] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    b += row[i];
    c += row[n + i];
    d += row[n2 + i];
  }
  // Where each plane's sum begins: behind one, two and three planes.
  c += b;
  d += c;
  let a = 0;
  for (let i = 0; i < n; i++) {
    a += row[i];
    b += row[n + i];
    c += row[n2 + i];
    d += row[n3 + i];
    out[at + i] = (a << 24) | ((b & 255) << 16) | ((c & 255) << 8) | (d & 255);
  }
}

function gather4(row: Uint8Array, bytes: Uint8Array, at: number, n: number): void {
  for (let i = 0, to = at; i < n; i++, to += 4) {
    bytes[to] = row[i + 3 * n];
    bytes[to + 1] = row[i + 2 * n];
    bytes[to + 2] = row[i + n];
    bytes[to + 3] = row[i];
  }
}

function gather(row: Uint8Array, bytes: Uint8Array, at: number, n: number, size: number): void {
  for (let b = 0; b < size; b++) {
    const from = (size - 1 - b) * n;
    for (let i = 0, to = at + b; i < n; i++, to += size) bytes[to] = row[from + i];
  }
}
