/** The part of a feature's geometry that a tile beyond maxzoom shows: enlarged, clipped, rounded, rings mended as those of other tiles. */
import type { VectorTileFeature } from '@mapbox/vector-tile';
import { clipLine, clipRing, newClipScratch } from '../../kernels/clip.ts';
import { mended } from '../../kernels/mend.ts';
import { addRing, newRings, newRingsScratch } from '../../kernels/rings.ts';
import { area2, openRing, quantise } from '../../kernels/simplify.ts';

/** Which part of the parent tile is wanted. */
export interface Cut {
  /** Tiles a side that the parent is cut into; 1: it is taken as it is. */
  readonly factor: number;
  /** Which of them, from its top left corner. */
  readonly col: number;
  readonly row: number;
  /** Units of the extent around the tile that are kept. */
  readonly buffer: number;
}

/** Where a feature's parts are among those that are kept. */
export interface Kept {
  readonly first: number;
  readonly count: number;
}

/** A decoded point is an object in an array; then it is two doubles, clipped twice over, rounded, checked. */
export const DECODED_POINT_BYTES = 48 + 16 + 48 + 8 + 28;
/** A kept point; clipping leaves half as many more at most. */
export const KEPT_POINT_BYTES = 8;

const EVERYWHERE = Object.freeze([-Infinity, -Infinity, Infinity, Infinity]);

/** Keeps what it cuts in one array: an object a point would be six times that. */
export class Cutter {
  #xy = new Int32Array(4096);
  #used = 0;
  readonly #ends: number[] = [];
  #largest = 0;
  #ints = new Int32Array(1024);
  #doubles = new Float64Array(1024);
  #lines = new Float64Array(1024);
  #lineEnds = new Int32Array(512);
  #clip = newClipScratch(512);
  #rings = newRings(1024, 32);
  #checks = newRingsScratch();
  readonly #everywhere = Float64Array.from(EVERYWHERE);

  /** null where nothing of it shows. */
  cut(feature: VectorTileFeature, { factor, col, row, buffer }: Cut, extent: number): Kept | null {
    const parts = feature.loadGeometry();
    const first = this.#ends.length;
    const [min, max] = [-buffer, extent + buffer];
    this.#largest = Math.max(
      this.#largest,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    this.#rings.count = 0;
    let drawn = false;
    for (const part of parts) {
      const n = part.length;
      this.#room(n);
      part.forEach(({ x, y }, i) => {
        this.#doubles[i * 2] = x * factor - col * extent;
        this.#doubles[i * 2 + 1] = y * factor - row * extent;
      });
      if (feature.type === 1) this.#points(n, min, max, first);
      else if (feature.type === 2) this.#line(n, min, max);
      else drawn = this.#ring(n, min, max, drawn);
    }
    if (feature.type === 3) this.#polygon();
    const count = this.#ends.length - first;
    return count === 0 ? null : { first, count };
  }

  /** Points of part i, x y x y …; good until the next is cut. */
  part(i: number): Int32Array {
    return this.#xy.subarray(i === 0 ? 0 : this.#ends[i - 1], this.#ends[i]);
  }

  /** What was held at most, with all that is kept. */
  get peakBytes(): number {
    return this.#largest * DECODED_POINT_BYTES + this.#used * (KEPT_POINT_BYTES / 2) + this.#ends.length * 8;
  }

  #room(n: number): void {
    if (this.#doubles.length < n * 2) this.#doubles = new Float64Array(n * 3);
    if (this.#ints.length < n * 4 + 16) this.#ints = new Int32Array(n * 6 + 16);
    if (this.#lines.length < n * 4) {
      this.#lines = new Float64Array(n * 6);
      this.#lineEnds = new Int32Array(n * 3);
    }
  }

  #keep(ints: Int32Array, n: number): void {
    if (this.#used + n * 2 > this.#xy.length) {
      const grown = new Int32Array((this.#used + n * 2) * 2);
      grown.set(this.#xy.subarray(0, this.#used));
      this.#xy = grown;
    }
    this.#xy.set(ints.subarray(0, n * 2), this.#used);
    this.#used += n * 2;
    this.#ends.push(this.#used);
  }

  /** All points of a feature are one part. Of those that neighbours share in their buffers each has its own. */
  #points(n: number, min: number, max: number, first: number): void {
    let m = 0;
    for (let i = 0; i < n; i++) {
      const x = Math.round(this.#doubles[i * 2]);
      const y = Math.round(this.#doubles[i * 2 + 1]);
      if (!(x >= min && x <= max && y >= min && y <= max)) continue;
      this.#ints[m++] = x;
      this.#ints[m++] = y;
    }
    if (m === 0) return;
    this.#keep(this.#ints, m / 2);
    if (this.#ends.length > first + 1) this.#ends.splice(-2, 1);
  }

  #line(n: number, min: number, max: number): void {
    const pieces = clipLine(this.#doubles, 0, n, min, min, max, max, this.#lines, this.#lineEnds);
    for (let i = 0, at = 0; i < pieces; at = this.#lineEnds[i++]) {
      const m = quantise(this.#lines, at * 2, this.#lineEnds[i] - at, 0, this.#ints);
      if (m >= 2) this.#keep(this.#ints, m);
    }
  }

  /** Outer rings turn clockwise on the screen (y down); what is left of a hole goes with its outer ring. Answers whether that is drawn. */
  #ring(closed: number, min: number, max: number, drawn: boolean): boolean {
    const xy = this.#doubles;
    // The decoder closes rings by repeating their first point.
    const n = closed > 1 && xy[0] === xy[closed * 2 - 2] && xy[1] === xy[closed * 2 - 1] ? closed - 1 : closed;
    const outer = signedArea(xy, n) > 0;
    if (!outer && !drawn) return false;
    const left = clipRing(xy, n, this.#everywhere, min, min, max, max, this.#clip);
    if (this.#ints.length < left * 2) this.#ints = new Int32Array(left * 3);
    const m = openRing(this.#ints, quantise(this.#clip.ring, 0, left, 0, this.#ints));
    const area = m < 3 ? 0 : area2(this.#ints, m);
    const shows = outer ? area > 0 : area < 0;
    if (shows) addRing(this.#rings, this.#ints, m, outer, area);
    return outer ? shows : drawn;
  }

  #polygon(): void {
    if (this.#rings.count === 0) return;
    const rings = mended(this.#rings, this.#checks);
    for (let r = 0, from = 0; r < rings.count; from = rings.ends[r++]) {
      const ring = rings.xy.slice(from * 2, rings.ends[r] * 2);
      const n = ring.length / 2;
      this.#keep((rings.outer[r] === 1) === rings.areas[r] > 0 ? ring : reversed(ring), n);
    }
  }
}

function signedArea(xy: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0, p = n - 1; i < n; p = i++) sum += xy[p * 2] * xy[i * 2 + 1] - xy[i * 2] * xy[p * 2 + 1];
  return sum;
}

function reversed(ring: Int32Array): Int32Array {
  const n = ring.length / 2;
  return Int32Array.from(ring, (_, i) => ring[(n - 1 - (i >> 1)) * 2 + (i & 1)]);
}
