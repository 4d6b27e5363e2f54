/**
 * A raster made smaller, as GDAL makes overviews: each pixel of the result is the mean of what counts under it, pixels on its
 * edge by their share. It is fed in pieces from the top down, and holds no more than the rows of the result that a piece may touch.
 */

export interface ShrinkSettings {
  readonly width: number;
  readonly height: number;
  readonly outWidth: number;
  readonly outHeight: number;
  readonly bands: number;
  /** Most rows of a piece. */
  readonly pieceRows: number;
  readonly method: 'average' | 'nearest';
  /** Integers are rounded, and kept off nodata where they only happen to meet it. */
  readonly integer: boolean;
  readonly max: number;
  /** Samples of it do not count; NaN never does. */
  readonly nodata: number | null;
  /** Band that is the mean of all pixels, whether they count or not; -1: none. */
  readonly alpha: number;
  /** All samples are known to count. */
  readonly whole: boolean;
  /** Once for each row of the result, in order: interleaved samples, and 0 for what nothing counted for. Both are lent. */
  readonly row: (y: number, samples: Float64Array, valid: Uint8Array) => void;
}

/** A rectangle of the source. */
export interface Piece {
  readonly data: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> };
  /** Pixels and samples from one row, and one pixel, of `data` to the next. */
  readonly rowPixels: number;
  readonly pixelSamples: number;
  /** The samples are those of so many bands from this one on. */
  readonly band: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** 0: the pixel does not count. null: all do. */
  readonly valid: Uint8Array | null;
}

export interface Shrink {
  /** Pieces above each other come in order; beside each other as they like. */
  add(piece: Piece): void;
  /** All rows above this one have come. */
  done(rows: number): void;
}

/** Most rows of the result that are held at once. */
export function shrinkRows({ height, outHeight, pieceRows }: Omit<ShrinkSettings, 'row'>): number {
  return Math.min(outHeight, Math.ceil((pieceRows * outHeight) / height) + 2);
}

export function shrinkBytes(settings: Omit<ShrinkSettings, 'row'>): number {
  const { width, outWidth, bands } = settings;
  // Sums and counts, of the rows held and of the one that is being added; a row of the source; where its pixels go.
  return (
    (shrinkRows(settings) + 2) * outWidth * bands * 16 + width * (bands * 8 + 12) + settings.height * 12 + outWidth
  );
}

export function createShrink(settings: ShrinkSettings): Shrink {
  return settings.method === 'nearest' ? new Picking(settings) : new Averaging(settings);
}

/** Where the pixels of an axis go: the first cell that each lies in, and how much of it does. */
interface Axis {
  readonly first: Int32Array;
  readonly share: Float64Array;
}

const EPSILON = 1e-9;

function axisOf(size: number, cells: number): Axis {
  const first = new Int32Array(size);
  const share = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    const cell = Math.floor((at * cells) / size);
    const part = ((cell + 1) * size) / cells - at;
    first[at] = cell;
    share[at] = part > 1 - EPSILON ? 1 : part;
  }
  return { first, share };
}

class Averaging implements Shrink {
  readonly #s: ShrinkSettings;
  readonly #across: Axis;
  readonly #down: Axis;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  /** One row of a piece, and what it is across. */
  readonly #line: Float64Array;
  readonly #lineSums: Float64Array;
  readonly #lineCounts: Float64Array;
  readonly #out: Float64Array;
  readonly #valid: Uint8Array;
  #top = 0;

  constructor(settings: ShrinkSettings) {
    this.#s = settings;
    const { width, height, outWidth, outHeight, bands } = settings;
    this.#across = axisOf(width, outWidth);
    this.#down = axisOf(height, outHeight);
    const row = outWidth * bands;
    this.#sums = new Float64Array(shrinkRows(settings) * row);
    this.#counts = new Float64Array(settings.whole ? 0 : this.#sums.length);
    this.#line = new Float64Array(width * bands);
    this.#lineSums = new Float64Array(row);
    this.#lineCounts = new Float64Array(settings.whole ? 0 : row);
    this.#out = new Float64Array(row);
    this.#valid = new Uint8Array(outWidth);
  }

  add(piece: Piece): void {
    const { first, share } = this.#down;
    const { data, rowPixels, pixelSamples, x, y, width, height, valid } = piece;
    const line = this.#line.subarray(0, width * pixelSamples);
    const from = this.#across.first[x];
    const to = Math.min(this.#s.outWidth, this.#across.first[x + width - 1] + 2);
    for (let row = 0; row < height; row++) {
      const start = row * rowPixels * pixelSamples;
      line.set(data.subarray(start, start + line.length));
      this.#lineSums.fill(0, from * this.#s.bands, to * this.#s.bands);
      if (this.#s.whole) this.#addWhole(piece);
      else {
        this.#lineCounts.fill(0, from * this.#s.bands, to * this.#s.bands);
        this.#addCounting(piece, valid, row * width);
      }
      const part = share[y + row];
      this.#into(first[y + row], part, from, to);
      if (part < 1) this.#into(first[y + row] + 1, 1 - part, from, to);
    }
  }

  #addWhole({ x, width, pixelSamples: n, band }: Piece): void {
    const { first, share } = this.#across;
    const { bands } = this.#s;
    const line = this.#line;
    const sums = this.#lineSums;
    for (let i = 0, s = 0; i < width; i++, s += n) {
      const part = share[x + i];
      const at = first[x + i] * bands + band;
      if (part === 1) for (let b = 0; b < n; b++) sums[at + b] += line[s + b];
      else {
        for (let b = 0; b < n; b++) {
          sums[at + b] += line[s + b] * part;
          sums[at + bands + b] += line[s + b] * (1 - part);
        }
      }
    }
  }

  #addCounting({ x, width, pixelSamples: n, band }: Piece, valid: Uint8Array | null, v0: number): void {
    const { first, share } = this.#across;
    const { bands, alpha } = this.#s;
    const line = this.#line;
    const [sums, counts] = [this.#lineSums, this.#lineCounts];
    // NaN is unlike everything, as no nodata is.
    const nodata = this.#s.nodata ?? Number.NaN;
    for (let i = 0, s = 0; i < width; i++, s += n) {
      const counted = valid === null || valid[v0 + i] !== 0;
      const part = share[x + i];
      const at = first[x + i] * bands + band;
      for (let b = 0; b < n; b++) {
        const value = line[s + b];
        if (Number.isNaN(value) || value === nodata || (!counted && band + b !== alpha)) continue;
        sums[at + b] += value * part;
        counts[at + b] += part;
        if (part === 1) continue;
        sums[at + bands + b] += value * (1 - part);
        counts[at + bands + b] += 1 - part;
      }
    }
  }

  #into(row: number, part: number, from: number, to: number): void {
    const { bands, outWidth, whole } = this.#s;
    const at = (row - this.#top) * outWidth * bands;
    const [sums, counts, lineSums, lineCounts] = [this.#sums, this.#counts, this.#lineSums, this.#lineCounts];
    for (let i = from * bands; i < to * bands; i++) sums[at + i] += lineSums[i] * part;
    if (!whole) for (let i = from * bands; i < to * bands; i++) counts[at + i] += lineCounts[i] * part;
  }

  done(rows: number): void {
    const { height, outHeight, outWidth, bands } = this.#s;
    const length = outWidth * bands;
    let finished = 0;
    while (this.#top + finished < outHeight && ((this.#top + finished + 1) * height) / outHeight <= rows + EPSILON) {
      this.#emit(finished);
      finished++;
    }
    if (finished === 0) return;
    this.#top += finished;
    for (const held of [this.#sums, this.#counts]) {
      held.copyWithin(0, finished * length);
      held.fill(0, Math.max(0, held.length - finished * length));
    }
  }

  #emit(held: number): void {
    const { width, height, outWidth, outHeight, bands, whole, integer, nodata, alpha, max } = this.#s;
    const area = (width / outWidth) * (height / outHeight);
    const at = held * outWidth * bands;
    const empty = nodata ?? (integer ? 0 : Number.NaN);
    for (let pixel = 0, i = 0; pixel < outWidth; pixel++) {
      let seen = 0;
      for (let b = 0; b < bands; b++, i++) {
        const count = whole ? area : this.#counts[at + i];
        // Shares that cancel out leave dust.
        if (count < EPSILON) {
          this.#out[i] = b === alpha ? 0 : empty;
          continue;
        }
        if (b !== alpha) seen = 1;
        let value = this.#sums[at + i] / count;
        if (integer) value = Math.floor(value + 0.5);
        if (value === nodata) value += integer ? (nodata < max ? 1 : -1) : Math.abs(nodata) * 1e-6 + 1e-30;
        this.#out[i] = value;
      }
      this.#valid[pixel] = seen;
    }
    this.#s.row(this.#top + held, this.#out, this.#valid);
  }
}

/** The pixel at the corner of each cell, whatever it holds: classes have no mean. */
class Picking implements Shrink {
  readonly #s: ShrinkSettings;
  /** The place in the result that a column and a row are picked for; -1: none. */
  readonly #columns: Int32Array;
  readonly #rows: Int32Array;
  readonly #held: Float64Array;
  readonly #valid: Uint8Array;
  #top = 0;

  constructor(settings: ShrinkSettings) {
    this.#s = settings;
    const { width, height, outWidth, outHeight, bands } = settings;
    this.#columns = picks(width, outWidth);
    this.#rows = picks(height, outHeight);
    const rows = shrinkRows(settings);
    this.#held = new Float64Array(rows * outWidth * bands);
    this.#valid = new Uint8Array(rows * outWidth);
  }

  add({ data, rowPixels, pixelSamples: n, band, x, y, width, height, valid }: Piece): void {
    const { bands, outWidth } = this.#s;
    for (let row = 0; row < height; row++) {
      const down = this.#rows[y + row];
      if (down < 0) continue;
      for (let i = 0; i < width; i++) {
        const across = this.#columns[x + i];
        if (across < 0) continue;
        const pixel = (down - this.#top) * outWidth + across;
        const at = (row * rowPixels + i) * n;
        for (let b = 0; b < n; b++) this.#held[pixel * bands + band + b] = data[at + b];
        this.#valid[pixel] = valid === null || valid[row * width + i] !== 0 ? 1 : 0;
      }
    }
  }

  done(rows: number): void {
    const { bands, outWidth, outHeight, height, row } = this.#s;
    let finished = 0;
    while (this.#top + finished < outHeight && cornerOf(this.#top + finished, height, outHeight) < rows) {
      const at = finished * outWidth;
      row(
        this.#top + finished,
        this.#held.subarray(at * bands, (at + outWidth) * bands),
        this.#valid.subarray(at, at + outWidth),
      );
      finished++;
    }
    this.#top += finished;
    this.#held.copyWithin(0, finished * outWidth * bands);
    this.#valid.copyWithin(0, finished * outWidth);
  }
}

function cornerOf(cell: number, size: number, cells: number): number {
  return Math.min(size - 1, Math.floor(0.5 + (cell * size) / cells));
}

function picks(size: number, cells: number): Int32Array {
  const out = new Int32Array(size).fill(-1);
  for (let cell = 0; cell < cells; cell++) out[cornerOf(cell, size, cells)] = cell;
  return out;
}
