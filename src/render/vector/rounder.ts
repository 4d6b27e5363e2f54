/** From doubles to the tile's integers, simplified: one pooled array that the next part writes over. */
import {
  area2,
  markSeams,
  newSimplifyScratch,
  openRing,
  quantise,
  type Seams,
  simplifyLine,
  simplifyRing,
} from '../../kernels/simplify.ts';

export class Rounder {
  /** x y x y … of the part at hand. */
  ints = new Int32Array(4096);
  /** Whether the part at hand comes near a neighbouring tile. */
  seamed = false;
  #tolerance2 = 0;
  #seams: Seams = { buffer: 0, extent: 0 };
  #scratch = newSimplifyScratch(512);

  begin(tolerance: number, seams: Seams): void {
    this.#tolerance2 = tolerance * tolerance;
    this.#seams = seams;
  }

  /** Room for n points; what is in there already is not kept. */
  room(n: number): void {
    if (this.ints.length < n * 2 + 8) this.ints = new Int32Array(n * 2 + (n >> 1) + 8);
  }

  line(src: Float64Array, from: number, n: number, shift: number): number {
    this.room(n);
    const { ints } = this;
    const rounded = quantise(src, from, n, shift, ints);
    if (this.#tolerance2 === 0) return rounded;
    const marked = this.seamed ? markSeams(ints, rounded, false, this.#seams, this.#scratch) : 0;
    const kept = simplifyLine(ints, rounded, this.#tolerance2, this.#scratch, marked);
    // A small loop whose ends meet: drawn as it was rounded.
    return kept < 2 && rounded >= 3 ? quantise(src, from, n, shift, ints) : kept;
  }

  /** An open ring; what simplifying flattens stays as it was rounded. */
  ring(src: Float64Array, n: number, shift: number): number {
    this.room(n);
    const { ints } = this;
    const before = openRing(ints, quantise(src, 0, n, shift, ints));
    if (before < 4 || this.#tolerance2 === 0) return before;
    const marked = this.seamed ? markSeams(ints, before, true, this.#seams, this.#scratch) : 0;
    const m = openRing(ints, simplifyRing(ints, before, this.#tolerance2, this.#scratch, marked));
    if (m === before || (m >= 3 && area2(ints, m) !== 0)) return m;
    return openRing(ints, quantise(src, 0, n, shift, ints));
  }

  /** Whether any of n points lies in the tile itself, not only in its buffer. */
  inSight(n: number): boolean {
    const { extent } = this.#seams;
    for (let i = 0; i < n * 2; i += 2) {
      const x = this.ints[i];
      const y = this.ints[i + 1];
      if (x >= 0 && x <= extent && y >= 0 && y <= extent) return true;
    }
    return false;
  }

  heldBytes(): number {
    const { keep, stack } = this.#scratch;
    return this.ints.byteLength + keep.byteLength + stack.byteLength;
  }

  trim(): void {
    this.ints = new Int32Array(4096);
    this.#scratch = newSimplifyScratch(512);
  }
}
