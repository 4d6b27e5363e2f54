/**
 * The polygon of one feature, ring by ring: what is too small for an area stands in as a sliver or a pixel, and the whole is
 * written once it is valid. Which tile it is in plays no part in what stands in for what, so that neighbours agree.
 */
import { mended } from '../../kernels/mend.ts';
import { type Commands, putRing } from '../../kernels/mvt.ts';
import { addRing, newRings, newRingsScratch } from '../../kernels/rings.ts';
import { pixelSide } from './job.ts';

/** A part as long as this is drawn, as a sliver if need be; what is shorter may come to nothing. In units of the tile. */
const SIZEABLE = 2;

/** A point of a kept ring, its edge and what follows it. */
const POINT_BYTES = 8 + 16 + 4;

export class Polygon {
  #rings = newRings(2048, 64);
  #checks = newRingsScratch();
  #pixel = 8;
  #outers = 0;
  #sizeable = false;
  #specks: number[] = [];
  #shift = 0;
  /** Rings of several worlds are mixed: a hole may lie behind another copy's outer ring. */
  #copies = false;
  #most = 0;

  begin(extent: number): void {
    this.#most = 0;
    this.#pixel = pixelSide(extent);
  }

  reset(): void {
    this.#rings.count = 0;
    this.#outers = 0;
    this.#sizeable = false;
    this.#copies = false;
    if (this.#specks.length > 0) this.#specks = [];
  }

  /** Told of every outer ring of the feature, also of those that this tile does not see: how wide and high it is. */
  outer(width: number, height: number): void {
    this.#outers++;
    if (width >= SIZEABLE || height >= SIZEABLE) this.#sizeable = true;
  }

  /** A ring of n points in `ints`, drawn `shift` from where it lies. */
  add(ints: Int32Array, n: number, outer: boolean, area: number, shift: number): void {
    if (this.#rings.count > 0 && shift !== this.#shift) this.#copies = true;
    this.#shift = shift;
    addRing(this.#rings, ints, n, outer, area);
  }

  /**
   * An outer ring without area, n points of `ints`: answers with the points of the sliver that is there then; 0 where it is
   * too short even for that. The first ring of a feature that has nothing longer stands for the feature, as a pixel.
   */
  collapsed(ints: Int32Array, n: number, width: number, height: number): number {
    if (width >= SIZEABLE || height >= SIZEABLE) return sliver(ints, n);
    if (this.#outers === 1) this.#specks.push(ints[0], ints[1]);
    return 0;
  }

  /** Calls `put` with the pixels that stand for the feature: four points in `ints` each. */
  specks(ints: Int32Array, put: (n: number) => void): void {
    if (this.#sizeable) return;
    const side = this.#pixel;
    for (let i = 0; i < this.#specks.length; i += 2) {
      const x = Math.round(this.#specks[i] - side / 2);
      const y = Math.round(this.#specks[i + 1] - side / 2);
      ints[0] = ints[6] = x;
      ints[1] = ints[3] = y;
      ints[2] = ints[4] = x + side;
      ints[5] = ints[7] = y + side;
      put(4);
    }
  }

  hasSpecks(): boolean {
    return this.#specks.length > 0;
  }

  /** Writes the rings, mended where rounding, clipping or simplifying made them meet. */
  finish(out: Commands): void {
    const held = this.#rings;
    if (held.count === 0) return;
    this.#most = Math.max(this.#most, held.ends[held.count - 1]);
    const rings = mended(held, this.#checks, this.#copies);
    let first = 0;
    for (let r = 0; r < rings.count; r++) {
      const end = rings.ends[r];
      putRing(out, rings.xy, first, end - first, (rings.outer[r] === 1) !== rings.areas[r] > 0);
      first = end;
    }
  }

  /** Bytes of the largest polygon since begin(). */
  used(): number {
    return this.#most * POINT_BYTES;
  }

  heldBytes(): number {
    const { xy, ends, outer, areas } = this.#rings;
    const { segments, after } = this.#checks;
    const rings = xy.byteLength + ends.byteLength + outer.byteLength + areas.byteLength;
    return rings + segments.byteLength + after.byteLength;
  }

  trim(): void {
    this.#rings = newRings(2048, 64);
    this.#checks = newRingsScratch();
  }
}

/** A triangle a unit wide from the first of n points to the farthest from it; a square of one unit where all are one. */
export function sliver(ints: Int32Array, n: number): number {
  let far = 0;
  let farthest = 0;
  const ax = ints[0];
  const ay = ints[1];
  for (let i = 1; i < n; i++) {
    const d = Math.abs(ints[i * 2] - ax) + Math.abs(ints[i * 2 + 1] - ay);
    if (d <= farthest) continue;
    far = i;
    farthest = d;
  }
  if (far === 0) return unitSquare(ints, ax, ay);
  const bx = ints[far * 2];
  const by = ints[far * 2 + 1];
  const upright = Math.abs(by - ay) > Math.abs(bx - ax);
  ints.set([ax, ay, bx, by, bx + (upright ? 1 : 0), by + (upright ? 0 : 1)]);
  return 3;
}

/** The smallest ring there is, with its first corner there. */
export function unitSquare(ints: Int32Array, x: number, y: number): number {
  ints.set([x, y, x + 1, y, x + 1, y + 1, x, y + 1]);
  return 4;
}
